//! A program that we start: it keeps its input and output, and goes on whatever becomes of our look.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::program::python;
use crate::verb::{Folder, assert_failed, command, deadweight};

/// Says something, stays a while, ends with a status of its own.
const SHORT: &str = "
import sys, time
print('the program speaks', flush=True)
time.sleep(4)
sys.exit(7)";

#[test]
fn the_report_comes_beside_the_programs_own_output() {
    let outcome = deadweight(&["weigh", "--after", "2s", "--", python(), "-I", "-c", SHORT]);
    assert!(outcome.out.starts_with("the program speaks\nPython "), "{}", outcome.out);
    assert!(outcome.out.contains("\nHeaviest by what they alone keep alive\n"), "{}", outcome.out);
    assert_eq!(outcome.err, "The program ended with exit status: 7\n");
    assert_eq!(outcome.code, Some(0), "our status says how we fared");
}

#[test]
fn a_document_is_alone_on_stdout() {
    let outcome =
        deadweight(&["-q", "census", "--json", "--after", "2s", "--", python(), "-I", "-c", SHORT]);
    let document: serde_json::Value = serde_json::from_str(&outcome.out).unwrap();
    assert!(document["objects"].as_u64().unwrap() > 1000);
    assert_eq!((outcome.code, outcome.err.as_str()), (Some(0), "the program speaks\n"));
}

/// A wrapper that stays is no Python, but what it has started is.
#[test]
fn the_python_that_a_wrapper_starts_is_looked_at() {
    let line = format!("'{}' -I -c 'import time; time.sleep(4)'; true", python());
    let outcome = deadweight(&["weigh", "--after", "2s", "--", "sh", "-c", &line]);
    assert!(outcome.out.starts_with("Python "), "{}", outcome.err);
    assert!(outcome.err.starts_with("Process "), "{}", outcome.err);
    assert!(outcome.err.contains(" is no Python; looking at "), "{}", outcome.err);
    assert_eq!(outcome.code, Some(0));
}

/// What a server with workers leaks is in its workers.
#[test]
fn pythons_that_a_program_starts_are_mentioned() {
    let script = "
import os, time
child = os.fork()
if child:
    print(child, flush=True)
    time.sleep(1)
else:
    grandchild = os.fork()
    if grandchild:
        print(grandchild, flush=True)
time.sleep(4)";
    let outcome = deadweight(&["weigh", "--after", "2s", "--", python(), "-I", "-c", script]);
    let mut lines = outcome.out.lines();
    let mut numbers: Vec<u32> = lines.by_ref().take(2).map(|line| line.parse().unwrap()).collect();
    numbers.sort_unstable();
    let [one, other] = numbers[..] else { panic!("{}", outcome.out) };
    let end = format!(" has started 2 more Python processes, not looked at: {one}, {other}\n");
    assert!(outcome.err.ends_with(&end), "{}", outcome.err);
    assert_eq!(outcome.code, Some(0));
}

/// Waiting for the time to look is no work.
#[test]
fn what_it_took_is_without_the_waiting() {
    let script = "import time; time.sleep(4)";
    let launch = ["--after", "3s", "--", python(), "-I", "-c", script];
    let outcome = deadweight(&[&["weigh", "--json"], &launch[..]].concat());
    let document: serde_json::Value = serde_json::from_str(&outcome.out).unwrap();
    let took = document["cost"]["elapsed_ms"].as_f64().unwrap();
    assert!(took > 0.0 && took < 3000.0, "{took}");
}

/// Said at once, not when the program ends, which may be in days.
#[test]
fn why_a_look_failed_is_said_while_the_program_runs() {
    let script = "input()";
    let launch = ["--after", "500ms", "--max-pause", "0.001ms", "--", python(), "-c", script];
    let mut ours = command(&[&["weigh"], &launch[..]].concat())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(ours.stderr.take().unwrap()).lines().map(Result::unwrap);
    // The program waits for us: what comes now comes while it runs.
    assert!(said.next().unwrap().starts_with("error: gave up after 1µs"));
    writeln!(ours.stdin.take().unwrap()).unwrap();
    assert_eq!(ours.wait().unwrap().code(), Some(2));
    assert!(!said.any(|line| line.starts_with("error: ")), "said twice");
}

/// A look that fails does not end the program, nor do we leave it behind.
#[test]
fn a_failed_look_lets_the_program_go_on_to_its_end() {
    let outcome = deadweight(&[
        "weigh",
        "--after",
        "2s",
        "--max-pause",
        "0.001ms",
        "--",
        python(),
        "-I",
        "-c",
        SHORT,
    ]);
    assert_eq!(outcome.out, "the program speaks\n");
    let lines: Vec<&str> = outcome.err.lines().collect();
    assert!(lines[0].starts_with("error: gave up after 1µs"), "{}", outcome.err);
    assert_eq!(lines.last(), Some(&"The program ended with exit status: 7"));
    assert_eq!(outcome.code, Some(2));
}

