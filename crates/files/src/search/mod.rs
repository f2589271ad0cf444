//! Where a pattern is: a text, several, or a regular expression. What lies across two windows is found as
//! if all were in memory.

mod pattern;
mod reach;

pub use pattern::{Overlaps, Pattern};

use std::borrow::{Borrow, BorrowMut};
use std::ops::ControlFlow;

use memchr::memchr_iter;

use crate::error::FilesError;
use crate::windows::{Watch, Windows};
use reach::{CONTEXT, Reach};

/// How long a line may be that must be held whole, unless [`Search::longest_line`] says otherwise.
pub const LONGEST_LINE: usize = 4 << 20;

/// Where something was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Match {
    /// Its first byte.
    pub start: u64,
    /// Behind its last.
    pub end: u64,
    /// Which of several texts it is; 0 of a single pattern.
    pub pattern: usize,
}

/// A search under way, of windows and a pattern that are lent to it or its own.
pub struct Search<W, P> {
    windows: W,
    pattern: P,
    longest_line: usize,
    /// No match may begin before it.
    next: u64,
    /// From where on the window is needed again.
    keep: usize,
}

impl<W: BorrowMut<Windows>, P: Borrow<Pattern>> Search<W, P> {
    /// A search from the beginning. Nothing is read yet.
    #[must_use]
    pub fn new(windows: W, pattern: P) -> Search<W, P> {
        Search { windows, pattern, longest_line: LONGEST_LINE, next: 0, keep: 0 }
    }

    /// How long a line may be, for patterns whose matches have no bound but the line's end.
    #[must_use]
    pub fn longest_line(self, bytes: usize) -> Search<W, P> {
        Search { longest_line: bytes, ..self }
    }

    /// Reads on, and adds what was found, in order. False at the end.
    ///
    /// # Errors
    /// If the source cannot be read, becomes shorter, has a line that is too long for the pattern, or
    /// `watch` ends it.
    pub fn more(
        &mut self,
        found: &mut Vec<Match>,
        watch: &mut Watch<'_>,
    ) -> Result<bool, FilesError> {
        self.window(watch, &mut |one| {
            found.push(one);
            ControlFlow::Continue(())
        })
    }

    fn window(
        &mut self,
        watch: &mut Watch<'_>,
        found: &mut impl FnMut(Match) -> ControlFlow<()>,
    ) -> Result<bool, FilesError> {
        let (windows, pattern) = (self.windows.borrow_mut(), self.pattern.borrow());
        if !windows.advance(self.keep, watch)? {
            return Ok(false);
        }
        let (bytes, offset) = (windows.bytes(), windows.offset());
        let from = self.next.saturating_sub(offset) as usize;
        let decided =
            if windows.is_last() { bytes.len() } else { pattern.reach.decided(bytes, from) };
        let apart = pattern.overlaps == Overlaps::Left;
        let mut next = decided.max(from);
        if decided > from {
            pattern.each(bytes, from..decided, &mut |start, end, pattern| {
                if apart {
                    next = next.max(end);
                }
                let at = |index: usize| offset + index as u64;
                found(Match { start: at(start), end: at(end), pattern })
            });
        }
        self.next = offset + next as u64;
        self.keep = next.saturating_sub(CONTEXT);
        let held = bytes.len() - next;
        if pattern.reach == Reach::Line && held > self.longest_line {
            return Err(FilesError::LongLine {
                name: windows.source().name().to_owned(),
                line: None,
                offset: self.next,
                limit: self.longest_line,
            });
        }
        Ok(true)
    }
}

/// How often a pattern is there.
///
/// # Errors
/// As [`Search::more`].
pub fn count(
    windows: &mut Windows,
    pattern: &Pattern,
    watch: &mut Watch<'_>,
) -> Result<u64, FilesError> {
    let mut count = 0;
    if let Some(byte) = pattern.single_byte() {
        while windows.advance(windows.bytes().len(), watch)? {
            count += memchr_iter(byte, windows.bytes()).count() as u64;
        }
        return Ok(count);
    }
    let mut search = Search::new(windows, pattern);
    let mut add = |_| {
        count += 1;
        ControlFlow::Continue(())
    };
    while search.window(watch, &mut add)? {}
    Ok(count)
}

/// Where a pattern is first.
///
/// # Errors
/// As [`Search::more`].
pub fn find(
    windows: &mut Windows,
    pattern: &Pattern,
    watch: &mut Watch<'_>,
) -> Result<Option<Match>, FilesError> {
    let mut search = Search::new(windows, pattern);
    let mut first = None;
    while first.is_none() {
        let mut keep = |one| {
            first = Some(one);
            ControlFlow::Break(())
        };
        if !search.window(watch, &mut keep)? {
            break;
        }
    }
    Ok(first)
}
