//! Where bytes are no UTF-8.

use std::collections::VecDeque;
use std::str;

/// How many bytes there are before a character that may go on behind them.
pub(super) fn whole_characters(bytes: &[u8]) -> usize {
    // A character has at most four bytes, of which only the first is so large.
    let tail = bytes.len().saturating_sub(3);
    let Some(index) = bytes[tail..].iter().rposition(|byte| *byte >= 0xc0) else {
        return bytes.len();
    };
    let goes_on =
        str::from_utf8(&bytes[tail + index..]).is_err_and(|error| error.error_len().is_none());
    if goes_on { tail + index } else { bytes.len() }
}

/// Adds where the bytes, which begin at `offset`, are none.
pub(super) fn find_invalid(bytes: &[u8], offset: u64, found: &mut VecDeque<u64>) {
    // Several times as fast as the validation of text that is ASCII too.
    if bytes.is_ascii() {
        return;
    }
    let mut from = 0;
    while let Err(error) = str::from_utf8(&bytes[from..]) {
        let at = from + error.valid_up_to();
        found.push_back(offset + at as u64);
        match error.error_len() {
            Some(length) => from = at + length,
            None => return,
        }
    }
}
