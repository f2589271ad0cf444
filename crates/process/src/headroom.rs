//! How much memory we may take: of the machine, of our control groups, of our address space.
//!
//! Asked before the target is stopped. To run out of memory halfway would bring the out-of-memory
//! killer in, and that may well choose the target.

use std::fmt;
use std::path::{Path, PathBuf};

use deadweight_heap::Bytes;

use crate::error::Error;

/// What limits the memory that we can take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ceiling {
    /// Free memory of the machine.
    Machine,
    /// A control group that we are in (a container, a service).
    ControlGroup(PathBuf),
    /// `RLIMIT_AS`.
    AddressSpace,
    /// What the kernel promises in all, where it promises no more than it has (`vm.overcommit_memory` 2).
    Commitments,
    /// What the caller allowed.
    Asked,
}

impl fmt::Display for Ceiling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ceiling::Machine => f.write_str("this machine"),
            Ceiling::ControlGroup(path) => write!(f, "the control group {}", path.display()),
            Ceiling::AddressSpace => f.write_str("the limit on our address space (ulimit -v)"),
            Ceiling::Commitments => f.write_str("this machine's limit on promised memory"),
            Ceiling::Asked => f.write_str("the limit asked for"),
        }
    }
}

impl Ceiling {
    /// What to do next.
    pub(crate) fn hint(&self) -> String {
        match self {
            Ceiling::Machine => "The copy is as large as the process's own memory. Free some memory first.",
            Ceiling::ControlGroup(_) => {
                "Raise the memory limit of this container or service, or run deadweight outside of it: \
                 on the host, with the number the process has there."
            }
            Ceiling::AddressSpace => "Raise it: `ulimit -v unlimited`.",
            Ceiling::Commitments => "Free some memory, or allow overcommitment: `sysctl vm.overcommit_memory=0`.",
            Ceiling::Asked => "Allow more.",
        }
        .to_owned()
    }
}

/// The lowest of the ceilings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Headroom {
    pub(crate) has: Bytes,
    pub(crate) ceiling: Ceiling,
}

/// Left to everybody else, whatever we take.
const RESERVE: u64 = 32 << 20;

impl Headroom {
    /// As of now. `asked` is the most the caller allows. A source that cannot be read is no ceiling.
    pub(crate) fn now(asked: Option<Bytes>) -> Headroom {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let meminfo = read("/proc/meminfo");
        let machine = kib(&meminfo, "MemAvailable:")
            .map(|bytes| (bytes.saturating_sub(RESERVE), Ceiling::Machine));
        let strict = read("/proc/sys/vm/overcommit_memory").trim() == "2";
        let commitments = kib(&meminfo, "CommitLimit:")
            .zip(kib(&meminfo, "Committed_AS:"))
            .filter(|_| strict)
            .map(|(limit, used)| {
                (limit.saturating_sub(used).saturating_sub(RESERVE), Ceiling::Commitments)
            });
        let address_space = address_space(&read("/proc/self/limits"))
            .zip(kib(&read("/proc/self/status"), "VmSize:"))
            .map(|(limit, used)| {
                (limit.saturating_sub(used).saturating_sub(RESERVE), Ceiling::AddressSpace)
            });
        let groups = groups(&read("/proc/self/cgroup"), &read("/proc/self/mountinfo"));
        let groups = groups.iter().flat_map(Group::ceilings);
        let (has, ceiling) = groups
            .chain(machine)
            .chain(commitments)
            .chain(address_space)
            .chain(asked.map(|limit| (limit.0, Ceiling::Asked)))
            .min_by_key(|(has, _)| *has)
            .unwrap_or((u64::MAX, Ceiling::Machine));
        Headroom { has: Bytes(has), ceiling }
    }

    /// An error if `needs` does not fit.
    pub(crate) fn check(self, pid: u32, needs: Bytes) -> Result<(), Error> {
        if needs <= self.has {
            return Ok(());
        }
        Err(Error::NoHeadroom { pid, needs, has: self.has, ceiling: self.ceiling })
    }
}

