//! A file in parts that are cut after a byte, for workers that take one each.

use std::ops::Range;
use std::path::Path;

use memchr::memchr;

use crate::error::FilesError;
use crate::source::Source;
use crate::windows::{Watch, Windows};

/// At most `count` parts of about the same length, each of which but the last ends with `end`. Together they
/// are the file; none is empty, so that a file with few ends has fewer of them. Only the places where it is
/// cut are read. [`csv::splits`](crate::csv::splits) is for records, which may have line ends in them.
///
/// # Errors
/// If the file has no length, cannot be read, becomes shorter, or `watch` ends it.
pub fn splits(
    path: &Path,
    count: usize,
    end: u8,
    watch: &mut Watch<'_>,
) -> Result<Vec<Range<u64>>, FilesError> {
    let length = length(&Source::open(path)?)?;
    let mut cuts = Vec::new();
    let mut from = 0;
    for goal in goals(length, count) {
        if goal <= from {
            continue;
        }
        // The byte before the goal may be an end already.
        let mut windows = Windows::new(Source::open_part(path, goal - 1..length)?);
        from = length;
        while windows.advance(windows.bytes().len(), watch)? {
            if let Some(index) = memchr(end, windows.bytes()) {
                from = windows.offset() + index as u64 + 1;
                break;
            }
        }
        cuts.push(from);
    }
    Ok(parts(length, &cuts))
}

/// Where the parts would begin if they could begin anywhere; not the first.
pub(crate) fn goals(length: u64, count: usize) -> impl Iterator<Item = u64> {
    let goal = move |part: usize| (u128::from(length) * part as u128 / count as u128) as u64;
    (1..count).map(goal)
}

/// How long a file is.
pub(crate) fn length(source: &Source) -> Result<u64, FilesError> {
    source.length().ok_or_else(|| FilesError::NoLength(source.name().to_owned()))
}

/// The parts between the cuts, which are in order.
pub(crate) fn parts(length: u64, cuts: &[u64]) -> Vec<Range<u64>> {
    let ends = cuts.iter().copied().chain([length]);
    let mut from = 0;
    let mut parts = Vec::new();
    for end in ends {
        if end > from {
            parts.push(from..end);
            from = end;
        }
    }
    parts
}
