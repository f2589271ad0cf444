//! Columns of a file: a name, a number of rows, and blocks of bytes, each compressed by itself and
//! followed up to the end by one running checksum.

use std::io::{self, Read, Write};

use crc32fast::Hasher;
use zstd::bulk::{Compressor, Decompressor};

use super::SnapshotError;
use crate::units::Bytes;

/// Blocks are at most this long before compression, so readers need no more room than this.
const BLOCK: usize = 1 << 20;
/// The most a block can be after compression.
const PACKED: u32 = (BLOCK + BLOCK / 128) as u32;
/// Fast, and columns are encoded so that little is left to find.
const LEVEL: i32 = 1;
/// The column that ends a file; its rows are the number of columns before it.
const END: &str = "end";
/// The longest value: a 64-bit number in pieces of seven bits.
const LONGEST: usize = 10;

/// Writes the columns of a file.
pub(super) struct Writer<W> {
    to: W,
    compressor: Compressor<'static>,
    block: Vec<u8>,
    packed: Vec<u8>,
    columns: u64,
}

impl<W: Write> Writer<W> {
    pub(super) fn new(to: W) -> io::Result<Writer<W>> {
        Ok(Writer {
            to,
            compressor: Compressor::new(LEVEL)?,
            block: Vec::with_capacity(BLOCK),
            packed: Vec::new(),
            columns: 0,
        })
    }

    /// Begins the next column.
    pub(super) fn column(&mut self, name: &str, rows: u64) -> io::Result<ColumnWriter<'_, W>> {
        let mut head = vec![name.len() as u8];
        head.extend(name.as_bytes());
        head.extend(rows.to_le_bytes());
        let mut hasher = Hasher::new();
        hasher.update(&head);
        head.extend(hasher.clone().finalize().to_le_bytes());
        self.to.write_all(&head)?;
        self.columns += 1;
        Ok(ColumnWriter { writer: self, hasher })
    }

    pub(super) fn finish(mut self) -> io::Result<()> {
        let columns = self.columns;
        self.column(END, columns)?.finish()?;
        self.to.flush()
    }
}

/// Writes the values of one column. Must be finished.
pub(super) struct ColumnWriter<'a, W> {
    writer: &'a mut Writer<W>,
    hasher: Hasher,
}

impl<W: Write> ColumnWriter<'_, W> {
    #[inline]
    pub(super) fn byte(&mut self, byte: u8) -> io::Result<()> {
        if self.writer.block.len() == BLOCK {
            self.flush()?;
        }
        self.writer.block.push(byte);
        Ok(())
    }

    /// A number, seven bits a byte, lowest first (LEB128).
    #[inline]
    pub(super) fn number(&mut self, mut number: u64) -> io::Result<()> {
        if self.writer.block.len() + LONGEST > BLOCK {
            self.flush()?;
        }
        while number >= 0x80 {
            self.writer.block.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.writer.block.push(number as u8);
        Ok(())
    }

    /// The difference of two numbers, small ones of either sign short (zigzag).
    #[inline]
    pub(super) fn difference(&mut self, number: u64, before: u64) -> io::Result<()> {
        let difference = number.wrapping_sub(before).cast_signed();
        self.number((difference << 1 ^ difference >> 63).cast_unsigned())
    }

    pub(super) fn text(&mut self, text: &str) -> io::Result<()> {
        self.number(text.len() as u64)?;
        text.bytes().try_for_each(|byte| self.byte(byte))
    }

    pub(super) fn finish(mut self) -> io::Result<()> {
        if !self.writer.block.is_empty() {
            self.flush()?;
        }
        self.flush()
    }

    /// Writes what is in the block; an empty one ends the column.
    fn flush(&mut self) -> io::Result<()> {
        let Writer { to, compressor, block, packed, .. } = &mut *self.writer;
        packed.clear();
        if !block.is_empty() {
            packed.reserve(zstd::zstd_safe::compress_bound(block.len()));
            compressor.compress_to_buffer(block, packed)?;
        }
        let mut head = [0; 12];
        head[..4].copy_from_slice(&(block.len() as u32).to_le_bytes());
        head[4..8].copy_from_slice(&(packed.len() as u32).to_le_bytes());
        self.hasher.update(&head[..8]);
        self.hasher.update(packed);
        head[8..].copy_from_slice(&self.hasher.clone().finalize().to_le_bytes());
        to.write_all(&head)?;
        to.write_all(packed)?;
        block.clear();
        Ok(())
    }
}

