//! Where a pattern is: a text, several, or a regular expression. What lies across two windows is found as
//! if all were in memory.

mod looks;
mod pattern;
mod reach;

pub use pattern::{Overlaps, Pattern};

use std::borrow::{Borrow, BorrowMut};
use std::ops::ControlFlow;
use std::time::Instant;

use memchr::memchr_iter;

use crate::error::FilesError;
use crate::windows::{Watch, Windows};
use looks::Looks;
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
    /// Where the window ends in which that is decided.
    decided: u64,
    /// When it was last asked whether to go on.
    asked: Instant,
}

impl<W: BorrowMut<Windows>, P: Borrow<Pattern>> Search<W, P> {
    /// A search from the beginning. Nothing is read yet.
    #[must_use]
    pub fn new(windows: W, pattern: P) -> Search<W, P> {
        let (longest_line, asked) = (LONGEST_LINE, Instant::now());
        Search { windows, pattern, longest_line, next: 0, decided: 0, asked }
    }

    /// How long a line may be, for patterns whose matches have no bound but the line's end.
    #[must_use]
    pub fn longest_line(self, bytes: usize) -> Search<W, P> {
        Search { longest_line: bytes, ..self }
    }

    /// Goes on, and adds what was found, in order: some thousands, if there are many. False at the end.
    ///
    /// # Errors
    /// If the source cannot be read, becomes shorter, has a line that is too long for the pattern, or
    /// `watch` ends it.
    pub fn more(
        &mut self,
        found: &mut Vec<Match>,
        watch: &mut Watch<'_>,
    ) -> Result<bool, FilesError> {
        self.some(watch, &mut |one| {
            found.push(one);
            ControlFlow::Continue(())
        })
    }

    fn some(
        &mut self,
        watch: &mut Watch<'_>,
        found: &mut impl FnMut(Match) -> ControlFlow<()>,
    ) -> Result<bool, FilesError> {
        let (windows, pattern) = (self.windows.borrow_mut(), self.pattern.borrow());
        let place = |offset: u64, at: u64| at.saturating_sub(offset) as usize;
        if self.next >= self.decided {
            let keep = place(windows.offset(), self.next).saturating_sub(CONTEXT);
            if !windows.advance(keep, watch)? {
                return Ok(false);
            }
            let (bytes, offset) = (windows.bytes(), windows.offset());
            let from = place(offset, self.next);
            let decided =
                if windows.is_last() { bytes.len() } else { pattern.reach.decided(bytes, from) };
            self.next = offset + from as u64;
            self.decided = offset + decided as u64;
        }
        let (bytes, offset) = (windows.bytes(), windows.offset());
        let begins = place(offset, self.next)..place(offset, self.decided);
        if !begins.is_empty() {
            let last = &mut self.asked;
            let mut looks = Looks { source: windows.source(), watch, last, matches: 0 };
            let next = pattern.some(bytes, begins, &mut looks, &mut |start, end, pattern| {
                let at = |index: usize| offset + index as u64;
                found(Match { start: at(start), end: at(end), pattern })
            })?;
            self.next = offset + next as u64;
        }
        let held = bytes.len() - place(offset, self.next);
        if pattern.reach == Reach::Line && self.next >= self.decided && held > self.longest_line {
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
    while search.some(watch, &mut add)? {}
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
        if !search.some(watch, &mut keep)? {
            break;
        }
    }
    Ok(first)
}
