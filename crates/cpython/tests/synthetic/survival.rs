//! What a reader owes whoever hands it damaged memory: an answer, after bounded work.

use std::cell::Cell;

use deadweight_cpython::{
    Ledger, Memory, Refusal, Region, Runtime, Subject, WalkOptions, count, walk,
};
use deadweight_heap::{Addr, GapKind};

use crate::image::memory::FakeProcess;

/// How often memory may be asked for each word in which objects can be. Whole images need less than 10,
/// and what one damaged word adds is bounded where it is read.
pub(crate) const LITTLE_WORK: u64 = 20;
/// The same for memory that was made up to be worked on for long.
pub(crate) const MOST_WORK: u64 = 64;

/// Memory that counts how much is asked of it, and fails when it is too much: an endless loop becomes
/// a failed test.
struct Metered<'a> {
    process: &'a FakeProcess,
    work: Cell<u64>,
    most: u64,
}

impl Memory for Metered<'_> {
    fn bytes<'a>(&'a self, addr: Addr, len: usize, scratch: &'a mut Vec<u8>) -> Option<&'a [u8]> {
        let bytes = self.process.bytes(addr, len, scratch)?;
        let work = self.work.get() + 1 + bytes.len() as u64 / 64;
        assert!(work <= self.most, "memory was asked for more than {} times", self.most);
        self.work.set(work);
        Some(bytes)
    }

    fn regions(&self) -> &[Region] {
        self.process.regions()
    }
}

struct Nobody;

impl Ledger for Nobody {
    fn owned(&mut self, _: Addr, _: u64, _: bool) {}
    fn unowned(&mut self, _: Addr, _: u64) {}
}

/// What was found in damaged memory.
pub(crate) struct Seen {
    pub(crate) objects: u64,
    pub(crate) gaps: Vec<GapKind>,
}

/// Reads damaged memory; fails if that panics, runs on, or finds more than there can be. `work` is how
/// often memory may be asked for each of its words.
pub(crate) fn survives(process: &FakeProcess, work: u64) -> Result<Seen, Refusal> {
    let most = (1 << 18) + process.room() * work;
    let memory = Metered { process, work: Cell::new(0), most };
    let runtime = Runtime::attach(&memory, &process.symbols)?;
    let subject = Subject {
        memory: &memory,
        runtime: &runtime,
        threads: &process.threads,
        images: &process.images,
    };
    let options = WalkOptions { values: true, ..WalkOptions::default() };
    let walked = walk(&subject, options, &mut Nobody).expect("there is not that much memory");
    let heap = &walked.heap;
    assert!(heap.objects() <= process.room());
    assert!(heap.nodes.len() as u64 <= heap.objects() + process.room());
    let references = heap.edges.len() as u64;
    assert!(
        references <= process.room() + (1 << 17),
        "{references} references in {} words",
        process.room()
    );
    memory.work.set(0);
    let counted: u64 = count(&subject).tally.rows.iter().map(|row| row.count).sum();
    assert!(counted <= process.room());
    let gaps = walked.gaps.iter().map(|gap| gap.kind).collect();
    Ok(Seen { objects: heap.objects(), gaps })
}
