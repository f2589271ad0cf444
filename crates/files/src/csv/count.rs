//! How many records there are.

use fearless_simd::{Level, Simd, dispatch};

use super::chunk::{CHUNK, ENDS, marks, slowly};
use super::dialect::Dialect;
use super::state::State;
use crate::error::FilesError;
use crate::start::start;
use crate::windows::{Watch, Windows};

/// How many records there are, the header among them.
///
/// # Errors
/// If the source cannot be read, becomes shorter, is UTF-16, or `watch` ends it.
pub fn count(
    windows: &mut Windows,
    dialect: Dialect,
    watch: &mut Watch<'_>,
) -> Result<u64, FilesError> {
    let level = Level::new();
    let mut records = 0;
    let mut state = State::Record;
    let mut from = start(windows, watch)?;
    loop {
        records += ended(level, &mut state, &windows.bytes()[from..], dialect);
        from = 0;
        if !windows.advance(windows.bytes().len(), watch)? {
            return Ok(records + u64::from(state.in_record()));
        }
    }
}

/// How many records end in these bytes.
pub(super) fn ended(level: Level, state: &mut State, bytes: &[u8], dialect: Dialect) -> u64 {
    let (chunks, rest) = bytes.as_chunks();
    let ended = dispatch!(level, simd => ends(simd, state, chunks, dialect));
    ended + u64::from(slowly(state, rest, dialect).ends.count_ones())
}

#[inline(always)]
#[expect(clippy::inline_always, reason = "only then is it compiled for the vectors of its caller")]
fn ends<S: Simd>(simd: S, state: &mut State, chunks: &[[u8; CHUNK]], dialect: Dialect) -> u64 {
    let mut ends = 0;
    let mut now = *state;
    for chunk in chunks {
        ends += u64::from(marks::<ENDS, S>(simd, &mut now, chunk, dialect).ends.count_ones());
    }
    *state = now;
    ends
}
