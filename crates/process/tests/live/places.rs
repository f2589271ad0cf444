//! Targets in other places: namespaces, control groups, files that are no longer what they were.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use deadweight_process::{ReadOptions, read};

use crate::reader::{Reader, outcome};
use crate::target::{Target, is_root};

const NOBODY: u32 = 65534;

/// An interpreter that is one file, without a library of its own beside.
const PYTHON: &str = "/usr/bin/python3";

/// What `PYTHON` says of itself and needs to know, wherever its file is.
const HERE: &str = "
import sys
class Here: pass
kept = [Here() for _ in range(1000)]
print('ready', flush=True)
for line in sys.stdin: print('pong', flush=True)
";

fn not_run(why: &str) {
    println!("NOT RUN: {why}");
}

fn assert_is_read(pid: u32) {
    let capture = read(pid, &ReadOptions::default(), |_| {}).unwrap();
    let heap = &capture.heap;
    let here = heap.object_ids().filter(|&node| heap.type_name(node) == "__main__.Here").count();
    assert_eq!(here, 1000, "{:?}", capture.gaps);
}

/// A place for one test, removed when dropped.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("deadweight-{name}-{}", std::process::id()));
        fs::create_dir(&path).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
        Folder(path)
    }

    /// A copy of the interpreter, and the command that runs it.
    fn python(&self) -> (PathBuf, Command) {
        let path = self.0.join("python3");
        fs::copy(PYTHON, &path).unwrap();
        let mut command = Command::new(&path);
        command.args(["-c", HERE]).env("PYTHONHOME", "/usr").current_dir("/");
        (path, command)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _gone = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn an_interpreter_that_was_deleted_or_replaced_is_the_one_that_runs() {
    if !Path::new(PYTHON).exists() {
        return not_run("there is no /usr/bin/python3");
    }
    let folder = Folder::new("replaced");
    let (path, mut command) = folder.python();
    let mut target = Target::start(&mut command);
    assert_eq!(target.line(), "ready");
    // As a package manager does it: another file takes the name.
    let other = folder.0.join("new");
    fs::write(&other, b"#!/bin/sh\necho not an interpreter\n").unwrap();
    fs::rename(&other, &path).unwrap();
    assert_is_read(target.pid());
    fs::remove_file(&path).unwrap();
    assert_is_read(target.pid());
    target.assert_answers();
    if is_root() {
        let reader = Reader::new("deleted");
        let (path, mut command) = folder.python();
        let mut target = Target::start(command.uid(NOBODY).gid(NOBODY));
        assert_eq!(target.line(), "ready");
        fs::remove_file(&path).unwrap();
        let mut as_nobody = Command::new(reader.path());
        as_nobody.uid(NOBODY).gid(NOBODY);
        let said = outcome(Reader::prepare(target.pid(), &mut as_nobody));
        assert!(said.starts_with("copied"), "{said}");
        target.assert_answers();
    }
}

/// In a container the target has other numbers, and files that we see only through `/proc/PID/root`.
#[test]
fn a_target_in_namespaces_of_its_own_is_read() {
    let may = Command::new("unshare").args(["--pid", "--mount", "--fork", "true"]).output();
    if !Path::new(PYTHON).exists() || !may.is_ok_and(|output| output.status.success()) {
        return not_run("unshare is not permitted here");
    }
    let folder = Folder::new("contained");
    let script = format!(
        "mount -t tmpfs none {0} && cp {PYTHON} {0}/inside && exec {0}/inside -c \"$1\"",
        folder.0.display()
    );
    let mut unshare = Target::start(
        Command::new("unshare")
            .args(["--pid", "--mount", "--uts", "--ipc", "--net", "--fork", "--mount-proc"])
            .args(["--kill-child", "sh", "-c", &script, "sh", HERE])
            .env("PYTHONHOME", "/usr"),
    );
    assert_eq!(unshare.line(), "ready");
    assert!(!folder.0.join("inside").exists(), "only the target sees the file");
    let children = format!("/proc/{0}/task/{0}/children", unshare.pid());
    let inside: u32 = fs::read_to_string(children).unwrap().trim().parse().unwrap();
    for _ in 0..5 {
        assert_is_read(inside);
        unshare.assert_answers();
    }
}

/// It asked the kernel not to be looked at: root may, its own user may not, and is told why.
#[test]
fn a_target_that_is_not_dumpable() {
    if !is_root() || !Path::new(PYTHON).exists() {
        return not_run("that takes root and /usr/bin/python3");
    }
    let script = format!("import ctypes\nctypes.CDLL(None).prctl(4, 0, 0, 0, 0)\n{HERE}");
    let mut python = Command::new(PYTHON);
    python.args(["-c", &script]).uid(NOBODY).gid(NOBODY).current_dir("/");
    let mut target = Target::start(&mut python);
    assert_eq!(target.line(), "ready");
    let reader = Reader::new("dumpable");
    let mut as_nobody = Command::new(reader.path());
    let said = outcome(Reader::prepare(target.pid(), as_nobody.uid(NOBODY).gid(NOBODY)));
    assert!(said.contains("it is marked as private"), "{said}");
    assert!(said.ends_with("Run deadweight with sudo."), "{said}");
    assert_is_read(target.pid());
    target.assert_answers();
}

/// A memory limit on our own control group is seen before the target is stopped. Version 1 here, if
/// there is one that we may change; version 2 has the same code path over other file names.
#[test]
fn no_room_in_our_control_group() {
    let group = PathBuf::from(format!("/sys/fs/cgroup/memory/deadweight-{}", std::process::id()));
    if fs::create_dir(&group).is_err() {
        return not_run("no version 1 control group with a memory controller can be made here");
    }
    let limited = fs::write(group.join("memory.limit_in_bytes"), "200M").is_ok();
    let said = limited.then(|| {
        let reader = Reader::new("grouped");
        let mut target = Target::python("data = bytearray(b'x') * (500 << 20)");
        assert_eq!(target.line(), "ready");
        let mut shell = Command::new("sh");
        let script = format!("echo $$ > {}/cgroup.procs; exec \"$0\" \"$@\"", group.display());
        let said =
            outcome(Reader::prepare(target.pid(), shell.args(["-c", &script, reader.path()])));
        target.assert_answers();
        said
    });
    fs::remove_dir(&group).unwrap();
    let Some(said) = said else { return not_run("the group takes no limit") };
    assert!(said.contains("not enough memory to copy"), "{said}");
    assert!(said.contains(&format!("the control group {}", group.display())), "{said}");
    assert!(said.contains("Raise the memory limit of this container"), "{said}");
}
