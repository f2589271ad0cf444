//! `deadweight why`.

use std::io::Write;

use deadweight_heap::query;
use deadweight_report::{json, text, view};

use super::{dominators, paths};
use crate::args::{Talk, Why};
use crate::exit::Failure;
use crate::progress::Progress;
use crate::target::open;

pub(crate) fn run(args: &Why, talk: &Talk, out: &mut dyn Write) -> Result<(), Failure> {
    let mut progress = Progress::new(talk);
    let capture = open(&args.target, &args.reading, &mut progress)?;
    let heap = &capture.heap;
    let subject = query(heap, &args.query)?;
    let dominators = dominators(heap, &mut progress);
    let paths = paths(heap, &mut progress);
    progress.stage("merging paths");
    let nodes = subject.nodes();
    let view = view::Why::of(&capture, &args.query, nodes, &dominators, &paths, args.top);
    drop(progress);
    if args.output.json {
        json::why(&view, out)?;
    } else {
        text::why(&view, out)?;
    }
    Ok(out.flush()?)
}
