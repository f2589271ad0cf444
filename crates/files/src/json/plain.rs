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

/// Where in some bytes the quotes are, and which are none that a text may have as they are.
#[derive(Default)]
pub(super) struct Marks {
    /// In order; behind `count` of them come some that mean nothing.
    quotes: Vec<u32>,
    count: usize,
    /// The first of them that no line before has come to.
    next: usize,
    /// A bit a byte.
    odd: Vec<u64>,
    all_ascii: bool,
}

impl Marks {
    /// Of other bytes, at most 4 GiB.
    pub(super) fn look(&mut self, level: Level, bytes: &[u8]) {
        (self.count, self.next) = (0, 0);
        self.odd.clear();
        self.all_ascii = bytes.is_ascii();
        let (chunks, rest) = bytes.as_chunks();
        let mut last = [b' '; CHUNK];
        last[..rest.len()].copy_from_slice(rest);
        dispatch!(level, simd => self.add(simd, chunks));
        dispatch!(level, simd => self.add(simd, &[last]));
    }

    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "only then is it compiled for the vectors of its caller"
    )]
    fn add<S: Simd>(&mut self, simd: S, chunks: &[[u8; CHUNK]]) {
        for chunk in chunks {
            let bytes = u8x64::from_slice(simd, chunk);
            let quotes = bytes.simd_eq(u8x64::splat(simd, b'"')).to_bitmask();
            let odd =
                bytes.simd_lt(u8x64::splat(simd, b' ')) | bytes.simd_eq(u8x64::splat(simd, b'\\'));
            self.put(quotes, (self.odd.len() * CHUNK) as u32);
            self.odd.push(odd.to_bitmask());
        }
    }

    /// Eight quotes are written at once, however many there are: a branch for each would be guessed wrong once a
    /// chunk, which takes longer.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "only then is it compiled for the vectors of its caller"
    )]
    fn put(&mut self, mut bits: u64, start: u32) {
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
    if its.is_empty() || marks.has_odd(line) || !(marks.all_ascii || str::from_utf8(its).is_ok()) {
        return None;
    }
    while *marks.quotes[..marks.count].get(marks.next)? < line.start as u32 {
        marks.next += 1;
    }
    let quotes = &marks.quotes[marks.next..marks.count];
    let mut walk = Walk { bytes: its, at: 0, from: line.start, quotes, next: 0, found };
    walk.blanks();
    walk.value(Some(paths.root()), 0)?;
    walk.blanks();
    let is_whole = walk.at == its.len();
    marks.next += walk.next;
    is_whole.then_some(())
}

struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Where the line begins in what the marks are of.
    from: usize,
    quotes: &'a [u32],
    /// The first quote that was not come to.
    next: usize,
    found: &'a mut Found,
}

impl<'a> Walk<'a> {
    #[inline]
    fn byte(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    #[inline]
    fn blanks(&mut self) {
        while self.byte() == Some(b' ') {
            self.at += 1;
        }
    }

    #[inline]
    fn expect(&mut self, byte: u8) -> Option<()> {
        (self.byte()? == byte).then(|| self.at += 1)
    }

    /// From quote to quote, both of which are the next.
    #[inline]
    fn text(&mut self) -> Option<&'a [u8]> {
        if self.byte()? != b'"' {
            return None;
        }
        let (start, close) = (self.at + 1, *self.quotes.get(self.next + 1)? as usize - self.from);
        self.next += 2;
        // One that is never closed would end in another line.
        let text = self.bytes.get(start..close)?;
        self.at = close + 1;
        Some(text)
    }

    fn value(&mut self, node: Option<&Node>, depth: u32) -> Option<()> {
        match self.byte()? {
            b'"' => self.text().map(drop),
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
        self.blanks();
        if self.byte()? == b'}' {
            self.at += 1;
            return Some(());
        }
        loop {
            let key = self.text()?;
            self.blanks();
            self.expect(b':')?;
            self.blanks();
            let child = node.and_then(|node| node.child(key));
            if let Some(child) = child {
                child.forget(self.found);
                let start = self.at;
                self.value(Some(child), depth)?;
                child.put(start..self.at, self.found);
            } else {
                self.value(None, depth)?;
            }
            self.blanks();
            match self.byte()? {
                b',' => self.at += 1,
                b'}' => break,
                _ => return None,
            }
            self.blanks();
        }
        self.at += 1;
        Some(())
    }

    fn array(&mut self, depth: u32) -> Option<()> {
        if depth > DEEPEST {
            return None;
        }
        self.at += 1;
        self.blanks();
        if self.byte()? == b']' {
            self.at += 1;
            return Some(());
        }
        loop {
            self.value(None, depth)?;
            self.blanks();
            match self.byte()? {
                b',' => self.at += 1,
                b']' => break,
                _ => return None,
            }
            self.blanks();
        }
        self.at += 1;
        Some(())
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
