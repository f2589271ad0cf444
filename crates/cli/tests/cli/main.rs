//! The real program, run as a user runs it, on real processes.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]
#![expect(clippy::print_stderr, reason = "a test that is skipped says why")]

mod bad_files;
mod bad_input;
mod collector;
mod files;
mod json;
mod launch;
mod program;
mod readme;
mod same_numbers;
mod shape;
mod text;
mod verb;
