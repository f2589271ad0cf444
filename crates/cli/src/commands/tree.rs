//! `deadweight tree`.

use std::io::Write;

use deadweight_heap::{Bytes, Heap, TreeOptions, query};
use deadweight_report::numbers::count;
use deadweight_report::{json, text, view};

use super::{dominators, paths};
use crate::args::{Talk, Tree};
use crate::exit::Failure;
use crate::target::each_capture;

pub(crate) fn run(args: &Tree, talk: &Talk, out: &mut dyn Write) -> Result<(), Failure> {
    each_capture(&args.target, args.output.json, talk, |capture, mut progress| {
        let heap = &capture.heap;
        let start = match &args.from {
            None => Heap::ROOT,
            Some(text) => match query(heap, text)?.nodes() {
                [node] => heap.names_of_module(*node).unwrap_or(*node),
                [] => {
                    return Err(Failure::new(format!("no instance of `{text}` is alive"))
                        .with_hint("--from takes a path to one object, or 0xADDRESS."));
                }
                nodes @ [first, ..] => {
                    let found = count(nodes.len() as u64);
                    let address = heap.nodes.address(*first);
                    return Err(Failure::new(format!("`{text}` leads to {found} objects"))
                        .with_hint(format!(
                            "--from takes a path to one object, or an address: {address} is the \
                             first of them, and `deadweight why` shows the paths to them."
                        )));
                }
            },
        };
        let dominators = dominators(heap, &mut progress);
        let paths = paths(heap, &mut progress);
        progress.stage("laying out the tree");
        let least = Bytes((dominators.retained(start).0 as f64 * args.least / 100.0) as u64);
        let options = TreeOptions { depth: args.depth, width: args.top, least };
        let view = view::Tree::of(&capture, &dominators, &paths, start, options);
        drop(progress);
        if args.output.json {
            json::tree(&view, out)?;
        } else {
            text::tree(&view, out)?;
        }
        Ok(out.flush()?)
    })
}
