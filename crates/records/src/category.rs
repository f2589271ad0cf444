//! A column of texts of which there are few different: each once in a list of words, and a code of
//! one, two or four bytes for each row.
//!
//! Codes are signed: Arrow's format recommends that, since not every reader has unsigned integers
//! (Columnar.rst, "Dictionary-encoded Layout").

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

use crate::allocation::Allocation;
use crate::error::Reason;
use crate::fixed::Fixed;
use crate::rows::Rows;
use crate::texts::{Blob, MOST, Texts};

#[derive(Debug)]
pub(crate) enum Codes {
    I1(Fixed<i8>),
    I2(Fixed<i16>),
    I4(Fixed<i32>),
}

/// The same expression for codes of each width.
macro_rules! each_width {
    ($codes:expr, $inner:ident => $does:expr) => {
        match $codes {
            Codes::I1($inner) => $does,
            Codes::I2($inner) => $does,
            Codes::I4($inner) => $does,
        }
    };
}

impl Codes {
    #[inline]
    fn get(&self, row: usize) -> Option<i32> {
        match self {
            Codes::I1(codes) => codes.get(row).map(i32::from),
            Codes::I2(codes) => codes.get(row).map(i32::from),
            Codes::I4(codes) => codes.get(row),
        }
    }

    fn most(&self) -> i32 {
        match self {
            Codes::I1(_) => i8::MAX.into(),
            Codes::I2(_) => i16::MAX.into(),
            Codes::I4(_) => i32::MAX,
        }
    }

    /// The same codes with twice the bytes each.
    fn widened(&self) -> Result<Codes, Reason> {
        fn each<T: Copy, U: From<T> + arrow_buffer::ArrowNativeType>(
            codes: &[T],
        ) -> Result<Fixed<U>, Reason> {
            let mut wide = Fixed::default();
            wide.own(codes.len())?.extend(codes.iter().map(|code| U::from(*code)));
            Ok(wide)
        }
        Ok(match self {
            Codes::I1(codes) => Codes::I2(each(codes.as_slice())?),
            Codes::I2(codes) => Codes::I4(each(codes.as_slice())?),
            Codes::I4(_) => return Err(Reason::Categories),
        })
    }

    fn make_room_for(&mut self, code: i32) -> Result<(), Reason> {
        while code > self.most() {
            *self = self.widened()?;
        }
        Ok(())
    }

    fn push(&mut self, code: i32) -> Result<(), Reason> {
        self.make_room_for(code)?;
        match self {
            Codes::I1(codes) => codes.push(code as i8),
            Codes::I2(codes) => codes.push(code as i16),
            Codes::I4(codes) => codes.push(code),
        }
    }

    fn set(&mut self, row: usize, code: i32) -> Result<(), Reason> {
        self.make_room_for(code)?;
        match self {
            Codes::I1(codes) => codes.own(0)?[row] = code as i8,
            Codes::I2(codes) => codes.own(0)?[row] = code as i16,
            Codes::I4(codes) => codes.own(0)?[row] = code,
        }
        Ok(())
    }
}

/// Words that no row has are not worth a look below so many bytes of words.
const LITTLE: usize = 4096;

/// Row `i` has the word of number `codes[i]`. A row without a value has some code or other: that
/// there is no value is said elsewhere.
#[derive(Debug)]
pub(crate) struct Categories {
    codes: Codes,
    words: Texts,
    /// How many rows may have had the last of a word, since it was counted which words rows have.
    left: usize,
    /// Numbers of the first `indexed` words, by what they are. Words of a file are indexed when one
    /// is first looked for.
    index: HashTable<i32>,
    indexed: usize,
    hasher: DefaultHashBuilder,
}

impl Categories {
    pub(crate) fn new() -> Categories {
        Categories::over(Codes::I1(Fixed::default()), Texts::new(MOST))
    }

    /// Over codes and words of a file, of which nothing is certain.
    pub(crate) fn over(codes: Codes, words: Texts) -> Categories {
        let hasher = DefaultHashBuilder::default();
        Categories { codes, words, left: 0, index: HashTable::new(), indexed: 0, hasher }
    }

    pub(crate) fn len(&self) -> usize {
        each_width!(&self.codes, codes => codes.len())
    }

    /// How many different words there are.
    pub(crate) fn words(&self) -> &Texts {
        &self.words
    }

    pub(crate) fn codes(&self) -> &Codes {
        &self.codes
    }

