//! What cannot be read is refused in words that say what to do.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::thread;

use deadweight_heap::Bytes;
use deadweight_process::{Ceiling, Denial, Error, Limits, LiveCopy};

use crate::reader::{ADDRESS, Reader, outcome};
use crate::target::{Target, is_root};

const NOBODY: u32 = 65534;

fn refusal(pid: u32, limits: &Limits) -> Error {
    match LiveCopy::take(pid, limits) {
        Err(error) => error,
        Ok(copy) => panic!("copied {:?}", copy.copied()),
    }
}

#[test]
fn a_number_that_nobody_has() {
    for pid in [0, 999_999_999, u32::MAX] {
        let error = refusal(pid, &Limits::default());
        assert!(matches!(error, Error::NoSuchProcess { .. }), "{error:?}");
        assert!(error.hint().unwrap().contains("pgrep"));
    }
}

#[test]
fn a_zombie() {
    let mut target = Target::python(
        "
import os, time
child = os.fork()
if child == 0: os._exit(0)
while open(f'/proc/{child}/stat').read().split()[2] != 'Z': time.sleep(0.01)
print(child)
",
    );
    let zombie = target.numbers()[0] as u32;
    let error = refusal(zombie, &Limits::default());
    assert!(matches!(error, Error::Zombie { pid } if pid == zombie), "{error:?}");
}

#[test]
fn a_process_whose_main_thread_has_ended() {
    let mut target = Target::python(
        "
import ctypes, os, threading, time
pid = os.getpid()
def tell():
    while open(f'/proc/{pid}/stat').read().split()[2] != 'Z': time.sleep(0.01)
    print(pid, flush=True)
    time.sleep(1000)
threading.Thread(target=tell).start()
ctypes.CDLL(None).pthread_exit(None)
",
    );
    let error = refusal(target.numbers()[0] as u32, &Limits::default());
    assert!(matches!(error, Error::MainThreadEnded { .. }), "{error:?}");
    assert!(error.hint().unwrap().contains("join"));
}

#[test]
fn ourselves() {
    let error = refusal(std::process::id(), &Limits::default());
    assert!(matches!(error, Error::Itself { .. }), "{error:?}");
}

#[test]
fn a_kernel_thread() {
    // In a container there is none to be seen.
    let is_one = |stat: String| stat.contains("(kthreadd)");
    if std::fs::read_to_string("/proc/2/stat").is_ok_and(is_one) {
        let error = refusal(2, &Limits::default());
        assert!(matches!(error, Error::KernelThread { pid: 2 }), "{error:?}");
    }
}

#[test]
fn a_thread_stands_for_its_process() {
    let mut target = Target::python(
        "
import threading
event = threading.Event()
thread = threading.Thread(target=event.wait, daemon=True)
thread.start()
print(thread.native_id)
",
    );
    let tid = target.numbers()[0] as u32;
    let copy = LiveCopy::take(tid, &Limits::default()).unwrap();
    assert_eq!((copy.pid(), copy.threads().len()), (target.pid(), 2));
}

#[test]
fn a_process_that_is_traced_already() {
    let mut target = Target::python("data = [bytes([n % 256]) * 1000 for n in range(300000)]");
    assert_eq!(target.line(), "ready");
    let (pid, us) = (target.pid(), std::process::id());
    let mut met = false;
    for _ in 0..100 {
        let errors: Vec<Error> = thread::scope(|scope| {
            let takers = [(); 2].map(|()| scope.spawn(|| LiveCopy::take(pid, &Limits::default())));
            takers.into_iter().filter_map(|taker| taker.join().unwrap().err()).collect()
        });
        for error in errors {
            let Error::NotPermitted { denial, .. } = &error else { panic!("{error:?}") };
            // The other can be gone by the time the reason is looked for.
            if *denial == (Denial::AlreadyTraced { by: us }) {
                assert!(error.to_string().contains("tracing it already"), "{error}");
                met = true;
            }
        }
        if met {
            break;
        }
    }
    assert!(met, "the two never met");
    target.assert_answers();
}