/// The value of a `Key:   123 kB` line, in bytes.
fn kib(text: &str, key: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(key))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// The soft limit; `None` if there is none.
fn address_space(limits: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max address space"))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

/// A control group with a memory controller, in the file system.
#[derive(Debug, PartialEq, Eq)]
struct Group {
    /// Where its hierarchy is mounted; no limit is looked for above that.
    mount: PathBuf,
    /// The group itself.
    directory: PathBuf,
    files: &'static Files,
}

/// What the two versions of control groups call the same things.
#[derive(Debug, PartialEq, Eq)]
struct Files {
    limits: &'static [&'static str],
    usage: &'static str,
    /// The line of `memory.stat` with cached file pages, which the kernel drops before it runs out.
    reclaimable: &'static str,
}

const V1: Files = Files {
    limits: &["memory.limit_in_bytes"],
    usage: "memory.usage_in_bytes",
    reclaimable: "total_inactive_file ",
};
/// `memory.high` does not kill, but above it the kernel slows us down until we seem to hang.
const V2: Files = Files {
    limits: &["memory.max", "memory.high"],
    usage: "memory.current",
    reclaimable: "inactive_file ",
};

impl Group {
    /// What it and each group above it leaves. "max", and the huge number that v1 has for it, are
    /// no ceilings.
    fn ceilings(&self) -> Vec<(u64, Ceiling)> {
        const UNLIMITED: u64 = 1 << 60;
        let mut found = Vec::new();
        for group in self.directory.ancestors().take_while(|group| group.starts_with(&self.mount)) {
            let number = |file: &str| -> Option<u64> {
                std::fs::read_to_string(group.join(file)).ok()?.trim().parse().ok()
            };
            let limit = self.files.limits.iter().filter_map(|file| number(file)).min();
            let Some((limit, usage)) = limit.zip(number(self.files.usage)) else { continue };
            if limit < UNLIMITED {
                let stat = std::fs::read_to_string(group.join("memory.stat")).unwrap_or_default();
                let reclaimable = stat
                    .lines()
                    .find_map(|line| line.strip_prefix(self.files.reclaimable)?.parse().ok())
                    .unwrap_or(0);
                let has = limit.saturating_sub(usage.saturating_sub(reclaimable));
                found.push((has, Ceiling::ControlGroup(group.to_owned())));
            }
        }
        found
    }
}

/// Our groups with a memory controller, from `/proc/self/cgroup` and `/proc/self/mountinfo`.
fn groups(cgroup: &str, mountinfo: &str) -> Vec<Group> {
    let mut found = Vec::new();
    for line in cgroup.lines() {
        // hierarchy:controllers:path; version 2 is hierarchy 0 without controllers.
        let mut fields = line.splitn(3, ':');
        let (Some(hierarchy), Some(controllers), Some(path)) =
            (fields.next(), fields.next(), fields.next())
        else {
            continue;
        };
        let files = if hierarchy == "0" && controllers.is_empty() {
            &V2
        } else if controllers.split(',').any(|name| name == "memory") {
            &V1
        } else {
            continue;
        };
        let version_2 = *files == V2;
        found.extend(
            mountinfo
                .lines()
                .filter_map(parse_mount)
                .filter(|mount| match mount.kind {
                    "cgroup2" => version_2,
                    "cgroup" => !version_2 && mount.options.split(',').any(|o| o == "memory"),
                    _ => false,
                })
                .map(|mount| {
                    // In a container the mount may begin at our own group; then nothing is left of
                    // the path.
                    let below = Path::new(path).strip_prefix(mount.root);
                    let below =
                        below.unwrap_or(Path::new(path).strip_prefix("/").unwrap_or(Path::new("")));
                    Group {
                        mount: PathBuf::from(mount.point),
                        directory: Path::new(mount.point).join(below),
                        files,
                    }
                }),
        );
    }
    found
}

