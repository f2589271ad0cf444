//! Copies ranges of a process that stands still, with several threads.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use deadweight_heap::Bytes;

use crate::PAGE;
use crate::deadline::{Deadline, Stage};
use crate::error::Error;
use crate::pause::has_ended;
use crate::permission::diagnose;
use crate::ranges;
use crate::sys;

/// Bytes that one thread copies between two looks at the clock: about 2 ms.
const BATCH: u64 = 8 << 20;

/// More threads than these only wait for memory.
pub(crate) const MAX_THREADS: usize = 4;

/// Some ranges, and the part of the destination that takes them, one after the other.
struct Batch<'a> {
    from: Vec<Range<u64>>,
    into: &'a mut [u8],
}

/// How to get at another process's memory.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Route<'a> {
    /// By `process_vm_readv`: the quicker one.
    Call,
    /// Through its `/proc/PID/mem`, which leaves pages shared that two processes share.
    File(&'a File),
}

impl Route<'_> {
    /// Says how many bytes it got: it ends at the first page that cannot be read.
    fn read(self, pid: u32, from: &[Range<u64>], into: &mut [u8]) -> io::Result<usize> {
        let Route::File(file) = self else { return sys::read_remote(pid, from, into) };
        let mut done = 0;
        for range in from {
            let len = (range.end - range.start) as usize;
            let Some(into) = into.get_mut(done..done + len) else { break };
            let got = match file.read_at(into, range.start) {
                Ok(got) => got,
                Err(error) if error.raw_os_error() == Some(libc::EIO) => 0,
                Err(_) if done > 0 => 0,
                Err(error) => return Err(error),
            };
            done += got;
            if got < len {
                break;
            }
        }
        Ok(done)
    }
}

/// Copies `from`, one range after the other, into `into`, which has room for all of them. Gives the
/// ranges that could not be read; they are left as they were in `into`.
pub(crate) fn copy(
    pid: u32,
    route: Route<'_>,
    from: &[Range<u64>],
    into: &mut [u8],
    deadline: &Deadline,
) -> Result<Vec<Range<u64>>, Error> {
    let planned = Bytes(ranges::total(from));
    let batches = batches(from, into);
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let threads = threads.min(MAX_THREADS).min(batches.len()).max(1);
    let work = Work {
        pid,
        route,
        queue: Mutex::new(batches.into_iter()),
        deadline,
        planned,
        copied: AtomicU64::new(0),
        vanished: Mutex::new(Vec::new()),
    };
    thread::scope(|scope| {
        // Where there may be no more threads, this one does all the work.
        let another = |_| thread::Builder::new().spawn_scoped(scope, || work.run()).ok();
        let others: Vec<_> = (1..threads).map_while(another).collect();
        let mut result = work.run();
        for other in others {
            let theirs = other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            result = result.and(theirs);
        }
        result
    })?;
    let mut vanished = work.vanished.into_inner().unwrap_or_else(PoisonError::into_inner);
    vanished.sort_unstable_by_key(|range| range.start);
    Ok(vanished)
}

/// Cuts the ranges and the destination into batches.
fn batches<'a>(from: &[Range<u64>], mut into: &'a mut [u8]) -> Vec<Batch<'a>> {
    let mut batches = Vec::new();
    let mut batch = Vec::new();
    let mut len = 0;
    let mut close = |batch: &mut Vec<Range<u64>>, len: &mut u64| {
        let (this, rest) = std::mem::take(&mut into).split_at_mut(*len as usize);
        into = rest;
        batches.push(Batch { from: std::mem::take(batch), into: this });
        *len = 0;
    };
    for range in from {
        let mut at = range.start;
        while at < range.end {
            let end = range.end.min(at + (BATCH - len));
            batch.push(at..end);
            len += end - at;
            at = end;
            if len == BATCH || batch.len() == sys::MAX_RANGES {
                close(&mut batch, &mut len);
            }
        }
    }
    if !batch.is_empty() {
        close(&mut batch, &mut len);
    }
    batches
}

/// What the copying threads share.
struct Work<'a> {
    pid: u32,
    route: Route<'a>,
    queue: Mutex<std::vec::IntoIter<Batch<'a>>>,
    deadline: &'a Deadline,
    planned: Bytes,
    copied: AtomicU64,
    vanished: Mutex<Vec<Range<u64>>>,
}

