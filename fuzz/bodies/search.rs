//! Any bytes as what is looked for and where, in windows of some size: found is what a search of the whole
//! finds.
//!
//! The first byte says how, the second how long the pattern is that follows.

use std::io::Cursor;
use std::ops::ControlFlow;

use deadweight_files::search::{self, Match, Overlaps, Pattern, Search};
use deadweight_files::{FilesError, Source, Windows};
use regex_automata::meta;
use regex_automata::util::syntax;

use crate::oracle;

const SIZES: [usize; 8] = [1, 2, 3, 5, 8, 16, 64, 300];

fn on(_: u64) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// Searches; says what came of it.
pub(crate) fn run(bytes: &[u8]) -> String {
    let [how, length, rest @ ..] = bytes else { return "nothing".to_owned() };
    let (given, text) = rest.split_at(usize::from(*length).min(rest.len()));
    let how = usize::from(*how);
    let size = SIZES[how % 8];
    let overlaps = if how / 8 % 2 == 0 { Overlaps::Left } else { Overlaps::Found };
    let (kind, pattern, truth) = match how / 16 % 3 {
        0 => {
            let truth = || oracle::texts(text, &[given], overlaps);
            ("text", Pattern::text(given, overlaps), found_in(truth, !given.is_empty()))
        }
        1 => {
            let given: Vec<&[u8]> = given.split(|byte| *byte == b'|').collect();
            let truth = || oracle::texts(text, &given, overlaps);
            let is_one = given.iter().all(|one| !one.is_empty());
            ("several", Pattern::several(&given, overlaps), found_in(truth, is_one))
        }
        _ => {
            let Ok(given) = str::from_utf8(given) else { return "no text".to_owned() };
            let pattern = Pattern::regex(given, overlaps);
            let truth = || {
                let whole = meta::Builder::new()
                    .syntax(syntax::Config::new().utf8(false))
                    .configure(meta::Config::new().utf8_empty(false))
                    .build(given);
                oracle::regex(text, &whole.expect("a pattern that was taken"), overlaps)
            };
            let is_one = pattern.is_ok();
            ("regex", pattern, found_in(truth, is_one))
        }
    };
    let (pattern, truth) = match (pattern, truth) {
        (Ok(pattern), Some(truth)) => (pattern, truth),
        (Err(FilesError::Pattern { reason, .. }), _) => return reason,
        (Err(error @ FilesError::EmptyPattern), None) => return error.to_string(),
        (pattern, truth) => panic!("{:?}, and not {truth:?}", pattern.err()),
    };

    let windows = || {
        let reader = Box::new(Cursor::new(text.to_vec()));
        Windows::of_size(Source::stream("bytes", reader), size)
    };
    let (mut windows_of_more, mut found) = (windows(), Vec::new());
    let mut search = Search::new(&mut windows_of_more, &pattern);
    while search.more(&mut found, &mut on).expect("bytes") {}
    assert_eq!(found, truth);
    let count = search::count(&mut windows(), &pattern, &mut on).expect("bytes");
    assert_eq!(count, truth.len() as u64);
    let first = search::find(&mut windows(), &pattern, &mut on).expect("bytes");
    assert_eq!(first.as_ref(), truth.first());

    let logarithm = |number: u64| number.checked_ilog2().map_or(0, |log| log + 1);
    let longest = truth.iter().map(|one| one.end - one.start).max().unwrap_or(0);
    format!("{kind} {overlaps:?}: {} of {}", logarithm(count), logarithm(longest))
}

fn found_in(truth: impl Fn() -> Vec<Match>, is_one: bool) -> Option<Vec<Match>> {
    is_one.then(truth)
}
