//! Defends memory: no file makes the reader take more than what really arrives, and no shape of a heap
//! makes a question cost more than the heap.
#![allow(clippy::disallowed_methods, reason = "the corpus is files")]

mod heaps;

use std::path::PathBuf;
use std::sync::Mutex;

use deadweight_heap::snapshot;
use deadweight_heap::{Bytes, Dominators, NodeId, RootKind, ShortestPaths, heaviest};
use heaps::{Plan, attribute, object};
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// Two blocks of a mebibyte, and what a few kilobytes can unpack to.
const ENOUGH: usize = 16 << 20;

/// What reading takes at most, whether it succeeds or not.
fn taken_by(file: &[u8]) -> usize {
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    drop(snapshot::read(file, Bytes(u64::MAX)));
    ALLOCATOR.peak_usage() - before
}

/// A header and the column that says how many rows there are: as many as can be claimed.
fn boast() -> Vec<u8> {
    let mut file = b"\x89DWSNAP\n\x01\x00\x00\x00".to_vec();
    file.extend(crc32fast::hash(&file).to_le_bytes());
    let start = file.len();
    file.extend(b"\x05shape\x05\0\0\0\0\0\0\0");
    let mut summed = file[start..].to_vec();
    file.extend(crc32fast::hash(&summed).to_le_bytes());
    // 2³² − 2 of each.
    let values = [0xfe, 0xff, 0xff, 0xff, 0x0f].repeat(5);
    let packed = zstd::bulk::compress(&values, 1).expect("compresses");
    for (len, packed) in [(values.len(), packed), (0, Vec::new())] {
        let head = [(len as u32).to_le_bytes(), (packed.len() as u32).to_le_bytes()].concat();
        summed.extend(head.iter().chain(&packed));
        file.extend(head);
        file.extend(crc32fast::hash(&summed).to_le_bytes());
        file.extend(packed);
    }
    file
}

/// What runs beside a test would be counted too.
static ALONE: Mutex<()> = Mutex::new(());

/// All but the end of a long list keeps much alive.
#[test]
fn naming_the_head_of_a_long_list_takes_no_room_for_its_nodes() {
    const LONG: usize = 200_000;
    let _alone = ALONE.lock();
    let mut plan = Plan::new();
    let first = plan.nodes.len();
    plan.root(RootKind::Module, "app", first);
    plan.nodes.extend((0..LONG).map(|_| object("app.Node", 16)));
    (first..first + LONG - 1).for_each(|node| plan.link(node, node + 1, attribute("next")));
    let heap = plan.build();
    let (dominators, paths) = (Dominators::of(&heap), ShortestPaths::of(&heap));
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    let rows = heaviest(&heap, &dominators, &paths, 10);
    assert_eq!((rows.len(), rows[0].holder), (1, NodeId::from(first)));
    let taken = ALLOCATOR.peak_usage() - before;
    assert!(taken < LONG, "{taken} bytes");
}

#[test]
fn no_file_is_given_memory_because_it_says_so() {
    let _alone = ALONE.lock();
    let corpus = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/snapshot");
    let files = std::fs::read_dir(corpus).expect("there is a corpus").flatten();
    let mut files: Vec<Vec<u8>> =
        files.map(|file| std::fs::read(file.path()).expect("it can be read")).collect();
    assert!(files.len() > 40);
    files.push(boast());
    for file in files {
        let taken = taken_by(&file);
        assert!(taken < ENOUGH, "{} bytes of file took {taken}", file.len());
    }
    assert!(matches!(
        snapshot::read(boast().as_slice(), Bytes(1 << 30)),
        Err(snapshot::SnapshotError::TooLarge { .. })
    ));
    let after = snapshot::read(boast().as_slice(), Bytes(u64::MAX));
    assert!(matches!(after, Err(snapshot::SnapshotError::Truncated(_))), "{after:?}");
}
