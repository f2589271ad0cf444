//! From a process number to a capture: copy, recognise, walk, account.

use std::time::{SystemTime, UNIX_EPOCH};

use deadweight_cpython::{Refusal, Runtime, Subject, WalkOptions, count, walk};
use deadweight_heap::{Addr, BuildError, Capture, Gap, GapKind, Provenance, Tally};

use crate::account::{Residency, account};
use crate::descendants::python_children;
use crate::error::Error;
use crate::interpreter;
use crate::live::LiveCopy;
use crate::pages::PageSource;
use crate::take::Limits;

/// How to read a process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadOptions {
    /// What taking the copy may cost.
    pub limits: Limits,
    /// Keep short `str` keys of dicts.
    pub values: bool,
}

/// Why there is no capture.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The process could not be copied.
    #[error(transparent)]
    Process(#[from] Error),
    /// There is no CPython in it.
    #[error("process {pid} ({program}) is not a Python program that deadweight can read{}",
        other.as_ref().map_or(String::new(), |other| format!(": it runs {other}")))]
    NotPython {
        /// The process.
        pid: u32,
        /// Its program file.
        program: String,
        /// The other Python it runs, if we know it.
        other: Option<String>,
        /// Python processes that it has started.
        children: Vec<u32>,
    },
    /// There is one, but not one we know.
    #[error("process {pid}: {refusal}")]
    Refused {
        /// The process.
        pid: u32,
        /// Why.
        refusal: Refusal,
    },
    /// Its heap has more objects or references than we can number.
    #[error("process {pid}: {source}")]
    TooLarge {
        /// The process.
        pid: u32,
        /// What there is too much of.
        source: BuildError,
    },
}

impl ReadError {
    /// What to do next; `None` where there is nothing to do.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            ReadError::Process(error) => error.hint(),
            ReadError::NotPython { other: Some(_), .. } => Some(
                "Python 3.10 or newer is needed: deadweight reads CPython 3.10 to 3.15.".to_owned(),
            ),
            ReadError::NotPython { children, .. } if !children.is_empty() => Some(format!(
                "Give the number of a Python process that it started: {}.",
                list(children)
            )),
            ReadError::NotPython { .. } => Some(
                "If it is a shell or a wrapper, give the number of the Python process it started: \
                 `pgrep -af python` lists them."
                    .to_owned(),
            ),
            ReadError::Refused { refusal: Refusal::NotInitialised, .. } => {
                Some("Try again in a moment: it is starting up or about to end.".to_owned())
            }
            ReadError::Refused { .. } | ReadError::TooLarge { .. } => None,
        }
    }
}

/// Process numbers, in words.
fn list(pids: &[u32]) -> String {
    pids.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")
}

/// What is being done to a process, for who waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It is looked at, stopped and copied, and goes on.
    Copying,
    /// The same once more: it had been caught in the middle of a change.
    CopyingAgain,
    /// The copy is decoded.
    Decoding,
}

/// Reads a live process: stops it, copies its memory, lets it go on, and walks the copy.
///
/// A process caught in the middle of a change is taken again, twice at the most:
/// [`Provenance::pause_micros`] is then the sum.
///
/// # Errors
///
/// If it cannot be copied, is no CPython that we know, or is too large.
pub fn read(
    pid: u32,
    options: &ReadOptions,
    phase: impl FnMut(Phase),
) -> Result<Capture, ReadError> {
    let decode = |copy: &LiveCopy| decode(copy, options);
    settled(pid, &options.limits, phase, decode, |it| (&it.gaps, &mut it.provenance))
}

/// Counts and weighs the objects of a live process by type, without the graph: several times quicker.
///
/// Taken again as by [`read`].
///
/// # Errors
///
/// If it cannot be copied, or is no CPython that we know.
pub fn tally(pid: u32, limits: &Limits, phase: impl FnMut(Phase)) -> Result<Tallied, ReadError> {
    settled(pid, limits, phase, count_copy, |it| (&it.gaps, &mut it.provenance))
}

/// How often a process is taken that is caught in the middle of a change each time.
const LOOKS: u32 = 3;

/// We stop a process between any two instructions of its threads, and what one of them was just doing to
/// an object (its reference is stored, its size not yet) cannot be told from damage. But it does not
/// last. Less than one copy in 600 of a program that does nothing but change objects has it
/// (docs/safety.md), and the next one has not.
fn settled<T>(
    pid: u32,
    limits: &Limits,
    mut phase: impl FnMut(Phase),
    decode: impl Fn(&LiveCopy) -> Result<T, ReadError>,
    parts: impl Fn(&mut T) -> (&[Gap], &mut Provenance),
) -> Result<T, ReadError> {
    let mut take = |what| {
        phase(what);
        let copy = LiveCopy::take(pid, limits)?;
        phase(Phase::Decoding);
        decode(&copy)
    };
    let mut taken = take(Phase::Copying)?;
    for _ in 1..LOOKS {
        let (gaps, provenance) = parts(&mut taken);
        if !gaps.iter().any(|gap| may_be_motion(gap.kind)) {
            break;
        }
        let before = provenance.pause_micros;
        // It may have ended meanwhile: what we have is better than nothing.
        let Ok(again) = take(Phase::CopyingAgain) else { break };
        taken = again;
        parts(&mut taken).1.pause_micros += before;
    }
    Ok(taken)
}

