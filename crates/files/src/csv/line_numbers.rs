//! On which line a byte is.

use memchr::{memchr, memchr_iter};

/// Counts line ends as it goes: a line feed, a carriage return, or both as one.
pub(super) struct LineNumbers {
    line: u64,
    /// Whether the first is that of the file, and not of a part.
    is_whole: bool,
    /// All before is counted.
    counted: u64,
    after_return: bool,
}

impl LineNumbers {
    /// Of what begins there: all of a file, or a part, of which nobody knows on which line it begins.
    pub(super) fn beginning_at(offset: u64) -> LineNumbers {
        LineNumbers { line: 1, is_whole: offset == 0, counted: offset, after_return: false }
    }

    /// The line, if that is one of the file and not of a part.
    pub(super) fn known(&self, line: u64) -> Option<u64> {
        self.is_whole.then_some(line)
    }

    /// The line, from 1, of the byte at `at`, which is in or just behind a window of `bytes` that begins at
    /// `offset`, and not before any that was asked for earlier.
    pub(super) fn at(&mut self, at: u64, bytes: &[u8], offset: u64) -> u64 {
        let bytes = &bytes[(self.counted - offset) as usize..(at - offset) as usize];
        let Some(last) = bytes.last() else { return self.line };
        self.line += memchr_iter(b'\n', bytes).count() as u64;
        if self.after_return && bytes[0] == b'\n' {
            // It was counted with the carriage return.
            self.line -= 1;
        }
        if let Some(first) = memchr(b'\r', bytes) {
            let bytes = &bytes[first..];
            let alone = |index: &usize| bytes.get(index + 1) != Some(&b'\n');
            self.line += memchr_iter(b'\r', bytes).filter(alone).count() as u64;
        }
        self.counted = at;
        self.after_return = *last == b'\r';
        self.line
    }
}
