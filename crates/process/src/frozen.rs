//! A copy of ourselves that stands still: a child that shares our pages as they are now and only
//! waits, so that a heap can be read while the program goes on.
//!
//! The child is made by a bare `clone`: no handler of `fork` runs, and it runs no code but its wait, so
//! no lock of ours can hold it up. It shares our table of descriptors (no pipe stays open because of
//! it), gives no signal when it ends (the program's own waiting never meets it), has all signals
//! blocked, and ends when we do.

use std::fs::File;
use std::io;
use std::time::{Duration, Instant};

use deadweight_heap::{Addr, Bytes};

use crate::PAGE;
use crate::copy::Route;
use crate::deadline::Deadline;
use crate::error::Error;
use crate::files::MappedFiles;
use crate::headroom::Headroom;
use crate::live::LiveCopy;
use crate::maps;
use crate::own;
use crate::pages::Pages;
use crate::pause::{Registers, Thread};
use crate::plan::plan;
use crate::ranges;
use crate::smaps::Rollup;
use crate::take::{self, Limits};

/// What a clone of us does not show of the memory that is ours: it has no pages of files and of shared
/// memory but those it asks for, and shares all others with us.
#[derive(Debug)]
pub struct Unclonable {
    pub(crate) pages: Pages,
    /// The kernel's sums for us.
    pub(crate) rollup: Option<Rollup>,
}

/// Looks at this process before anything stands still: whether a copy of it would fit, and what a clone
/// does not show.
///
/// # Errors
/// If a copy would not fit, or our own memory map cannot be read.
pub fn look_first(limits: &Limits) -> Result<Unclonable, Error> {
    let pid = std::process::id();
    let failed = |source| Error::Io { what: "read our own memory map".to_owned(), source };
    let maps = maps::read(pid).map_err(failed)?;
    let pages = Pages::read(pid, &maps, &Deadline::start(None)).map_err(failed)?;
    let mut files = MappedFiles::default();
    files.open(pid, &maps);
    let needs = ranges::total(&plan(&maps, &pages, &files));
    Headroom::now(limits.max_copy).check(pid, Bytes(needs))?;
    // Last, for what was read above is memory too.
    Ok(Unclonable { pages, rollup: Rollup::read(pid).ok() })
}

/// A clone of this process. Dropped, it is killed and its remains are taken.
#[derive(Debug)]
pub struct Frozen {
    child: own::Clone,
    threads: Vec<Thread>,
    pause: Duration,
    unclonable: Unclonable,
}

/// Makes a clone of this process, as it is now. What nobody else may change meanwhile (the
/// interpreter's lock) must be held by the caller.
///
/// The clone ends with the thread that made it: that thread also reads it.
///
/// # Errors
/// If the system does not allow one more process, or not one as large as this; and if the first child
/// would rule a PID namespace, and end it with itself.
pub fn freeze(unclonable: Unclonable) -> io::Result<Frozen> {
    let namespace = |name| std::fs::read_link(format!("/proc/self/ns/{name}")).ok();
    if namespace("pid") != namespace("pid_for_children") {
        return Err(io::Error::other("children of this program are in another PID namespace"));
    }
    let start = Instant::now();
    let threads = own_threads();
    let child = own::Clone::new()?;
    let pause = start.elapsed();
    // It is the first to go when memory runs out. Where that cannot be had, nothing is lost.
    let _ = std::fs::write(format!("/proc/{}/oom_score_adj", child.pid()), "1000");
    Ok(Frozen { child, threads, pause, unclonable })
}

impl Frozen {
    /// Copies what the clone holds. The interpreter's lock need not be held.
    ///
    /// # Errors
    /// If the clone may not be read, or the copy does not fit into memory.
    pub fn copy(self, limits: &Limits) -> Result<LiveCopy, Error> {
        let child = self.child.pid();
        // `process_vm_readv` would have the kernel unshare every page it reads, and double our memory.
        let memory = File::open(format!("/proc/{child}/mem")).map_err(|source| Error::Io {
            what: "read a clone of this process".to_owned(),
            source,
        })?;
        let (route, limits) = (Route::File(&memory), Limits { max_pause: None, ..*limits });
        take::of_clone(child, route, &self.threads, self.pause, &self.unclonable, &limits)
    }
}

impl LiveCopy {
    /// Copies our own memory as it is. What nobody else may change meanwhile (the interpreter's lock)
    /// must be held by the caller until this returns.
    ///
    /// # Errors
    /// If the copy does not fit into memory, or takes longer than allowed.
    pub fn of_ourselves(limits: &Limits) -> Result<LiveCopy, Error> {
        let threads = own_threads();
        // The file works where a filter forbids the call, the call where we may not open the file (we
        // have changed our user).
        let memory = File::open("/proc/self/mem").ok();
        let route = memory.as_ref().map_or(Route::Call, Route::File);
        take::of_ourselves(route, &threads, limits)
    }
}

/// Our threads: where the stacks of those end that wait in the kernel, as all do that want the
/// interpreter's lock.
fn own_threads() -> Vec<Thread> {
    let (this, here) = own::this_thread();
    let mut threads = vec![Thread { tid: this, registers: here }];
    let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let others = tasks.filter_map(|task| task.file_name().to_str()?.parse::<u32>().ok());
    for tid in others.filter(|&tid| tid != this) {
        let syscall = std::fs::read_to_string(format!("/proc/self/task/{tid}/syscall"));
        let stack = syscall.ok().and_then(|line| stack_pointer(&line)).unwrap_or(Addr::NULL);
        let registers = Registers { stack_pointer: stack, ..Registers::default() };
        threads.push(Thread { tid, registers });
    }
    threads
}

/// The last but one word of a line of `/proc/PID/syscall`; a thread that runs has none.
fn stack_pointer(line: &str) -> Option<Addr> {
    let word = line.split_ascii_whitespace().rev().nth(1)?;
    let at = u64::from_str_radix(word.strip_prefix("0x")?, 16).ok()?;
    (at >= PAGE).then_some(Addr(at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::Buffer;

    /// Another snapshot may be under way: what it has copied so far would be copied once more.
    #[test]
    fn a_copy_that_is_being_made_is_not_in_the_clone() {
        let mut buffer = Buffer::new(1 << 20).unwrap();
        buffer.fill(7);
        let has = |pid| {
            let maps = maps::read(pid).unwrap();
            let range = buffer.range();
            maps.iter().any(|it| it.start.0 < range.end && range.start < it.end.0)
        };
        assert!(has(std::process::id()));
        let frozen = freeze(look_first(&Limits::default()).unwrap()).unwrap();
        assert!(!has(frozen.child.pid()));
    }

    #[test]
    fn the_stack_of_a_waiting_thread_is_known() {
        assert_eq!(
            stack_pointer("202 0x1 0x0 0x0 0x0 0x0 0x0 0x7ffc10 0x7f11\n"),
            Some(Addr(0x7f_fc10))
        );
        assert_eq!(stack_pointer("running\n"), None);
        assert_eq!(stack_pointer(""), None);
    }
}
