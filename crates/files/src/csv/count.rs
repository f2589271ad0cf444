//! How many records there are.

use super::chunk::{ENDS, marks, slowly};
use super::dialect::Dialect;
use super::start::start;
use super::state::State;
use crate::error::FilesError;
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
    let mut records = 0;
    let mut state = State::Record;
    let mut from = start(windows, watch)?;
    loop {
        let (chunks, rest) = windows.bytes()[from..].as_chunks();
        for chunk in chunks {
            records += u64::from(marks::<ENDS>(&mut state, chunk, dialect).ends.count_ones());
        }
        records += u64::from(slowly(&mut state, rest, dialect).ends.count_ones());
        from = 0;
        if !windows.advance(windows.bytes().len(), watch)? {
            return Ok(records + u64::from(state.in_record()));
        }
    }
}
