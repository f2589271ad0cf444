//! The kernel's own sums: `/proc/PID/smaps_rollup`, and `smaps` mapping by mapping.

use std::io;

use deadweight_heap::{Addr, Bytes};

/// Sums over all memory of a process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rollup {
    /// Resident.
    pub rss: Bytes,
    /// Resident; a page that n processes share counts 1/n.
    pub pss: Bytes,
    /// Resident pages that no other process has.
    pub uss: Bytes,
    /// Resident pages that differ from their file, or have none.
    pub anonymous: Bytes,
    /// Written to swap.
    pub swap: Bytes,
}

impl Rollup {
    /// Sums of a process.
    pub(crate) fn read(pid: u32) -> io::Result<Rollup> {
        Ok(Rollup::parse(&std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?))
    }

    fn parse(text: &str) -> Rollup {
        let mut rollup = Rollup::default();
        for (key, bytes) in text.lines().filter_map(key_and_bytes) {
            match key {
                "Rss" => rollup.rss = bytes,
                "Pss" => rollup.pss = bytes,
                "Private_Clean" | "Private_Dirty" => rollup.uss += bytes,
                "Anonymous" => rollup.anonymous = bytes,
                "Swap" => rollup.swap = bytes,
                _ => {}
            }
        }
        rollup
    }
}

/// What `smaps` says of one mapping.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct MappingSums {
    pub(crate) start: Addr,
    pub(crate) rss: Bytes,
    /// Resident pages that differ from the file, or have none.
    pub(crate) anonymous: Bytes,
    pub(crate) swap: Bytes,
}

/// Sums of every mapping, by address.
pub(crate) fn mapping_sums(pid: u32) -> io::Result<Vec<MappingSums>> {
    Ok(parse_smaps(&String::from_utf8_lossy(&std::fs::read(format!("/proc/{pid}/smaps"))?)))
}

fn parse_smaps(text: &str) -> Vec<MappingSums> {
    let mut all: Vec<MappingSums> = Vec::new();
    for line in text.lines() {
        if let Some((key, bytes)) = key_and_bytes(line) {
            match (key, all.last_mut()) {
                ("Rss", Some(sums)) => sums.rss = bytes,
                ("Anonymous", Some(sums)) => sums.anonymous = bytes,
                ("Swap", Some(sums)) => sums.swap = bytes,
                _ => {}
            }
        } else if let Some(start) = first_address(line) {
            all.push(MappingSums { start, ..MappingSums::default() });
        }
    }
    all
}

fn key_and_bytes(line: &str) -> Option<(&str, Bytes)> {
    let (key, value) = line.split_once(':')?;
    let kib: u64 = value.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some((key, Bytes(kib.saturating_mul(1024))))
}

fn first_address(line: &str) -> Option<Addr> {
    let (start, _) = line.split_once('-')?;
    u64::from_str_radix(start, 16).ok().map(Addr)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_pages_clean_and_dirty_are_the_unique_set() {
        let text = "5613f140a000-7ffd77a41000 ---p 00000000 00:00 0    [rollup]\n\
            Rss:                1608 kB\nPss:                 506 kB\nPss_Dirty: 108 kB\n\
            Private_Clean:        80 kB\nPrivate_Dirty:       108 kB\nAnonymous: 96 kB\nSwap:                  4 kB\n";
        let rollup = Rollup::parse(text);
        assert_eq!((rollup.rss, rollup.pss), (Bytes(1608 << 10), Bytes(506 << 10)));
        assert_eq!((rollup.uss, rollup.swap), (Bytes(188 << 10), Bytes(4 << 10)));
        assert_eq!(rollup.anonymous, Bytes(96 << 10));
        assert_eq!(Rollup::parse("Rss: x kB\nRss\n: \n"), Rollup::default());
    }

    #[test]
    fn sums_stay_with_their_mapping() {
        let text = "400000-401000 r--p 00000000 fe:00 1  /bin/a: 3 kB\nRss: 4 kB\nAnonymous: 0 kB\nVmFlags: rd\n\
            7f0000000000-7f0000001000 rw-p 00000000 00:00 0\nRss: 8 kB\nAnonymous: 8 kB\nSwap: 12 kB\n";
        let all = parse_smaps(text);
        assert_eq!(all.len(), 2);
        assert_eq!((all[0].start, all[0].rss), (Addr(0x40_0000), Bytes(4096)));
        assert_eq!((all[1].anonymous, all[1].swap), (Bytes(8192), Bytes(12288)));
    }

    #[test]
    fn the_rollup_of_ourselves_is_near_the_sum_of_our_mappings() {
        let sum: Bytes =
            mapping_sums(std::process::id()).unwrap().iter().map(|sums| sums.rss).sum();
        let rollup = Rollup::read(std::process::id()).unwrap();
        // Other tests allocate between the two readings.
        assert!(rollup.rss.0.abs_diff(sum.0) < 64 << 20, "{rollup:?}, sum {sum:?}");
        assert!(rollup.pss <= rollup.rss && rollup.uss <= rollup.rss && rollup.rss.0 > 0);
    }
}
