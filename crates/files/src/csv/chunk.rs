//! The grammar, 64 bytes at a time: a bit a byte, for each kind of byte.
//!
//! Quotes toggle, so that a byte is in quotes if the number of quotes before it is odd: the exclusive or of
//! all lower bits. That is the grammar as long as quotes stand only where they open, close or double; where
//! one does not, the chunk is read a byte at a time.
#![expect(
    clippy::inline_always,
    reason = "only then are they compiled for the vectors of their caller"
)]

use fearless_simd::prelude::*;
use fearless_simd::u8x64;

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
#[inline(always)]
pub(super) fn marks<const WHAT: bool, S: Simd>(
    simd: S,
    state: &mut State,
    chunk: &[u8; CHUNK],
    dialect: Dialect,
) -> Marks {
    let quotes = equal(simd, chunk, dialect.quote);
    let line_ends = line_ends(simd, chunk);
    if quotes != 0 || matches!(state, State::Quoted | State::Quote) {
        return quoted(simd, state, chunk, quotes, line_ends, dialect);
    }
    let before = line_ends << 1 | u64::from(*state == State::Record);
    let delimiters = if WHAT == ALL { equal(simd, chunk, dialect.delimiter) } else { 0 };
    *state = match chunk[CHUNK - 1] {
        b'\n' | b'\r' => State::Record,
        byte if byte == dialect.delimiter => State::Field,
        _ => State::Plain,
    };
    Marks { begins: before & !line_ends, ends: line_ends & !before, delimiters, astray: 0 }
}

#[inline(always)]
fn quoted<S: Simd>(
    simd: S,
    state: &mut State,
    chunk: &[u8; CHUNK],
    quotes: u64,
    line_ends: u64,
    dialect: Dialect,
) -> Marks {
    let inside = below(quotes) ^ if *state == State::Quoted { u64::MAX } else { 0 };
    let delimiters = equal(simd, chunk, dialect.delimiter);
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
#[inline(always)]
fn below(mut bits: u64) -> u64 {
    for shift in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << shift;
    }
    bits
}

/// Which bytes are this one.
#[inline(always)]
pub(super) fn equal<S: Simd>(simd: S, chunk: &[u8; CHUNK], byte: u8) -> u64 {
    u8x64::from_slice(simd, chunk).simd_eq(u8x64::splat(simd, byte)).to_bitmask()
}

#[inline(always)]
fn line_ends<S: Simd>(simd: S, chunk: &[u8; CHUNK]) -> u64 {
    let bytes = u8x64::from_slice(simd, chunk);
    let either =
        bytes.simd_eq(u8x64::splat(simd, b'\n')) | bytes.simd_eq(u8x64::splat(simd, b'\r'));
    either.to_bitmask()
}

#[cfg(test)]
mod tests {
    use super::*;
    use fearless_simd::{Level, dispatch};
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

    #[inline(always)]
    fn is_right<S: Simd>(
        simd: S,
        state: State,
        chunk: &[u8; CHUNK],
        truth: (Marks, State),
    ) -> bool {
        let (mut all, mut ends) = (state, state);
        let dialect = Dialect::default();
        let marks_of_all = marks::<ALL, S>(simd, &mut all, chunk, dialect);
        let marks_of_ends = marks::<ENDS, S>(simd, &mut ends, chunk, dialect);
        (marks_of_all, all) == truth && (marks_of_ends.ends, ends) == (truth.0.ends, truth.1)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5000))]

        #[test]
        fn sixty_four_bytes_at_once_mean_what_they_mean_one_by_one(bytes in chunks(), state in states()) {
            let chunk: &[u8; CHUNK] = bytes.as_slice().try_into().unwrap();
            let mut slow = state;
            let truth = (slowly(&mut slow, chunk, Dialect::default()), slow);
            let level = Level::new();
            prop_assert!(dispatch!(level, simd => is_right(simd, state, chunk, truth)));
            // Narrower vectors than this processor's widest, which others have.
            #[cfg(target_arch = "x86_64")]
            {
                prop_assert!(level.as_sse2().is_none_or(|simd| is_right(simd, state, chunk, truth)));
                prop_assert!(level.as_avx2().is_none_or(|simd| is_right(simd, state, chunk, truth)));
            }
        }
    }

    #[test]
    fn each_byte_has_its_bit() {
        for index in 0..CHUNK {
            let mut chunk = [b'x'; CHUNK];
            chunk[index] = 0;
            let zeros = dispatch!(Level::new(), simd => equal(simd, &chunk, 0));
            assert_eq!(zeros, 1 << index);
        }
    }
}
