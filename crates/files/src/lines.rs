//! Lines, one after the other, in time that grows with their length and no faster.

use std::ops::Range;

use memchr::{memchr, memchr_iter};

use crate::error::FilesError;
use crate::start::start;
use crate::windows::{Watch, Windows};

/// How long a line may be unless [`Lines::longest`] says otherwise.
pub const LONGEST_LINE: usize = 16 << 20;

/// A batch of lines ends when it has so many bytes: few enough that what is made of them stays in the processor's
/// cache until it is used.
const BATCH: usize = 16 * 1024;

/// A line of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// What it says, without its end.
    pub bytes: &'a [u8],
    /// Where its first byte is in the source.
    pub offset: u64,
    /// Which it is, from 1.
    pub number: u64,
}

/// The lines of a source. One ends at a line feed, or at a carriage return and a line feed; a carriage return
/// alone is a byte like any other. The last needs no end. A byte-order mark of UTF-8 is dropped.
///
/// Memory is a window, and at most four times the longest line.
///
/// ```
/// use std::ops::ControlFlow;
/// use deadweight_files::{Lines, Source, Windows};
///
/// let source = Source::stream("example", Box::new(&b"one\r\n\ntwo"[..]));
/// let mut lines = Lines::new(Windows::new(source));
/// let mut found = Vec::new();
/// while let Some(line) = lines.next(&mut |_read| ControlFlow::Continue(()))? {
///     found.push((line.number, line.offset, line.bytes.to_vec()));
/// }
/// assert_eq!(found, [(1, 0, b"one".to_vec()), (2, 5, vec![]), (3, 6, b"two".to_vec())]);
/// # Ok::<(), deadweight_files::FilesError>(())
/// ```
pub struct Lines {
    windows: Windows,
    longest: usize,
    ends: bool,
    /// How many lines were given.
    given: u64,
    begun: bool,
    /// Where the next line begins in this window.
    at: usize,
}

impl Lines {
    /// From the beginning. Nothing is read yet.
    #[must_use]
    pub fn new(windows: Windows) -> Lines {
        Lines { windows, longest: LONGEST_LINE, ends: false, given: 0, begun: false, at: 0 }
    }

    /// How long a line may be, without its end.
    #[must_use]
    pub fn longest(self, bytes: usize) -> Lines {
        Lines { longest: bytes, ..self }
    }

    /// Whether a line's end belongs to its bytes.
    #[must_use]
    pub fn keep_ends(self, ends: bool) -> Lines {
        Lines { ends, ..self }
    }

    /// How many lines were given so far.
    #[must_use]
    pub fn given(&self) -> u64 {
        self.given
    }

    /// What is read.
    #[must_use]
    pub fn windows(&self) -> &Windows {
        &self.windows
    }

    /// The next line; `None` at the end.
    ///
    /// # Errors
    /// If the source cannot be read, becomes shorter, is UTF-16, has a line that is too long, or `watch` ends
    /// it.
    pub fn next(&mut self, watch: &mut Watch<'_>) -> Result<Option<Line<'_>>, FilesError> {
        let Some(its) = self.find(watch)? else { return Ok(None) };
        self.given += 1;
        let offset = self.windows.offset() + its.start as u64;
        Ok(Some(Line { bytes: &self.windows.bytes()[its], offset, number: self.given }))
    }

    /// The next lines, as many as are in memory but no more than about 16 kB of them: where each is in the bytes
    /// of [`windows`](Lines::windows), in place of what was in `found`. None at the end.
    ///
    /// # Errors
    /// As [`next`](Lines::next). Lines before one that is too long are given first.
    pub fn batch(
        &mut self,
        found: &mut Vec<Range<usize>>,
        watch: &mut Watch<'_>,
    ) -> Result<(), FilesError> {
        found.clear();
        let Some(first) = self.find(watch)? else { return Ok(()) };
        found.push(first);
        let bytes = self.windows.bytes();
        let most = bytes.len().min(self.at + BATCH);
        let mut from = self.at;
        for feed in memchr_iter(b'\n', &bytes[from..most]) {
            let feed = self.at + feed;
            let text = text(bytes, from, feed);
            if text.len() > self.longest {
                break;
            }
            found.push(self.whole(text, feed));
            from = feed + 1;
        }
        self.at = from;
        self.given += found.len() as u64;
        Ok(())
    }

    fn find(&mut self, watch: &mut Watch<'_>) -> Result<Option<Range<usize>>, FilesError> {
        if !self.begun {
            self.at = start(&mut self.windows, watch)?;
            self.begun = true;
        }
        // No byte is looked at twice, however often the line goes on in the next window.
        let mut seen = 0;
        loop {
            let bytes = &self.windows.bytes()[self.at..];
            if let Some(feed) = memchr(b'\n', &bytes[seen..]) {
                let feed = self.at + seen + feed;
                let text = text(self.windows.bytes(), self.at, feed);
                self.bounded(&text)?;
                self.at = feed + 1;
                return Ok(Some(self.whole(text, feed)));
            }
            seen = bytes.len();
            let its = self.at..self.at + seen;
            if self.windows.is_last() {
                self.bounded(&its)?;
                self.at = its.end;
                return Ok((seen > 0).then_some(its));
            }
            // A carriage return at the end of the window may belong to the line's end.
            self.bounded(&(its.start..its.end - usize::from(bytes.last() == Some(&b'\r'))))?;
            self.windows.advance(self.at, watch)?;
            self.at = 0;
        }
    }

    fn whole(&self, text: Range<usize>, feed: usize) -> Range<usize> {
        if self.ends { text.start..feed + 1 } else { text }
    }

    fn bounded(&self, its: &Range<usize>) -> Result<(), FilesError> {
        if its.len() <= self.longest {
            return Ok(());
        }
        Err(FilesError::LongLine {
            name: self.windows.source().name().to_owned(),
            line: Some(self.given + 1),
            offset: self.windows.offset() + its.start as u64,
            limit: self.longest,
        })
    }
}

/// What a line that ends with the line feed at `feed` says.
fn text(bytes: &[u8], from: usize, feed: usize) -> Range<usize> {
    from..feed - usize::from(bytes[from..feed].ends_with(b"\r"))
}
