//! A source in pieces that are cut after a byte, such as the end of a line.

use memchr::{memchr, memrchr};

use crate::error::FilesError;
use crate::source::Source;
use crate::windows::Watch;

/// So many bytes are read before whoever watches is told again.
const AT_ONCE: usize = 1 << 20;

/// So many more are read of a record that is longer than a chunk, however small that is.
const AT_LEAST: usize = 64 << 10;

/// Pieces of about the same length, each of which but the last ends with a byte. Together they are the source.
///
/// ```
/// use std::ops::ControlFlow;
/// use deadweight_files::{Chunks, Source};
///
/// let source = Source::stream("example", Box::new(&b"one\ntwo\nthree"[..]));
/// let mut chunks = Chunks::new(source, 9, Some(b'\n'), 100);
/// let mut found = Vec::new();
/// while let Some(chunk) = chunks.next(&mut |_read| ControlFlow::Continue(()))? {
///     found.push(chunk.to_vec());
/// }
/// assert_eq!(found, [b"one\ntwo\n".to_vec(), b"three".to_vec()]);
/// # Ok::<(), deadweight_files::FilesError>(())
/// ```
pub struct Chunks {
    source: Source,
    size: usize,
    end: Option<u8>,
    longest: usize,
    /// The last chunk, and what was read beyond it.
    buffer: Vec<u8>,
    filled: usize,
    given: usize,
    is_last: bool,
}

impl Chunks {
    /// Of `size` bytes at most if they are cut anywhere (no `end`). Else they are cut after the last `end` among
    /// so many bytes; where there is none, after the first that follows, within `longest` bytes.
    #[must_use]
    pub fn new(source: Source, size: usize, end: Option<u8>, longest: usize) -> Chunks {
        // One more must be a number, too.
        let size = size.clamp(1, usize::MAX / 4);
        let longest = longest.clamp(size, usize::MAX / 4);
        let (buffer, filled, given, is_last) = (Vec::new(), 0, 0, false);
        Chunks { source, size, end, longest, buffer, filled, given, is_last }
    }

    /// The next piece; `None` at the end.
    ///
    /// # Errors
    /// If the source cannot be read, becomes shorter, has no end of a piece where there must be one, or `watch`
    /// ends it.
    pub fn next(&mut self, watch: &mut Watch<'_>) -> Result<Option<&[u8]>, FilesError> {
        self.buffer.copy_within(self.given..self.filled, 0);
        self.filled -= self.given;
        self.given = 0;
        self.given = match self.end {
            None => {
                self.fill(self.size, watch)?;
                self.filled
            }
            Some(end) => self.cut_after(end, watch)?,
        };
        Ok((self.given > 0).then(|| &self.buffer[..self.given]))
    }

    fn cut_after(&mut self, end: u8, watch: &mut Watch<'_>) -> Result<usize, FilesError> {
        // Of a stream only one byte more tells whether it goes on.
        self.fill(self.size + 1, watch)?;
        if self.filled <= self.size {
            return Ok(self.filled);
        }
        if let Some(last) = memrchr(end, &self.buffer[..self.size]) {
            return Ok(last + 1);
        }
        let mut seen = self.size;
        loop {
            let first = memchr(end, &self.buffer[seen..self.filled]);
            let length = first.map_or(self.filled, |first| seen + first + 1);
            if length > self.longest {
                return Err(FilesError::LongPiece {
                    name: self.source.name().to_owned(),
                    end,
                    offset: self.source.at() - self.filled as u64,
                    limit: self.longest,
                });
            }
            if first.is_some() || self.is_last {
                return Ok(length);
            }
            seen = self.filled;
            // What is read beyond the record is moved for every chunk that is cut of it.
            let more = self.size.clamp(AT_LEAST, AT_ONCE);
            self.fill((seen + more).min(self.longest + 1), watch)?;
        }
    }

    /// Reads until there are so many bytes, or no more.
    fn fill(&mut self, most: usize, watch: &mut Watch<'_>) -> Result<(), FilesError> {
        while self.filled < most && !self.is_last {
            self.source.tell(watch)?;
            let to = most.min(self.filled + AT_ONCE);
            if self.buffer.len() < to {
                self.buffer.resize(to, 0);
            }
            match self.source.read(&mut self.buffer[self.filled..to])? {
                Some(0) => self.is_last = true,
                Some(count) => self.filled += count,
                None => {}
            }
            if !self.is_last && self.source.at_end() {
                self.is_last = true;
                self.source.tell(watch)?;
            }
        }
        Ok(())
    }
}
