//! A file of CSV in parts that are cut between records.

use std::ops::Range;
use std::path::Path;

use fearless_simd::Level;

use super::count::ended;
use super::dialect::Dialect;
use super::state::State;
use crate::error::FilesError;
use crate::source::Source;
use crate::splits::{goals, length, parts};
use crate::start::start;
use crate::windows::{Watch, Windows};

/// At most `count` parts of about the same length, each of which begins with the first byte of a record.
/// Together they are the file, and their records those of the file; the header is in the first part alone.
/// None is empty, so that a file with few records has fewer of them.
///
/// All before the last cut is read: what is in quotes cannot be told from what is between them elsewhere.
///
/// # Errors
/// If the file has no length, cannot be read, becomes shorter, is UTF-16, or `watch` ends it.
pub fn splits(
    path: &Path,
    count: usize,
    dialect: Dialect,
    watch: &mut Watch<'_>,
) -> Result<Vec<Range<u64>>, FilesError> {
    let source = Source::open(path)?;
    let length = length(&source)?;
    let level = Level::new();
    let mut windows = Windows::new(source);
    let mut state = State::Record;
    let mut at = start(&mut windows, watch)? as u64;
    let mut cuts = Vec::new();
    for goal in goals(length, count) {
        while windows.read_to() <= goal {
            ended(level, &mut state, rest(&windows, at), dialect);
            at = windows.read_to();
            if !windows.advance(windows.bytes().len(), watch)? {
                break;
            }
        }
        if at < goal {
            let before = &rest(&windows, at)[..(goal - at) as usize];
            ended(level, &mut state, before, dialect);
            at = goal;
        }
        // Line ends after a record go with it.
        loop {
            let rest = rest(&windows, at);
            let begins = rest.iter().position(|byte| {
                let begins = state == State::Record && !matches!(byte, b'\n' | b'\r');
                if !begins {
                    state = state.step(*byte, dialect).0;
                }
                begins
            });
            at += begins.unwrap_or(rest.len()) as u64;
            if begins.is_some() || !windows.advance(windows.bytes().len(), watch)? {
                break;
            }
        }
        cuts.push(at);
    }
    Ok(parts(length, &cuts))
}

/// What of this window is not looked at yet.
fn rest(windows: &Windows, at: u64) -> &[u8] {
    &windows.bytes()[(at - windows.offset()) as usize..]
}
