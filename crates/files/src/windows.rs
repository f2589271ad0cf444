//! A source, a window at a time: what a scan needs of the last window is carried over into the next, so
//! that memory stays the same whatever the length.

use std::ops::ControlFlow;

use crate::error::FilesError;
use crate::source::Source;

/// Is told how many bytes were read, every window and when that was the last, and may end the scan: for progress and interruption.
pub type Watch<'a> = dyn FnMut(u64) -> ControlFlow<()> + 'a;

/// Small enough to stay in the processor's cache while it is looked at, large enough that the calls that
/// fill it cost little: of 512 kB and more, `find` takes less and counting takes more.
const SIZE: usize = 128 * 1024;

/// What of a source is in memory.
pub struct Windows {
    source: Source,
    buffer: Vec<u8>,
    filled: usize,
    offset: u64,
    last: bool,
}

impl Windows {
    /// Of the usual size.
    #[must_use]
    pub fn new(source: Source) -> Windows {
        Windows::of_size(source, SIZE)
    }

    /// Of `size` bytes; a scan that carries more than half of that over makes them larger.
    #[must_use]
    pub fn of_size(source: Source, size: usize) -> Windows {
        let offset = source.at();
        Windows { source, buffer: vec![0; size.max(1)], filled: 0, offset, last: false }
    }

    /// Where the bytes come from.
    #[must_use]
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// The bytes of this window.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.buffer[..self.filled]
    }

    /// Where the first of them is in the source.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Where the source is read up to.
    #[must_use]
    pub fn read_to(&self) -> u64 {
        self.offset + self.filled as u64
    }

    /// Whether nothing comes after this window.
    #[must_use]
    pub fn is_last(&self) -> bool {
        self.last
    }

    /// Goes on to the next window, which begins with what is at `from` and after it in this one. False if
    /// this was the last. The next may have no more bytes than what was carried over, if it is the last.
    ///
    /// # Errors
    /// If the source cannot be read, has become shorter, or `watch` said so.
    pub fn advance(&mut self, from: usize, watch: &mut Watch<'_>) -> Result<bool, FilesError> {
        if self.last {
            return Ok(false);
        }
        if from > 0 {
            self.buffer.copy_within(from..self.filled, 0);
        }
        self.offset += from as u64;
        self.filled -= from;
        if self.filled * 2 > self.buffer.len() {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        self.source.tell(watch)?;
        while self.filled < self.buffer.len() {
            match self.source.read(&mut self.buffer[self.filled..])? {
                Some(0) => {
                    self.last = true;
                    break;
                }
                Some(count) => self.filled += count,
                None => self.source.tell(watch)?,
            }
            self.last = self.source.at_end();
            if self.last {
                self.source.tell(watch)?;
            }
            if self.last || self.source.is_stream() {
                break;
            }
        }
        Ok(true)
    }
}
