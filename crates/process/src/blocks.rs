//! A small cache of file blocks, for the pages of a process that are the same as their file.
//!
//! Files are read, never mapped: a mapped file that someone truncates would end us with SIGBUS.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::{Mutex, PoisonError};

use crate::PAGE;

const BLOCK: u64 = 16 << 10;
const SLOTS: u64 = 64;

/// Direct-mapped: a block has one slot it can be in.
#[derive(Debug)]
pub(crate) struct BlockCache {
    slots: Mutex<Vec<Slot>>,
}

#[derive(Clone, Debug, Default)]
struct Slot {
    /// Number of the file and of the block in it; `None` while the slot is empty.
    key: Option<(u32, u64)>,
    /// Shorter than a block where the file ends.
    bytes: Vec<u8>,
}

impl BlockCache {
    pub(crate) fn new() -> BlockCache {
        BlockCache { slots: Mutex::new(vec![Slot::default(); SLOTS as usize]) }
    }

    /// Appends `len` bytes of file number `number` from `offset` on. `None` if the file ends before.
    pub(crate) fn append(
        &self,
        file: &File,
        number: u32,
        offset: u64,
        len: usize,
        into: &mut Vec<u8>,
    ) -> Option<()> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let mut at = offset;
        let end = offset.checked_add(len as u64)?;
        while at < end {
            let block = at / BLOCK;
            let slot = slots.get_mut(((block ^ u64::from(number) << 3) % SLOTS) as usize)?;
            if slot.key != Some((number, block)) {
                slot.key = None;
                slot.bytes = read_block(file, block * BLOCK)?;
                slot.key = Some((number, block));
            }
            let from = (at - block * BLOCK) as usize;
            let to = (end - block * BLOCK).min(BLOCK) as usize;
            into.extend_from_slice(slot.bytes.get(from..to)?);
            at = block * BLOCK + to as u64;
        }
        Some(())
    }
}

/// One block, or what there is of it. The rest of a file's last page reads as zeros, as it does where
/// it is mapped.
fn read_block(file: &File, offset: u64) -> Option<Vec<u8>> {
    let mut bytes = vec![0; BLOCK as usize];
    let mut len = 0;
    while len < bytes.len() {
        match file.read_at(&mut bytes[len..], offset + len as u64) {
            Ok(0) => break,
            Ok(more) => len += more,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => return None,
        }
    }
    bytes.truncate(len.next_multiple_of(PAGE as usize));
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every range must read as the file itself does, in an order that makes blocks push each other out.
    #[test]
    fn any_range_reads_as_the_file_does_until_its_last_page_ends() {
        let path = std::env::temp_dir().join(format!("deadweight-blocks-{}", std::process::id()));
        let mut content: Vec<u8> =
            (0..3_000_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        content.truncate(2_999_001);
        std::fs::write(&path, &content).unwrap();
        let file = File::open(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        content.resize(content.len().next_multiple_of(PAGE as usize), 0);

        let cache = BlockCache::new();
        let mut at = 1_u64;
        for _ in 0..2000 {
            at = at.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let offset = (at >> 33) as usize % (content.len() + 5000);
            let len = (at >> 20) as usize % 40_000;
            let mut read = vec![7];
            let done = cache.append(&file, 3, offset as u64, len, &mut read);
            match content.get(offset..offset + len) {
                Some(expect) => assert_eq!((done, &read[1..]), (Some(()), expect)),
                None => assert!(done.is_none(), "{offset} {len}"),
            }
        }
        assert_eq!(cache.append(&file, 3, u64::MAX - 1, 8, &mut Vec::new()), None);
    }

    #[test]
    fn blocks_of_two_files_are_not_mistaken() {
        let path = |name: &str| {
            std::env::temp_dir().join(format!("deadweight-two-{name}-{}", std::process::id()))
        };
        let cache = BlockCache::new();
        let files: Vec<File> = ["a", "b"]
            .map(|name| {
                std::fs::write(path(name), name.repeat(PAGE as usize)).unwrap();
                let file = File::open(path(name)).unwrap();
                std::fs::remove_file(path(name)).unwrap();
                file
            })
            .into();
        for round in 0..4 {
            let number = round % 2;
            let mut read = Vec::new();
            cache.append(&files[number], number as u32, 10, 4, &mut read).unwrap();
            assert_eq!(read, ["aaaa", "bbbb"][number].as_bytes());
        }
    }
}
