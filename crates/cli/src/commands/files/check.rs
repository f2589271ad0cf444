//! `deadweight files check`.

use std::io::Write;

use deadweight_files::csv;
use deadweight_report::numbers::count;
use deadweight_report::view::files::CheckView;
use deadweight_report::{json, text};

use super::{dialect, each, top};
use crate::args::Talk;
use crate::args::files::Check;
use crate::exit::Failure;

pub(crate) fn run(args: &Check, talk: &Talk, out: &mut dyn Write) -> Result<(), Failure> {
    let dialect = dialect(&args.csv)?;
    let most = top(args.top, args.output.json);
    let found = each(&args.paths, talk, |windows, watch| {
        csv::check(windows, dialect, most, None, true, watch)
    })?;
    let view = CheckView { files: found.files, failed: found.failed, header: !args.csv.no_header };
    if args.output.json {
        json::files_check(&view, out)?;
    } else {
        text::files_check(&view, out)?;
    }
    found.end?;
    match args.fail_over {
        Some(limit) if view.all_bad() > limit => {
            let (bad, limit) = (count(view.all_bad()), count(limit));
            Err(Failure::limit(format!("{bad} rows are bad, and {limit} allowed")))
        }
        _ => Ok(()),
    }
}
