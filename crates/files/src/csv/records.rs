//! Records and their fields, one record after the other.

use fearless_simd::{Level, Simd, dispatch};

use super::chunk::{ALL, CHUNK, marks, slowly};
use super::dialect::Dialect;
use super::line_numbers::LineNumbers;
use super::record::Record;
use super::state::State;
use crate::error::FilesError;
use crate::start::start;
use crate::windows::{Watch, Windows};

/// How long a record may be unless [`Records::longest`] says otherwise.
pub const LONGEST_RECORD: usize = 16 << 20;

/// How many line ends before the header are kept with it.
const BEFORE_HEADER: usize = 64 << 10;

/// How many chunks are looked at before their records are given: so many that going there and back costs
/// nothing.
const BLOCK: usize = 64;

/// The records of a source, and their fields.
///
/// Memory is a window and the ends of one record's fields, and at most four times the longest record.
///
/// ```
/// use std::ops::ControlFlow;
/// use deadweight_files::{Source, Windows, csv};
///
/// let text = "id,note\n1,\"two\nlines, and \"\"quotes\"\"\"\n";
/// let source = Source::stream("example", Box::new(text.as_bytes()));
/// let mut records = csv::Records::new(Windows::new(source), csv::Dialect::default());
/// let mut found = Vec::new();
/// while let Some(record) = records.next(&mut |_read| ControlFlow::Continue(()))? {
///     found.push((record.offset, record.fields().map(|field| field.into_owned()).collect()));
/// }
/// let fields = |one: &[u8], two: &[u8]| vec![one.to_vec(), two.to_vec()];
/// assert_eq!(found, [(0, fields(b"id", b"note")), (8, fields(b"1", b"two\nlines, and \"quotes\""))]);
/// # Ok::<(), deadweight_files::FilesError>(())
/// ```
pub struct Records {
    windows: Windows,
    dialect: Dialect,
    level: Level,
    longest: usize,
    lines: LineNumbers,
    begun: bool,
    /// How many records were given.
    given: u64,
    /// Where the last of them began in the source.
    last: u64,
    /// Where the record that comes begins in this window, or line ends before it.
    start: usize,
    /// Where its fields end, from its first byte on.
    ends: Vec<u32>,
    /// Where this window is looked at up to, and how it goes on there.
    seen: usize,
    state: State,
    block: Block,
}

/// What was looked at, and has not been given.
struct Block {
    separators: [Separators; BLOCK],
    count: usize,
    /// The first chunk that may have separators left, and where the first of all begins in the window.
    next: usize,
    base: usize,
}

/// Ends of fields in a chunk, and which of them are ends of records.
#[derive(Clone, Copy, Default)]
struct Separators {
    all: u64,
    ends: u64,
}

impl Records {
    /// From the beginning. Nothing is read yet.
    #[must_use]
    pub fn new(windows: Windows, dialect: Dialect) -> Records {
        Records {
            lines: LineNumbers::beginning_at(windows.offset()),
            windows,
            dialect,
            level: Level::new(),
            longest: LONGEST_RECORD,
            begun: false,
            given: 0,
            last: 0,
            start: 0,
            ends: Vec::new(),
            seen: 0,
            state: State::Record,
            block: Block { separators: [Separators::default(); BLOCK], count: 0, next: 0, base: 0 },
        }
    }

    /// How many bytes a record may have, without its end: 4 GiB at most.
    #[must_use]
    pub fn longest(self, bytes: usize) -> Records {
        Records { longest: bytes.min(u32::MAX as usize), ..self }
    }

    /// What is read.
    #[must_use]
    pub fn windows(&self) -> &Windows {
        &self.windows
    }

    /// What is read, for whoever wanted no more than the header: what scans it next begins with that.
    #[must_use]
    pub fn into_windows(self) -> Windows {
        self.windows
    }

    /// Back before the header, of whoever read no more than that.
    #[must_use]
    pub fn again(self) -> Records {
        let longest = self.longest;
        Records::new(self.windows, self.dialect).longest(longest)
    }

    /// The line, from 1, on which the record that was given last begins: to be asked before the next is. In a part
    /// that begins within a file nobody knows it.
    pub fn line(&mut self) -> Option<u64> {
        let line = self.lines.at(self.last, self.windows.bytes(), self.windows.offset());
        self.lines.known(line)
    }

    /// Whether the next record is at hand: nothing is read, and so nobody waits, until it is given.
    #[must_use]
    pub fn is_at_hand(&self) -> bool {
        let left = self.block.separators[..self.block.count].iter().skip(self.block.next);
        left.into_iter().any(|separators| separators.all & separators.ends != 0)
    }

