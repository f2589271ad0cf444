//! `deadweight weigh`.

use std::io::Write;

use deadweight_report::{json, text, view};

use super::{cost, dominators, paths};
use crate::args::{Talk, Weigh};
use crate::exit::Failure;
use crate::target::each_capture;

pub(crate) fn run(args: &Weigh, talk: &Talk, out: &mut dyn Write) -> Result<(), Failure> {
    each_capture(&args.target, args.output.json, talk, |capture, mut progress| {
        let dominators = dominators(&capture.heap, &mut progress);
        let paths = paths(&capture.heap, &mut progress);
        progress.stage("summing up");
        let view = view::Weigh::of(&capture, &dominators, &paths, args.top, cost(progress.begun()));
        drop(progress);
        if args.output.json {
            json::weigh(&view, out)?;
        } else {
            text::weigh(&view, out)?;
        }
        Ok(out.flush()?)
    })
}
