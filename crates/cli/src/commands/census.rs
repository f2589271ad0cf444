//! `deadweight census`.

use std::io::Write;

use deadweight_heap::{Grouping, SortKey};
use deadweight_report::{json, text, view};

use super::dominators;
use crate::args::{By, Census, Sort, Talk};
use crate::exit::Failure;
use crate::target::{Depth, each_capture};

/// Rows of text unless asked otherwise.
const TOP: usize = 30;

pub(crate) fn run(args: &Census, talk: &Talk, out: &mut dyn Write) -> Result<(), Failure> {
    let depth = Depth { shallow: args.shallow };
    each_capture(&args.target, talk, depth, |capture, mut progress| {
        let heap = &capture.heap;
        let dominators = (!args.shallow).then(|| dominators(heap, &mut progress));
        progress.stage("counting");
        let grouping = match args.by {
            By::Type => Grouping::Type,
            By::Module => Grouping::Module,
        };
        let mut census = deadweight_heap::Census::of(heap, dominators.as_ref(), grouping);
        if let Some(key) = args.sort {
            census.sort(heap, sort_key(key));
        }
        let everything = if args.output.json { usize::MAX } else { TOP };
        let view = view::CensusView {
            heap,
            gaps: &capture.gaps,
            census,
            references: (!args.shallow).then(|| heap.references()),
            tracked: heap.tracked(),
            top: args.top.unwrap_or(everything),
        };
        drop(progress);
        if args.output.json {
            json::census(&view, out)?
        } else {
            text::census(&view, out)?
        }
        Ok(out.flush()?)
    })
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
