//! Records as programs write them, recognized fast: no backslash, no white space but blanks, not nested deeply.
//! All that is recognized is JSON; of what is not, nothing is said.
//!
//! Without backslashes every quote opens or closes a text. So where the quotes are, found 64 bytes at a time for
//! many lines together, is all that has to be known of what is between them.

use std::ops::Range;

use fearless_simd::prelude::*;
use fearless_simd::{Level, dispatch, u8x64};

use super::path::{Found, Node, Paths};

const CHUNK: usize = 64;

/// What is nested more deeply is not recognized: each level is a call.
const DEEPEST: u32 = 32;

/// Lines in more bytes are not recognized: marks take memory, and few lines are as long.
const MOST: usize = 1 << 20;

/// Where in some bytes the quotes are, and which are none that a text may have as they are.
#[derive(Default)]
pub(super) struct Marks {
    /// How many bytes were looked at.
    length: usize,
    /// In order; behind `count` of them come some that mean nothing.
    quotes: Vec<u32>,
    count: usize,
    /// The first of them that no line before has come to.
    next: usize,
    /// A bit a byte: where they are quotes, and where they are odd.
    bits: Vec<u64>,
    odd: Vec<u64>,
    all_ascii: bool,
}

impl Marks {
    /// Of other bytes.
    pub(super) fn look(&mut self, level: Level, bytes: &[u8]) {
        let bytes = if bytes.len() <= MOST { bytes } else { &[] };
        (self.length, self.count, self.next) = (bytes.len(), 0, 0);
        self.all_ascii = bytes.is_ascii();
        let (chunks, rest) = bytes.as_chunks();
        let mut last = [b' '; CHUNK];
        last[..rest.len()].copy_from_slice(rest);
        self.bits.resize(chunks.len() + 1, 0);
        self.odd.resize(chunks.len() + 1, 0);
        let (bits, last_bits) = self.bits.split_at_mut(chunks.len());
        let (odd, last_odd) = self.odd.split_at_mut(chunks.len());
        dispatch!(level, simd => compare(simd, chunks, bits, odd));
        dispatch!(level, simd => compare(simd, &[last], last_bits, last_odd));
        self.place();
    }

    /// Eight quotes are written at once, however many there are: a branch for each would be guessed wrong once
    /// a chunk, which takes longer.
    fn place(&mut self) {
        for (chunk, bits) in self.bits.iter().enumerate() {
            let (start, mut bits) = ((chunk * CHUNK) as u32, *bits);
            let count = bits.count_ones() as usize;
            if self.quotes.len() < self.count + CHUNK {
                self.quotes.resize(self.quotes.len() * 2 + CHUNK, 0);
            }
            let (places, _) = self.quotes[self.count..self.count + CHUNK].as_chunks_mut::<8>();
            for eight in &mut places[..count.div_ceil(8)] {
                for place in eight {
                    *place = start + bits.trailing_zeros();
                    bits &= bits.wrapping_sub(1);
                }
            }
            self.count += count;
        }
    }

    fn has_odd(&self, range: &Range<usize>) -> bool {
        let (first, last) = (range.start / CHUNK, (range.end - 1) / CHUNK);
        let mut bits = self.odd[first] & (u64::MAX << (range.start % CHUNK));
        for word in first..last {
            if bits != 0 {
                return true;
            }
            bits = self.odd[word + 1];
        }
        bits & (u64::MAX >> (CHUNK - 1 - (range.end - 1) % CHUNK)) != 0
    }
}

#[inline(always)]
#[expect(clippy::inline_always, reason = "only then is it compiled for the vectors of its caller")]
fn compare<S: Simd>(simd: S, chunks: &[[u8; CHUNK]], bits: &mut [u64], odd: &mut [u64]) {
    for ((chunk, bits), odd) in chunks.iter().zip(bits).zip(odd) {
        let bytes = u8x64::from_slice(simd, chunk);
        *bits = bytes.simd_eq(u8x64::splat(simd, b'"')).to_bitmask();
        // Control characters are those below the blank.
        let control = (bytes & u8x64::splat(simd, 0xe0)).simd_eq(u8x64::splat(simd, 0));
        *odd = (bytes.simd_eq(u8x64::splat(simd, b'\\')) | control).to_bitmask();
    }
}

