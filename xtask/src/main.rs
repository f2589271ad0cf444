//! Chores of this repository: `cargo xtask layouts`.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a chore talks to its terminal")]

mod layouts;

use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask layouts [--check] PYTHON...
    Makes crates/cpython/src/layout/v3_N.rs from each interpreter's installed headers.
    --check compares instead: an older or newer patch release may differ only in what the
    running interpreter tells us itself.";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["layouts", "--check", pythons @ ..] if !pythons.is_empty() => layouts::check(pythons),
        ["layouts", pythons @ ..] if !pythons.is_empty() => layouts::write(pythons),
        _ => Err(USAGE.to_string()),
    };
    match outcome {
        Ok(report) => {
            println!("{report}");
            ExitCode::SUCCESS
        }
        Err(message) => {
            eprintln!("{message}");
            ExitCode::from(2)
        }
    }
}
