//! Exceptions: each is also the builtin that a user would catch.

use std::io;
use std::path::Path;

use deadweight_cli::with_causes;
use deadweight_files::FilesError;
use deadweight_heap::QueryError;
use deadweight_heap::path::PathError;
use deadweight_heap::snapshot::SnapshotError;
use deadweight_process::{Error, OwnError, ReadError};
use deadweight_records::file::FileError;
use deadweight_records::{Reason, RecordsError};
use pyo3::create_exception;
use pyo3::exceptions::{
    PyIndexError, PyIsADirectoryError, PyKeyError, PyLookupError, PyMemoryError, PyOSError,
    PyOverflowError, PyPermissionError, PyProcessLookupError, PyRuntimeError, PyTimeoutError,
    PyTypeError, PyValueError,
};
use pyo3::prelude::*;

create_exception!(
    deadweight,
    Unsupported,
    PyRuntimeError,
    "This interpreter, or that process, is none that deadweight can read."
);
create_exception!(
    deadweight,
    NotPermitted,
    PyPermissionError,
    "The system does not let us look at that process."
);
create_exception!(
    deadweight,
    NoSuchProcess,
    PyProcessLookupError,
    "There is no such process, or it has ended."
);
create_exception!(
    deadweight,
    PauseTooLong,
    PyTimeoutError,
    "The process would have stood still for longer than it may."
);
create_exception!(deadweight, NotEnoughMemory, PyMemoryError, "A copy would not fit into memory.");
create_exception!(deadweight, BadSnapshot, PyValueError, "A file is no whole snapshot.");
create_exception!(deadweight, BadRecords, PyValueError, "A file is no Arrow file of records.");
create_exception!(deadweight, NotThere, PyLookupError, "A heap has no such type, path or address.");

/// An error with its causes and what to do next, in one line.
fn whole(error: &dyn std::error::Error, hint: Option<String>) -> String {
    let text = with_causes(error);
    match hint {
        Some(hint) => format!("{text}. {hint}"),
        None => text,
    }
}

pub(crate) fn of_own(error: &OwnError) -> PyErr {
    Unsupported::new_err(whole(error, None))
}

pub(crate) fn of_process(error: &Error) -> PyErr {
    let text = whole(error, error.hint());
    match error {
        Error::NotPermitted { .. } => NotPermitted::new_err(text),
        Error::NoSuchProcess { .. } | Error::Ended { .. } | Error::Zombie { .. } => {
            NoSuchProcess::new_err(text)
        }
        Error::PauseExceeded { .. } => PauseTooLong::new_err(text),
        Error::NoHeadroom { .. } => NotEnoughMemory::new_err(text),
        Error::ForeignProgram { .. } => Unsupported::new_err(text),
        _ => PyRuntimeError::new_err(text),
    }
}

pub(crate) fn of_read(error: &ReadError) -> PyErr {
    match error {
        ReadError::Process(error) => of_process(error),
        ReadError::NotPython { .. } | ReadError::Refused { .. } => {
            Unsupported::new_err(whole(error, error.hint()))
        }
        _ => PyRuntimeError::new_err(whole(error, error.hint())),
    }
}

pub(crate) fn of_query(error: &QueryError) -> PyErr {
    let hint = match error {
        QueryError::Path(PathError::KeyNotKept { so_far, .. }) => Some(format!(
            "`{so_far}[#0]` is the first value, and so on; snapshot(values=True) keeps keys that are short strings"
        )),
        _ => None,
    };
    NotThere::new_err(whole(error, hint))
}

/// What the system said of a file, in the words of Python's own `open`.
pub(crate) fn of_file(path: &Path, error: &io::Error) -> PyErr {
    let text = error.to_string();
    match error.raw_os_error() {
        Some(number) => {
            let text = text.trim_end_matches(&format!(" (os error {number})")).to_owned();
            PyOSError::new_err((number, text, path.as_os_str().to_owned()))
        }
        None => PyOSError::new_err(format!("{text}: {}", path.display())),
    }
}

