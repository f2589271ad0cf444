//! What a command is about: a live process, one that we start, or a saved snapshot.

use std::ffi::OsStr;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use deadweight_heap::{Capture, snapshot};
use deadweight_process::{
    Launched, Limits, Phase, ReadOptions, Tallied, Trigger, Waited, memory_available,
    python_descendants, read, tally, volunteer_when_memory_runs_out,
};

use crate::args::{Launch, Reading, Signal, Talk, TargetArgs};
use crate::exit::Failure;
use crate::progress::{Progress, note};

/// Opens what was named or started, and hands each capture of it to `report`: one, or with `--on` one a
/// signal. A program that we started then runs on, and we wait for it.
pub(crate) fn each_capture(
    args: &TargetArgs,
    json: bool,
    talk: &Talk,
    mut report: impl FnMut(Capture, Progress) -> Result<(), Failure>,
) -> Result<(), Failure> {
    each(args, json, talk, |source, mut progress| {
        let capture = source.capture(&args.reading, &mut progress)?;
        report(capture, progress)
    })
}

/// Counts and sizes by type: of a live process in one pass, of a snapshot from its heap.
pub(crate) enum Counted {
    Live(Box<Tallied>),
    Saved(Box<Capture>),
}

/// The same as [`each_capture`] for who needs no graph.
pub(crate) fn each_tally(
    args: &TargetArgs,
    json: bool,
    talk: &Talk,
    mut report: impl FnMut(Counted, Progress) -> Result<(), Failure>,
) -> Result<(), Failure> {
    each(args, json, talk, |source, mut progress| {
        let counted = match source {
            Source::Live(pid) => {
                Counted::Live(Box::new(tally(pid, &limits(&args.reading), |phase| {
                    progress.stage(name_of(phase, "counting objects"));
                })?))
            }
            Source::Saved(_) => {
                Counted::Saved(Box::new(source.capture(&args.reading, &mut progress)?))
            }
        };
        report(counted, progress)
    })
}

