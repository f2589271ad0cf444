//! What a command is about: a live process, one that we start, or a saved snapshot.

use std::ffi::OsStr;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::time::Duration;

use deadweight_heap::{Capture, Gap, Tally, snapshot};
use deadweight_process::{
    Launched, Limits, LiveCopy, ReadOptions, Trigger, Waited, decode, memory_available, tally,
};

use crate::args::{Launch, Reading, Signal, Talk, TargetArgs};
use crate::exit::Failure;
use crate::progress::Progress;

/// Opens what was named or started, and hands each capture of it to `report`: one, or with `--on` one a
/// signal. A program that we started then runs on, and we wait for it.
pub(crate) fn each_capture(
    args: &TargetArgs,
    talk: &Talk,
    mut report: impl FnMut(Capture, Progress) -> Result<(), Failure>,
) -> Result<(), Failure> {
    each(args, talk, |source, mut progress| {
        let capture = source.capture(&args.reading, &mut progress)?;
        report(capture, progress)
    })
}

/// Counts and sizes by type: of a live process in one pass, of a snapshot from its heap.
pub(crate) enum Tallied {
    Live(Tally, Vec<Gap>),
    Saved(Box<Capture>),
}

/// The same as [`each_capture`] for who needs no graph.
pub(crate) fn each_tally(
    args: &TargetArgs,
    talk: &Talk,
    mut report: impl FnMut(Tallied, Progress) -> Result<(), Failure>,
) -> Result<(), Failure> {
    each(args, talk, |source, mut progress| {
        let tallied = match source {
            Source::Live(pid) => {
                let copy = copy(pid, &args.reading, &mut progress)?;
                progress.stage("counting objects");
                let (tally, gaps) = tally(&copy)?;
                Tallied::Live(tally, gaps)
            }
            Source::Saved(_) => {
                Tallied::Saved(Box::new(source.capture(&args.reading, &mut progress)?))
            }
        };
        report(tallied, progress)
    })
}

/// Opens a process or a snapshot.
pub(crate) fn open(
    target: &OsStr,
    reading: &Reading,
    progress: &mut Progress,
) -> Result<Capture, Failure> {
    Source::named(target)?.capture(reading, progress)
}

/// Where objects come from.
#[derive(Clone, Copy)]
enum Source<'a> {
    Live(u32),
    Saved(&'a Path),
}

impl Source<'_> {
    fn named(target: &OsStr) -> Result<Source<'_>, Failure> {
        let text = target.to_string_lossy();
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Ok(Source::Saved(Path::new(target)));
        }
        match text.parse() {
            Ok(pid) => Ok(Source::Live(pid)),
            Err(_) => Err(Failure::new(format!("there is no process {text}"))),
        }
    }

    fn capture(self, reading: &Reading, progress: &mut Progress) -> Result<Capture, Failure> {
        match self {
            Source::Live(pid) => {
                let copy = copy(pid, reading, progress)?;
                progress.stage("reading objects");
                let options = ReadOptions { limits: limits(reading), values: reading.values };
                Ok(decode(&copy, &options)?)
            }
            Source::Saved(_) if reading.max_pause.is_some() || reading.values => {
                Err(Failure::new("--max-pause and --values are for live processes")
                    .with_hint("What a snapshot holds was settled when it was taken."))
            }
            Source::Saved(path) => load(path, progress),
        }
    }
}

fn each(
    args: &TargetArgs,
    talk: &Talk,
    mut look: impl FnMut(Source<'_>, Progress) -> Result<(), Failure>,
) -> Result<(), Failure> {
    if let Some(target) = &args.target {
        return look(Source::named(target)?, Progress::new(talk));
    }
    let mut launched = start(&args.launch, talk)?;
    let mut looked = false;
    loop {
        match launched.wait_for_trigger()? {
            Waited::Ended(_) if looked => return Ok(()),
            Waited::Ended(status) => {
                return Err(Failure::new(format!(
                    "the program ended before it was time to look ({status})"
                ))
                .with_hint("Give a shorter time: --after 500ms."));
            }
            Waited::Triggered => {
                look(Source::Live(launched.pid()), Progress::new(talk))?;
                looked = true;
                if args.launch.on.is_none() {
                    launched.wait()?;
                    return Ok(());
                }
            }
        }
    }
}

fn limits(reading: &Reading) -> Limits {
    Limits { max_pause: reading.max_pause, max_copy: None }
}

fn copy(pid: u32, reading: &Reading, progress: &mut Progress) -> Result<LiveCopy, Failure> {
    progress.stage("copying memory");
    Ok(LiveCopy::take(pid, &limits(reading))?)
}

fn load(path: &Path, progress: &mut Progress) -> Result<Capture, Failure> {
    progress.stage("loading the snapshot");
    let file = File::open(path).map_err(|error| {
        let failure = Failure::of_file(path, "open", &error);
        if error.kind() == std::io::ErrorKind::NotFound {
            failure.with_hint("Give a process number or a file that `deadweight snapshot` wrote.")
        } else {
            failure
        }
    })?;
    let limit = memory_available();
    snapshot::read(BufReader::new(file), limit).map_err(|error| Failure::from(error).at(path))
}

/// Starts the program given after `--`.
fn start(launch: &Launch, talk: &Talk) -> Result<Launched, Failure> {
    let trigger = match (launch.on, launch.after) {
        (Some(Signal::Usr1), _) => Trigger::Usr1,
        (Some(Signal::Usr2), _) => Trigger::Usr2,
        (None, after) => Trigger::After(after.unwrap_or(Duration::from_secs(5))),
    };
    let Some((program, arguments)) = launch.program.split_first() else {
        return Err(Failure::new("no target was given"));
    };
    let launched = Launched::start(program, arguments, trigger)?;
    if let Some(signal) = launch.on
        && !talk.quiet
    {
        say_how_to_trigger(signal);
    }
    Ok(launched)
}

#[expect(clippy::print_stderr, reason = "a note to the person, apart from the report")]
fn say_how_to_trigger(signal: Signal) {
    let name = if signal == Signal::Usr1 { "USR1" } else { "USR2" };
    eprintln!("To look: kill -{name} {}", std::process::id());
}
