//! On which line a byte is.

use memchr::memchr_iter;

/// Counts line ends as it goes: a line feed, a carriage return, or both as one.
pub(super) struct LineNumbers {
    line: u64,
    /// All before is counted.
    counted: u64,
    after_return: bool,
}

impl LineNumbers {
    pub(super) fn new() -> LineNumbers {
        LineNumbers { line: 1, counted: 0, after_return: false }
    }

    /// The line, from 1, of the byte at `at`, which is in or just behind a window of `bytes` that begins at
    /// `offset`, and not before any that was asked for earlier.
    pub(super) fn at(&mut self, at: u64, bytes: &[u8], offset: u64) -> u64 {
        let bytes = &bytes[(self.counted - offset) as usize..(at - offset) as usize];
        let Some(last) = bytes.last() else { return self.line };
        // What follows a carriage return is counted with it.
        let bare_feed = u64::from(self.after_return && bytes[0] == b'\n');
        let pairs = memchr_iter(b'\r', bytes).filter(|index| bytes.get(index + 1) == Some(&b'\n'));
        let (pairs, returns) = (pairs.count() as u64, memchr_iter(b'\r', bytes).count() as u64);
        let feeds = memchr_iter(b'\n', bytes).count() as u64;
        self.line += feeds + returns - pairs - bare_feed;
        self.counted = at;
        self.after_return = *last == b'\r';
        self.line
    }
}