fn may_be_motion(kind: GapKind) -> bool {
    matches!(kind, GapKind::InvalidReference | GapKind::Unreadable)
}

/// Walks a copy.
///
/// # Errors
///
/// If it holds no CPython that we know, or one that is too large.
pub fn decode(copy: &LiveCopy, options: &ReadOptions) -> Result<Capture, ReadError> {
    capture(copy, WalkOptions { values: options.values, visible_from: None })
}

/// Walks a copy as far as a closure over `gc.get_referents` would get, from `gc.get_objects()` and the
/// objects at these addresses: for comparisons with what an interpreter says of itself.
///
/// # Errors
///
/// As [`decode`].
pub fn decode_visible(copy: &LiveCopy, from: &[Addr]) -> Result<Capture, ReadError> {
    capture(copy, WalkOptions { values: false, visible_from: Some(from) })
}

fn capture(copy: &LiveCopy, walk_options: WalkOptions<'_>) -> Result<Capture, ReadError> {
    let pid = copy.pid();
    let found = Recognised::of(copy)?;
    let mut residency = Residency::new(copy);
    let walked = walk(&found.subject(copy), walk_options, &mut residency)
        .map_err(|source| ReadError::TooLarge { pid, source })?;
    let (account, difference) = account(&residency, &walked.arenas, walked.pymalloc);
    let mut gaps = walked.gaps;
    gaps.extend(difference);
    gaps.extend(copy_gaps(copy));
    let provenance = Provenance {
        values: walk_options.values,
        tracked: walked.tracked,
        permanent: walked.permanent,
        collector: walked.collector,
        ..found.provenance(copy)
    };
    Ok(Capture { heap: walked.heap, account, gaps, provenance, lists: walked.lists })
}

/// Counts and sizes of a copy's objects.
#[derive(Clone, Debug)]
pub struct Tallied {
    /// By type.
    pub tally: Tally,
    /// What could not be read or is not certain.
    pub gaps: Vec<Gap>,
    /// Where it came from.
    pub provenance: Provenance,
}

fn count_copy(copy: &LiveCopy) -> Result<Tallied, ReadError> {
    let found = Recognised::of(copy)?;
    let counted = count(&found.subject(copy));
    let mut gaps = counted.gaps;
    gaps.extend(copy_gaps(copy));
    let provenance = Provenance {
        tracked: counted.tally.tracked(),
        permanent: counted.permanent,
        ..found.provenance(copy)
    };
    Ok(Tallied { tally: counted.tally, gaps, provenance })
}

/// The interpreter in a copy, and what its decoders want to know besides.
struct Recognised {
    runtime: Runtime,
    threads: Vec<deadweight_cpython::Thread>,
    images: Vec<String>,
}

impl Recognised {
    fn of(copy: &LiveCopy) -> Result<Recognised, ReadError> {
        let pid = copy.pid();
        let not_python = |other| {
            let (program, children) = (copy.program().to_owned(), python_children(pid));
            ReadError::NotPython { pid, program, other, children }
        };
        let Some(symbols) = interpreter::symbols(copy) else {
            return Err(not_python(interpreter::other_python(copy)));
        };
        let runtime = Runtime::attach(copy, &symbols).map_err(|refusal| {
            let old = || interpreter::other_python(copy).filter(|_| refusal == Refusal::NoVersion);
            match old() {
                Some(old) => not_python(Some(old)),
                None => ReadError::Refused { pid, refusal },
            }
        })?;
        let (threads, images) = (interpreter::threads(copy), interpreter::image_names(copy));
        Ok(Recognised { runtime, threads, images })
    }

    /// What is known of the copy before it is walked.
    fn provenance(&self, copy: &LiveCopy) -> Provenance {
        Provenance {
            pid: copy.pid(),
            command: copy.command().join(" "),
            python: self.runtime.version.to_string(),
            executable: copy.program().to_owned(),
            taken_at: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs()),
            pause_micros: u64::try_from(copy.pause().as_micros()).unwrap_or(u64::MAX),
            copied: copy.copied(),
            threads: copy.threads().len() as u32,
            reader: env!("CARGO_PKG_VERSION").to_owned(),
            ..Provenance::default()
        }
    }

    fn subject<'a>(&'a self, copy: &'a LiveCopy) -> Subject<'a, LiveCopy> {
        Subject {
            memory: copy,
            runtime: &self.runtime,
            threads: &self.threads,
            images: &self.images,
        }
    }
}

/// What the copy itself lacks.
fn copy_gaps(copy: &LiveCopy) -> Vec<Gap> {
    let mut gaps = Vec::new();
    if copy.page_source() == PageSource::Mappings {
        gaps.push(Gap {
            kind: GapKind::NoPagemap,
            count: 1,
            detail: "the kernel did not let us see single pages: whole mappings were read, and \
                     resident bytes are exact for whole mappings only"
                .to_owned(),
        });
    }
    let vanished = copy.vanished().0;
    if vanished > 0 {
        gaps.push(Gap {
            kind: GapKind::Vanished,
            count: vanished,
            detail: format!("{vanished} bytes were listed but could not be read"),
        });
    }
    gaps
}