/// Opens a process or a snapshot.
pub(crate) fn open(
    target: &OsStr,
    reading: &Reading,
    progress: &mut Progress,
) -> Result<Capture, Failure> {
    let source = Source::named(target)?;
    volunteer_when_memory_runs_out();
    source.capture(reading, progress)
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
        if text.is_empty() {
            return Err(no_target());
        }
        if !text.bytes().all(|byte| byte.is_ascii_digit()) {
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
                let options = ReadOptions { limits: limits(reading), values: reading.values };
                Ok(read(pid, &options, |phase| progress.stage(name_of(phase, "reading objects")))?)
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
    json: bool,
    talk: &Talk,
    mut look: impl FnMut(Source<'_>, Progress) -> Result<(), Failure>,
) -> Result<(), Failure> {
    if let Some(target) = &args.target {
        let source = Source::named(target)?;
        volunteer_when_memory_runs_out();
        look(source, Progress::new(talk))?;
        if let Source::Live(pid) = source {
            mention_others(pid, talk);
        }
        return Ok(());
    }
    let mut launched = start(&args.launch, json, talk)?;
    // Not before: the program would inherit it.
    volunteer_when_memory_runs_out();
    let mut last = None;
    // The program goes on whatever becomes of our looking at it, and we stay until it ends: who
    // started us waits for it.
    let status = loop {
        match launched.wait_for_trigger()? {
            Waited::Ended(status) => break status,
            Waited::Triggered => {
                let outcome = look_at_started(launched.pid(), talk, &mut look);
                // At once: the program may run on for days.
                let outcome = outcome.map_err(Failure::say_now);
                let Some(signal) = args.launch.on else {
                    last = Some(outcome);
                    break launched.wait()?;
                };
                if outcome.is_err() {
                    say_how_to_trigger(signal);
                }
                last = Some(outcome.map_err(|_| Failure::new("the last look at it failed")));
            }
        }
    };
    if last.is_some() && !status.success() && !talk.quiet {
        say_how_it_ended(status);
    }
    last.unwrap_or_else(|| {
        let failure =
            Failure::new(format!("the program ended before it was time to look ({status})"));
        Err(failure.with_hint(if args.launch.on.is_some() {
            "Send the signal while it runs."
        } else {
            "Give a shorter time: --after 500ms."
        }))
    })
}

/// Looks at a program that we started or, where that is a wrapper, at the Python it has started.
fn look_at_started(
    pid: u32,
    talk: &Talk,
    look: &mut impl FnMut(Source<'_>, Progress) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut outcome = look(Source::Live(pid), Progress::new(talk));
    let mut looked_at = pid;
    if let Err(failure) = &outcome
        && let &[python] = failure.pythons()
    {
        if !talk.quiet {
            note(format_args!(
                "Process {pid} is no Python; looking at {python}, which it has started"
            ));
        }
        looked_at = python;
        outcome = look(Source::Live(python), Progress::new(talk));
    }
    if outcome.is_ok() {
        mention_others(looked_at, talk);
    }
    outcome
}

/// What a server leaks may be in its workers.
fn mention_others(pid: u32, talk: &Talk) {
    const LISTED: usize = 10;
    let others = if talk.quiet { Vec::new() } else { python_descendants(pid) };
    if others.is_empty() {
        return;
    }
    let listed: Vec<String> = others.iter().take(LISTED).map(u32::to_string).collect();
    let more = if others.len() > LISTED { ", …" } else { "" };
    let (number, noun) =
        (others.len(), if others.len() == 1 { "Python process" } else { "Python processes" });
    note(format_args!(
        "Process {pid} has started {number} more {noun}, not looked at: {}{more}",
        listed.join(", ")
    ));
}

fn no_target() -> Failure {
    Failure::new("nothing to look at was given").with_hint(
        "Give a process number, a snapshot, or, after `--`, a program to start, as in `-- python app.py`.",
    )
}

fn limits(reading: &Reading) -> Limits {
    Limits { max_pause: reading.max_pause, max_copy: None }
}

fn name_of(phase: Phase, decoding: &'static str) -> &'static str {
    match phase {
        Phase::Copying => "copying memory",
        Phase::CopyingAgain => "copying memory again",
        Phase::Decoding => decoding,
    }
}

fn load(path: &Path, progress: &mut Progress) -> Result<Capture, Failure> {
    progress.stage("loading the snapshot");
    if path.is_dir() {
        return Err(Failure::new(format!("{} is a directory, not a snapshot", path.display()))
            .with_hint(NOT_A_TARGET));
    }
    let file = File::open(path).map_err(|error| {
        let failure = Failure::of_file(path, "open", &error);
        if error.kind() != std::io::ErrorKind::NotFound {
            failure
        } else if path.extension().is_some_and(|extension| extension == "dwsnap") {
            failure.with_hint(NOT_A_TARGET)
        } else {
            failure.with_hint(format!(
                "{NOT_A_TARGET} A program to start stands after --: `deadweight weigh -- {}`.",
                path.display()
            ))
        }
    })?;
    let limit = memory_available();
    snapshot::read(BufReader::new(file), limit).map_err(|error| Failure::from(error).at(path))
}

const NOT_A_TARGET: &str = "Give a process number or a file that `deadweight snapshot` wrote.";

/// Starts the program given after `--`. A document on stdout stays one: the program then writes to our
/// stderr.
fn start(launch: &Launch, json: bool, talk: &Talk) -> Result<Launched, Failure> {
    let trigger = match (launch.on, launch.after) {
        (Some(Signal::Usr1), _) => Trigger::Usr1,
        (Some(Signal::Usr2), _) => Trigger::Usr2,
        (None, after) => Trigger::After(after.unwrap_or(Duration::from_secs(5))),
    };
    let Some((program, arguments)) = launch.program.split_first() else {
        return Err(no_target());
    };
    let output = if json { std::io::stderr().into() } else { Stdio::inherit() };
    let launched = Launched::start_into(program, arguments, trigger, output)?;
    if let Some(signal) = launch.on
        && !talk.quiet
    {
        say_how_to_trigger(signal);
    }
    Ok(launched)
}

fn say_how_to_trigger(signal: Signal) {
    let name = if signal == Signal::Usr1 { "USR1" } else { "USR2" };
    note(format_args!("To look: kill -{name} {}", std::process::id()));
}

/// In words only: our own exit status says how we fared.
fn say_how_it_ended(status: ExitStatus) {
    note(format_args!("The program ended with {status}"));
}
