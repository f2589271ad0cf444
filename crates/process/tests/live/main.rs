//! Real processes, looked at for real: every test starts its own and lets it go again.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

mod contents;
mod faults;
mod launch;
mod pause;
mod reader;
mod target;
