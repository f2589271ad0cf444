//! `deadweight census`.

use std::io::Write;

use deadweight_heap::{Capture, Dominators, Grouping, SortKey};
use deadweight_report::view::CensusView;
use deadweight_report::{json, text};

use super::dominators;
use crate::args::{By, Census, Sort, Talk};
use crate::exit::Failure;
use crate::target::{Tallied, each_capture, each_tally};

/// Rows of text unless asked otherwise.
const TOP: usize = 30;

pub(crate) fn run(args: &Census, talk: &Talk, out: &mut dyn Write) -> Result<(), Failure> {
    if args.shallow {
        return each_tally(&args.target, talk, |tally, progress| {
            let view = match &tally {
                Tallied::Live(tally, gaps) => CensusView {
                    names: &tally.names,
                    gaps,
                    census: deadweight_heap::Census::of_tally(tally, grouping(args)),
                    references: None,
                    tracked: tally.tracked(),
                    top: top(args),
                },
                Tallied::Saved(capture) => whole(args, capture, None),
            };
            drop(progress);
            write(args, view, out)
        });
    }
    each_capture(&args.target, talk, |capture, mut progress| {
        let dominators = dominators(&capture.heap, &mut progress);
        progress.stage("counting");
        let view = whole(args, &capture, Some(&dominators));
        drop(progress);
        write(args, view, out)
    })
}

fn whole<'a>(
    args: &Census,
    capture: &'a Capture,
    dominators: Option<&Dominators>,
) -> CensusView<'a> {
    let heap = &capture.heap;
    CensusView {
        names: &heap.names,
        gaps: &capture.gaps,
        census: deadweight_heap::Census::of(heap, dominators, grouping(args)),
        references: dominators.map(|_| heap.references()),
        tracked: heap.tracked(),
        top: top(args),
    }
}

fn write(args: &Census, mut view: CensusView<'_>, out: &mut dyn Write) -> Result<(), Failure> {
    if let Some(key) = args.sort {
        view.census.sort(view.names, sort_key(key));
    }
    if args.output.json {
        json::census(&view, out)?;
    } else {
        text::census(&view, out)?;
    }
    Ok(out.flush()?)
}

fn top(args: &Census) -> usize {
    args.top.unwrap_or(if args.output.json { usize::MAX } else { TOP })
}

fn grouping(args: &Census) -> Grouping {
    match args.by {
        By::Type => Grouping::Type,
        By::Module => Grouping::Module,
    }
}

fn sort_key(sort: Sort) -> SortKey {
    match sort {
        Sort::Retained => SortKey::Retained,
        Sort::Held => SortKey::Held,
        Sort::Getsizeof => SortKey::Getsizeof,
        Sort::Count => SortKey::Count,
        Sort::Name => SortKey::Name,
    }
}