    pub(crate) fn codes_mut(&mut self) -> &mut Codes {
        &mut self.codes
    }

    #[inline]
    fn code(&self, row: usize) -> Result<usize, Reason> {
        let code = self.codes.get(row).and_then(|code| usize::try_from(code).ok());
        code.filter(|code| *code < self.words.len()).ok_or(UNKNOWN)
    }

    #[inline]
    pub(crate) fn text(&self, row: usize) -> Result<&str, Reason> {
        self.words.text(self.code(row)?)
    }

    /// The number of a word, which is added if it is new.
    fn number(&mut self, word: &str) -> Result<i32, Reason> {
        self.words.make_ours()?;
        while self.indexed < self.words.len() {
            let known = self.words.get(self.indexed)?;
            let hash = self.hasher.hash_one(known);
            self.insert(hash, self.indexed as i32)?;
        }
        let hash = self.hasher.hash_one(word.as_bytes());
        let same = |code: &i32| self.words.get(*code as usize) == Ok(word.as_bytes());
        if let Some(code) = self.index.find(hash, same) {
            return Ok(*code);
        }
        let code = i32::try_from(self.words.len()).map_err(|_| Reason::Categories)?;
        self.words.push(word.as_bytes())?;
        self.insert(hash, code)?;
        Ok(code)
    }

    fn insert(&mut self, hash: u64, code: i32) -> Result<(), Reason> {
        let (words, hasher) = (&self.words, &self.hasher);
        let rehash = |code: &i32| hasher.hash_one(words.get(*code as usize).unwrap_or_default());
        self.index.try_reserve(1, rehash).map_err(|_| Reason::Memory)?;
        self.index.insert_unique(hash, code, rehash);
        self.indexed += 1;
        Ok(())
    }

    pub(crate) fn push(&mut self, word: &str) -> Result<(), Reason> {
        let code = self.number(word)?;
        self.codes.push(code)
    }

    /// For a row without a value.
    pub(crate) fn push_none(&mut self) -> Result<(), Reason> {
        self.codes.push(0)
    }

    pub(crate) fn set(&mut self, row: usize, word: &str) -> Result<(), Reason> {
        let code = self.number(word)?;
        self.left += 1;
        self.codes.set(row, code)
    }

    /// A row has no value any more.
    pub(crate) fn set_none(&mut self) {
        self.left += 1;
    }

    /// Appends the words of rows of another column; for rows that have none, `is_none` says so.
    pub(crate) fn append(
        &mut self,
        from: &Categories,
        rows: &Rows<'_>,
        is_none: impl Fn(usize) -> bool,
    ) -> Result<(), Reason> {
        if rows.len() < from.words.len() {
            return rows.try_for_each(|row| {
                if is_none(row) { self.push_none() } else { self.push(from.text(row)?) }
            });
        }
        // Each word is looked for once, not once a row.
        let mut here: Fixed<i32> = Fixed::default();
        let words = from.words.len();
        here.own(words)?.resize(words, -1);
        let here = here.own(0)?;
        rows.try_for_each(|row| {
            if is_none(row) {
                return self.push_none();
            }
            let there = from.code(row)?;
            if here[there] < 0 {
                here[there] = self.number(from.words.text(there)?)?;
            }
            self.codes.push(here[there])
        })
    }

    /// Bytes of the words that no row has; nothing if a row has a code of no word, which is damage that
    /// whoever reads the row is told of.
    fn unused(&self, is_none: impl Fn(usize) -> bool) -> Result<Option<usize>, Reason> {
        let mut used = Vec::new();
        used.try_reserve_exact(self.words.len())?;
        used.resize(self.words.len(), false);
        for row in (0..self.len()).filter(|row| !is_none(*row)) {
            let Ok(code) = self.code(row) else { return Ok(None) };
            used[code] = true;
        }
        let unused = used.iter().enumerate().filter(|(_, used)| !**used);
        let mut bytes = 0;
        for (word, _) in unused {
            bytes += self.words.get(word)?.len() + size_of::<i32>();
        }
        Ok(Some(bytes))
    }

    /// Gives back the words that no row has. What Arrow has of them stays as it is.
    pub(crate) fn forget(&mut self, is_none: impl Fn(usize) -> bool) -> Result<(), Reason> {
        if self.unused(&is_none)?.is_some_and(|bytes| bytes > 0) {
            self.rebuild(is_none)?;
        }
        self.left = 0;
        Ok(())
    }

