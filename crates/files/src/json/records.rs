//! Lines of JSON, one after the other: those that a query asks for, and what becomes of those that are none.

use std::ops::Range;

use super::query::{Query, Reader};
use crate::error::FilesError;
use crate::lines::Lines;
use crate::windows::Watch;

/// What becomes of a record that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnBad {
    /// It is an error, after the records before it were given.
    Fail,
    /// It is counted and left out; so many of the first ones are kept.
    Skip(usize),
}

impl OnBad {
    fn take(self, bad: BadRecord, kept: &mut Vec<BadRecord>, name: &str) -> Result<(), FilesError> {
        match self {
            OnBad::Fail => return Err(bad.into_error(name)),
            OnBad::Skip(most) if kept.len() < most => kept.push(bad),
            OnBad::Skip(_) => {}
        }
        Ok(())
    }
}

/// A record that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRecord {
    /// Which line it is, from 1; `None` where not all lines before it were read.
    pub line: Option<u64>,
    /// Where it begins in the source.
    pub offset: u64,
    /// What is wrong with it.
    pub reason: String,
    /// How it begins.
    pub sample: Vec<u8>,
}

/// How much of a bad record is kept.
const SAMPLE: usize = 100;

/// The records of a source that meet a query. Lines with nothing in them but blanks are none.
pub struct Records {
    lines: Lines,
    reader: Reader,
    on_bad: OnBad,
    /// Whether lines are counted from the first of the source.
    numbered: bool,
    /// The lines in memory, and which of them is looked at next.
    places: Vec<Range<usize>>,
    next: usize,
    /// Which of them met all steps.
    met: Vec<usize>,
    /// What is selected of each of those, as places in its line.
    values: Vec<Option<Range<usize>>>,
    bad: Vec<BadRecord>,
    tally: Tally,
}

/// How many records there were so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Lines that are not blank.
    pub taken: u64,
    /// Those that could not be read.
    pub bad: u64,
    /// Those that met each step, and all before it.
    pub met: Vec<u64>,
}

impl Records {
    /// Nothing is read yet.
    #[must_use]
    pub fn new(lines: Lines, query: Query, on_bad: OnBad) -> Records {
        let tally = Tally { met: vec![0; query.steps()], ..Tally::default() };
        Records {
            numbered: lines.windows().offset() == 0,
            lines,
            reader: Reader::new(query),
            on_bad,
            places: Vec::new(),
            next: 0,
            met: Vec::new(),
            values: Vec::new(),
            bad: Vec::new(),
            tally,
        }
    }

    /// Goes on to the next records that meet the query: some of those that are in memory, in place of those of the
    /// last time. False at the end.
    ///
    /// # Errors
    /// If the source cannot be read or `watch` ends it, and if a record is bad and that is to be an error.
    pub fn advance(&mut self, watch: &mut Watch<'_>) -> Result<bool, FilesError> {
        self.met.clear();
        self.values.clear();
        while self.met.is_empty() {
            if self.next == self.places.len() {
                self.lines.batch(&mut self.places, watch)?;
                self.next = 0;
                let (Some(first), Some(last)) = (self.places.first(), self.places.last()) else {
                    return Ok(false);
                };
                self.reader.look(&self.lines.windows().bytes()[first.start..last.end]);
            }
            self.ask()?;
        }
        Ok(true)
    }

    /// Asks the lines that are in memory, up to one that is an error.
    fn ask(&mut self) -> Result<(), FilesError> {
        let windows = self.lines.windows();
        let Some(first) = self.places.first().map(|place| place.start) else { return Ok(()) };
        let bytes = &windows.bytes()[first..];
        let steps = self.tally.met.len();
        while let Some(place) = self.places.get(self.next) {
            let line = place.start - first..place.end - first;
            if bytes[line.clone()].trim_ascii().is_empty() {
                self.next += 1;
                continue;
            }
            match self.reader.read(bytes, &line) {
                Ok(met) => {
                    self.tally.taken += 1;
                    self.tally.met[..met].iter_mut().for_each(|count| *count += 1);
                    if met == steps {
                        self.met.push(self.next);
                        self.values.extend(self.reader.selected());
                    }
                }
                Err(_) if self.on_bad == OnBad::Fail && !self.met.is_empty() => return Ok(()),
                Err(error) => {
                    let bad = self.bad_record(self.next, error.to_string());
                    self.tally.taken += 1;
                    self.tally.bad += 1;
                    self.on_bad.take(bad, &mut self.bad, windows.source().name())?;
                }
            }
            self.next += 1;
        }
        Ok(())
    }

    fn bad_record(&self, index: usize, reason: String) -> BadRecord {
        let (windows, place) = (self.lines.windows(), self.places[index].clone());
        BadRecord {
            line: self.number(index),
            offset: windows.offset() + place.start as u64,
            reason,
            sample: windows.bytes()[place].iter().take(SAMPLE).copied().collect(),
        }
    }

    /// Takes one of those that met the query for bad after all: nothing can be made of it.
    ///
    /// # Errors
    /// If that is to be an error.
    pub fn refuse(&mut self, record: usize, reason: String) -> Result<(), FilesError> {
        let bad = self.bad_record(self.met[record], reason);
        self.tally.bad += 1;
        self.tally.met.iter_mut().for_each(|count| *count -= 1);
        self.on_bad.take(bad, &mut self.bad, self.lines.windows().source().name())
    }

    /// A part that begins within a file knows no lines before it.
    fn number(&self, index: usize) -> Option<u64> {
        let number = self.lines.given() - (self.places.len() - index) as u64 + 1;
        self.numbered.then_some(number)
    }

    /// How many records there are at once.
    #[must_use]
    pub fn len(&self) -> usize {
        self.met.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.met.is_empty()
    }

    /// The line of one of them.
    #[must_use]
    pub fn line(&self, record: usize) -> &[u8] {
        let place = self.places[self.met[record]].clone();
        &self.lines.windows().bytes()[place]
    }

    /// Where one of them is: its line, from 1 and where lines are counted, and its first byte.
    #[must_use]
    pub fn place(&self, record: usize) -> (Option<u64>, u64) {
        let index = self.met[record];
        let offset = self.lines.windows().offset() + self.places[index].start as u64;
        (self.number(index), offset)
    }

    /// The selected values of one of them, as JSON; `None` where there is none.
    pub fn values(&self, record: usize) -> impl Iterator<Item = Option<&[u8]>> + '_ {
        let line = self.line(record);
        let width = self.values.len() / self.met.len();
        let its = &self.values[record * width..(record + 1) * width];
        its.iter().map(|place| place.clone().map(|place| &line[place]))
    }

    /// How many there were so far, those among them that are in memory and were not given yet.
    #[must_use]
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// The first that could not be read.
    #[must_use]
    pub fn bad(&self) -> &[BadRecord] {
        &self.bad
    }

    /// What messages call the source.
    #[must_use]
    pub fn name(&self) -> &str {
        self.lines.windows().source().name()
    }
}

impl Tally {
    /// As if what is counted there had come here too.
    pub fn add(&mut self, other: &Tally) {
        self.taken += other.taken;
        self.bad += other.bad;
        self.met.iter_mut().zip(&other.met).for_each(|(count, more)| *count += more);
    }
}

impl BadRecord {
    fn into_error(self, name: &str) -> FilesError {
        let BadRecord { line, offset, reason, .. } = self;
        FilesError::Record { name: name.to_owned(), line, offset, reason }
    }
}
