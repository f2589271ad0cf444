//! The memory map of a process: `/proc/PID/maps`.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use deadweight_heap::Addr;

/// One line of the map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// First byte.
    pub start: Addr,
    /// One past the last byte.
    pub end: Addr,
    /// As the kernel prints them, such as `rw-p`.
    permissions: [u8; 4],
    /// Where in the file it begins.
    pub offset: u64,
    /// The file it shows, if any.
    pub file: Option<FileId>,
    name: OsString,
}

/// A file by its number, which stays the same when the file is renamed or deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FileId {
    /// Major and minor device number. Not always those that `stat` says (btrfs, overlayfs).
    pub device: (u32, u32),
    /// Inode number.
    pub inode: u64,
}

impl Mapping {
    /// Bytes of address space.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.end.0 - self.start.0
    }

    /// Never: the kernel has no empty mappings, and the parser takes none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the program may read it.
    #[must_use]
    pub fn readable(&self) -> bool {
        self.permissions[0] == b'r'
    }

    /// Whether the program may write to it.
    #[must_use]
    pub fn writable(&self) -> bool {
        self.permissions[1] == b'w'
    }

    /// Whether the program may run code in it.
    #[must_use]
    pub fn executable(&self) -> bool {
        self.permissions[2] == b'x'
    }

    /// Whether what is written to it is seen by others, rather than copied first.
    #[must_use]
    pub fn shared(&self) -> bool {
        self.permissions[3] == b's'
    }

    /// What the kernel calls it: a path, `[heap]`, or nothing.
    #[must_use]
    pub fn name(&self) -> &OsStr {
        &self.name
    }

    /// The file's path in the target's file system; ` (deleted)` is taken off.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        let name = self.name.as_bytes();
        let path = name.strip_suffix(b" (deleted)").unwrap_or(name);
        path.starts_with(b"/").then(|| Path::new(OsStr::from_bytes(path)))
    }

    /// Memory the kernel lends to every program. `[vvar]` and `[vsyscall]` are not the process's own:
    /// neither counts as resident, nor can it be copied.
    #[must_use]
    pub fn is_kernels(&self) -> bool {
        let name = self.name.as_bytes();
        name.starts_with(b"[vvar") || name == b"[vsyscall]" || name == b"[vdso]"
    }

    /// Shared memory that is no file's: anonymous (`shmem_zero_setup` in `mm/shmem.c` calls it
    /// `/dev/zero`), POSIX (`shm_open`), System V, or of `memfd_create`.
    #[must_use]
    pub fn is_shared_memory(&self) -> bool {
        const NAMES: [&[u8]; 5] =
            [b"/dev/zero", b"/dev/shm/", b"/memfd:", b"/SYSV", b"[anon_shmem:"];
        let name = self.name.as_bytes();
        self.shared() && (name.is_empty() || NAMES.iter().any(|start| name.starts_with(start)))
    }

    /// Memory in pages of the hugetlb pool, which the kernel keeps out of `Rss`. Known by the names
    /// of `MAP_HUGETLB` (`anon_hugepage` in `mm/hugetlb.c`) and of the usual mount.
    #[must_use]
    pub fn is_huge_tlb(&self) -> bool {
        let name = self.name.as_bytes();
        name.starts_with(b"/anon_hugepage") || name.starts_with(b"/dev/hugepages/")
    }
}

/// Reads the map of a process.
pub(crate) fn read(pid: u32) -> io::Result<Vec<Mapping>> {
    Ok(parse(&std::fs::read(format!("/proc/{pid}/maps"))?))
}

/// Whether all these bytes are mapped, and may be read.
pub(crate) fn cover(maps: &[Mapping], start: Addr, len: u64) -> bool {
    let Some(end) = start.0.checked_add(len) else { return false };
    let first = maps.partition_point(|mapping| mapping.end <= start);
    let mut at = start.0;
    for mapping in maps[first..].iter().take_while(|mapping| mapping.readable()) {
        if mapping.start.0 > at {
            break;
        }
        at = mapping.end.0;
        if at >= end {
            return true;
        }
    }
    false
}

/// Lines that make no sense, or lie before their predecessor's end, are left out: while a process
/// runs, its map can change between two pages of text.
pub(crate) fn parse(text: &[u8]) -> Vec<Mapping> {
    let mut maps: Vec<Mapping> = Vec::new();
    for mapping in text.split(|&byte| byte == b'\n').filter_map(parse_line) {
        if maps.last().is_none_or(|last| last.end <= mapping.start) {
            maps.push(mapping);
        }
    }
    maps
}

fn parse_line(line: &[u8]) -> Option<Mapping> {
    let mut rest = line;
    let mut field = || {
        let end = rest.iter().position(|&byte| byte == b' ').unwrap_or(rest.len());
        let (field, tail) = rest.split_at(end);
        rest = tail.strip_prefix(b" ").unwrap_or(tail);
        std::str::from_utf8(field).ok()
    };
    let (start, end) = field()?.split_once('-')?;
    let permissions = field()?;
    let offset = field()?;
    let (major, minor) = field()?.split_once(':')?;
    let inode: u64 = field()?.parse().ok()?;
    let device = (hex32(major)?, hex32(minor)?);
    let mapping = Mapping {
        start: Addr(hex(start)?),
        end: Addr(hex(end)?),
        permissions: permissions.as_bytes().try_into().ok()?,
        offset: hex(offset)?,
        file: (inode != 0).then_some(FileId { device, inode }),
        name: unescape(rest.trim_ascii_start()),
    };
    (mapping.start < mapping.end).then_some(mapping)
}

