//! What is looked for.

use std::ops::{ControlFlow, Range};

use aho_corasick::{AhoCorasick, MatchKind};
use memchr::memmem::Finder;
use regex_automata::{Input, meta};
use regex_syntax::hir::Hir;

use super::looks::Looks;
use super::reach::Reach;
use crate::error::FilesError;

/// At so many places an expression is looked for between two looks at whether to go on: at each it may take as many
/// steps as it has parts.
const SLICE: usize = 16 * 1024;
/// So many matches are found at once, or not many more.
const MANY: usize = 32 * 1024;

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
        let regex = regex.map_err(|error| {
            refused(match error.size_limit() {
                Some(limit) => {
                    format!("it is too large: its automaton has more than {limit} bytes")
                }
                None => error.to_string(),
            })
        })?;
        Ok(Pattern { kind: Kind::Regex(regex), overlaps, reach })
    }

    /// If it is one byte, which cannot overlap itself.
    pub(super) fn single_byte(&self) -> Option<u8> {
        match &self.kind {
            Kind::Text(finder) if finder.needle().len() == 1 => Some(finder.needle()[0]),
            _ => None,
        }
    }

    /// Tells of the first matches that begin in `begins`: start, end, and which of several texts. Says where the next
    /// may begin.
    pub(super) fn some(
        &self,
        bytes: &[u8],
        begins: Range<usize>,
        looks: &mut Looks<'_, '_>,
        found: &mut impl FnMut(usize, usize, usize) -> ControlFlow<()>,
    ) -> Result<usize, FilesError> {
        let overlapping = self.overlaps == Overlaps::Found;
        if let Kind::Several(automaton) = &self.kind
            && overlapping
        {
            let (batch, to) = self.batch(automaton, bytes, begins);
            for (start, pattern, end) in batch {
                if found(start, end, pattern).is_break() {
                    break;
                }
            }
            looks.look()?;
            return Ok(to);
        }
        let mut from = begins.start;
        let (to, end) = match &self.kind {
            Kind::Regex(_) => self.slice(begins, bytes.len()),
            _ => (begins.end, bytes.len()),
        };
        for _ in 0..MANY {
            let first = self.first(bytes, from..end).filter(|(start, ..)| *start < to);
            let Some((start, end, pattern)) = first else {
                from = from.max(to);
                break;
            };
            from = if overlapping { start + 1 } else { end };
            if found(start, end, pattern).is_break() {
                break;
            }
            looks.count()?;
        }
        looks.look()?;
        Ok(from)
    }

    fn first(&self, bytes: &[u8], part: Range<usize>) -> Option<(usize, usize, usize)> {
        match &self.kind {
            Kind::Text(finder) => {
                let start = part.start + finder.find(&bytes[part])?;
                Some((start, start + finder.needle().len(), 0))
            }
            Kind::Several(automaton) => {
                let one = automaton.find(aho_corasick::Input::new(bytes).span(part))?;
                Some((one.start(), one.end(), one.pattern().as_usize()))
            }
            Kind::Regex(regex) => {
                let one = regex.search(&Input::new(bytes).span(part))?;
                Some((one.start(), one.end(), 0))
            }
        }
    }

    /// The matches of several texts that begin first, in order, and where the next may begin.
    fn batch(
        &self,
        automaton: &AhoCorasick,
        bytes: &[u8],
        begins: Range<usize>,
    ) -> (Vec<(usize, usize, usize)>, usize) {
        let from = begins.start;
        let (mut to, mut end) = self.slice(begins, bytes.len());
        let mut batch = Vec::new();
        // They come by their ends.
        for one in automaton.find_overlapping_iter(aho_corasick::Input::new(bytes).span(from..end))
        {
            if one.end() > end {
                break;
            }
            if one.start() < to {
                batch.push((one.start(), one.pattern().as_usize(), one.end()));
            }
            while batch.len() >= MANY && to - from > 1 {
                (to, end) = self.slice(from..to - (to - from) / 2, bytes.len());
                batch.retain(|(start, ..)| *start < to);
            }
        }
        batch.sort_unstable();
        (batch, to)
    }

    /// A part of where matches may begin, up to where, and where the last of them ends at the latest.
    fn slice(&self, begins: Range<usize>, length: usize) -> (usize, usize) {
        match self.reach {
            Reach::Bytes(most) => {
                // What is behind it is looked at again.
                let to = begins.end.min(begins.start.saturating_add(SLICE.max(most)));
                (to, length.min(to.saturating_add(most)))
            }
            // The line would be looked at to its end each time.
            Reach::Line => (begins.end, length),
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