#[test]
fn no_room_for_the_copy() {
    let mut target = Target::idle_python();
    let limits = Limits { max_copy: Some(Bytes(100_000)), ..Limits::default() };
    let error = refusal(target.pid(), &limits);
    let Error::NoHeadroom { needs, has, ceiling, .. } = &error else { panic!("{error:?}") };
    assert!(*needs > Bytes(1_000_000) && *has == Bytes(100_000), "{error:?}");
    assert_eq!(*ceiling, Ceiling::Asked);
    target.assert_answers();
}

#[test]
fn no_room_in_the_address_space() {
    let reader = Reader::new("narrow");
    let mut target = Target::python("data = bytearray(b'x') * (600 << 20)");
    assert_eq!(target.line(), "ready");
    let mut shell = Command::new("sh");
    shell.args(["-c", "ulimit -v 600000; exec \"$0\" \"$@\"", reader.path()]);
    let said = outcome(Reader::prepare(target.pid(), &mut shell));
    assert!(said.contains("the limit on our address space"), "{said}");
    assert!(said.ends_with("Raise it: `ulimit -v unlimited`."), "{said}");
    target.assert_answers();
}

#[test]
fn another_users_process() {
    if !is_root() {
        return;
    }
    let reader = Reader::new("nobody");
    let mut target = Target::idle_python();
    let mut as_nobody = Command::new(reader.path());
    let said = outcome(Reader::prepare(target.pid(), as_nobody.uid(NOBODY).gid(NOBODY)));
    assert!(said.contains("it belongs to user 0, and we are user 65534"), "{said}");
    assert!(said.contains("sudo"), "{said}");
    target.assert_answers();
}

/// Without any privilege, a process of the same user can be read. What it has mapped of a deleted file
/// cannot be opened then, and is copied.
#[test]
fn the_same_user_needs_no_privilege() {
    const PYTHON: &str = "/usr/bin/python3";
    if !is_root() || !Path::new(PYTHON).exists() {
        return;
    }
    let script = "
import ctypes, mmap, os, sys, tempfile
file = tempfile.NamedTemporaryFile()
file.write(b'abcdefgh' * (1 << 17)); file.flush()
private = mmap.mmap(file.fileno(), 1 << 20, mmap.MAP_PRIVATE)
private[1 << 19]
print(ctypes.addressof(ctypes.c_char.from_buffer(private)) + (1 << 19), flush=True)
file.close()
print('ready', flush=True)
for line in sys.stdin: print('pong', flush=True)
";
    let reader = Reader::new("equal");
    let mut python = Command::new(PYTHON);
    let mut target =
        Target::start(python.args(["-c", script]).uid(NOBODY).gid(NOBODY).current_dir("/"));
    let address = target.numbers()[0].to_string();
    assert_eq!(target.line(), "ready");
    let mut as_nobody = Command::new(reader.path());
    as_nobody.uid(NOBODY).gid(NOBODY).env(ADDRESS, address);
    let said = outcome(Reader::prepare(target.pid(), &mut as_nobody));
    assert!(said.starts_with("copied") && said.contains("abcdefgh"), "{said}");
    target.assert_answers();
}

/// `CAP_SYS_PTRACE` alone may trace, but not open the page map: whole mappings are copied then.
#[test]
fn the_capability_alone_gives_no_page_facts() {
    let mut setpriv = Command::new("setpriv");
    let has_setpriv = setpriv.arg("--version").output().is_ok_and(|output| output.status.success());
    if !is_root() || !has_setpriv {
        return;
    }
    let reader = Reader::new("capable");
    let mut target = Target::idle_python();
    let mut setpriv = Command::new("setpriv");
    setpriv.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
    setpriv.args(["--inh-caps=+sys_ptrace", "--ambient-caps=+sys_ptrace", reader.path()]);
    let said = outcome(Reader::prepare(target.pid(), &mut setpriv));
    assert!(said.starts_with("copied Mappings"), "{said}");
    target.assert_answers();
}
