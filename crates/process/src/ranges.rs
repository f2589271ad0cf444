//! Sorted lists of address ranges that do not overlap.

use std::ops::Range;

/// Bytes in all of them.
pub(crate) fn total(ranges: &[Range<u64>]) -> u64 {
    ranges.iter().map(|range| range.end - range.start).sum()
}

/// Joins ranges that touch.
pub(crate) fn merged(ranges: impl Iterator<Item = Range<u64>>) -> Vec<Range<u64>> {
    let mut merged: Vec<Range<u64>> = Vec::new();
    for range in ranges.filter(|range| range.start < range.end) {
        match merged.last_mut() {
            Some(last) if last.end == range.start => last.end = range.end,
            _ => merged.push(range),
        }
    }
    merged
}

/// What of `range` is in none of the `taken`, which are sorted.
pub(crate) fn gaps(range: Range<u64>, taken: &[Range<u64>]) -> Vec<Range<u64>> {
    let first = taken.partition_point(|other| other.end <= range.start);
    let mut gaps = Vec::new();
    let mut at = range.start;
    for other in taken[first..].iter().take_while(|other| other.start < range.end) {
        gaps.push(at..other.start.max(at));
        at = other.end;
    }
    gaps.push(at..range.end.max(at));
    gaps.retain(|gap| gap.start < gap.end);
    gaps
}

/// Takes the first `bytes` away.
pub(crate) fn drop_front(ranges: &mut Vec<Range<u64>>, bytes: u64) {
    let mut left = bytes;
    let whole = ranges
        .iter()
        .take_while(|range| {
            let len = range.end - range.start;
            let whole = len <= left;
            left -= if whole { len } else { 0 };
            whole
        })
        .count();
    ranges.drain(..whole);
    if let Some(first) = ranges.first_mut() {
        first.start += left;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_what_a_byte_by_byte_look_finds() {
        let taken = [3..5, 7..8, 8..10, 15..20];
        for start in 0..22 {
            for end in start..22 {
                let naive = (start..end)
                    .filter(|at| !taken.iter().any(|range| range.contains(at)))
                    .map(|at| at..at + 1);
                assert_eq!(gaps(start..end, &taken), merged(naive), "{start}..{end}");
            }
        }
    }

    #[test]
    fn the_front_is_dropped_across_ranges() {
        for bytes in 0..=9 {
            let ranges = [10..13, 20..22, 30..34];
            let mut left = ranges.to_vec();
            drop_front(&mut left, bytes);
            let all = ranges.iter().flat_map(Clone::clone).skip(bytes as usize);
            assert_eq!(
                left.iter().flat_map(Clone::clone).collect::<Vec<_>>(),
                all.collect::<Vec<_>>()
            );
        }
    }
}
