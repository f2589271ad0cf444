//! `deadweight gc`.

use std::io::Write;

use deadweight_report::view::CollectorView;
use deadweight_report::{json, text};

use crate::args::{Gc, Talk};
use crate::exit::Failure;
use crate::target::each_capture;

pub(crate) fn run(args: &Gc, talk: &Talk, out: &mut dyn Write) -> Result<(), Failure> {
    each_capture(&args.target, args.output.json, talk, |capture, mut progress| {
        let Some(collector) = &capture.provenance.collector else {
            return Err(Failure::new("this snapshot does not hold the state of the collector")
                .with_hint(
                    "It was saved by an older deadweight: take a new one, or give a process.",
                ));
        };
        progress.stage("looking for cycles");
        let view = CollectorView::of(&capture, collector, args.top);
        drop(progress);
        if args.output.json {
            json::collector(&view, out)?;
        } else {
            text::collector(&view, out)?;
        }
        Ok(out.flush()?)
    })
}
