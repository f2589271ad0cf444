//! The processes that a process has started, as far as they run Python.

use std::collections::{HashMap, VecDeque};
use std::os::unix::ffi::OsStrExt;

use crate::status::Status;

/// The Python processes that a process has started itself, or by way of shells and other wrappers: not
/// those that one of these started. By rising number.
pub(crate) fn python_children(pid: u32) -> Vec<u32> {
    started_by(pid, false)
}

/// The same with those that one of these started: the workers of a server that forks them from another
/// process, say (`multiprocessing`'s fork server).
#[must_use]
pub fn python_descendants(pid: u32) -> Vec<u32> {
    started_by(pid, true)
}

fn started_by(pid: u32, through_pythons: bool) -> Vec<u32> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for child in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let number = child.file_name().to_str().and_then(|name| name.parse().ok());
        // What has ended meanwhile is no child any more.
        if let Some(number) = number
            && let Ok(status) = Status::read(number)
        {
            children.entry(status.parent).or_default().push(number);
        }
    }
    let mut pythons = Vec::new();
    let mut next = VecDeque::from([pid]);
    while let Some(parent) = next.pop_front() {
        // Taken out: whatever the numbers say, no process is gone through twice.
        for child in children.remove(&parent).unwrap_or_default() {
            let is_python = runs_python(child);
            if is_python {
                pythons.push(child);
            }
            if !is_python || through_pythons {
                next.push_back(child);
            }
        }
    }
    pythons.sort_unstable();
    pythons
}

/// By the name of its program or of a library: `python3.12`, `libpython3.12.so.1.0`.
fn runs_python(pid: u32) -> bool {
    let program = std::fs::read_link(format!("/proc/{pid}/exe"));
    let named = program.is_ok_and(|path| {
        path.file_name().is_some_and(|name| name.as_bytes().starts_with(b"python"))
    });
    named
        || std::fs::read(format!("/proc/{pid}/maps"))
            .is_ok_and(|maps| maps.windows(10).any(|part| part == b"/libpython"))
}
