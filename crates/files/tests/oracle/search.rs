//! A search of the whole, which is in memory.

use deadweight_files::search::{Match, Overlaps};
use regex_automata::Input;
use regex_automata::meta::Regex;

/// At each byte, the texts that begin there, in order.
pub(crate) fn texts(bytes: &[u8], texts: &[&[u8]], overlaps: Overlaps) -> Vec<Match> {
    let mut matches = Vec::new();
    let mut from = 0;
    for start in 0..bytes.len() {
        for (pattern, text) in texts.iter().enumerate() {
            if bytes[start..].starts_with(text) && start >= from {
                let end = start + text.len();
                matches.push(Match { start: start as u64, end: end as u64, pattern });
                if overlaps == Overlaps::Left {
                    from = end;
                }
            }
        }
    }
    matches
}

pub(crate) fn regex(bytes: &[u8], regex: &Regex, overlaps: Overlaps) -> Vec<Match> {
    let mut matches = Vec::new();
    let mut from = 0;
    while let Some(one) = regex.search(&Input::new(bytes).span(from..bytes.len())) {
        let (start, end) = (one.start() as u64, one.end() as u64);
        matches.push(Match { start, end, pattern: 0 });
        from = if overlaps == Overlaps::Left { one.end() } else { one.start() + 1 };
    }
    matches
}
