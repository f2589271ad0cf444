//! Where the bytes of a live process come from.
//!
//! The one idea: *stop, copy, go on*. [`LiveCopy::take`] finds what memory a process has, stops all its
//! threads for as long as it takes to copy the pages that differ from their files, and lets it go on.
//! What follows works on the copy. Nothing is written into the target and no code of ours runs there;
//! if we die at any moment, the kernel lets it go on (`PTRACE_SEIZE`, never a stop signal).
//!
//! What the crate does not know: anything about Python. It lends bytes, and says what memory they are.
//!
//! ```no_run
//! use deadweight_process::{Limits, LiveCopy};
//!
//! let copy = LiveCopy::take(4242, &Limits::default())?;
//! println!("{} bytes copied in {:?}", copy.copied().0, copy.pause());
//! if let Some(symbol) = copy.find_symbol("_PyRuntime") {
//!     println!("the interpreter is at {}", symbol.addr);
//! }
//! # Ok::<(), deadweight_process::Error>(())
//! ```
//!
//! A process we may always look at is one we started: [`Launched`].
#![deny(unsafe_code)]

#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
compile_error!("deadweight reads processes on x86-64 Linux only");

mod account;
mod areas;
mod blocks;
mod contents;
mod copy;
mod deadline;
mod descendants;
mod elf;
mod error;
mod files;
mod frozen;
mod headroom;
mod images;
mod interpreter;
mod interruption;
mod launch;
mod live;
mod maps;
mod memory;
#[expect(unsafe_code, reason = "reads the memory of the program it runs in")]
mod own;
mod pages;
mod pause;
mod permission;
mod plan;
mod ranges;
mod read;
mod smaps;
mod status;
#[expect(unsafe_code, reason = "the one place that calls the operating system directly")]
mod sys;
mod take;
mod usage;

pub use areas::{Area, AreaKind};
pub use deadline::Stage;
pub use descendants::python_descendants;
pub use error::Error;
pub use frozen::{Frozen, Unclonable, freeze, look_first};
pub use headroom::Ceiling;
pub use images::{Image, ImagePart, PartKind, Symbol};
pub use interruption::Interruption;
pub use launch::{Launched, Trigger, Waited};
pub use live::LiveCopy;
pub use maps::{FileId, Mapping};
pub use memory::{Memory, Region, RegionKind};
pub use own::{Checked, Own, OwnError, Trusted};
pub use pages::PageSource;
pub use pause::{Registers, Thread};
pub use permission::Denial;
pub use read::{Phase, ReadError, ReadOptions, Tallied, decode, decode_visible, read, tally};
pub use smaps::Rollup;
pub use take::Limits;
pub use usage::{Usage, memory_available, usage, volunteer_when_memory_runs_out};

/// Bytes of a page: x86-64 has no other base size.
const PAGE: u64 = 4096;
