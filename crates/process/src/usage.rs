//! What reading cost ourselves, and what there is to spend.

use std::time::Duration;

use deadweight_heap::Bytes;

use crate::headroom::Headroom;
use crate::sys;

/// What this process has used so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Processor time, user and system, all threads.
    pub cpu: Duration,
    /// The most memory it had resident.
    pub peak: Bytes,
}

/// What this process has used so far.
#[must_use]
pub fn usage() -> Usage {
    let (cpu, peak) = sys::own_usage();
    Usage { cpu, peak: Bytes(peak) }
}

/// How much memory this process could still take: the least of what the machine, its control groups
/// and its limits leave.
#[must_use]
pub fn memory_available() -> Bytes {
    Headroom::now(None).has
}

/// Asks the kernel to end us rather than another program when memory runs out. Reading a process takes
/// about as much memory as it has, and the target must not be the one to pay.
///
/// For programs of their own only: it cannot be undone without privilege. What is started afterwards
/// inherits it: start a target first.
pub fn volunteer_when_memory_runs_out() {
    // Where it cannot be had, nothing is lost: headroom is checked before anything is taken.
    let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
}
