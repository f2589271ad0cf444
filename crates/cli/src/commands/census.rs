//! `deadweight census`.

use std::io::Write;

use deadweight_heap::{Capture, Dominators, Grouping, SortKey};
use deadweight_report::view::CensusView;
use deadweight_report::{json, text};

use super::dominators;
use crate::args::{By, Census, Sort, Talk};
use crate::exit::Failure;
use crate::target::{Counted, each_capture, each_tally};

/// Rows of text unless asked otherwise.
const TOP: usize = 30;

pub(crate) fn run(args: &Census, talk: &Talk, out: &mut dyn Write) -> Result<(), Failure> {
    if args.shallow {
        if args.sort == Some(Sort::Retained) {
            return Err(Failure::new("--shallow does not work out what is retained")
                .with_hint("Sort by held, getsizeof, count or name, or leave out --shallow."));
        }
        return each_tally(&args.target, args.output.json, talk, |counted, progress| {
            let view = match &counted {
                Counted::Live(live) => CensusView {
                    names: &live.tally.names,
                    gaps: &live.gaps,
                    provenance: &live.provenance,
                    grouping: grouping(args),
                    census: deadweight_heap::Census::of_tally(&live.tally, grouping(args)),
                    references: None,
                    tracked: live.tally.tracked(),
                    top: top(args),
                },
                Counted::Saved(capture) => whole(args, capture, None),
            };
            drop(progress);
            write(args, view, out)
        });
    }
    each_capture(&args.target, args.output.json, talk, |capture, mut progress| {
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
        provenance: &capture.provenance,
        grouping: grouping(args),
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
