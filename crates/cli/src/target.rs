//! What a command is about: a live process, one that we start, or a saved snapshot.

use std::ffi::OsStr;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::time::Duration;

use deadweight_heap::{Capture, snapshot};
use deadweight_process::{
    Launched, Limits, LiveCopy, ReadOptions, Trigger, Waited, decode, memory_available,
};

use crate::args::{Launch, Reading, Signal, Talk, TargetArgs};
use crate::exit::Failure;
use crate::progress::Progress;

/// How to read it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Depth {
    /// Sizes only, no references.
    pub(crate) shallow: bool,
}

/// Opens what was named or started, and hands each capture of it to `report`: one, or with `--on` one a
/// signal. A program that we started then runs on, and we wait for it.
pub(crate) fn each_capture(
    args: &TargetArgs,
    talk: &Talk,
    depth: Depth,
    mut report: impl FnMut(Capture, Progress) -> Result<(), Failure>,
) -> Result<(), Failure> {
    if let Some(target) = &args.target {
        let mut progress = Progress::new(talk);
        let capture = open(target, &args.reading, depth, &mut progress)?;
        return report(capture, progress);
    }
    let mut launched = start(&args.launch, talk)?;
    let mut reported = false;
    loop {
        match launched.wait_for_trigger()? {
            Waited::Ended(_) if reported => return Ok(()),
            Waited::Ended(status) => {
                return Err(Failure::new(format!(
                    "the program ended before it was time to look ({status})"
                ))
                .with_hint("Give a shorter time: --after 500ms."));
            }
            Waited::Triggered => {
                let mut progress = Progress::new(talk);
                let capture = read(launched.pid(), &args.reading, depth, &mut progress)?;
                report(capture, progress)?;
                reported = true;
                if args.launch.on.is_none() {
                    launched.wait()?;
                    return Ok(());
                }
            }
        }
    }
}

/// Opens a process or a snapshot.
pub(crate) fn open(
    target: &OsStr,
    reading: &Reading,
    depth: Depth,
    progress: &mut Progress,
) -> Result<Capture, Failure> {
    let text = target.to_string_lossy();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        let Ok(pid) = text.parse::<u32>() else {
            return Err(Failure::new(format!("there is no process {text}")));
        };
        return read(pid, reading, depth, progress);
    }
    if reading.max_pause.is_some() || reading.values {
        return Err(Failure::new("--max-pause and --values are for live processes")
            .with_hint("What a snapshot holds was settled when it was taken."));
    }
    load(Path::new(target), progress)
}

fn read(
    pid: u32,
    reading: &Reading,
    depth: Depth,
    progress: &mut Progress,
) -> Result<Capture, Failure> {
    let limits = Limits { max_pause: reading.max_pause, max_copy: None };
    let options = ReadOptions { limits, values: reading.values, shallow: depth.shallow };
    progress.stage("copying memory");
    let copy = LiveCopy::take(pid, &limits)?;
    progress.stage("reading objects");
    Ok(decode(&copy, &options)?)
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
