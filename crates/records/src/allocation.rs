//! Memory that columns take.

use std::collections::HashMap;

/// A block of memory that values lie in, or a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allocation {
    /// Where it begins, if that is known: several buffers may lie in one.
    pub start: Option<usize>,
    /// Its bytes.
    pub bytes: usize,
    /// Up to where values lie in it, or did since it was made, if they begin where it does.
    pub filled: Option<usize>,
}

impl Allocation {
    /// Bytes of memory that it takes. Large ones reserve address space: what is past all values that
    /// there were was never written to, and takes no memory.
    #[must_use]
    pub fn held(&self) -> usize {
        /// From here on an allocation has pages of its own (glibc's `M_MMAP_THRESHOLD`).
        const LARGE: usize = 128 << 10;
        const PAGE: usize = 4096;
        match self.filled {
            Some(filled) if self.bytes >= LARGE => self.bytes.min(filled.next_multiple_of(PAGE)),
            _ => self.bytes,
        }
    }
}

/// Each block once, with the most that is said of it.
pub(crate) fn distinct(all: Vec<Allocation>) -> Vec<Allocation> {
    let mut known: HashMap<usize, usize> = HashMap::new();
    let mut kept: Vec<Allocation> = Vec::new();
    for one in all.into_iter().filter(|one| one.bytes > 0) {
        let place = one.start.map_or(kept.len(), |start| *known.entry(start).or_insert(kept.len()));
        match kept.get_mut(place) {
            Some(same) if same.held() >= one.held() => {}
            Some(same) => *same = one,
            None => kept.push(one),
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_several_buffers_lie_in_counts_once() {
        let part = |start, bytes, filled| Allocation { start, bytes, filled };
        let all = vec![
            part(Some(64), 1000, None),
            part(None, 8, None),
            part(Some(64), 1000, None),
            part(None, 8, None),
            part(Some(4096), 1 << 20, Some(10)),
            part(Some(4096), 1 << 20, Some(5000)),
            part(Some(8), 0, None),
        ];
        let held: Vec<usize> = distinct(all).iter().map(Allocation::held).collect();
        assert_eq!(held, [1000, 8, 8, 8192]);
    }
}
