//! Held against the interpreter's own view: every interpreter of this machine builds the scenarios of
//! `corpus/heaps`, says what it sees of itself, and is read at the same moment.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "what was compared is worth a line")]

mod agree;
mod facts;
mod interpreters;
mod scenarios;
mod subject;
mod surplus;
mod truth;
