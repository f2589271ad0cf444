//! How far a match can reach: what decides whether one near the end of a window is one.

use memchr::memrchr;
use regex_syntax::hir::{Class, Hir, HirKind};

/// Bytes around a match that can decide whether it is one: a character of UTF-8, for word boundaries.
pub(super) const CONTEXT: usize = 4;
/// Up to so many bytes a match may have, rather than be held within its line.
const SHORT: usize = 64 * 1024;
/// More than that is not carried over.
const LONG: usize = 4 << 20;

/// How far a match can reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// So many bytes from its beginning, those that only decide included.
    Bytes(usize),
    /// Not over a line feed.
    Line,
}

impl Reach {
    /// Of a regular expression; `None` if there is no bound.
    pub(super) fn of(hir: &Hir) -> Option<Reach> {
        match hir.properties().maximum_len() {
            Some(most) if most <= SHORT => Some(Reach::Bytes(most + CONTEXT)),
            _ if !may_match_line_feed(hir) => Some(Reach::Line),
            Some(most) if most <= LONG => Some(Reach::Bytes(most + CONTEXT)),
            _ => None,
        }
    }

    /// Up to where a match can begin that more bytes behind the window would not change; none begins
    /// before `from`.
    pub(super) fn decided(self, bytes: &[u8], from: usize) -> usize {
        match self {
            Reach::Bytes(most) => (bytes.len() + 1).saturating_sub(most),
            Reach::Line => memrchr(b'\n', &bytes[from..]).map_or(0, |index| from + index + 1),
        }
    }
}

fn may_match_line_feed(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => false,
        HirKind::Literal(literal) => literal.0.contains(&b'\n'),
        HirKind::Class(Class::Bytes(class)) => {
            class.ranges().iter().any(|range| (range.start()..=range.end()).contains(&b'\n'))
        }
        HirKind::Class(Class::Unicode(class)) => {
            class.ranges().iter().any(|range| (range.start()..=range.end()).contains(&'\n'))
        }
        HirKind::Repetition(repetition) => may_match_line_feed(&repetition.sub),
        HirKind::Capture(capture) => may_match_line_feed(&capture.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            parts.iter().any(may_match_line_feed)
        }
    }
}
