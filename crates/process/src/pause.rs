//! The pause: all threads of a process stand still while a function runs, and then go on.
//!
//! `PTRACE_SEIZE` and `PTRACE_INTERRUPT`, never a stop signal: the parent is not told, and a tracer that
//! dies, however it dies, lets its tracees go on (`exit_ptrace` in `kernel/ptrace.c`). All that the
//! target can notice, beside the time, is that some system calls (`epoll_wait`, signal(7) has the list)
//! return early with `EINTR`, as after any stop; Python calls them again.
//!
//! The tracer is a thread of its own, because only the thread that seized may ask more, and because its
//! end is what makes sure that nothing stays stopped: even a thread that we have given up waiting for is
//! let go then.
//!
//! Processes that share the memory (a child of `vfork`, until it runs a program) are not stopped.

use std::collections::HashSet;
use std::io;
use std::thread;
use std::time::{Duration, Instant};

use deadweight_heap::Addr;

use crate::deadline::{Deadline, Stage};
use crate::error::Error;
use crate::permission::diagnose;
use crate::status::Status;
use crate::sys::{self, Change};

/// A thread as it stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thread {
    /// Its number in the kernel (`threading.get_native_id()`).
    pub tid: u32,
    /// What its registers held.
    pub registers: Registers,
}

/// Registers that can hold an address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Registers {
    /// `rsp`.
    pub stack_pointer: Addr,
    /// `fs_base`: where the thread's own variables are.
    pub thread_pointer: Addr,
    /// `rax rbx rcx rdx rsi rdi rbp r8 … r15`.
    pub general: [u64; 15],
}

impl Registers {
    fn of(regs: &libc::user_regs_struct) -> Registers {
        Registers {
            stack_pointer: Addr(regs.rsp),
            thread_pointer: Addr(regs.fs_base),
            general: [
                regs.rax, regs.rbx, regs.rcx, regs.rdx, regs.rsi, regs.rdi, regs.rbp, regs.r8,
                regs.r9, regs.r10, regs.r11, regs.r12, regs.r13, regs.r14, regs.r15,
            ],
        }
    }
}

/// How long we wait for a thread that does not stop, where the caller sets no limit. A thread stops
/// within microseconds, unless it waits in the kernel and cannot be interrupted.
const PATIENCE: Duration = Duration::from_secs(5);

/// Between two looks at threads that are late.
const LONG_NAP: Duration = Duration::from_millis(1);

