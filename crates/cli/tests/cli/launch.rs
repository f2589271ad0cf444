//! A program that we start: it keeps its input and output, and goes on whatever becomes of our look.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use crate::program::python;
use crate::verb::{assert_failed, command, deadweight};

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
    assert_eq!(lines[0], "The program ended with exit status: 7");
    assert!(lines[1].starts_with("error: gave up after 1µs"), "{}", outcome.err);
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