    /// The next record; `None` at the end.
    ///
    /// # Errors
    /// If the source cannot be read, becomes shorter, is UTF-16, has a record that is too long, or `watch`
    /// ends it.
    pub fn next(&mut self, watch: &mut Watch<'_>) -> Result<Option<Record<'_>>, FilesError> {
        if !self.skip_line_ends(watch)? {
            return Ok(None);
        }
        let (end, is_open) = self.find_end(watch)?;
        let bytes = self.start..end;
        self.bounded(bytes.len())?;
        self.last = self.windows.offset() + bytes.start as u64;
        self.start = end;
        self.given += 1;
        Ok(Some(Record {
            bytes: &self.windows.bytes()[bytes],
            ends: &self.ends,
            quote: self.dialect.quote,
            offset: self.last,
            number: self.given,
            is_open,
        }))
    }

    /// Goes to the first byte of a record, if there is one.
    fn skip_line_ends(&mut self, watch: &mut Watch<'_>) -> Result<bool, FilesError> {
        if !self.begun {
            self.start = start(&mut self.windows, watch)?;
            self.begun = true;
        }
        loop {
            let rest = &self.windows.bytes()[self.start..];
            let skipped = rest.iter().position(|byte| !matches!(byte, b'\n' | b'\r'));
            self.start += skipped.unwrap_or(rest.len());
            // Between records, line ends change nothing: they need not be looked at again.
            self.seen = self.seen.max(self.start);
            if skipped.is_some() {
                return Ok(true);
            }
            if !self.advance(watch)? {
                return Ok(false);
            }
        }
    }

    /// Where the record that has begun ends, and whether that is because the source does, in quotes.
    fn find_end(&mut self, watch: &mut Watch<'_>) -> Result<(usize, bool), FilesError> {
        self.ends.clear();
        loop {
            if let Some(end) = self.block.take(self.start, &mut self.ends) {
                return Ok((end, false));
            }
            let length = self.windows.bytes().len();
            if self.seen < length {
                self.look_on();
            } else if self.windows.is_last() {
                self.ends.push((length - self.start) as u32);
                return Ok((length, self.state == State::Quoted));
            } else {
                self.bounded(length - self.start)?;
                self.advance(watch)?;
            }
        }
    }

    /// Looks at the next bytes of this window.
    fn look_on(&mut self) {
        let (chunks, rest) = self.windows.bytes()[self.seen..].as_chunks();
        let (state, dialect, block) = (&mut self.state, self.dialect, &mut self.block);
        (block.base, block.next) = (self.seen, 0);
        if chunks.is_empty() {
            let marks = slowly(state, rest, dialect);
            block.separators[0] =
                Separators { all: marks.ends | marks.delimiters, ends: marks.ends };
            block.count = 1;
            self.seen += rest.len();
        } else {
            let chunks = &chunks[..chunks.len().min(BLOCK)];
            dispatch!(self.level, simd => block.fill(simd, state, chunks, dialect));
            self.seen += chunks.len() * CHUNK;
        }
    }

    /// Goes on to the next window, which begins with the record that has begun. All of this one is seen.
    fn advance(&mut self, watch: &mut Watch<'_>) -> Result<bool, FilesError> {
        let offset = self.windows.offset();
        // Whoever wants no more than the header begins anew, and counts lines from the first.
        let from = if self.given == 0 && self.start < BEFORE_HEADER { 0 } else { self.start };
        self.lines.at(offset + from as u64, self.windows.bytes(), offset);
        let advanced = self.windows.advance(from, watch)?;
        if advanced {
            self.seen -= from;
            self.start -= from;
        }
        Ok(advanced)
    }

    fn bounded(&self, length: usize) -> Result<(), FilesError> {
        if length <= self.longest {
            return Ok(());
        }
        Err(FilesError::LongRecord {
            name: self.windows.source().name().to_owned(),
            record: self.given + 1,
            offset: self.windows.offset() + self.start as u64,
            limit: self.longest,
        })
    }
}

impl Block {
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "only then is it compiled for the vectors of its caller"
    )]
    fn fill<S: Simd>(
        &mut self,
        simd: S,
        state: &mut State,
        chunks: &[[u8; CHUNK]],
        dialect: Dialect,
    ) {
        let mut now = *state;
        for (chunk, separators) in chunks.iter().zip(&mut self.separators) {
            let marks = marks::<ALL, S>(simd, &mut now, chunk, dialect);
            *separators = Separators { all: marks.ends | marks.delimiters, ends: marks.ends };
        }
        *state = now;
        self.count = chunks.len();
    }

    /// Adds the ends of fields up to that of the record, which is where in the window the record ends. `None`
    /// if all were taken before it came.
    #[inline]
    fn take(&mut self, start: usize, into: &mut Vec<u32>) -> Option<usize> {
        while self.next < self.count {
            let base = self.base + self.next * CHUNK;
            let Separators { all, ends } = &mut self.separators[self.next];
            while *all != 0 {
                let bit = all.trailing_zeros();
                let at = base + bit as usize;
                into.push((at - start) as u32);
                *all &= *all - 1;
                if *ends >> bit & 1 != 0 {
                    return Some(at);
                }
            }
            self.next += 1;
        }
        None
    }
}
