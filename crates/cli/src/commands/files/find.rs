//! `deadweight files find`.

use std::ffi::OsString;
use std::io::Write;

use deadweight_files::search::{Overlaps, Pattern, Search};
use deadweight_files::{FilesError, Watch, Windows};
use deadweight_report::view::files::{FindView, Found};
use deadweight_report::{json, text};

use super::{each, top};
use crate::args::Talk;
use crate::args::files::Find;
use crate::exit::Failure;

pub(crate) fn run(args: &Find, talk: &Talk, out: &mut dyn Write) -> Result<(), Failure> {
    let pattern = pattern(args)?;
    let most = top(args.top, args.output.json);
    let found = each(&args.paths, talk, |windows, watch| find(windows, &pattern, most, watch))?;
    let given = std::iter::once(&args.pattern).chain(&args.or);
    let patterns = given.map(|pattern| pattern.to_string_lossy().into_owned()).collect();
    let view = FindView { patterns, files: found.files, failed: found.failed };
    if args.output.json {
        json::files_find(&view, out)?;
    } else {
        text::files_find(&view, out)?;
    }
    found.end?;
    let is_found = view.files.iter().any(|file| file.found.count > 0);
    if is_found { Ok(()) } else { Err(Failure::nothing_found()) }
}

fn pattern(args: &Find) -> Result<Pattern, Failure> {
    let overlaps = if args.overlapping { Overlaps::Found } else { Overlaps::Left };
    if args.regex {
        let regex = args.pattern.to_str().ok_or_else(|| {
            Failure::new("a regular expression is text in UTF-8")
                .with_hint(r"(?-u:\xff) stands for a byte that is none.")
        })?;
        return Ok(Pattern::regex(regex, overlaps)?);
    }
    let bytes = |text: &OsString| text.as_encoded_bytes().to_vec();
    if args.or.is_empty() {
        return Ok(Pattern::text(&bytes(&args.pattern), overlaps)?);
    }
    let texts: Vec<Vec<u8>> = std::iter::once(&args.pattern).chain(&args.or).map(bytes).collect();
    Ok(Pattern::several(&texts, overlaps)?)
}

fn find(
    windows: &mut Windows,
    pattern: &Pattern,
    most: usize,
    watch: &mut Watch<'_>,
) -> Result<Found, FilesError> {
    let mut search = Search::new(windows, pattern);
    let (mut found, mut more) = (Found::default(), Vec::new());
    while search.more(&mut more, watch)? {
        found.count += more.len() as u64;
        let room = most - found.matches.len();
        found.matches.extend(more.drain(..).take(room));
        more.clear();
    }
    Ok(found)
}