/// Finds what is at the paths in a line of the bytes that were looked at, behind those that were read before. `None`
/// if it is not recognized; then what was found means nothing.
pub(super) fn read(
    marks: &mut Marks,
    bytes: &[u8],
    line: &Range<usize>,
    paths: &Paths,
    found: &mut Found,
) -> Option<()> {
    let its = &bytes[line.clone()];
    if its.is_empty()
        || line.end > marks.length
        || marks.has_odd(line)
        || !(marks.all_ascii || str::from_utf8(its).is_ok())
    {
        return None;
    }
    while *marks.quotes[..marks.count].get(marks.next)? < line.start as u32 {
        marks.next += 1;
    }
    let quotes = &marks.quotes[marks.next..marks.count];
    let mut walk = Walk { bytes: its, at: 0, from: line.start, quotes, passed: 0, found };
    walk.value(Some(paths.root()), 0)?;
    if walk.next().is_some() {
        return None;
    }
    // Not before: a line that is not recognized may be read again.
    marks.next += walk.passed;
    Some(())
}

struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Where the line begins in what the marks are of.
    from: usize,
    quotes: &'a [u32],
    /// How many of them were come to.
    passed: usize,
    found: &'a mut Found,
}

impl<'a> Walk<'a> {
    #[inline]
    fn byte(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// The next byte that is no blank, which is the next then.
    #[inline]
    fn next(&mut self) -> Option<u8> {
        loop {
            match self.byte()? {
                b' ' => self.at += 1,
                byte => return Some(byte),
            }
        }
    }

    #[inline]
    fn expect(&mut self, byte: u8) -> Option<()> {
        (self.next()? == byte).then(|| self.at += 1)
    }

    /// From quote to quote, both of which are the next.
    #[inline]
    fn text(&mut self) -> Option<&'a [u8]> {
        if self.next()? != b'"' {
            return None;
        }
        let (start, close) = (self.at + 1, *self.quotes.get(self.passed + 1)? as usize - self.from);
        self.passed += 2;
        // One that is never closed would end behind the line.
        let [text @ .., _] = self.bytes.get(start..=close)? else { return None };
        self.at = close + 1;
        Some(text)
    }

    /// A value whose first byte is the next but blanks.
    #[inline]
    fn value(&mut self, node: Option<&Node>, depth: u32) -> Option<()> {
        // Most are texts.
        match self.next()? {
            b'"' => self.text().map(drop),
            byte => self.other(byte, node, depth),
        }
    }

    fn other(&mut self, byte: u8, node: Option<&Node>, depth: u32) -> Option<()> {
        match byte {
            b'{' => self.object(node, depth + 1),
            b'[' => self.array(depth + 1),
            b't' => self.word(b"true"),
            b'f' => self.word(b"false"),
            b'n' => self.word(b"null"),
            _ => self.number(),
        }
    }

    fn object(&mut self, node: Option<&Node>, depth: u32) -> Option<()> {
        if depth > DEEPEST {
            return None;
        }
        self.at += 1;
        if self.next()? == b'}' {
            self.at += 1;
            return Some(());
        }
        loop {
            let key = self.text()?;
            self.expect(b':')?;
            if let Some(child) = node.and_then(|node| node.child(key)) {
                child.forget(self.found);
                self.next()?;
                let start = self.at;
                self.value(Some(child), depth)?;
                child.put(start..self.at, self.found);
            } else {
                self.value(None, depth)?;
            }
            let byte = self.next()?;
            self.at += 1;
            match byte {
                b',' => {}
                b'}' => return Some(()),
                _ => return None,
            }
        }
    }

    fn array(&mut self, depth: u32) -> Option<()> {
        if depth > DEEPEST {
            return None;
        }
        self.at += 1;
        if self.next()? == b']' {
            self.at += 1;
            return Some(());
        }
        loop {
            self.value(None, depth)?;
            let byte = self.next()?;
            self.at += 1;
            match byte {
                b',' => {}
                b']' => return Some(()),
                _ => return None,
            }
        }
    }

    fn word(&mut self, word: &[u8]) -> Option<()> {
        self.bytes[self.at..].starts_with(word).then(|| self.at += word.len())
    }

    fn number(&mut self) -> Option<()> {
        if self.byte()? == b'-' {
            self.at += 1;
        }
        if self.byte()? == b'0' {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.byte() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.byte() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.byte() {
                self.at += 1;
            }
            self.digits()?;
        }
        Some(())
    }

    /// One or more.
    #[inline]
    fn digits(&mut self) -> Option<()> {
        let rest = self.bytes.get(self.at..)?;
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        (count > 0).then_some(())
    }
}
