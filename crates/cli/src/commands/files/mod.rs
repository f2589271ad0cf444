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
use deadweight_report::view::files::OfFile;

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

/// Each file in turn.
fn each<T>(
    paths: &Paths,
    talk: &Talk,
    find: impl Fn(&mut Windows, &mut Watch<'_>) -> Result<T, FilesError>,
) -> Result<Vec<OfFile<T>>, Failure> {
    let mut progress = Progress::new(talk);
    let one = |path: &OsString| {
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
    paths.paths.iter().map(one).collect()
}

fn open(path: &OsString) -> Result<Source, FilesError> {
    if path == "-" {
        return Ok(Source::stream("standard input", Box::new(io::stdin())));
    }
    Source::open(Path::new(path))
}

fn dialect(args: &Csv) -> Result<Dialect, FilesError> {
    Dialect::new(args.delimiter, args.quote)
}

fn top(asked: Option<usize>, json: bool) -> usize {
    asked.unwrap_or(if json { TOP.1 } else { TOP.0 })
}
