//! One record: its fields as they are in the source, and what they mean.

use std::borrow::Cow;

use memchr::memchr;

/// A record of a source.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) ends: &'a [u32],
    pub(super) quote: u8,
    /// Where its first byte is in the source.
    pub offset: u64,
    /// Which it is, from 1; the header counts.
    pub number: u64,
    /// Whether the source ended in quotes: all that follows the open one is in the last field.
    pub is_open: bool,
}

impl<'a> Record<'a> {
    /// How many fields it has: one at least.
    #[must_use]
    pub fn width(&self) -> usize {
        self.ends.len()
    }

    /// All of it as it is in the source, without its end.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// A field as it is in the source, with its quotes. The first is 0.
    #[inline]
    #[must_use]
    pub fn raw(&self, field: usize) -> Option<&'a [u8]> {
        let end = *self.ends.get(field)? as usize;
        let start = match field.checked_sub(1) {
            Some(before) => self.ends[before] as usize + 1,
            None => 0,
        };
        Some(&self.bytes[start..end])
    }

    /// What a field says. It is copied only if quotes are doubled in it, or it goes on after its closing quote.
    #[inline]
    #[must_use]
    pub fn get(&self, field: usize) -> Option<Cow<'a, [u8]>> {
        self.raw(field).map(|raw| said(raw, self.quote))
    }

    /// Whether a field begins with a quote, as an empty text does that is not nothing.
    #[must_use]
    pub fn is_quoted(&self, field: usize) -> bool {
        self.raw(field).is_some_and(|raw| raw.first() == Some(&self.quote))
    }

    /// What all fields say.
    pub fn fields(&self) -> impl Iterator<Item = Cow<'a, [u8]>> + use<'a> {
        let record = *self;
        (0..record.width()).filter_map(move |field| record.get(field))
    }
}

#[inline]
fn said(raw: &[u8], quote: u8) -> Cow<'_, [u8]> {
    match raw.strip_prefix(&[quote]) {
        None => Cow::Borrowed(raw),
        Some(inside) => match memchr(quote, inside) {
            // It is not closed.
            None => Cow::Borrowed(inside),
            Some(end) if end + 1 == inside.len() => Cow::Borrowed(&inside[..end]),
            Some(end) => Cow::Owned(unescaped(inside, end, quote)),
        },
    }
}

/// Of what follows the opening quote, and has its next quote at `end`.
#[cold]
fn unescaped(inside: &[u8], mut end: usize, quote: u8) -> Vec<u8> {
    let mut text = Vec::with_capacity(inside.len());
    let mut rest = inside;
    loop {
        text.extend_from_slice(&rest[..end]);
        rest = &rest[end + 1..];
        // After the closing quote, quotes are bytes like any other.
        let Some(after) = rest.strip_prefix(&[quote]) else { break };
        text.push(quote);
        rest = after;
        match memchr(quote, rest) {
            Some(next) => end = next,
            None => break,
        }
    }
    text.extend_from_slice(rest);
    text
}
