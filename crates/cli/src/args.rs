//! What was typed.

pub(crate) mod files;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

/// Weighs a running Python program from outside: what it holds, byte for byte, and what keeps it alive,
/// by name.
#[derive(Debug, Parser)]
#[command(name = "deadweight", version, max_term_width = 100)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) talk: Talk,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// How much to say besides the report.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Talk {
    /// No progress and no notes
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Say what each stage took
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// What a process holds: resident memory to the byte, and what keeps most of it alive
    Weigh(Weigh),
    /// All objects by type: count, bytes really held, bytes retained
    Census(Census),
    /// What keeps something alive, by name
    Why(Why),
    /// What alone keeps what alive, heaviest first
    Tree(Tree),
    /// Save a process's heap to a file that the other commands read
    Snapshot(Snapshot),
    /// The garbage collector: how it is set, what a full collection costs, and cycles
    Gc(Gc),
    /// What objects of an interpreter really cost
    Sizes(Sizes),
    /// Files larger than memory: rows of CSV counted and checked, patterns found
    Files(files::Files),
    /// A completion script for a shell
    Completions(Completions),
}

/// What is looked at.
#[derive(Debug, clap::Args)]
pub(crate) struct TargetArgs {
    /// A process number, or a saved snapshot
    #[arg(value_name = "PID|FILE")]
    pub(crate) target: Option<OsString>,
    #[command(flatten)]
    pub(crate) reading: Reading,
    #[command(flatten)]
    pub(crate) launch: Launch,
}

/// How a live process is read.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Reading {
    /// Give up if the process would stand still for longer, such as 500ms
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) max_pause: Option<Duration>,
    /// Keep short string keys of dicts, so that paths can name their values
    #[arg(long)]
    pub(crate) values: bool,
}

/// A program to start and look at: `--after 5s -- python app.py`.
#[derive(Debug, clap::Args)]
pub(crate) struct Launch {
    /// Look at the started program after this time [default: 5s]
    #[arg(long, value_name = "TIME", value_parser = duration, conflicts_with_all = ["on", "target"])]
    pub(crate) after: Option<Duration>,
    /// Look at the started program each time deadweight receives this signal
    #[arg(long, value_name = "SIGNAL", conflicts_with = "target")]
    pub(crate) on: Option<Signal>,
    /// A program to start and look at, with its arguments
    #[arg(last = true, value_name = "PROGRAM", conflicts_with = "target")]
    pub(crate) program: Vec<OsString>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Signal {
    #[value(name = "USR1")]
    Usr1,
    #[value(name = "USR2")]
    Usr2,
}

/// How a report is written.
#[derive(Debug, clap::Args)]
pub(crate) struct Output {
    /// JSON instead of text (docs/json.md has the schemas)
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Weigh {
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    #[command(flatten)]
    pub(crate) output: Output,
    /// How many of the heaviest to show
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) top: usize,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Census {
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    #[command(flatten)]
    pub(crate) output: Output,
    /// Count and size only: quicker, but without what the objects retain
    #[arg(long)]
    pub(crate) shallow: bool,
    /// What a row is
    #[arg(long, value_name = "WHAT", default_value = "type")]
    pub(crate) by: By,
    /// What to sort by, largest first
    #[arg(long, value_name = "COLUMN")]
    pub(crate) sort: Option<Sort>,
    /// How many rows to show [default: 30; with --json all]
    #[arg(long, value_name = "N")]
    pub(crate) top: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum By {
    Type,
    Module,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Sort {
    Retained,
    Held,
    Getsizeof,
    Count,
    Name,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Why {
    /// A process number, or a saved snapshot
    #[arg(value_name = "PID|FILE")]
    pub(crate) target: OsString,
    /// A type (`UserRecord`, `app.UserRecord`), a path (`app.cache`, docs/paths.md), or 0xADDRESS
    pub(crate) query: String,
    #[command(flatten)]
    pub(crate) reading: Reading,
    #[command(flatten)]
    pub(crate) output: Output,
    /// How many paths to show
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub(crate) top: usize,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Tree {
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    #[command(flatten)]
    pub(crate) output: Output,
    /// Where to begin: a path or 0xADDRESS; everything if left out
    #[arg(long, value_name = "PATH")]
    pub(crate) from: Option<String>,
    /// How many levels
    #[arg(long, value_name = "N", default_value_t = 6)]
    pub(crate) depth: usize,
    /// How many rows below each
    #[arg(long, value_name = "N", default_value_t = 8)]
    pub(crate) top: usize,
    /// Leave out what retains less than so much of where it begins
    #[arg(long, value_name = "PERCENT", default_value_t = 1.0, value_parser = percent)]
    pub(crate) least: f64,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Snapshot {
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    /// The file to write [default: deadweight-PID.dwsnap]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Replace the file if it is there
    #[arg(short, long)]
    pub(crate) force: bool,
    /// JSON instead of text (docs/json.md has the schemas)
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Gc {
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    #[command(flatten)]
    pub(crate) output: Output,
    /// How many rows of types and cycles to show
    #[arg(long, value_name = "N", default_value_t = 8)]
    pub(crate) top: usize,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Sizes {
    /// Types such as `dict` or `collections.deque`; a usual selection if left out
    #[arg(value_name = "TYPE")]
    pub(crate) types: Vec<String>,
    /// The interpreter to ask
    #[arg(long, value_name = "PROGRAM", default_value = "python3")]
    pub(crate) python: OsString,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Completions {
    /// The shell
    pub(crate) shell: Shell,
}

/// `5s`, `500ms`, `2m`, `1.5s`. A bare number could be taken for either.
fn duration(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let scale = match unit {
        "ms" => 0.001,
        "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return Err(A_TIME.to_owned()),
    };
    let seconds = number.parse::<f64>().ok().map(|number| number * scale);
    seconds
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| A_TIME.to_owned())
}

const A_TIME: &str = "expected a time with its unit, such as 5s, 500ms or 2m";

/// `1`, `0.5`, `1%`.
fn percent(text: &str) -> Result<f64, String> {
    let number = text.trim().trim_end_matches('%').trim_end().parse::<f64>();
    number
        .ok()
        .filter(|number| (0.0..=100.0).contains(number))
        .ok_or_else(|| "expected per cent: a number from 0 to 100".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn times_and_shares_are_read_as_people_write_them() {
        assert_eq!(duration("5s"), Ok(Duration::from_secs(5)));
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("1.5s"), Ok(Duration::from_millis(1500)));
        assert_eq!(duration("2m"), Ok(Duration::from_mins(2)));
        assert_eq!(percent("0.5"), Ok(0.5));
        assert_eq!(percent("1 %"), Ok(1.0));
        for wrong in ["", "x", "-1", "101", "NaN"] {
            assert!(percent(wrong).is_err(), "{wrong}");
        }
        for wrong in ["", "s", "5", "5 parsecs", "-1s", "1.2.3s"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
