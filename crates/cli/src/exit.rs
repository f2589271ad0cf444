//! How a run ends.

use std::io::{self, Write};
use std::process::ExitCode;

use deadweight_files::FilesError;
use deadweight_heap::QueryError;
use deadweight_heap::path::PathError;
use deadweight_heap::snapshot::SnapshotError;
use deadweight_process::{Error, ReadError};
use deadweight_report::text::clean;

/// The exit status: 0; 1 where a limit that was asked for is exceeded, or `files find` finds nothing; 2 for a
/// failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitStatus {
    /// All went well.
    Success,
    /// A limit that was asked for is exceeded, or nothing was found.
    Exceeded,
    /// It could not be done.
    Failure,
}

impl ExitStatus {
    /// The number that a shell sees.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            ExitStatus::Success => 0,
            ExitStatus::Exceeded => 1,
            ExitStatus::Failure => 2,
        }
    }
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> ExitCode {
        ExitCode::from(status.code())
    }
}

/// Why it could not be done: what and where, and apart from that what to do next.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    hint: Option<String>,
    broken_pipe: bool,
    /// It could be done, and was: what is wrong is what was found.
    is_limit: bool,
    /// Python processes that the one asked about, which is none, has started.
    pythons: Vec<u32>,
    said: bool,
}

impl Failure {
    pub(crate) fn new(message: impl Into<String>) -> Failure {
        Failure {
            message: message.into(),
            hint: None,
            broken_pipe: false,
            is_limit: false,
            pythons: Vec::new(),
            said: false,
        }
    }

    /// More than was allowed.
    pub(crate) fn limit(message: impl Into<String>) -> Failure {
        Failure { is_limit: true, ..Failure::new(message) }
    }

    /// Of a search, whose report has said so.
    pub(crate) fn nothing_found() -> Failure {
        Failure { said: true, ..Failure::limit("nothing was found") }
    }

    pub(crate) fn status(&self) -> ExitStatus {
        if self.is_limit { ExitStatus::Exceeded } else { ExitStatus::Failure }
    }

    /// Told at once, because what follows can take long; not told again at the end.
    pub(crate) fn say_now(self) -> Failure {
        self.print(&mut io::stderr());
        Failure { said: true, ..self }
    }

    pub(crate) fn pythons(&self) -> &[u32] {
        &self.pythons
    }

    pub(crate) fn with_hint(self, hint: impl Into<String>) -> Failure {
        Failure { hint: Some(hint.into()), ..self }
    }

    /// Something about a file.
    pub(crate) fn of_file(path: &std::path::Path, what: &str, error: &io::Error) -> Failure {
        let failure = Failure::new(format!("cannot {what} {}: {error}", path.display()));
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => failure
                .with_hint("Make room, or name a file on another disk. Nothing was left behind."),
            io::ErrorKind::PermissionDenied => {
                failure.with_hint("Run as the user who may, or name a file elsewhere.")
            }
            _ => failure,
        }
    }

    /// The same, with the file it is about in front.
    pub(crate) fn at(self, path: &std::path::Path) -> Failure {
        Failure { message: format!("{}: {}", path.display(), self.message), ..self }
    }

    pub(crate) fn is_broken_pipe(&self) -> bool {
        self.broken_pipe
    }

    pub(crate) fn print(&self, to: &mut dyn Write) {
        if self.said {
            return;
        }
        // If stderr is gone there is nobody to tell.
        let _ = writeln!(to, "error: {}", clean(&self.message));
        if let Some(hint) = &self.hint {
            let _ = writeln!(to, "hint: {hint}");
        }
    }
}

/// An error with all its causes in one line.
#[must_use]
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.ends_with(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        let broken_pipe = error.kind() == io::ErrorKind::BrokenPipe;
        Failure { broken_pipe, ..Failure::new(format!("cannot write: {error}")) }
    }
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Failure {
        let failure = Failure { hint: error.hint(), ..Failure::new(with_causes(&error)) };
        match error {
            ReadError::NotPython { children, .. } => Failure { pythons: children, ..failure },
            _ => failure,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure { hint: error.hint(), ..Failure::new(with_causes(&error)) }
    }
}

impl From<FilesError> for Failure {
    fn from(error: FilesError) -> Failure {
        let hint = match &error {
            FilesError::TooMuchUnpacked { .. } => Some(
                "Some files are made to have no end when they are unpacked. If this is none, --max-unpacked allows more.",
            ),
            error => error.hint(),
        };
        Failure { hint: hint.map(str::to_owned), ..Failure::new(error.to_string()) }
    }
}

impl From<QueryError> for Failure {
    fn from(error: QueryError) -> Failure {
        let failure = Failure::new(error.to_string());
        match error {
            QueryError::Ambiguous { .. } => failure.with_hint("Give the full name: `module.Type`."),
            QueryError::Unknown { paths, .. } if !paths.is_empty() => {
                failure.with_hint("docs/paths.md has the grammar of paths.")
            }
            QueryError::Unknown { .. } => failure.with_hint(
                "`deadweight census` lists the types; docs/paths.md has the grammar of paths.",
            ),
            QueryError::NotAnAddress(_) => {
                failure.with_hint("An address looks like 0x7f3c5a0b1e40.")
            }
            QueryError::NoObject { .. } => failure.with_hint(
                "Objects come and go: take a snapshot, and ask about addresses that it names.",
            ),
            QueryError::Path(PathError::KeyNotKept { so_far, .. }) => failure.with_hint(format!(
                "`{so_far}[#0]` is the first value, and so on; --values keeps keys that are short strings."
            )),
            QueryError::Path(PathError::NoHolder { .. }) => {
                failure.with_hint("`deadweight tree` names what holds something here.")
            }
            QueryError::Path(PathError::Syntax { .. }) => {
                failure.with_hint("docs/paths.md has the grammar of paths.")
            }
            QueryError::Path(_) => failure.with_hint(
                "What deadweight prints as a path can be typed; docs/paths.md has the grammar.",
            ),
        }
    }
}

impl From<SnapshotError> for Failure {
    fn from(error: SnapshotError) -> Failure {
        let failure = Failure::new(with_causes(&error));
        match error {
            SnapshotError::Foreign => failure
                .with_hint("Give a process number or a file that `deadweight snapshot` wrote."),
            SnapshotError::Version(..) => {
                failure.with_hint("Use the version of deadweight that wrote it, or a later one.")
            }
            SnapshotError::TooLarge { .. } => {
                failure.with_hint("Read it on a machine with more free memory.")
            }
            SnapshotError::Io(_) => failure,
            _ => failure.with_hint("Copy it again, or take it again with `deadweight snapshot`."),
        }
    }
}