/// Reads the columns of a file.
pub(super) struct Reader<R> {
    from: R,
    decompressor: Decompressor<'static>,
    block: Vec<u8>,
    packed: Vec<u8>,
    columns: u64,
    limit: Bytes,
    used: Bytes,
}

/// What stands before the blocks of a column.
struct Head {
    name: String,
    rows: u64,
    hasher: Hasher,
}

impl<R: Read> Reader<R> {
    pub(super) fn new(from: R, limit: Bytes) -> Result<Reader<R>, SnapshotError> {
        let (block, packed) = (Vec::with_capacity(BLOCK), Vec::new());
        let decompressor = Decompressor::new()?;
        Ok(Reader { from, decompressor, block, packed, columns: 0, limit, used: Bytes(0) })
    }

    /// Exactly `len` bytes; the room for them grows as they arrive.
    fn take(&mut self, len: u64, column: &str) -> Result<(), SnapshotError> {
        self.packed.clear();
        let got = (&mut self.from).take(len).read_to_end(&mut self.packed)?;
        if got as u64 == len { Ok(()) } else { Err(SnapshotError::Truncated(column.to_owned())) }
    }

    /// The first bytes of the file.
    pub(super) fn preamble<const N: usize>(&mut self) -> Result<[u8; N], SnapshotError> {
        self.take(N as u64, "header")?;
        <[u8; N]>::try_from(self.packed.as_slice())
            .map_err(|_| SnapshotError::Truncated("header".to_owned()))
    }

    /// Counts memory that what is read will take, against the limit.
    #[inline]
    pub(super) fn charge(&mut self, bytes: Bytes) -> Result<(), SnapshotError> {
        self.used += bytes;
        if self.used > self.limit {
            return Err(SnapshotError::TooLarge { needs: self.used, limit: self.limit });
        }
        Ok(())
    }

    fn head(&mut self) -> Result<Head, SnapshotError> {
        const UNNAMED: &str = "the head of a column";
        self.take(1, UNNAMED)?;
        let mut hasher = Hasher::new();
        hasher.update(&self.packed);
        let len = self.packed.first().copied().map_or(0, usize::from);
        self.take(len as u64 + 12, UNNAMED)?;
        let (named, sum) = self.packed.split_at(len + 8);
        hasher.update(named);
        if sum != hasher.clone().finalize().to_le_bytes() {
            return Err(SnapshotError::Damaged(UNNAMED.to_owned()));
        }
        let (name, rows) = named.split_at(len);
        let rows = rows.try_into().map_or(0, u64::from_le_bytes);
        Ok(Head { name: String::from_utf8_lossy(name).into_owned(), rows, hasher })
    }

    /// The next column of this name; others before it are skipped, but must be sound.
    pub(super) fn column(
        &mut self,
        name: &'static str,
    ) -> Result<ColumnReader<'_, R>, SnapshotError> {
        loop {
            let head = self.head()?;
            if head.name == name {
                self.columns += 1;
                self.block.clear();
                let Head { rows, hasher, .. } = head;
                return Ok(ColumnReader { reader: self, name, rows, hasher, at: 0 });
            }
            if head.name == END {
                return Err(SnapshotError::Missing(name));
            }
            self.skip(head)?;
        }
    }

    fn skip(&mut self, head: Head) -> Result<(), SnapshotError> {
        self.columns += 1;
        let Head { name, mut hasher, .. } = head;
        while self.packed_block(&mut hasher, &name)? > 0 {}
        Ok(())
    }

    /// Reads the next block, still packed, and returns its length without packing.
    fn packed_block(&mut self, hasher: &mut Hasher, name: &str) -> Result<u32, SnapshotError> {
        self.take(12, name)?;
        let word = |at: usize| {
            self.packed
                .get(at..at + 4)
                .and_then(|word| word.try_into().ok())
                .map_or(0, u32::from_le_bytes)
        };
        let (len, packed, sum) = (word(0), word(4), word(8));
        hasher.update(&self.packed[..8]);
        if len as usize > BLOCK || packed > PACKED {
            return Err(SnapshotError::Damaged(name.to_owned()));
        }
        self.take(u64::from(packed), name)?;
        hasher.update(&self.packed);
        if hasher.clone().finalize() != sum {
            return Err(SnapshotError::Damaged(name.to_owned()));
        }
        Ok(len)
    }

    /// Reads to the end of the file: whatever columns are left, and nothing after them.
    pub(super) fn finish(mut self) -> Result<(), SnapshotError> {
        loop {
            let head = self.head()?;
            if head.name != END {
                self.skip(head)?;
                continue;
            }
            let complete = head.rows == self.columns;
            self.skip(head)?;
            self.packed.clear();
            let more = (&mut self.from).take(1).read_to_end(&mut self.packed)?;
            return match (complete, more) {
                (true, 0) => Ok(()),
                _ => Err(SnapshotError::Damaged(END.to_owned())),
            };
        }
    }
}