    /// The same when they are more than half of the bytes. It is counted once so many rows have lost
    /// their word that each of them pays for a few others.
    pub(crate) fn forget_if_worth_it(
        &mut self,
        is_none: impl Fn(usize) -> bool,
    ) -> Result<(), Reason> {
        const OTHERS: usize = 8;
        let bytes = self.words.payload();
        if bytes <= LITTLE || self.left.saturating_mul(OTHERS) < self.len() + self.words.len() {
            return Ok(());
        }
        self.left = 0;
        match self.unused(&is_none)? {
            Some(unused) if unused > bytes / 2 => self.rebuild(is_none),
            _ => Ok(()),
        }
    }

    fn rebuild(&mut self, is_none: impl Fn(usize) -> bool) -> Result<(), Reason> {
        let mut fresh = Categories::new();
        fresh.reserve(self.len())?;
        fresh.append(self, &Rows::Run(0..self.len()), is_none)?;
        *self = fresh;
        Ok(())
    }

    pub(crate) fn truncate(&mut self, len: usize) -> Result<(), Reason> {
        self.left += self.len().saturating_sub(len);
        each_width!(&mut self.codes, codes => codes.truncate(len))
    }

    pub(crate) fn delete(&mut self, start: usize, end: usize) -> Result<(), Reason> {
        self.left += end - start;
        each_width!(&mut self.codes, codes => codes.delete(start, end))
    }

    pub(crate) fn move_last(&mut self, count: usize, at: usize) -> Result<(), Reason> {
        each_width!(&mut self.codes, codes => codes.move_last(count, at))
    }

    pub(crate) fn reserve(&mut self, rows: usize) -> Result<(), Reason> {
        self.words.reserve(0)?;
        each_width!(&mut self.codes, codes => codes.reserve(rows))
    }

    pub(crate) fn shrink_to_fit(&mut self) -> Result<(), Reason> {
        each_width!(&mut self.codes, codes => codes.shrink_to_fit());
        self.words.shrink_to_fit()
    }

    /// Offsets and blob of the words, shared. All in one chunk, or nothing.
    pub(crate) fn share_words(&mut self) -> Result<Blob, Reason> {
        let mut chunks = self.words.share()?;
        match (chunks.pop(), chunks.is_empty()) {
            (Some(chunk), true) => Ok(chunk),
            _ => Err(Reason::Categories),
        }
    }

    pub(crate) fn payload(&self) -> usize {
        self.words.payload() + each_width!(&self.codes, codes => codes.payload())
    }

    pub(crate) fn allocations(&self, all: &mut Vec<Allocation>) {
        all.push(Allocation { start: None, bytes: self.index.allocation_size(), filled: None });
        self.words.allocations(all);
        all.push(each_width!(&self.codes, codes => codes.allocation()));
    }
}

/// A code that no word has.
const UNKNOWN: Reason = Reason::Damaged("a code of no category");

#[cfg(test)]
mod tests {
    use arrow_buffer::ScalarBuffer;

    use super::*;

    #[test]
    fn codes_widen_when_there_are_more_words_than_they_can_number() {
        let mut column = Categories::new();
        for word in 0..40_000 {
            column.push(&word.to_string()).unwrap();
            let width = match column.codes {
                Codes::I1(_) => 1,
                Codes::I2(_) => 2,
                Codes::I4(_) => 4,
            };
            assert_eq!(
                width,
                if word < 128 {
                    1
                } else if word < 32_768 {
                    2
                } else {
                    4
                }
            );
        }
        for row in [0, 127, 128, 32_767, 32_768, 39_999] {
            assert_eq!(column.text(row).unwrap(), row.to_string());
        }
    }

    #[test]
    fn words_of_a_file_are_found_again() {
        let words = ScalarBuffer::from(b"nosv".to_vec());
        let words = Texts::over(ScalarBuffer::from(vec![0, 2, 4]), words);
        let mut codes = Fixed::default();
        codes.extend(&[1_i8, 0, 7, -1]).unwrap();
        let mut column = Categories::over(Codes::I1(codes), words);
        assert_eq!(column.text(0), Ok("sv"));
        assert_eq!(column.text(2), Err(UNKNOWN));
        assert_eq!(column.text(3), Err(UNKNOWN));
        column.push("no").unwrap();
        column.push("fi").unwrap();
        assert_eq!(column.words().len(), 3);
        assert_eq!((column.text(4), column.text(5)), (Ok("no"), Ok("fi")));
    }
}
