//! What is looked for.

use std::ops::{ControlFlow, Range};

use aho_corasick::{AhoCorasick, MatchKind};
use memchr::memmem::Finder;
use regex_automata::{Input, meta};
use regex_syntax::hir::Hir;

use super::reach::Reach;
use crate::error::FilesError;

/// Where the search goes on after a match.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overlaps {
    /// Behind it: `aa` is twice in `aaaa`, as in Python's `re`.
    #[default]
    Left,
    /// One byte behind its beginning: `aa` is three times in `aaaa`. Of several texts all that begin
    /// at a byte are found.
    Found,
}

/// What is looked for.
pub struct Pattern {
    kind: Kind,
    pub(super) overlaps: Overlaps,
    pub(super) reach: Reach,
}

enum Kind {
    Text(Box<Finder<'static>>),
    Several(AhoCorasick),
    Regex(meta::Regex),
}

impl Pattern {
    /// These bytes.
    ///
    /// # Errors
    /// [`FilesError::EmptyPattern`] if there are none.
    pub fn text(text: &[u8], overlaps: Overlaps) -> Result<Pattern, FilesError> {
        if text.is_empty() {
            return Err(FilesError::EmptyPattern);
        }
        let kind = Kind::Text(Box::new(Finder::new(text).into_owned()));
        Ok(Pattern { kind, overlaps, reach: Reach::Bytes(text.len()) })
    }

    /// Any of these. Where two begin at one byte, the first of the list is found.
    ///
    /// # Errors
    /// [`FilesError::EmptyPattern`] if there are none, or one is empty.
    pub fn several<T: AsRef<[u8]>>(texts: &[T], overlaps: Overlaps) -> Result<Pattern, FilesError> {
        let lengths = texts.iter().map(|text| text.as_ref().len());
        if lengths.clone().min().is_none_or(|shortest| shortest == 0) {
            return Err(FilesError::EmptyPattern);
        }
        let reach = Reach::Bytes(lengths.max().unwrap_or_default());
        let kind = match overlaps {
            Overlaps::Left => MatchKind::LeftmostFirst,
            Overlaps::Found => MatchKind::Standard,
        };
        let automaton = AhoCorasick::builder().match_kind(kind).build(texts);
        let automaton = automaton.map_err(|error| FilesError::Pattern {
            pattern: format!("of {} texts", texts.len()),
            reason: error.to_string(),
        })?;
        Ok(Pattern { kind: Kind::Several(automaton), overlaps, reach })
    }

    /// A regular expression, as the `regex` crate has them: no look-around, no references back. Its
    /// matches must have a bound: of length, or the end of the line.
    ///
    /// # Errors
    /// [`FilesError::Pattern`], with the reason; [`FilesError::EmptyPattern`] if it matches nothing at all
    /// as well as something.
    pub fn regex(pattern: &str, overlaps: Overlaps) -> Result<Pattern, FilesError> {
        let refused = |reason: String| FilesError::Pattern { pattern: pattern.to_owned(), reason };
        let hir = parse(pattern).map_err(refused)?;
        match hir.properties().minimum_len() {
            Some(0) => return Err(FilesError::EmptyPattern),
            Some(_) => {}
            None => return Err(refused("it can match nothing".to_owned())),
        }
        let Some(reach) = Reach::of(&hir) else {
            let reason = "a match has no bound and may go on over line ends: {1,1000} gives it one, \
                          [^\\n] keeps it within its line";
            return Err(refused(reason.to_owned()));
        };
        let config = meta::Config::new().utf8_empty(false);
        let regex = meta::Builder::new().configure(config).build_from_hir(&hir);
        let regex = regex.map_err(|error| refused(error.to_string()))?;
        Ok(Pattern { kind: Kind::Regex(regex), overlaps, reach })
    }

    /// If it is one byte, which cannot overlap itself.
    pub(super) fn single_byte(&self) -> Option<u8> {
        match &self.kind {
            Kind::Text(finder) if finder.needle().len() == 1 => Some(finder.needle()[0]),
            _ => None,
        }
    }

    /// Tells of the matches that begin in `begins`: start, end, and which of several texts.
    pub(super) fn each(
        &self,
        bytes: &[u8],
        begins: Range<usize>,
        found: &mut impl FnMut(usize, usize, usize) -> ControlFlow<()>,
    ) {
        let overlapping = self.overlaps == Overlaps::Found;
        let mut from = begins.start;
        let mut tell = |start: usize, end: usize, pattern: usize| {
            if start >= begins.end {
                return ControlFlow::Break(());
            }
            found(start, end, pattern)
        };
        match &self.kind {
            Kind::Text(finder) => {
                let length = finder.needle().len();
                while let Some(index) = finder.find(&bytes[from..]) {
                    let start = from + index;
                    if tell(start, start + length, 0).is_break() {
                        return;
                    }
                    from = start + if overlapping { 1 } else { length };
                }
            }
            Kind::Several(automaton) if overlapping => {
                let input = aho_corasick::Input::new(bytes).span(from..bytes.len());
                let all = automaton.find_overlapping_iter(input);
                // They come by their ends.
                let mut all: Vec<_> =
                    all.map(|one| (one.start(), one.pattern().as_usize(), one.end())).collect();
                all.sort_unstable();
                for (start, pattern, end) in all {
                    if tell(start, end, pattern).is_break() {
                        return;
                    }
                }
            }
            Kind::Several(automaton) => {
                let input = aho_corasick::Input::new(bytes).span(from..bytes.len());
                for one in automaton.find_iter(input) {
                    if tell(one.start(), one.end(), one.pattern().as_usize()).is_break() {
                        return;
                    }
                }
            }
            Kind::Regex(regex) => {
                while let Some(one) = regex.search(&Input::new(bytes).span(from..bytes.len())) {
                    if tell(one.start(), one.end(), 0).is_break() {
                        return;
                    }
                    from = if overlapping { one.start() + 1 } else { one.end() };
                }
            }
        }
    }
}

fn parse(pattern: &str) -> Result<Hir, String> {
    let mut parser = regex_syntax::ParserBuilder::new().utf8(false).build();
    parser.parse(pattern).map_err(|error| match error {
        regex_syntax::Error::Parse(error) => error.kind().to_string(),
        regex_syntax::Error::Translate(error) => error.kind().to_string(),
        error => error.to_string(),
    })
}