/// Reads the values of one column. Must be finished.
pub(super) struct ColumnReader<'a, R> {
    reader: &'a mut Reader<R>,
    name: &'static str,
    rows: u64,
    hasher: Hasher,
    /// How much of the block is read.
    at: usize,
}

impl<R: Read> ColumnReader<'_, R> {
    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    pub(super) fn malformed(&self, why: &'static str) -> SnapshotError {
        SnapshotError::Malformed { column: self.name, why }
    }

    /// Refuses a column that has not as many rows as it should.
    pub(super) fn expect_rows(self, rows: u64) -> Result<Self, SnapshotError> {
        if self.rows == rows { Ok(self) } else { Err(self.malformed("wrong number of rows")) }
    }

    pub(super) fn charge(&mut self, bytes: Bytes) -> Result<(), SnapshotError> {
        self.reader.charge(bytes)
    }

    #[inline]
    pub(super) fn byte(&mut self) -> Result<u8, SnapshotError> {
        if self.at == self.reader.block.len() && !self.refill()? {
            return Err(self.malformed("fewer values than rows"));
        }
        self.at += 1;
        Ok(self.reader.block[self.at - 1])
    }

    #[inline]
    pub(super) fn number(&mut self) -> Result<u64, SnapshotError> {
        if let Some(&first) = self.reader.block.get(self.at)
            && first < 0x80
        {
            self.at += 1;
            return Ok(u64::from(first));
        }
        self.long_number()
    }

    /// A number of more than one byte, or one that begins in the next block.
    fn long_number(&mut self) -> Result<u64, SnapshotError> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                break;
            }
            number |= bits << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(self.malformed("a number of more than 64 bits"))
    }

    /// A number of at most 32 bits, below `end`.
    #[inline]
    pub(super) fn below(&mut self, end: usize) -> Result<u32, SnapshotError> {
        match u32::try_from(self.number()?) {
            Ok(number) if (number as usize) < end => Ok(number),
            _ => Err(self.malformed("a number that is too large")),
        }
    }

    /// A number by its difference to another.
    #[inline]
    pub(super) fn difference(&mut self, before: u64) -> Result<u64, SnapshotError> {
        let number = self.number()?;
        Ok(before.wrapping_add(number >> 1 ^ (number & 1).wrapping_neg()))
    }

    /// A text; its length counts against the limit as it arrives.
    pub(super) fn text(&mut self) -> Result<String, SnapshotError> {
        let len = self.number()?;
        let mut bytes = Vec::new();
        for _ in 0..len {
            self.charge(Bytes(1))?;
            bytes.push(self.byte()?);
        }
        String::from_utf8(bytes).map_err(|_| self.malformed("text that is not UTF-8"))
    }

    /// Checks that nothing is left.
    pub(super) fn finish(mut self) -> Result<(), SnapshotError> {
        if self.at < self.reader.block.len() || self.refill()? {
            return Err(self.malformed("more values than rows"));
        }
        Ok(())
    }

    /// The next block; `false` at the end of the column.
    fn refill(&mut self) -> Result<bool, SnapshotError> {
        let len = self.reader.packed_block(&mut self.hasher, self.name)? as usize;
        let Reader { decompressor, block, packed, .. } = &mut *self.reader;
        block.clear();
        self.at = 0;
        if len > 0 && decompressor.decompress_to_buffer(packed.as_slice(), block).is_err() {
            block.clear();
        }
        if block.len() != len {
            return Err(SnapshotError::Damaged(self.name.to_owned()));
        }
        Ok(len > 0)
    }
}
