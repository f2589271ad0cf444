//! Interpreters and processes in states that are not the usual one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use deadweight_cpython::Refusal;
use deadweight_heap::path::resolve;
use deadweight_heap::{Addr, Capture, GapKind, Layer, NodeFlags, NodeId};
use deadweight_process::{
    AreaKind, Error, Limits, LiveCopy, Memory, ReadError, ReadOptions, decode, read,
};

use crate::reader::some_millis;
use crate::target::{Target, at_length, pythons, pythons_of_this_machine};

fn weigh(target: &Target) -> Capture {
    read(target.pid(), &ReadOptions::default(), |_| {}).unwrap()
}

/// How many objects there are of a class of the main program.
fn count_of(capture: &Capture, name: &str) -> usize {
    let full = format!("__main__.{name}");
    capture.heap.object_ids().filter(|&node| capture.heap.type_name(node) == full).count()
}

fn assert_no_invalid_reference(capture: &Capture) {
    let invalid = capture.gaps.iter().find(|gap| gap.kind == GapKind::InvalidReference);
    assert!(invalid.is_none(), "{invalid:?}");
}

/// Waits for a line before `main` is reached, when the loader has mapped everything.
const LOADED: &str = "
#include <unistd.h>
__attribute__((constructor)) static void wait_for_a_line(void) {
    char byte;
    if (write(1, \"loaded\\n\", 7) == 7)
        while (read(0, &byte, 1) == 1 && byte != '\\n') {}
}
";

#[test]
fn an_interpreter_that_is_not_initialised_is_refused_by_that_name() {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let (source, library) = (directory.join("wait.c"), directory.join("wait.so"));
    std::fs::write(&source, LOADED).unwrap();
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-o"]).args([&library, &source]);
    assert!(compiler.status().unwrap().success());
    for python in pythons() {
        // Not a script that starts it: that would wait first.
        let asked = Command::new(python).args(["-c", "import sys; print(sys.executable)"]).output();
        let executable = String::from_utf8(asked.unwrap().stdout).unwrap();
        let mut command = Command::new(executable.trim());
        command.args(["-c", "import sys; print('ready', flush=True); sys.stdin.read()"]);
        let mut target = Target::start(command.env("LD_PRELOAD", &library));
        assert_eq!(target.line(), "loaded", "{python}");
        let outcome = read(target.pid(), &ReadOptions::default(), |_| {});
        let refused =
            matches!(outcome, Err(ReadError::Refused { refusal: Refusal::NotInitialised, .. }));
        assert!(refused, "{python}: {:?}", outcome.map(|capture| capture.heap.objects()));
        assert_eq!(target.ask(), "ready", "{python}");
        assert!(weigh(&target).heap.objects() > 1000, "{python}");
    }
}

/// At any moment: later when there was no Python yet, earlier when it was all there.
#[test]
fn an_interpreter_that_starts_is_refused_or_read() {
    let tries = if at_length() { 400 } else { 40 };
    for python in pythons() {
        let mut met: BTreeMap<&str, u32> = BTreeMap::new();
        let mut delay = Duration::from_millis(4);
        for _ in 0..tries {
            let mut target = Target::python_of(python, "class Here: pass\nhere = Here()");
            thread::sleep(delay + some_millis(1));
            let outcome = match read_and_keep(target.pid()) {
                Ok((copy, capture)) => {
                    assert_only_unready_types_are_missed(&copy, &capture);
                    delay = delay * 4 / 5;
                    "read"
                }
                Err(ReadError::Refused { refusal: Refusal::NotInitialised, .. }) => {
                    "not initialised"
                }
                // Before the loader has mapped all of it.
                Err(ReadError::NotPython { .. }) => {
                    delay = delay * 5 / 4;
                    "not Python yet"
                }
                // Between fork and exec, or in the middle of the latter.
                Err(ReadError::Process(Error::Ended { .. })) => "no memory yet",
                Err(error) => panic!("{error}: {error:?}"),
            };
            *met.entry(outcome).or_default() += 1;
            assert_eq!(target.line(), "ready");
            target.assert_answers();
        }
        println!("{python}: {met:?}");
    }
}

fn read_and_keep(pid: u32) -> Result<(LiveCopy, Capture), ReadError> {
    let copy = LiveCopy::take(pid, &Limits::default())?;
    let capture = decode(&copy, &ReadOptions::default())?;
    Ok((copy, capture))
}

/// A static type is no object before `PyType_Ready` has given it its own type; what refers to it
/// earlier is told as a gap.
fn assert_only_unready_types_are_missed(copy: &LiveCopy, capture: &Capture) {
    for gap in capture.gaps.iter().filter(|gap| gap.kind == GapKind::InvalidReference) {
        let (_, led_to) = gap.detail.split_once("→0x").unwrap();
        let digits = led_to.split(|it: char| !it.is_ascii_hexdigit()).next().unwrap();
        let at = Addr(u64::from_str_radix(digits, 16).unwrap());
        let type_of_it = copy.array::<8>(at + 8).map(u64::from_le_bytes);
        let is_static = copy.areas().iter().any(|area| {
            area.start <= at && at < area.end && matches!(area.kind, AreaKind::ImageData(..))
        });
        assert!(is_static && type_of_it == Some(0), "{gap:?}: {type_of_it:x?}");
    }
}

#[test]
fn an_interpreter_that_ends_is_read_as_far_as_it_is_there() {
    // A module's variables go one by one: this one makes the interpreter wait in the midst of that.
    let in_the_midst = "
import os
class Last:
    def __del__(self, write=os.write, read=os.read):
        write(1, b'ending\\n')
        read(0, 1)
last = Last()
raise SystemExit
";
    // After `Py_Finalize` the C library runs what it was asked to.
    let afterwards = "
import ctypes, os
libc = ctypes.CDLL(None)
libc.__cxa_atexit(libc.pause, None, None)
print('ending', flush=True)
raise SystemExit
";
    for python in pythons() {
        let mut target = Target::python_of(python, in_the_midst);
        assert_eq!(target.line(), "ending");
        match read(target.pid(), &ReadOptions::default(), |_| {}) {
            Ok(capture) => {
                assert_no_invalid_reference(&capture);
                assert_eq!(count_of(&capture, "Last"), 1);
            }
            Err(ReadError::Refused { refusal: Refusal::NotInitialised, .. }) => {}
            Err(error) => panic!("{error}: {error:?}"),
        }
        let mut target = Target::python_of(python, afterwards);
        assert_eq!(target.line(), "ending");
        let error = loop {
            match read(target.pid(), &ReadOptions::default(), |_| {}) {
                Ok(_) => thread::sleep(Duration::from_millis(10)),
                Err(error) => break error,
            }
        };
        let ended = matches!(error, ReadError::Refused { refusal: Refusal::NotInitialised, .. });
        assert!(ended, "{error}: {error:?}");
        assert!(error.hint().unwrap().contains("about to end"));
    }
}

#[test]
fn objects_of_all_interpreters_of_a_process_are_found() {
    let script = "
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
code = 'class Inside: pass\\nkept = [Inside() for _ in range(100)]'
many = [interpreters.create() for _ in range(3)]
for one in many:
    (getattr(interpreters, 'exec', None) or interpreters.run_string)(one, code)
class Outside: pass
kept = [Outside() for _ in range(10)]
";
    for python in pythons() {
        let mut target = Target::python_of(python, script);
        assert_eq!(target.line(), "ready");
        let capture = weigh(&target);
        assert_no_invalid_reference(&capture);
        let counts = (count_of(&capture, "Inside"), count_of(&capture, "Outside"));
        assert_eq!(counts, (300, 10), "{python}");
        target.assert_answers();
    }
}

/// A function that calls C has not written how high its stack is, where a loop keeps what it goes through;
/// in 3.10 no function that runs has.
#[test]
fn what_a_loop_goes_through_is_held_by_its_function() {
    let script = "
import threading, time
class Row: __slots__ = ()
def rows(): return [Row() for _ in range(1000)]
def work():
    for row in rows(): time.sleep(1000)
threading.Thread(target=work, daemon=True).start()
time.sleep(0.2)
";
    for python in pythons_of_this_machine() {
        let python = python.to_str().unwrap();
        let mut target = Target::python_of(python, script);
        assert_eq!(target.line(), "ready");
        let capture = weigh(&target);
        assert_no_invalid_reference(&capture);
        let heap = &capture.heap;
        let rows = heap.object_ids().filter(|&node| heap.type_name(node) == "__main__.Row");
        let named = rows.filter(|&node| heap.nodes.flags(node).layer() == Layer::Named);
        assert_eq!(named.count(), 1000, "{python}");
    }
}

/// All empty dicts share a table that is static data: no allocator's, and none of theirs.
#[test]
fn every_size_in_a_plain_program_is_read_and_not_modelled() {
    for python in pythons() {
        let mut target = Target::python_of(python, "many = [{} for _ in range(1000)]");
        assert_eq!(target.line(), "ready");
        let capture = weigh(&target);
        let heap = &capture.heap;
        let modelled = |&node: &NodeId| heap.nodes.flags(node).has(NodeFlags::MODELLED);
        assert_eq!(heap.object_ids().filter(modelled).count(), 0, "{python}");
    }
}

/// C reads the text that describes a class from a copy of its own.
#[test]
fn a_class_holds_the_copy_of_the_text_that_describes_it() {
    let script = "
described = type('Described', (), {'__slots__': (), '__doc__': 'x' * 300})
plain = type('Described', (), {'__slots__': (), '__doc__': None})
";
    for python in pythons_of_this_machine() {
        let python = python.to_str().unwrap();
        let mut target = Target::python_of(python, script);
        assert_eq!(target.line(), "ready");
        let capture = weigh(&target);
        let heap = &capture.heap;
        let held = ["__main__.plain", "__main__.described"].map(|path| {
            let nodes = resolve(heap, &path.parse().unwrap()).unwrap();
            heap.nodes.held(nodes[0]).0
        });
        assert_eq!(held[1], held[0] + 304, "{python}");
    }
}

#[test]
fn an_interpreter_without_its_own_allocator_is_read() {
    for python in pythons() {
        let script = "class Here: pass\nkept = [Here() for _ in range(1000)]\nimport sys\n\
            print('ready', flush=True)\nfor line in sys.stdin: print('pong', flush=True)";
        let mut command = Command::new(python);
        let mut target = Target::start(command.args(["-c", script]).env("PYTHONMALLOC", "malloc"));
        assert_eq!(target.line(), "ready");
        let capture = weigh(&target);
        assert_no_invalid_reference(&capture);
        assert_eq!(count_of(&capture, "Here"), 1000, "{python}");
        target.assert_answers();
    }
}

/// Before a block of mimalloc's there is no head, but the end of another block: here one that reads like a
/// head of glibc's that says "mapped, a page long".
#[test]
fn blocks_of_an_allocator_without_heads_are_not_read_as_if_they_had_some() {
    // Only 3.13 and later have it; the others end at once.
    let has_mimalloc = |python: &PathBuf| {
        let mut command = Command::new(python);
        command.args(["-c", ""]).env("PYTHONMALLOC", "mimalloc").stderr(Stdio::null());
        command.status().unwrap().success()
    };
    let script = "
import sys
start, tail = bytes(72), (4098).to_bytes(7, 'little')
kept = [start + tail for _ in range(10_000)]
print('ready', flush=True)
sys.stdin.read()";
    for python in pythons_of_this_machine().into_iter().filter(has_mimalloc) {
        let mut command = Command::new(&python);
        let mut target =
            Target::start(command.args(["-c", script]).env("PYTHONMALLOC", "mimalloc"));
        assert_eq!(target.line(), "ready");
        let capture = weigh(&target);
        let nodes = &capture.heap.nodes;
        let all = nodes.ids().filter(|&node| capture.heap.type_name(node) == "bytes");
        let (held, requested) = all.fold((0, 0), |(held, requested), node| {
            (held + nodes.held(node).0, requested + nodes.requested(node).0)
        });
        assert!(held < requested * 3 / 2, "{}: {held}, asked for {requested}", python.display());
    }
}

/// Threads that fork, and that start programs (`posix_spawn` shares the memory with the child until
/// it runs its program), as fast as they can.
#[test]
fn a_target_that_starts_children_all_the_time() {
    let script = "
import os, subprocess, threading
started = [0, 0, 0]
def fork():
    while True:
        child = os.fork()
        if child == 0: os._exit(3)
        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 3: os._exit(1)
        started[0] += 1
def spawn():
    while True:
        child = os.posix_spawn('/bin/true', ['true'], {})
        if os.waitpid(child, 0)[1] != 0: os._exit(1)
        started[1] += 1
def run():
    while True:
        if subprocess.run(['/bin/echo', 'x'], capture_output=True).stdout != b'x\\n': os._exit(1)
        started[2] += 1
for work in (fork, spawn, run): threading.Thread(target=work, daemon=True).start()
while min(started) < 3: pass
";
    for python in pythons() {
        let mut target = Target::python_of(python, script);
        assert_eq!(target.line(), "ready");
        for _ in 0..if at_length() { 200 } else { 20 } {
            let capture = weigh(&target);
            assert_no_invalid_reference(&capture);
        }
        target.assert_answers();
    }
}

/// Strict seccomp: it may read, write and end, and nothing else. That is between it and the kernel.
#[test]
fn a_target_in_a_seccomp_jail_is_read() {
    let script = "
import ctypes, os
read, write = os.read, os.write
write(1, b'ready\\n')
assert ctypes.CDLL(None).prctl(22, 1, 0, 0, 0) == 0
while read(0, 5): write(1, b'pong\\n')
";
    for python in pythons() {
        let mut target = Target::python_of(python, script);
        assert_eq!(target.line(), "ready");
        target.assert_answers();
        assert_eq!(target.status("Seccomp"), "1");
        for _ in 0..5 {
            assert_no_invalid_reference(&weigh(&target));
            target.assert_answers();
        }
    }
}

/// A debugger has it: we say which, and leave it alone.
#[test]
fn a_target_under_a_debugger_is_left_to_it() {
    let has_gdb = Command::new("gdb").arg("--version").output().is_ok();
    if !has_gdb {
        println!("NOT RUN: gdb is not installed");
        return;
    }
    let mut target = Target::idle_python();
    let mut gdb = Target::start(
        Command::new("gdb")
            .args(["-nx", "-q", "-batch", "-iex", "set auto-load off", "-iex"])
            .args(["set debuginfod enabled off", "-p", &target.pid().to_string()])
            .args(["-ex", "shell echo attached; read line"])
            .stderr(std::process::Stdio::null()),
    );
    while gdb.line() != "attached" {}
    let error = LiveCopy::take(target.pid(), &Limits::default()).unwrap_err();
    let said = format!("process {} is tracing it already", gdb.pid());
    assert!(error.to_string().contains(&said), "{error}");
    assert!(target.status("State").starts_with('t'), "gdb still holds it");
    drop(gdb);
    target.assert_answers();
    LiveCopy::take(target.pid(), &Limits::default()).unwrap();
    target.assert_answers();
}

/// Its children are not its threads.
#[test]
fn children_of_the_target_are_not_stopped() {
    let mut command = Command::new("python3");
    let script = "
import os, sys, time
child = os.fork()
if child == 0:
    os.close(1)
    while True: time.sleep(0.001)
print(child, flush=True)
for line in sys.stdin: print('pong', flush=True)
os.kill(child, 9)
";
    let mut target = Target::start(command.args(["-c", script]));
    let child = target.numbers()[0];
    let switches = || -> u64 {
        let text = std::fs::read_to_string(format!("/proc/{child}/status")).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        line.unwrap().trim().parse().unwrap()
    };
    for _ in 0..5 {
        let before = switches();
        weigh(&target);
        thread::sleep(Duration::from_millis(20));
        assert!(switches() > before, "the child stands still");
        target.assert_answers();
    }
    crate::target::send_signal(child as u32, "KILL");
}
