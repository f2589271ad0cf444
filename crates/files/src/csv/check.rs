//! Which records are not as they should be.

use std::collections::VecDeque;
use std::mem;

use fearless_simd::{Level, Simd, dispatch};

use super::chunk::{ALL, CHUNK, Marks, equal, marks, slowly};
use super::dialect::Dialect;
use super::faults::{BadRow, Checked, Fault, Faults};
use super::line_numbers::LineNumbers;
use super::state::State;
use super::utf8::{find_invalid, whole_characters};
use crate::error::FilesError;
use crate::start::start;
use crate::windows::{Watch, Windows};

/// Looks at every record, and lists the first `most` that are not as they should be. Each should have so many
/// `fields`; where that is `None`, as many as the first. `is_utf8` says whether bytes that are no UTF-8 make one bad.
///
/// # Errors
/// If the source cannot be read, becomes shorter, is UTF-16, or `watch` ends it.
pub fn check(
    windows: &mut Windows,
    dialect: Dialect,
    most: usize,
    fields: Option<u64>,
    is_utf8: bool,
    watch: &mut Watch<'_>,
) -> Result<Checked, FilesError> {
    let mut from = start(windows, watch)?;
    let mut state = State::Record;
    let mut check = Check::new(most, fields, windows.offset());
    let level = Level::new();
    loop {
        let text = Text { bytes: windows.bytes(), offset: windows.offset() };
        let end = if windows.is_last() { text.bytes.len() } else { whole_characters(text.bytes) };
        let mut at = text.offset + from as u64;
        if is_utf8 {
            find_invalid(&text.bytes[from..end], at, &mut check.invalid);
        }
        let (chunks, rest) = text.bytes[from..end].as_chunks();
        dispatch!(level, simd => check.chunks(simd, text, at, &mut state, chunks, dialect));
        at += (chunks.len() * CHUNK) as u64;
        let zeros = rest.iter().rev().fold(0, |bits, byte| bits << 1 | u64::from(*byte == 0));
        check.chunk(text, at, slowly(&mut state, rest, dialect), zeros);
        check.leave(text, end, state);
        if windows.is_last() {
            check.end(text, state);
            return Ok(check.found);
        }
        from = 0;
        windows.advance(end, watch)?;
    }
}

/// What is in memory, and where it is in the source.
#[derive(Clone, Copy)]
struct Text<'a> {
    bytes: &'a [u8],
    offset: u64,
}

/// The record that goes on, if one does.
#[derive(Default)]
struct Row {
    offset: u64,
    /// Known only if its first byte is no longer in memory.
    line: Option<u64>,
    delimiters: u64,
    faults: Faults,
}

struct Check {
    most: usize,
    found: Checked,
    row: Row,
    lines: LineNumbers,
    /// Where this window is no UTF-8, from the record that goes on.
    invalid: VecDeque<u64>,
}

impl Check {
    fn new(most: usize, fields: Option<u64>, offset: u64) -> Check {
        let lines = LineNumbers::beginning_at(offset);
        // No record has no fields: the first is looked at more closely, and says how many there are.
        let found = Checked { fields: fields.unwrap_or(0), ..Checked::default() };
        Check { most, found, row: Row::default(), lines, invalid: VecDeque::new() }
    }

    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "only then is it compiled for the vectors of its caller"
    )]
    fn chunks<S: Simd>(
        &mut self,
        simd: S,
        text: Text<'_>,
        mut at: u64,
        state: &mut State,
        chunks: &[[u8; CHUNK]],
        dialect: Dialect,
    ) {
        for chunk in chunks {
            let marks = marks::<ALL, S>(simd, state, chunk, dialect);
            self.chunk(text, at, marks, equal(simd, chunk, 0));
            at += CHUNK as u64;
        }
    }

    /// At most 64 bytes, from `at` on. Of a record that is as it should be, only its delimiters are counted.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "only then is it compiled for the vectors of its caller"
    )]
    fn chunk(&mut self, text: Text<'_>, at: u64, marks: Marks, zeros: u64) {
        let Marks { begins, mut ends, delimiters, astray } = marks;
        let mut rest = u64::MAX;
        while ends != 0 {
            let before_end = (ends & ends.wrapping_neg()) - 1;
            let its = rest & before_end;
            self.add(at, begins & its, delimiters & its, astray & its, zeros & its);
            let end = at + u64::from(ends.trailing_zeros());
            self.finish(text, end);
            rest = !before_end;
            ends &= ends - 1;
        }
        self.add(at, begins & rest, delimiters & rest, astray & rest, zeros & rest);
    }

    /// Bytes of one record, which may begin among them.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as above")]
    fn add(&mut self, at: u64, begins: u64, delimiters: u64, astray: u64, zeros: u64) {
        let row = &mut self.row;
        if begins != 0 {
            row.offset = at + u64::from(begins.trailing_zeros());
            row.line = None;
        }
        row.delimiters += u64::from(delimiters.count_ones());
        if astray | zeros != 0 {
            row.faults.add(Fault::BareQuote, astray != 0);
            row.faults.add(Fault::Nul, zeros != 0);
        }
    }

    /// The record that goes on ends before `end`.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as above")]
    fn finish(&mut self, text: Text<'_>, end: u64) {
        let row = &self.row;
        if row.delimiters + 1 != self.found.fields
            || !row.faults.is_empty()
            || !self.invalid.is_empty()
        {
            self.look_at(text, end);
        }
        self.found.records += 1;
        self.row.delimiters = 0;
    }

    /// The first record, or something is wrong with it or a later one.
    #[cold]
    fn look_at(&mut self, text: Text<'_>, end: u64) {
        let (found, row) = (&mut self.found, &mut self.row);
        let fields = row.delimiters + 1;
        if found.fields == 0 {
            found.fields = fields;
        }
        let mut faults = mem::take(&mut row.faults);
        faults.add(Fault::Ragged, fields != found.fields);
        while self.invalid.front().is_some_and(|at| *at < end) {
            self.invalid.pop_front();
            faults.add(Fault::NotUtf8, true);
        }
        if faults.is_empty() {
            return;
        }
        found.bad += 1;
        for fault in faults.iter() {
            found.by_fault[fault as usize] += 1;
        }
        if found.rows.len() < self.most {
            let (record, offset) = (found.records + 1, row.offset);
            let line = row.line.unwrap_or_else(|| self.lines.at(offset, text.bytes, text.offset));
            let line = self.lines.known(line);
            found.rows.push(BadRow { record, offset, line, fields, faults });
        }
    }

    /// The bytes before `end` go.
    fn leave(&mut self, text: Text<'_>, end: usize, state: State) {
        let row = &mut self.row;
        if state.in_record() {
            // What is left is of this record, as line ends are UTF-8.
            row.faults.add(Fault::NotUtf8, !self.invalid.is_empty());
            self.invalid.clear();
            if row.line.is_none() {
                row.line = Some(self.lines.at(row.offset, text.bytes, text.offset));
            }
        }
        self.lines.at(text.offset + end as u64, text.bytes, text.offset);
    }

    /// Nothing comes any more.
    fn end(&mut self, text: Text<'_>, state: State) {
        if state.in_record() {
            self.row.faults.add(Fault::OpenQuote, state == State::Quoted);
            self.finish(text, u64::MAX);
        }
    }
}