fn hex(text: &str) -> Option<u64> {
    u64::from_str_radix(text, 16).ok()
}

fn hex32(text: &str) -> Option<u32> {
    u32::from_str_radix(text, 16).ok()
}

/// A line break in a path is written `\012`; nothing else is escaped (`fs/proc/task_mmu.c`).
fn unescape(name: &[u8]) -> OsString {
    const BREAK: &[u8] = b"\\012";
    let mut plain = Vec::with_capacity(name.len());
    let mut rest = name;
    while let Some((&first, tail)) = rest.split_first() {
        if let Some(after) = rest.strip_prefix(BREAK) {
            plain.push(b'\n');
            rest = after;
        } else {
            plain.push(first);
            rest = tail;
        }
    }
    OsString::from_vec(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &[u8] = b"\
00400000-00401000 r--p 00000000 fe:00 325843                     /usr/bin/python3.11
00401000-00402000 rw-p 00001000 fe:00 325843                     /usr/bin/python3.11 (deleted)
0143a000-0145b000 rw-p 00000000 00:00 0                          [heap]
7f0000000000-7f0000001000 rw-p 00000000 00:00 0
7f0000001000-7f0000002000 rw-s 00002000 00:05 77                 /tmp/a b\\012c
7ffd00000000-7ffd00004000 r--p 00000000 00:00 0                  [vvar]
ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0          [vsyscall]
";

    #[test]
    fn what_is_covered_may_lie_in_mappings_side_by_side() {
        let maps = parse(TEXT);
        assert!(cover(&maps, Addr(0x0040_0ff0), 0x20) && cover(&maps, Addr(0x0040_0000), 0x2000));
        assert!(!cover(&maps, Addr(0x0040_0ff0), 0x1011) && !cover(&maps, Addr(0x003f_fff0), 0x20));
        assert!(!cover(&maps, Addr(0x0040_2000), 1) && !cover(&maps, Addr(8), u64::MAX));
        // Memory of the kernel's that the program may not read.
        assert!(!cover(&maps, Addr(0xffff_ffff_ff60_0000), 16));
    }

    #[test]
    fn every_line_of_a_map_is_understood() {
        let maps = parse(TEXT);
        assert_eq!(maps.len(), 7);
        assert_eq!((maps[0].start, maps[0].end), (Addr(0x0040_0000), Addr(0x0040_1000)));
        assert_eq!(maps[0].file, Some(FileId { device: (0xfe, 0), inode: 325_843 }));
        assert!(maps[0].readable() && !maps[0].writable() && !maps[0].shared());
        assert_eq!(maps[1].offset, 0x1000);
        assert_eq!(maps[1].path(), Some(Path::new("/usr/bin/python3.11")));
        assert_eq!((maps[2].name(), maps[2].path()), (OsStr::new("[heap]"), None));
        assert_eq!(maps[3].name(), OsStr::new(""));
        assert_eq!(maps[4].path(), Some(Path::new("/tmp/a b\nc")));
        assert!(maps[4].shared() && !maps[4].is_shared_memory());
        assert!(maps[5].is_kernels() && maps[6].is_kernels() && maps[6].executable());
    }

    #[test]
    fn shared_memory_is_known_by_its_name() {
        let text = b"1000-2000 rw-s 00000000 00:01 9    /dev/zero (deleted)\n\
            2000-3000 rw-s 00000000 00:17 5    /dev/shm/psm_1f\n\
            3000-4000 rw-s 00000000 00:01 7    /memfd:x (deleted)\n\
            4000-5000 rw-s 00000000 00:01 0    /SYSV00000000 (deleted)\n\
            5000-6000 rw-p 00000000 00:17 5    /dev/shm/psm_1f\n\
            6000-7000 r--s 00000000 fe:00 5    /usr/lib/gconv/gconv-modules.cache\n";
        let shared: Vec<bool> = parse(text).iter().map(Mapping::is_shared_memory).collect();
        assert_eq!(shared, [true, true, true, true, false, false]);
    }

    #[test]
    fn lines_that_make_no_sense_are_left_out() {
        let text =
            b"zz-10 rw-p 0 0:0 0\n2000-1000 rw-p 0 0:0 0\n1000-2000 rw 0 0:0 0\n1000-2000 rw-p\n\
            1000-3000 rw-p 0 0:0 0 [heap]\n2000-4000 rw-p 0 0:0 0\n1000-2000 rw-p 0 0:0 x\n\xff";
        let maps = parse(text);
        assert_eq!(maps.len(), 1, "{maps:?}");
        assert_eq!(maps[0].name(), OsStr::new("[heap]"));
    }

    #[test]
    fn our_own_map_is_read_whole() {
        let lines = std::fs::read_to_string("/proc/self/maps").unwrap().lines().count();
        let maps = read(std::process::id()).unwrap();
        // The two readings are not one: threads of the test program map memory between them.
        assert!(maps.len().abs_diff(lines) < 20, "{} of {lines}", maps.len());
        let here = Addr(std::ptr::from_ref(&TEXT) as u64);
        assert!(maps.iter().any(|mapping| mapping.start <= here && here < mapping.end));
    }
}
