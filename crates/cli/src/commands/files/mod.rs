//! `deadweight files`: one verb a file.

mod check;
mod count;
mod find;

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;

use deadweight_files::csv::Dialect;
use deadweight_files::{FilesError, Source, Watch, Windows};
use deadweight_heap::Bytes;
use deadweight_report::view::files::{NotRead, OfFile};

use crate::args::Talk;
use crate::args::files::{Csv, Files, FilesVerb, Paths};
use crate::exit::Failure;
use crate::progress::Progress;

/// Bad rows or matches that text and JSON list unless asked otherwise.
const TOP: (usize, usize) = (20, 1000);

pub(crate) fn run(args: &Files, talk: &Talk, out: &mut dyn Write) -> Result<(), Failure> {
    match &args.verb {
        FilesVerb::Count(command) => count::run(command, talk, out),
        FilesVerb::Check(command) => check::run(command, talk, out),
        FilesVerb::Find(command) => find::run(command, talk, out),
    }
}

/// What was found in each file that could be read.
struct Found<T> {
    files: Vec<OfFile<T>>,
    failed: Vec<NotRead>,
    /// How the run ends.
    end: Result<(), Failure>,
}

/// Each file in turn. One that cannot be read is said to be so, and takes nothing from the others.
fn each<T>(
    paths: &Paths,
    talk: &Talk,
    find: impl Fn(&mut Windows, &mut Watch<'_>) -> Result<T, FilesError>,
) -> Result<Found<T>, Failure> {
    let mut progress = Progress::new(talk);
    let mut one = |path: &OsString| -> Result<OfFile<T>, FilesError> {
        let source = open(path)?.unpacked(paths.max_unpacked)?;
        let mut watch = progress.reading(source.length());
        let mut windows = Windows::new(source);
        let found = find(&mut windows, &mut watch)?;
        Ok(OfFile {
            name: windows.source().name().to_owned(),
            size: Bytes(windows.read_to()),
            appended: Bytes(windows.source().appended()),
            found,
        })
    };
    let (mut files, mut failed, mut failures) = (Vec::new(), Vec::new(), Vec::new());
    for path in &paths.paths {
        match one(path) {
            Ok(file) => files.push(file),
            Err(error) => {
                failed.push(NotRead { name: name(path), reason: error.to_string() });
                failures.push(Failure::from(error));
            }
        }
    }
    drop(progress);
    let mut end = Ok(());
    for failure in failures {
        end = Err(failure.say_now());
    }
    match end {
        Err(failure) if files.is_empty() => Err(failure),
        end => Ok(Found { files, failed, end }),
    }
}

fn open(path: &OsString) -> Result<Source, FilesError> {
    if path == "-" {
        return Ok(Source::stream(name(path), Box::new(io::stdin())));
    }
    Source::open(Path::new(path))
}

fn name(path: &OsString) -> String {
    if path == "-" { "standard input".to_owned() } else { Path::new(path).display().to_string() }
}

fn dialect(args: &Csv) -> Result<Dialect, FilesError> {
    Dialect::new(args.delimiter, args.quote)
}

fn top(asked: Option<usize>, json: bool) -> usize {
    asked.unwrap_or(if json { TOP.1 } else { TOP.0 })
}