impl Work<'_> {
    /// Copies batches until there are no more. An error takes the rest of them away from the others.
    fn run(&self) -> Result<(), Error> {
        let next = || self.queue.lock().unwrap_or_else(PoisonError::into_inner).next();
        while let Some(batch) = next() {
            if let Err(error) = self.copy_batch(batch) {
                while next().is_some() {}
                return Err(error);
            }
        }
        Ok(())
    }

    /// A page that cannot be read ends a call early: what comes after it is asked for again.
    fn copy_batch(&self, batch: Batch<'_>) -> Result<(), Error> {
        let mut from = batch.from;
        let mut into = batch.into;
        loop {
            let copied = Bytes(self.copied.load(Ordering::Relaxed));
            self.deadline.check(Stage::Copying { copied, planned: self.planned })?;
            let done = match self.route.read(self.pid, &from, into) {
                Ok(done) => done,
                Err(error) if error.raw_os_error() == Some(libc::EFAULT) => 0,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(failure(self.pid, error)),
            };
            self.copied.fetch_add(done as u64, Ordering::Relaxed);
            ranges::drop_front(&mut from, done as u64);
            into = into.get_mut(done..).unwrap_or_default();
            let Some(first) = from.first().cloned() else { return Ok(()) };
            if done == 0 {
                let page = first.start..first.end.min((first.start / PAGE + 1) * PAGE);
                let len = page.end - page.start;
                self.vanished.lock().unwrap_or_else(PoisonError::into_inner).push(page);
                ranges::drop_front(&mut from, len);
                into = into.get_mut(len as usize..).unwrap_or_default();
                if from.is_empty() {
                    return Ok(());
                }
            }
        }
    }
}

fn failure(pid: u32, source: io::Error) -> Error {
    match source.raw_os_error() {
        Some(libc::EPERM) => Error::NotPermitted { pid, denial: diagnose(pid) },
        Some(libc::ESRCH) => Error::Ended { pid },
        _ if has_ended(pid) => Error::Ended { pid },
        _ => Error::Io { what: format!("copy the memory of process {pid}"), source },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Batches keep the order and lose nothing, whatever the ranges are.
    #[test]
    fn batches_together_are_the_ranges() {
        let check = |from: &[Range<u64>]| {
            let mut into = vec![0; ranges::total(from) as usize];
            let batches = batches(from, &mut into);
            for batch in &batches {
                assert!(batch.from.len() <= sys::MAX_RANGES);
                assert!(!batch.into.is_empty() && batch.into.len() as u64 <= BATCH);
                assert_eq!(ranges::total(&batch.from), batch.into.len() as u64);
            }
            let joined: Vec<_> = batches.iter().flat_map(|batch| batch.from.clone()).collect();
            assert_eq!(ranges::merged(joined.into_iter()), ranges::merged(from.iter().cloned()));
        };
        check(&[]);
        check(&[PAGE..PAGE + BATCH, BATCH * 2..BATCH * 2 + PAGE]);
        check(&[0x1000..0x2000, 0x5000..0x5000 + 3 * BATCH, 1 << 40..(1 << 40) + 5000]);
        let many: Vec<_> = (0..5000).map(|n| n * 3 * PAGE..(n * 3 + 1) * PAGE).collect();
        check(&many);
    }

    /// Our own memory may be read by the same call: the ranges come in order, and a page that may not
    /// be read is named and skipped.
    #[test]
    fn a_page_that_cannot_be_read_costs_only_itself() {
        let source: Vec<u8> = (0..20 * PAGE).map(|n| (n / 7) as u8).collect();
        let start = source.as_ptr() as u64;
        // The first page of the address space is never there.
        let from = [start..start + 5 * PAGE, PAGE..3 * PAGE, start + 7 * PAGE..start + 20 * PAGE];
        let mut into = vec![0xee; 20 * PAGE as usize];
        let deadline = Deadline::start(None);
        let file = File::open("/proc/self/mem").unwrap();
        for route in [Route::Call, Route::File(&file)] {
            into.fill(0xee);
            let vanished = copy(std::process::id(), route, &from, &mut into, &deadline).unwrap();
            assert_eq!(vanished, [PAGE..2 * PAGE, 2 * PAGE..3 * PAGE]);
            let page = PAGE as usize;
            assert_eq!(into[..5 * page], source[..5 * page]);
            assert!(into[5 * page..7 * page].iter().all(|&byte| byte == 0xee));
            assert_eq!(into[7 * page..], source[7 * page..]);
        }
    }
}
