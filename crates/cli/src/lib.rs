//! The command line: what was typed, one small file a subcommand, and how it ends.
//!
//! Nothing is computed here. A command opens a target, asks the heap, and hands a view to the report.
#![forbid(unsafe_code)]

mod args;
mod commands;
mod exit;
mod mistyped;
mod progress;
mod target;

use std::ffi::OsString;
use std::io::{self, BufWriter, Write};

use clap::Parser;

use args::{Args, Command};
pub use commands::snapshot::save;
use exit::Failure;
pub use exit::{ExitStatus, with_causes};

/// Runs a command line, the program's name first.
pub fn run<I, T>(arguments: I) -> ExitStatus
where
    I: IntoIterator<Item = T>,
    T: Into<OsString>,
{
    let arguments: Vec<OsString> = arguments.into_iter().map(Into::into).collect();
    let args = match Args::try_parse_from(&arguments) {
        Ok(args) => args,
        Err(mut error) => {
            mistyped::advise(&mut error, &arguments);
            // Help and version are no failures, and go to stdout.
            let _ = error.print();
            return if error.use_stderr() { ExitStatus::Failure } else { ExitStatus::Success };
        }
    };
    let mut out = BufWriter::new(io::stdout().lock());
    match dispatch(&args, &mut out).and_then(|()| out.flush().map_err(Failure::from)) {
        Ok(()) => ExitStatus::Success,
        // Whoever read us has seen enough.
        Err(failure) if failure.is_broken_pipe() => ExitStatus::Success,
        Err(failure) => {
            let _ = out.flush();
            failure.print(&mut io::stderr());
            failure.status()
        }
    }
}

fn dispatch(args: &Args, out: &mut dyn Write) -> Result<(), Failure> {
    let talk = &args.talk;
    match &args.command {
        Command::Weigh(command) => commands::weigh::run(command, talk, out),
        Command::Census(command) => commands::census::run(command, talk, out),
        Command::Why(command) => commands::why::run(command, talk, out),
        Command::Tree(command) => commands::tree::run(command, talk, out),
        Command::Snapshot(command) => commands::snapshot::run(command, talk, out),
        Command::Gc(command) => commands::collector::run(command, talk, out),
        Command::Sizes(command) => commands::sizes::run(command, talk, out),
        Command::Files(command) => commands::files::run(command, talk, out),
        Command::Completions(command) => commands::completions::run(command, out),
    }
}