#[test]
fn a_look_is_taken_at_each_signal() {
    let script = "
import sys
print('ready', flush=True)
sys.stdin.read()";
    let mut command =
        command(&["weigh", "--on", "USR2", "--top", "1", "--", python(), "-I", "-c", script]);
    let mut ours = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(ours.stdout.take().unwrap()).lines();
    let mut said = BufReader::new(ours.stderr.take().unwrap()).lines();
    let mut wait_for = |wanted: &str| {
        let found = lines.find(|line| line.as_ref().unwrap().starts_with(wanted));
        found.expect("it comes").unwrap()
    };
    assert_eq!(wait_for("ready"), "ready");
    let how = said.next().unwrap().unwrap();
    assert_eq!(how, format!("To look: kill -USR2 {}", ours.id()));
    for _ in 0..2 {
        let shell =
            std::process::Command::new("sh").args(["-c", &how["To look: ".len()..]]).status();
        assert!(shell.unwrap().success());
        wait_for("Python ");
        wait_for("Heaviest ");
    }
    drop(ours.stdin.take());
    assert_eq!(ours.wait().unwrap().code(), Some(0));
}

#[test]
fn each_signal_has_a_snapshot_of_its_own() {
    let folder = Folder::new("each-signal");
    let script = "print('ready', flush=True); input()";
    let file = folder.file("web.dwsnap");
    let arguments = ["snapshot", "-o", &file, "--on", "USR2", "--", python(), "-I", "-c", script];
    let mut ours = command(&arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(ours.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert_eq!(lines.next().as_deref(), Some("ready"));
    for name in ["web.dwsnap", "web-2.dwsnap", "web-3.dwsnap"] {
        let us = ours.id().to_string();
        let signal = std::process::Command::new("kill").args(["-USR2", &us]).status();
        assert!(signal.unwrap().success());
        assert!(lines.any(|line| line.contains(name)), "{name}");
        let outcome = deadweight(&["weigh", &folder.file(name)]);
        assert!(outcome.out.starts_with("Python "), "{}", outcome.err);
    }
    writeln!(ours.stdin.take().unwrap()).unwrap();
    assert_eq!(ours.wait().unwrap().code(), Some(0));
}

#[test]
fn a_program_that_ends_too_soon() {
    let outcome = deadweight(&["weigh", "--", python(), "-c", "pass"]);
    let words = "\
error: the program ended before it was time to look (exit status: 0)
hint: Give a shorter time: --after 500ms.";
    assert_failed(&outcome, words);
    let outcome = deadweight(&["-q", "weigh", "--on", "USR1", "--", python(), "-c", "exit(3)"]);
    let words = "\
error: the program ended before it was time to look (exit status: 3)
hint: Send the signal while it runs.";
    assert_failed(&outcome, words);
}

#[test]
fn a_program_that_is_not_there() {
    let outcome = deadweight(&["weigh", "--", "no-such-program"]);
    let words = "\
error: cannot start no-such-program: No such file or directory (os error 2)
hint: Check the name, or give the path of the program: `deadweight weigh -- python app.py`.";
    assert_failed(&outcome, words);
}

/// We ask to be killed before others when memory runs out. The program did not ask for that.
#[test]
fn the_program_is_no_more_likely_to_be_killed_for_want_of_memory() {
    let score = std::fs::read_to_string("/proc/self/oom_score_adj").unwrap();
    let script = "
import time
time.sleep(1.5)
print(open('/proc/self/oom_score_adj').read(), end='', flush=True)";
    let outcome =
        deadweight(&["census", "--json", "--after", "1s", "--", python(), "-I", "-c", script]);
    assert_eq!((outcome.code, outcome.err), (Some(0), score));
}

#[test]
fn notes_that_cannot_be_written_change_nothing() {
    let full = || File::options().write(true).open("/dev/full").unwrap();
    let script = "import time; time.sleep(2)";
    let launch = ["--after", "1s", "--", python(), "-I", "-c", script];
    let outcome = command(&[&["census", "--shallow", "-v"], &launch[..]].concat())
        .stderr(full())
        .output()
        .unwrap();
    assert_eq!(outcome.status.code(), Some(0));
    assert!(outcome.stdout.starts_with(b"Python "));
}

/// While a snapshot is written a signal only breaks that off; after that it ends us as ever.
#[test]
fn a_signal_ends_us_after_a_snapshot_as_before() {
    let folder = Folder::new("ended-later");
    let file = folder.file("x.dwsnap");
    let script = "import sys; sys.stdin.read()";
    let launch = ["--on", "USR2", "--", python(), "-I", "-c", script];
    let mut ours = command(&[&["snapshot", "-o", file.as_str()], &launch[..]].concat())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let pid = ours.id().to_string();
    let tell = |signal: &str| {
        std::process::Command::new("kill").args(["-s", signal, &pid]).status().unwrap();
    };
    let mut said = BufReader::new(ours.stderr.take().unwrap()).lines();
    assert!(said.next().unwrap().unwrap().starts_with("To look: "));
    // Python has to be up before it can be looked at.
    std::thread::sleep(Duration::from_secs(1));
    tell("USR2");
    let mut lines = BufReader::new(ours.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("x.dwsnap: ")));
    tell("TERM");
    let since = Instant::now();
    let ended = loop {
        if let Some(status) = ours.try_wait().unwrap() {
            break Some(status);
        }
        if since.elapsed() > Duration::from_secs(5) {
            break None;
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    // The program ends with its input.
    drop(ours.stdin.take());
    let _code = ours.wait();
    assert_eq!(ended.map(|status| status.to_string()).as_deref(), Some("signal: 15 (SIGTERM)"));
}