/// Stops every thread of a process, runs `work`, and lets them go on, whatever comes of it. Gives what
/// `work` gave, and for how long the process stood still: from before the first thread was asked to
/// stop until after the last was let go.
///
/// A process that was stopped already (by a signal, or in a shell by Ctrl-Z) stays so.
pub(crate) fn while_stopped<T: Send>(
    pid: u32,
    limit: Option<Duration>,
    work: impl FnOnce(&[Thread], &Deadline) -> Result<T, Error> + Send,
) -> Result<(T, Duration), Error> {
    let tracer = || {
        let mut tracees = Tracees::seize(pid)?;
        let deadline = Deadline::start(limit);
        tracees.stop(&deadline)?;
        let threads = tracees.registers();
        if threads.is_empty() {
            return Err(Error::Ended { pid });
        }
        let result = work(&threads, &deadline);
        drop(tracees);
        Ok((result?, deadline.elapsed()))
    };
    thread::scope(|scope| {
        let tracing = thread::Builder::new()
            .spawn_scoped(scope, tracer)
            .map_err(|source| Error::Io { what: "start a thread".to_owned(), source })?;
        tracing.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// The threads that we trace. Dropped, it lets them go on.
struct Tracees {
    pid: u32,
    threads: Vec<Tracee>,
}

struct Tracee {
    tid: u32,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Seized; it has not been asked to stop.
    Running,
    /// Asked to stop.
    Asked,
    /// Stands still. If it was just about to receive a signal (which is a stop too), that is given to
    /// it when it goes on.
    Stopped { signal: i32 },
}

impl Tracees {
    /// Becomes the tracer of all threads that there are. Nothing stops yet.
    fn seize(pid: u32) -> Result<Tracees, Error> {
        let mut tracees = Tracees { pid, threads: Vec::new() };
        tracees.seize_new()?;
        Ok(tracees)
    }

    /// Seizes the threads that have appeared since, and says how many.
    fn seize_new(&mut self) -> Result<usize, Error> {
        let known: HashSet<u32> = self.threads.iter().map(|tracee| tracee.tid).collect();
        let before = known.len();
        for tid in threads_of(self.pid)?.into_iter().filter(|tid| !known.contains(tid)) {
            if seize(self.pid, tid)? {
                self.threads.push(Tracee { tid, state: State::Running });
            }
        }
        Ok(self.threads.len() - before)
    }

    /// Until every thread stands still. Only a running thread can start another: once all we know
    /// stand still and none has appeared, that is all.
    fn stop(&mut self, deadline: &Deadline) -> Result<(), Error> {
        let since = Instant::now();
        loop {
            for tracee in &mut self.threads {
                // One that has ended meanwhile says so when it is waited for.
                if tracee.state == State::Running {
                    let _ended = sys::ptrace_interrupt(tracee.tid);
                    tracee.state = State::Asked;
                }
            }
            self.wait(deadline, since)?;
            if self.seize_new()? == 0 {
                return Ok(());
            }
        }
    }

    /// Until every thread that was asked to stop has stopped or ended.
    fn wait(&mut self, deadline: &Deadline, since: Instant) -> Result<(), Error> {
        let mut nap = Duration::from_micros(10);
        loop {
            let pid = self.pid;
            self.threads.retain_mut(|tracee| tracee.poll(pid));
            let Some(late) = self.threads.iter().find(|tracee| tracee.state == State::Asked) else {
                return Ok(());
            };
            deadline.check(Stage::Stopping)?;
            if since.elapsed() > PATIENCE {
                return Err(Error::StuckThread {
                    pid: self.pid,
                    tid: late.tid,
                    uninterruptible: Status::read(late.tid).is_ok_and(|status| status.state == 'D'),
                });
            }
            thread::sleep(nap);
            nap = (nap * 2).min(LONG_NAP);
            if nap == LONG_NAP {
                // A thread that called `exec` before it was asked has the number of the main thread
                // now. It is asked again, or, if it is not ours, met as a new one.
                self.threads.retain(|late| {
                    late.state != State::Asked || sys::ptrace_interrupt(late.tid).is_ok()
                });
            }
        }
    }

    /// Of the threads that stand still. One that is killed at this moment has none.
    fn registers(&self) -> Vec<Thread> {
        self.threads
            .iter()
            .filter_map(|tracee| {
                let registers = Registers::of(&sys::ptrace_registers(tracee.tid).ok()?);
                Some(Thread { tid: tracee.tid, registers })
            })
            .collect()
    }
}

impl Tracee {
    /// Looks whether it has stopped by now. `false` if it has ended, which one that had stopped can too.
    ///
    /// A stop is only looked at, never taken: once it is taken the kernel no longer knows which signal
    /// was about to be delivered (`wait_task_stopped` of kernel/exit.c clears it), and if we were killed
    /// then, that signal would be lost. The exit status of the main thread belongs to the parent (which may
    /// be us, elsewhere). That of any other has to be taken: a thread that calls `exec` waits for it, and
    /// cannot stop meanwhile.
    fn poll(&mut self, pid: u32) -> bool {
        match sys::poll_thread(self.tid, false) {
            Ok(None) => true,
            Ok(Some(Change::Stopped(cause))) => {
                // A stop for a ptrace event delivers nothing; any other is the delivery of a signal.
                // A stop signal's group stop is an event too: the kernel takes it up again by itself.
                let signal = if cause >> 8 == 0 { cause } else { 0 };
                self.state = State::Stopped { signal };
                true
            }
            Ok(Some(Change::Ended)) => {
                if self.tid != pid {
                    let _taken = sys::poll_thread(self.tid, true);
                }
                false
            }
            // ECHILD: it has called `exec`, and goes on under the number of the main thread.
            Err(_) => false,
        }
    }
}

impl Drop for Tracees {
    fn drop(&mut self) {
        for tracee in &self.threads {
            if let State::Stopped { signal } = tracee.state {
                // Fails only if the thread was killed, and then there is nothing to let go.
                let _killed = sys::ptrace_detach(tracee.tid, signal);
            }
        }
    }
}

/// Seizes a thread; `false` if it has ended.
fn seize(pid: u32, tid: u32) -> Result<bool, Error> {
    let attempt = || match sys::ptrace_seize(tid) {
        Ok(()) => Some(Ok(true)),
        Err(_) if has_ended(tid) => Some(Ok(false)),
        Err(error) if error.raw_os_error() == Some(libc::EPERM) => None,
        Err(source) => Some(Err(Error::Io { what: format!("trace thread {tid}"), source })),
    };
    // A thread that is about to end, or calls `exec`, refuses too, for a moment.
    attempt()
        .or_else(|| {
            thread::sleep(Duration::from_millis(1));
            attempt()
        })
        .unwrap_or_else(|| Err(Error::NotPermitted { pid, denial: diagnose(tid) }))
}

pub(crate) fn threads_of(pid: u32) -> Result<Vec<u32>, Error> {
    let list = || -> io::Result<Vec<u32>> {
        let mut tids = Vec::new();
        for entry in std::fs::read_dir(format!("/proc/{pid}/task"))? {
            tids.extend(entry?.file_name().to_str().and_then(|name| name.parse::<u32>().ok()));
        }
        Ok(tids)
    };
    match list() {
        Ok(tids) => Ok(tids),
        Err(_) if has_ended(pid) => Err(Error::Ended { pid }),
        Err(source) => Err(Error::Io { what: format!("list the threads of {pid}"), source }),
    }
}

/// Whether a thread is gone, or only its exit status is left.
pub(crate) fn has_ended(tid: u32) -> bool {
    Status::read(tid).map_or(true, |status| status.is_zombie())
}