struct Mount<'a> {
    root: &'a str,
    point: &'a str,
    kind: &'a str,
    options: &'a str,
}

/// `id parent dev root point options [optional…] - kind source super-options` (proc(5)).
fn parse_mount(line: &str) -> Option<Mount<'_>> {
    let (head, tail) = line.split_once(" - ")?;
    let mut head = head.split(' ').skip(3);
    let mut tail = tail.split(' ');
    Some(Mount {
        root: head.next()?,
        point: head.next()?,
        kind: tail.next()?,
        options: tail.nth(1)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_found_in_both_versions_and_inside_a_container() {
        let check = |cgroup: &str, mountinfo: &str, expect: &[(&str, &Files)]| {
            let found = groups(cgroup, mountinfo);
            let found: Vec<_> = found
                .iter()
                .map(|group| (group.directory.to_str().unwrap(), group.files))
                .collect();
            assert_eq!(found, expect);
        };
        check(
            "0::/user.slice/app.service\n",
            "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n",
            &[("/sys/fs/cgroup/user.slice/app.service", &V2)],
        );
        check(
            "8:pids:/\n4:cpu,memory:/docker/abc\n0::/\n",
            "35 31 0:32 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n\
             36 31 0:33 / /sys/fs/cgroup/pids ro - cgroup cgroup rw,pids\n",
            &[("/sys/fs/cgroup/memory/", &V1)],
        );
        check("4:memory:/a\n", "", &[]);
        check("x\n4:memory\n", "1 2 - x\n\n", &[]);
    }

    #[test]
    fn the_lowest_group_on_the_way_up_is_the_ceiling() {
        let mount = std::env::temp_dir().join(format!("deadweight-groups-{}", std::process::id()));
        let inner = mount.join("service/worker");
        std::fs::create_dir_all(&inner).unwrap();
        let write = |group: &Path, file: &str, text: &str| {
            std::fs::write(group.join(file), text).unwrap();
        };
        write(&inner, "memory.max", "max\n");
        write(&inner, "memory.current", "1000\n");
        let service = mount.join("service");
        write(&service, "memory.max", "1000000\n");
        write(&service, "memory.high", "900000\n");
        write(&service, "memory.current", "500000\n");
        write(&service, "memory.stat", "anon 1\ninactive_file 100000\nfile 2\n");
        let group = Group { mount: mount.clone(), directory: inner, files: &V2 };
        let ceilings = group.ceilings();
        std::fs::remove_dir_all(&mount).unwrap();
        assert_eq!(ceilings, [(500_000, Ceiling::ControlGroup(service))]);
    }

    #[test]
    fn limits_of_the_address_space_and_the_machine_are_read() {
        let limits = "Limit    Soft Limit   Hard Limit   Units\nMax address space   4096  unlimited  bytes\n";
        assert_eq!(address_space(limits), Some(4096));
        assert_eq!(address_space("Max address space  unlimited unlimited bytes\n"), None);
        assert_eq!(kib("MemFree: 1 kB\nMemAvailable:   12 kB\n", "MemAvailable:"), Some(12 << 10));
        assert_eq!(kib("MemAvailable: x kB\n", "MemAvailable:"), None);
    }

    #[test]
    fn what_does_not_fit_is_refused_with_its_ceiling() {
        let headroom = Headroom::now(Some(Bytes(1000)));
        assert_eq!(headroom, Headroom { has: Bytes(1000), ceiling: Ceiling::Asked });
        headroom.clone().check(7, Bytes(1000)).unwrap();
        let error = headroom.check(7, Bytes(1001)).unwrap_err();
        assert!(error.to_string().contains("the limit asked for"), "{error}");
        assert!(Headroom::now(None).has < Bytes(1 << 60));
    }
}
