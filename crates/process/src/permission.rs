//! Why the kernel does not let us look at a process, and what to do about it.
//!
//! The kernel says only "not permitted". The reasons are tried here in the order in which it checks
//! them (`ptrace_attach` and `__ptrace_may_access` in `kernel/ptrace.c`, then `security/yama`).

use std::fmt;
use std::os::unix::fs::MetadataExt;

use crate::status::Status;

/// Why we may not look at a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Denial {
    /// A debugger or another tracer has it; there can be only one.
    AlreadyTraced {
        /// The tracer's process number.
        by: u32,
    },
    /// It belongs to another user.
    OtherUser {
        /// Whose it is.
        theirs: u32,
        /// Who we are.
        ours: u32,
    },
    /// We are root, but without the capability: as in a container.
    NoCapability,
    /// It has more privileges than we have.
    MorePrivileged,
    /// It forbids it: it changed its user or group, or asked the kernel to (`PR_SET_DUMPABLE`).
    NotDumpable,
    /// The Yama setting of this machine.
    Yama {
        /// `kernel.yama.ptrace_scope`: 1 children only, 2 administrators only, 3 nobody.
        scope: u8,
    },
    /// A filter on *our* system calls.
    Seccomp,
    /// Something else: a security module, or another user namespace.
    Unknown,
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Denial::AlreadyTraced { by } => write!(f, "process {by} is tracing it already"),
            Denial::OtherUser { theirs, ours } => {
                write!(f, "it belongs to user {theirs}, and we are user {ours}")
            }
            Denial::NoCapability => f.write_str(
                "we are root, but without the capability SYS_PTRACE, as in most containers",
            ),
            Denial::MorePrivileged => {
                f.write_str("it has privileges (capabilities) that we do not have")
            }
            Denial::NotDumpable => {
                f.write_str("it is marked as private (it changed its user, or asked for that)")
            }
            Denial::Yama { scope: 1 } => f.write_str(
                "on this machine a process may look at its own children only (ptrace_scope is 1)",
            ),
            Denial::Yama { scope: 2 } => {
                f.write_str("on this machine only root may look at processes (ptrace_scope is 2)")
            }
            Denial::Yama { scope } => {
                write!(f, "on this machine nobody may look at processes (ptrace_scope is {scope})")
            }
            Denial::Seccomp => {
                f.write_str("a seccomp filter forbids us ptrace, as in some containers")
            }
            Denial::Unknown => f.write_str(
                "nothing to be seen forbids it: it may be a security module (SELinux, AppArmor), a \
                     user namespace or a capability that it has and we have not",
            ),
        }
    }
}

impl Denial {
    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Denial::AlreadyTraced { by } => format!(
                "Try again when it is done, or end it: `ps -p {by}` says what it is."
            ),
            Denial::OtherUser { theirs, .. } => {
                format!("Run deadweight with sudo, or as user {theirs}.")
            }
            Denial::NoCapability => "Give the container the capability: `docker run --cap-add=SYS_PTRACE`, \
                or in Kubernetes `securityContext: {capabilities: {add: [SYS_PTRACE]}}`. Or run deadweight \
                on the host, with the number the process has there."
                .to_owned(),
            Denial::MorePrivileged | Denial::NotDumpable => "Run deadweight with sudo.".to_owned(),
            Denial::Yama { scope: 1 } => "Run deadweight with sudo, or let it start the program \
                (`deadweight weigh --after 5s -- python app.py`), or allow it until the next boot with \
                `sudo sysctl kernel.yama.ptrace_scope=0`."
                .to_owned(),
            Denial::Yama { scope: 2 } => "Run deadweight with sudo, or allow it until the next boot with \
                `sudo sysctl kernel.yama.ptrace_scope=0`."
                .to_owned(),
            Denial::Yama { .. } => "That setting lasts until the next boot. Lower kernel.yama.ptrace_scope \
                in /etc/sysctl.d and boot again, or work with a core file."
                .to_owned(),
            Denial::Seccomp => "Start this container with `--cap-add=SYS_PTRACE` or with a seccomp profile \
                that allows ptrace and process_vm_readv, or run deadweight on the host."
                .to_owned(),
            Denial::Unknown => "Look at the log of the security module (`ausearch -m avc`, \
                `dmesg | grep -i apparmor`), or run deadweight on the host as root."
                .to_owned(),
        }
    }
}

