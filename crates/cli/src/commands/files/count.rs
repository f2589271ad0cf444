//! `deadweight files count`.

use std::io::Write;

use deadweight_files::csv;
use deadweight_report::view::files::CountView;
use deadweight_report::{json, text};

use super::{dialect, each};
use crate::args::Talk;
use crate::args::files::Count;
use crate::exit::Failure;

pub(crate) fn run(args: &Count, talk: &Talk, out: &mut dyn Write) -> Result<(), Failure> {
    let dialect = dialect(&args.csv)?;
    let found = each(&args.paths, talk, |windows, watch| csv::count(windows, dialect, watch))?;
    let view = CountView { files: found.files, failed: found.failed, header: !args.csv.no_header };
    if args.output.json {
        json::files_count(&view, out)?;
    } else {
        text::files_count(&view, out)?;
    }
    found.end
}
