//! The grammar, 64 bytes at a time: a bit a byte, for each kind of byte.
//!
//! Quotes toggle, so that a byte is in quotes if the number of quotes before it is odd: the exclusive or of
//! all lower bits. That is the grammar as long as quotes stand only where they open, close or double; where
//! one does not, the chunk is read a byte at a time.

use wide::u8x64;

use super::dialect::Dialect;
use super::state::{Mark, State};

pub(super) const CHUNK: usize = 64;

/// What the bytes of a chunk are, a bit each, the first one's lowest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Marks {
    /// First bytes of records.
    pub(super) begins: u64,
    /// Ends of records.
    pub(super) ends: u64,
    /// Ends of fields that are not the last.
    pub(super) delimiters: u64,
    /// Quotes where none belongs, and what stands after a closing quote.
    pub(super) astray: u64,
}

/// Whether only `ends` is asked for.
pub(super) const ENDS: bool = false;
/// Whether all of [`Marks`] is asked for.
pub(super) const ALL: bool = true;

/// What the bytes of a chunk are, and how it goes on.
#[inline]
pub(super) fn marks<const WHAT: bool>(
    state: &mut State,
    chunk: &[u8; CHUNK],
    dialect: Dialect,
) -> Marks {
    let quotes = equal(chunk, dialect.quote);
    let line_ends = equal_either(chunk, b'\n', b'\r');
    if quotes != 0 || matches!(state, State::Quoted | State::Quote) {
        return quoted(state, chunk, quotes, line_ends, dialect);
    }
    let before = line_ends << 1 | u64::from(*state == State::Record);
    let delimiters = if WHAT == ALL { equal(chunk, dialect.delimiter) } else { 0 };
    *state = match chunk[CHUNK - 1] {
        b'\n' | b'\r' => State::Record,
        byte if byte == dialect.delimiter => State::Field,
        _ => State::Plain,
    };
    Marks { begins: before & !line_ends, ends: line_ends & !before, delimiters, astray: 0 }
}

fn quoted(
    state: &mut State,
    chunk: &[u8; CHUNK],
    quotes: u64,
    line_ends: u64,
    dialect: Dialect,
) -> Marks {
    let inside = below(quotes) ^ if *state == State::Quoted { u64::MAX } else { 0 };
    let delimiters = equal(chunk, dialect.delimiter);
    // A closing quote is outside, an opening one inside.
    let (opening, closing) = (quotes & inside, quotes & !inside);
    let (line_ends_outside, delimiters_outside) = (line_ends & !inside, delimiters & !inside);
    let may_open = (line_ends_outside | delimiters_outside | closing) << 1
        | u64::from(matches!(state, State::Record | State::Field | State::Quote));
    let after_closing = closing << 1 | u64::from(*state == State::Quote);
    if opening & !may_open | after_closing & !(line_ends | delimiters | quotes) != 0 {
        return slowly(state, chunk, dialect);
    }
    let before = line_ends_outside << 1 | u64::from(*state == State::Record);
    *state = match chunk[CHUNK - 1] {
        _ if inside >> (CHUNK - 1) != 0 => State::Quoted,
        b'\n' | b'\r' => State::Record,
        byte if byte == dialect.delimiter => State::Field,
        byte if byte == dialect.quote => State::Quote,
        _ => State::Plain,
    };
    Marks {
        begins: before & !line_ends_outside,
        ends: line_ends_outside & !before,
        delimiters: delimiters_outside,
        astray: 0,
    }
}

/// The same of at most 64 bytes, one at a time.
pub(super) fn slowly(state: &mut State, bytes: &[u8], dialect: Dialect) -> Marks {
    let mut marks = Marks::default();
    for (index, byte) in bytes.iter().enumerate() {
        let (next, mark) = state.step(*byte, dialect);
        let bit = 1 << index;
        if *state == State::Record && mark != Mark::Blank {
            marks.begins |= bit;
        }
        match mark {
            Mark::Content | Mark::Blank => {}
            Mark::Delimiter => marks.delimiters |= bit,
            Mark::End => marks.ends |= bit,
            Mark::Astray => marks.astray |= bit,
        }
        *state = next;
    }
    marks
}

/// Of each bit, the exclusive or of itself and all below.
#[inline]
fn below(mut bits: u64) -> u64 {
    for shift in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << shift;
    }
    bits
}

/// Which bytes are this one. The vectors are those that the build may use everywhere; wider ones would have
/// to be asked for at run time, which takes `unsafe`, and to read the file takes about as long as this.
#[inline]
pub(super) fn equal(chunk: &[u8; CHUNK], byte: u8) -> u64 {
    u8x64::from(*chunk).simd_eq(u8x64::splat(byte)).to_bitmask()
}

#[inline]
fn equal_either(chunk: &[u8; CHUNK], one: u8, other: u8) -> u64 {
    let bytes = u8x64::from(*chunk);
    (bytes.simd_eq(u8x64::splat(one)) | bytes.simd_eq(u8x64::splat(other))).to_bitmask()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn states() -> impl Strategy<Value = State> {
        let all = [State::Record, State::Field, State::Plain, State::Quoted, State::Quote];
        prop::sample::select(all.to_vec())
    }

    /// Chunks of few kinds of bytes, so that all neighbours come up; some nearly without quotes.
    fn chunks() -> impl Strategy<Value = Vec<u8>> {
        let dense = prop::collection::vec(prop::sample::select(b"\",\n\rx".to_vec()), CHUNK);
        let sparse = prop::collection::vec(prop::sample::select(b"xxxxxxxx,,\n\"".to_vec()), CHUNK);
        let whole = prop::collection::vec(
            prop::sample::select(vec!["\"x\"", "\"\"", ",", "\n", "x", "\r\n"]),
            CHUNK,
        )
        .prop_map(|words| words.concat().into_bytes()[..CHUNK].to_vec());
        prop_oneof![dense, sparse, whole]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5000))]

        #[test]
        fn sixty_four_bytes_at_once_mean_what_they_mean_one_by_one(bytes in chunks(), state in states()) {
            let chunk: &[u8; CHUNK] = bytes.as_slice().try_into().unwrap();
            let dialect = Dialect::default();
            let (mut slow, mut fast, mut ends) = (state, state, state);
            let expected = slowly(&mut slow, chunk, dialect);
            prop_assert_eq!(marks::<ALL>(&mut fast, chunk, dialect), expected);
            prop_assert_eq!(fast, slow);
            prop_assert_eq!(marks::<ENDS>(&mut ends, chunk, dialect).ends, expected.ends);
            prop_assert_eq!(ends, slow);
        }
    }

    #[test]
    fn each_byte_has_its_bit() {
        for index in 0..CHUNK {
            let mut chunk = [b'x'; CHUNK];
            chunk[index] = 0;
            assert_eq!(equal(&chunk, 0), 1 << index);
        }
    }
}