/// Finds out why.
pub(crate) fn diagnose(pid: u32) -> Denial {
    let (Ok(us), Ok(mut them)) = (Status::of_self(), Status::read(pid)) else {
        return Denial::Unknown;
    };
    // The kernel names the thread that traces; a person wants the process.
    them.tracer = Status::read(them.tracer).map_or(them.tracer, |tracer| tracer.tgid);
    let yama = std::fs::read_to_string("/proc/sys/kernel/yama/ptrace_scope")
        .ok()
        .and_then(|text| text.trim().parse().ok())
        .unwrap_or(0);
    // The directory itself is always the user's (`task_dump_owner` in `fs/proc/base.c`).
    let owner = std::fs::metadata(format!("/proc/{pid}/stat")).map_or(them.user, |data| data.uid());
    reason(&us, &them, yama, owner)
}

/// `owner` is who owns the files in `/proc/PID`: root's, if the process is not dumpable.
fn reason(us: &Status, them: &Status, yama: u8, owner: u32) -> Denial {
    if them.tracer != 0 {
        return Denial::AlreadyTraced { by: them.tracer };
    }
    if us.can_trace_all() {
        // Nothing but these is left to refuse us. A process in another user namespace lands in the
        // last line too: the capability must be held over there.
        return match (yama, us.seccomp) {
            (3, _) => Denial::Yama { scope: 3 },
            (_, 2) => Denial::Seccomp,
            _ => Denial::Unknown,
        };
    }
    if us.user == 0 {
        return Denial::NoCapability;
    }
    if them.user != us.user {
        return Denial::OtherUser { theirs: them.user, ours: us.user };
    }
    if owner != them.user {
        return Denial::NotDumpable;
    }
    if them.permitted & !us.permitted != 0 || !them.one_user {
        return Denial::MorePrivileged;
    }
    match (yama, us.seccomp) {
        (1.., _) => Denial::Yama { scope: yama },
        (_, 2) => Denial::Seccomp,
        _ => Denial::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(user: u32, effective: u64, extra: &str) -> Status {
        Status::parse(&format!(
            "Uid:\t{user}\t{user}\t{user}\t{user}\nCapPrm:\t{effective:x}\nCapEff:\t{effective:x}\n{extra}"
        ))
    }

    const PTRACE: u64 = 1 << 19;

    #[test]
    fn each_refusal_has_its_reason() {
        let plain = status(1000, 0, "");
        let root = status(0, PTRACE, "");
        let check = |us: &Status, them: &Status, yama, owner, expect| {
            assert_eq!(reason(us, them, yama, owner), expect);
        };
        check(
            &plain,
            &status(1000, 0, "TracerPid:\t7\n"),
            1,
            1000,
            Denial::AlreadyTraced { by: 7 },
        );
        check(&plain, &status(33, 0, ""), 1, 33, Denial::OtherUser { theirs: 33, ours: 1000 });
        check(&plain, &root, 0, 0, Denial::OtherUser { theirs: 0, ours: 1000 });
        check(&plain, &plain, 1, 1000, Denial::Yama { scope: 1 });
        check(&plain, &plain, 2, 1000, Denial::Yama { scope: 2 });
        check(&plain, &plain, 0, 0, Denial::NotDumpable);
        check(&plain, &status(1000, 1 << 12, ""), 0, 1000, Denial::MorePrivileged);
        check(&status(1000, 0, "Seccomp:\t2\n"), &plain, 0, 1000, Denial::Seccomp);
        check(&plain, &plain, 0, 1000, Denial::Unknown);
        check(&status(0, 0, ""), &status(0, 0, ""), 0, 0, Denial::NoCapability);
        check(&root, &plain, 3, 1000, Denial::Yama { scope: 3 });
        check(&root, &plain, 1, 1000, Denial::Unknown);
        check(&status(0, PTRACE, "Seccomp:\t2\n"), &plain, 0, 1000, Denial::Seccomp);
    }
}
