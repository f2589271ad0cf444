//! Real processes, looked at for real: every test starts its own and lets it go again.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]
#![expect(clippy::print_stdout, reason = "says what it met, and what could not be tried here")]

mod again;
mod churn;
mod collector;
mod contents;
mod faults;
mod launch;
mod pause;
mod places;
mod reader;
mod states;
mod syscalls;
mod target;
