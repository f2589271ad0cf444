//! What the kernel says of a process as such: `/proc/PID/status` and the flags in `/proc/PID/stat`.

use std::io;

/// Bit of `CAP_SYS_PTRACE` (`include/uapi/linux/capability.h`).
const CAP_SYS_PTRACE: u64 = 1 << 19;

/// `PF_KTHREAD` (`include/linux/sched.h`).
const KERNEL_THREAD: u64 = 0x0020_0000;

/// The lines of `status` that decide whether a process can be looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Status {
    /// `R`, `S`, `D`, `T`, `t`, `Z`, `X`, …
    pub(crate) state: char,
    /// The process that this thread is of.
    pub(crate) tgid: u32,
    /// Its parent; 0 if that is outside of our process namespace.
    pub(crate) parent: u32,
    /// Who traces it; 0 for nobody.
    pub(crate) tracer: u32,
    /// Effective user.
    pub(crate) user: u32,
    /// Whether real, effective and saved user are one.
    pub(crate) one_user: bool,
    /// Capabilities that are in force, and that may be.
    pub(crate) effective: u64,
    pub(crate) permitted: u64,
    /// 2 when a filter says which system calls are allowed.
    pub(crate) seccomp: u8,
}

impl Status {
    /// Of a process, or of any thread by its number.
    pub(crate) fn read(pid: u32) -> io::Result<Status> {
        Ok(Status::parse(&String::from_utf8_lossy(&std::fs::read(format!("/proc/{pid}/status"))?)))
    }

    /// Of ourselves.
    pub(crate) fn of_self() -> io::Result<Status> {
        Status::read(std::process::id())
    }

    pub(crate) fn parse(text: &str) -> Status {
        let mut status = Status::default();
        for (key, value) in text.lines().filter_map(|line| line.split_once(':')) {
            let mut words = value.split_ascii_whitespace();
            let first = words.next().unwrap_or_default();
            match key {
                "State" => status.state = first.chars().next().unwrap_or_default(),
                "Tgid" => status.tgid = first.parse().unwrap_or_default(),
                "PPid" => status.parent = first.parse().unwrap_or_default(),
                "TracerPid" => status.tracer = first.parse().unwrap_or_default(),
                "Uid" => {
                    let (effective, saved) = (words.next(), words.next());
                    status.user = effective.and_then(|id| id.parse().ok()).unwrap_or_default();
                    status.one_user = effective == Some(first) && saved == Some(first);
                }
                "CapEff" => status.effective = u64::from_str_radix(first, 16).unwrap_or_default(),
                "CapPrm" => status.permitted = u64::from_str_radix(first, 16).unwrap_or_default(),
                "Seccomp" => status.seccomp = first.parse().unwrap_or_default(),
                _ => {}
            }
        }
        status
    }

    /// Ended, but not yet waited for by its parent.
    pub(crate) fn is_zombie(&self) -> bool {
        matches!(self.state, 'Z' | 'X')
    }

    /// Whether it may trace processes of other users.
    pub(crate) fn can_trace_all(&self) -> bool {
        self.effective & CAP_SYS_PTRACE != 0
    }
}

/// Whether a process is a part of the kernel, without memory of its own.
pub(crate) fn is_kernel_thread(pid: u32) -> io::Result<bool> {
    let stat = std::fs::read(format!("/proc/{pid}/stat"))?;
    Ok(stat_flags(&String::from_utf8_lossy(&stat)).is_some_and(|flags| flags & KERNEL_THREAD != 0))
}

/// The name in parentheses can hold anything, `)` too: the fields are counted from the last one.
fn stat_flags(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_ascii_whitespace().nth(6)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_status_is_understood() {
        let status = Status::of_self().unwrap();
        assert_eq!(status.tgid, std::process::id());
        assert_eq!(status.parent, std::os::unix::process::parent_id());
        assert!(!status.is_zombie() && "RSD".contains(status.state), "{status:?}");
        assert!(!is_kernel_thread(std::process::id()).unwrap());
    }

    #[test]
    fn the_lines_that_matter_are_found() {
        let text = "Name:\tx: y\nState:\tt (tracing stop)\nTgid:\t12\nPPid:\t3\nTracerPid:\t99\n\
            Uid:\t1000\t0\t0\t1000\nCapPrm:\t00000000000800ff\nCapEff:\t0000000000080000\nSeccomp:\t2\n";
        let status = Status::parse(text);
        assert_eq!((status.state, status.tgid, status.parent, status.tracer), ('t', 12, 3, 99));
        assert_eq!((status.user, status.one_user, status.seccomp), (0, false, 2));
        assert!(status.can_trace_all());
        assert_eq!(status.permitted, 0x800ff);
    }

    #[test]
    fn a_name_with_a_parenthesis_does_not_move_the_fields() {
        assert_eq!(stat_flags("12 (a) b) S 1 2 3 4 5 2129984 0"), Some(2_129_984));
        assert_eq!(stat_flags("12 (a"), None);
        assert_eq!(stat_flags(""), None);
    }
}
