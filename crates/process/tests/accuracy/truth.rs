//! What an interpreter says of itself: see `corpus/truth.py`.

use std::collections::BTreeMap;

use deadweight_heap::Addr;
use serde::Deserialize;

/// An object as the interpreter sees it.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) address: u64,
    pub(crate) type_address: u64,
    pub(crate) getsizeof: u64,
    /// Sorted, each once.
    pub(crate) referents: Vec<u64>,
}

#[derive(Deserialize)]
struct Said {
    tracked: u64,
    frozen: u64,
    seeds: Vec<u64>,
    layouts: BTreeMap<String, [i64; 2]>,
}

/// Everything an interpreter said.
pub(crate) struct Truth {
    /// `len(gc.get_objects())`
    pub(crate) tracked: u64,
    /// `gc.get_freeze_count()`
    pub(crate) frozen: u64,
    /// What the traverse functions of modules and capsules visit.
    pub(crate) seeds: Vec<Addr>,
    /// By type address: `__basicsize__` and `__itemsize__`.
    pub(crate) layouts: BTreeMap<u64, [i64; 2]>,
    pub(crate) objects: Vec<Seen>,
    /// What `sys._debugmallocstats()` printed.
    pub(crate) allocator: String,
}

impl Truth {
    pub(crate) fn parse(line: &str, rows: &[u8], allocator: &str) -> Truth {
        let said: Said = serde_json::from_str(line).unwrap();
        let mut words =
            rows.chunks_exact(8).map(|word| u64::from_le_bytes(word.try_into().unwrap()));
        let mut objects = Vec::new();
        while let Some(address) = words.next() {
            let [type_address, getsizeof, count] = [(); 3].map(|()| words.next().unwrap());
            let mut referents: Vec<u64> = words.by_ref().take(count as usize).collect();
            referents.sort_unstable();
            referents.dedup();
            objects.push(Seen { address, type_address, getsizeof, referents });
        }
        Truth {
            tracked: said.tracked,
            frozen: said.frozen,
            seeds: said.seeds.into_iter().map(Addr).collect(),
            layouts: said
                .layouts
                .into_iter()
                .map(|(key, value)| (key.parse().unwrap(), value))
                .collect(),
            objects,
            allocator: allocator.to_owned(),
        }
    }

    /// A total of `sys._debugmallocstats()`, such as `# bytes in allocated blocks`.
    pub(crate) fn allocator_total(&self, of: &str) -> Option<u64> {
        let line = self.allocator.lines().find(|line| line.trim_start().starts_with(of))?;
        let number: String =
            line.rsplit('=').next()?.chars().filter(char::is_ascii_digit).collect();
        number.parse().ok()
    }
}