pub(crate) fn of_snapshot(path: &Path, error: &SnapshotError) -> PyErr {
    match error {
        SnapshotError::Io(error) => of_file(path, error),
        SnapshotError::TooLarge { .. } => {
            NotEnoughMemory::new_err(format!("{}: {}", path.display(), whole(error, None)))
        }
        _ => BadSnapshot::new_err(format!("{}: {}", path.display(), whole(error, None))),
    }
}

pub(crate) fn of_records(error: RecordsError) -> PyErr {
    let text = error.to_string();
    match error {
        RecordsError::Value { reason, .. } | RecordsError::Field { reason, .. } => match reason {
            Reason::Overflow { .. } | Reason::TooLong { .. } | Reason::Categories => {
                PyOverflowError::new_err(text)
            }
            Reason::WrongType { .. }
            | Reason::NoType { .. }
            | Reason::Null
            | Reason::Mixed { .. }
            | Reason::Objects => PyTypeError::new_err(text),
            Reason::Memory => PyMemoryError::new_err(text),
            Reason::Damaged(_) => BadRecords::new_err(text),
        },
        RecordsError::NoRow { .. } => PyIndexError::new_err(text),
        RecordsError::NoField(_) => PyKeyError::new_err(text),
        RecordsError::ArrowType { .. } => PyTypeError::new_err(text),
        RecordsError::Memory => PyMemoryError::new_err(text),
        RecordsError::SameName(_)
        | RecordsError::Ragged { .. }
        | RecordsError::Length { .. }
        | RecordsError::Fields(_)
        | RecordsError::Arrow(_) => PyValueError::new_err(text),
    }
}

pub(crate) fn of_records_file(path: &Path, error: FileError) -> PyErr {
    match error {
        FileError::Io(error) => of_file(path, &error),
        FileError::Records(error) => of_records(error),
        _ => BadRecords::new_err(format!("{}: {}", path.display(), whole(&error, None))),
    }
}

/// As `errno` has it on Linux (include/uapi/asm-generic/errno-base.h).
pub(crate) const EISDIR: i32 = 21;

/// What a file object's own `read` raised is raised as it is.
pub(crate) fn of_files(error: FilesError) -> PyErr {
    let error = match error {
        FilesError::Io { name, what, error } => match error.downcast::<PyErr>() {
            Ok(raised) => return raised,
            Err(error) => FilesError::Io { name, what, error },
        },
        error => error,
    };
    let hint = match &error {
        FilesError::LongLine { line: Some(_), .. } | FilesError::LongPiece { .. } => {
            Some("`longest=` allows longer ones.")
        }
        FilesError::LongRecord { .. } => Some(
            "A quote that is not closed takes all that follows into its field: `scan_csv(…).check()` says where. `longest=` allows longer ones.",
        ),
        FilesError::TooMuchUnpacked { .. } => Some(
            "Some files are made to have no end when they are unpacked. If this is none, `max_unpacked=` allows more.",
        ),
        error => error.hint(),
    };
    let text = whole(&error, hint.map(str::to_owned));
    match error {
        FilesError::Io { name, error, .. } if error.raw_os_error().is_some() => {
            of_file(Path::new(&name), &error)
        }
        FilesError::Directory(name) => {
            PyIsADirectoryError::new_err((EISDIR, "Is a directory", name))
        }
        FilesError::Io { .. } | FilesError::Shorter { .. } | FilesError::NoPart { .. } => {
            PyOSError::new_err(text)
        }
        FilesError::Stopped { .. } => PyRuntimeError::new_err(text),
        FilesError::LongLine { .. }
        | FilesError::LongPiece { .. }
        | FilesError::LongRecord { .. }
        | FilesError::Record { .. }
        | FilesError::CutOff { .. }
        | FilesError::Damaged { .. }
        | FilesError::TooMuchUnpacked { .. }
        | FilesError::NoLength(_)
        | FilesError::NotAFile(_)
        | FilesError::NotAVector { .. }
        | FilesError::Utf16(_)
        | FilesError::EmptyPattern
        | FilesError::Pattern { .. }
        | FilesError::Dialect(_)
        | FilesError::OneMark => PyValueError::new_err(text),
    }
}
