//! Why a process could not be copied, and what to do about it.

use std::io;
use std::time::Duration;

use deadweight_heap::Bytes;

use crate::deadline::Stage;
use crate::headroom::Ceiling;
use crate::permission::Denial;

/// Why there is no copy. In every case the target goes on as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no process of this number.
    #[error("there is no process {pid}")]
    NoSuchProcess {
        /// The number asked for.
        pid: u32,
    },
    /// The kernel does not let us look at it.
    #[error("not permitted to look at process {pid}: {denial}")]
    NotPermitted {
        /// The process.
        pid: u32,
        /// Why, as far as can be found out.
        denial: Denial,
    },
    /// It has ended and has no memory any more.
    #[error("process {pid} is a zombie: it has ended, and its parent has not yet asked how")]
    Zombie {
        /// The process.
        pid: u32,
    },
    /// Its main thread has ended, and took the way to the memory of the others along
    /// (`exit_mm` in `kernel/exit.c`).
    #[error("the main thread of process {pid} has ended; only other threads run on")]
    MainThreadEnded {
        /// The process.
        pid: u32,
    },
    /// It is a part of the kernel.
    #[error("process {pid} is a kernel thread: it has no memory of its own")]
    KernelThread {
        /// The process.
        pid: u32,
    },
    /// It is the process that asks.
    #[error("process {pid} is deadweight itself: a process cannot stop itself to be read")]
    Itself {
        /// The process.
        pid: u32,
    },
    /// It is not a 64-bit x86 program.
    #[error("process {pid} runs {what}; deadweight reads 64-bit x86 (x86-64) programs only")]
    ForeignProgram {
        /// The process.
        pid: u32,
        /// What it is instead.
        what: String,
    },
    /// It ended while we looked.
    #[error("process {pid} ended while it was being read")]
    Ended {
        /// The process.
        pid: u32,
    },
    /// The copy does not fit.
    #[error(
        "not enough memory to copy process {pid}: {} MB are needed, {ceiling} leaves {} MB",
        needs.0.div_ceil(1_000_000),
        has.0 / 1_000_000
    )]
    NoHeadroom {
        /// The process.
        pid: u32,
        /// Bytes needed.
        needs: Bytes,
        /// Bytes to be had.
        has: Bytes,
        /// What sets the limit.
        ceiling: Ceiling,
    },
    /// The copy took longer than was allowed. The target was let go.
    #[error("gave up after {limit:?}, {stage}; the process was let go on")]
    PauseExceeded {
        /// What was allowed.
        limit: Duration,
        /// How far it got.
        stage: Stage,
    },
    /// A thread does not stop. The others were let go.
    #[error("thread {tid} of process {pid} does not stop: {}", if *uninterruptible {
        "it waits in the kernel and cannot be interrupted (state D)"
    } else {
        "the kernel does not say why"
    })]
    StuckThread {
        /// The process.
        pid: u32,
        /// The thread.
        tid: u32,
        /// Whether it is in a wait that nothing can interrupt.
        uninterruptible: bool,
    },
    /// The program to start could not be started.
    #[error("cannot start {program}")]
    Launch {
        /// The program.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// The kernel refused something it should not have.
    #[error("cannot {what}")]
    Io {
        /// What was tried.
        what: String,
        /// Why it failed.
        source: io::Error,
    },
}

impl Error {
    /// What to do next, in one or two sentences; `None` where there is nothing to do.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Error::NotPermitted { denial, .. } => return Some(denial.hint()),
            Error::NoSuchProcess { .. } => {
                "`pgrep -af python` lists the Python processes. In a container, give the number it \
                 has there."
            }
            Error::Itself { .. } | Error::KernelThread { .. } => {
                "Give the number of the Python process: `pgrep -af python` lists them."
            }
            Error::Zombie { .. } => {
                "There is nothing left to read. If it comes back each time, look at its parent."
            }
            Error::MainThreadEnded { .. } => {
                "deadweight reads a process by its main thread. Let that one wait for the others \
                 (`thread.join()`) instead of ending it."
            }
            Error::ForeignProgram { .. } => {
                "If it is a wrapper that starts Python, give the number of the Python process."
            }
            Error::NoHeadroom { ceiling, .. } => return Some(ceiling.hint()),
            Error::PauseExceeded { .. } => {
                "Allow a longer pause, or try again when the machine is less busy."
            }
            Error::StuckThread { uninterruptible: true, .. } => {
                "It waits for a disk, a network file system or a child it has just forked, or its \
                 container is paused. Try again when that is over."
            }
            Error::StuckThread { uninterruptible: false, .. } => "Try again.",
            Error::Launch { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                "Check the name, or give the path of the program: `deadweight weigh -- python app.py`."
            }
            Error::Ended { .. } | Error::Launch { .. } | Error::Io { .. } => return None,
        };
        Some(hint.to_owned())
    }
}
