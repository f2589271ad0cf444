//! `deadweight why`.

use std::ffi::OsStr;
use std::io::Write;
use std::path::Path;

use deadweight_heap::{Subject, query};
use deadweight_report::{json, text, view};

use super::{dominators, paths};
use crate::args::{Talk, Why};
use crate::exit::Failure;
use crate::progress::Progress;
use crate::target::open;

pub(crate) fn run(args: &Why, talk: &Talk, out: &mut dyn Write) -> Result<(), Failure> {
    refuse_wrong_order(&args.target, &args.query)?;
    let mut progress = Progress::new(talk);
    let capture = open(&args.target, &args.reading, &mut progress)?;
    let heap = &capture.heap;
    let subject = query(heap, &args.query)?;
    let dominators = dominators(heap, &mut progress);
    let paths = paths(heap, &mut progress);
    progress.stage("merging paths");
    let nodes = subject.nodes();
    // Where there is nothing to show, at least which type it is.
    let asked = match &subject {
        Subject::Type { name, nodes } if nodes.is_empty() && !args.output.json => name,
        _ => &args.query,
    };
    let view = view::Why::of(&capture, asked, nodes, &dominators, &paths, args.top);
    drop(progress);
    if args.output.json {
        json::why(&view, out)?;
    } else {
        text::why(&view, out)?;
    }
    Ok(out.flush()?)
}

/// `why UserRecord 4242`: what is no process and no file stands where one is wanted, and the other way
/// about.
fn refuse_wrong_order(target: &OsStr, query: &str) -> Result<(), Failure> {
    let is_target = |text: &OsStr| {
        let text = Path::new(text);
        text.to_str().is_some_and(|text| text.bytes().all(|byte| byte.is_ascii_digit()))
            || text.is_file()
    };
    if is_target(target) || !is_target(OsStr::new(query)) || query.is_empty() {
        return Ok(());
    }
    let target = target.display();
    Err(Failure::new(format!("{target} is neither a process nor a file"))
        .with_hint(format!("The process or file comes first: `deadweight why {query} {target}`.")))
}
