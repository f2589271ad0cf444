//! Reading a file where it lies.
//!
//! Only the structure is looked at, not the values: what is opened may be bigger than memory. All
//! lengths are held against the file first; offsets, codes and UTF-8 are checked where they are used.
//! The readers of `arrow-ipc` either go through all values or trust them, and panic at some of what a
//! damaged file can have; of that crate only the generated, verified accessors are used here.

use std::collections::HashMap;

use arrow_buffer::{ArrowNativeType, Buffer, ScalarBuffer};
use arrow_ipc::{Block, RecordBatch, root_as_message};
use bytes::Bytes;

use super::footer::{self, Column, Contents, Storage};
use super::{FileError, copied};
use crate::bits::Bits;
use crate::category::{Categories, Codes};
use crate::column;
use crate::error::{Reason, RecordsError};
use crate::fixed::Fixed;
use crate::kind::{Field, Kind};
use crate::table::Table;
use crate::texts::{Blob, MOST, Texts};
use crate::values::Values;

/// Opens an Arrow file over its bytes, which are not copied.
///
/// `Bytes::from_owner(map)` takes a mapped file. The columns keep the owner alive until all of them
/// were changed, dropped or [detached](Table::detach); whoever has to look at the file's length before
/// each access, since a mapped file may shrink, can give an owner that holds an `Arc` and keep a
/// `Weak` of it: when that is gone, nothing lies in the file any more.
///
/// Batches may be compressed in an Arrow file; those are refused.
///
/// # Errors
/// [`FileError`], of any bytes whatever.
pub fn open(file: Bytes) -> Result<Table, FileError> {
    let contents = footer::contents(&file)?;
    let file = Buffer::from(file);
    let words = dictionaries(&file, &contents)?;
    let fields: Vec<Field> = contents.columns.iter().map(|column| column.field.clone()).collect();
    let mut tables = vec![Table::new(&fields)?];
    for block in &contents.batches {
        let (header, body) = message(&file, block)?;
        let message = root_as_message(&header).map_err(|_| NO_BATCH)?;
        let batch = message.header_as_record_batch().ok_or(NO_BATCH)?;
        let mut buffers = Walk::over(&batch, &body)?;
        tables.push(table(&contents.columns, &words, &mut buffers)?);
    }
    Table::over_all(tables).ok_or(SHORT)
}

/// Header and body of a message.
fn message(file: &Buffer, block: &Block) -> Result<(Vec<u8>, Buffer), FileError> {
    let number = |number: i64| usize::try_from(number).map_err(|_| BLOCK);
    let start = number(block.offset())?;
    let header = number(block.metaDataLength().into())?;
    let body = number(block.bodyLength())?;
    let body_start = start.checked_add(header).ok_or(BLOCK)?;
    let end = body_start.checked_add(body).ok_or(BLOCK)?;
    if end > file.len() {
        return Err(BLOCK);
    }
    // Four bytes of ones, which old files lack, and the length.
    let header = &file[start..body_start];
    let header = header.strip_prefix(&[0xff; 4]).unwrap_or(header).get(4..).ok_or(BLOCK)?;
    Ok((copied(header)?, file.slice_with_length(body_start, body)))
}

fn dictionaries(file: &Buffer, contents: &Contents) -> Result<HashMap<i64, Blob>, FileError> {
    let mut known: HashMap<i64, Blob> = HashMap::new();
    for block in &contents.dictionaries {
        let (header, body) = message(file, block)?;
        let message = root_as_message(&header).map_err(|_| NO_BATCH)?;
        let dictionary = message.header_as_dictionary_batch().ok_or(NO_BATCH)?;
        let id = dictionary.id();
        let of_id =
            |column: &&Column| matches!(column.storage, Storage::Words { id: of, .. } if of == id);
        let Some(column) = contents.columns.iter().find(of_id) else { continue };
        let batch = dictionary.data().ok_or(NO_BATCH)?;
        let mut buffers = Walk::over(&batch, &body)?;
        let (rows, valid) = buffers.node()?;
        if valid.is_some() {
            return Err(FileError::Unread { what: "has a category that is null", hint: "" });
        }
        let words = buffers.texts(rows, column.large_words)?;
        let all = match (dictionary.isDelta(), known.remove(&id)) {
            (true, Some(before)) => joined(before, words)?,
            (false, Some(_)) => return Err(FileError::Damaged("two dictionaries of one number")),
            (_, None) => words,
        };
        known.insert(id, all);
    }
    Ok(known)
}

fn joined(before: Blob, more: Blob) -> Result<Blob, FileError> {
    let damaged = |_: Reason| FileError::Damaged("a dictionary makes no sense");
    let mut all = Texts::over(before.0, before.1);
    let more = Texts::over(more.0, more.1);
    for word in 0..more.len() {
        all.push(more.get(word).map_err(damaged)?).map_err(damaged)?;
    }
    all.share().map_err(damaged)?.pop().ok_or(FileError::Damaged("a dictionary makes no sense"))
}

fn table(
    columns: &[Column],
    words: &HashMap<i64, Blob>,
    buffers: &mut Walk<'_>,
) -> Result<Table, FileError> {
    let all = buffers.batch_rows;
    let mut made = Vec::new();
    for column in columns {
        let (rows, valid) = buffers.node()?;
        if rows != all {
            return Err(FileError::Damaged("columns of different lengths"));
        }
        let kind = column.field.kind;
        let values = match column.storage {
            Storage::Numbers => buffers.of_kind(kind, rows)?,
            Storage::Bits => {
                let bits = buffers.next()?;
                Values::Bool(Bits::over(ScalarBuffer::from(bits), rows).ok_or(SHORT)?)
            }
            Storage::Texts { large } => {
                let (offsets, blob) = buffers.texts(rows, large)?;
                let texts = Texts::over(offsets, blob);
                if kind == Kind::Str { Values::Str(texts) } else { Values::Bytes(texts) }
            }
            Storage::Words { id, bits, signed } => {
                let codes = buffers.codes(rows, bits, signed)?;
                let words = match words.get(&id) {
                    Some((offsets, blob)) => Texts::over(offsets.clone(), blob.clone()),
                    None => Texts::new(MOST),
                };
                Values::Category(Box::new(Categories::over(codes, words)))
            }
        };
        let nullable = column.field.nullable || valid.is_some();
        made.push(column::Column::over(kind, nullable, values, valid));
    }
    let names = columns.iter().map(|column| column.field.name.clone()).collect();
    Ok(Table::over(names, made, all)?)
}

/// The buffers of a batch, in the order of its columns.
struct Walk<'a> {
    batch_rows: usize,
    nodes: Vec<(i64, i64)>,
    buffers: Vec<(i64, i64)>,
    node: usize,
    buffer: usize,
    body: &'a Buffer,
}

impl<'a> Walk<'a> {
    fn over(batch: &RecordBatch<'_>, body: &'a Buffer) -> Result<Walk<'a>, FileError> {
        if batch.compression().is_some() {
            let hint = "; write it without compression";
            return Err(FileError::Unread { what: "is compressed", hint });
        }
        let nodes = batch.nodes().map_or_else(Vec::new, |nodes| {
            nodes.iter().map(|node| (node.length(), node.null_count())).collect()
        });
        let buffers = batch.buffers().map_or_else(Vec::new, |buffers| {
            buffers.iter().map(|buffer| (buffer.offset(), buffer.length())).collect()
        });
        let batch_rows = usize::try_from(batch.length()).map_err(|_| SHORT)?;
        Ok(Walk { batch_rows, nodes, buffers, node: 0, buffer: 0, body })
    }

    fn next(&mut self) -> Result<Buffer, FileError> {
        let (offset, length) = *self.buffers.get(self.buffer).ok_or(SHORT)?;
        self.buffer += 1;
        let (offset, length) = (usize::try_from(offset), usize::try_from(length));
        let (Ok(offset), Ok(length)) = (offset, length) else { return Err(SHORT) };
        let end = offset.checked_add(length).ok_or(SHORT)?;
        if end > self.body.len() {
            return Err(SHORT);
        }
        Ok(self.body.slice_with_length(offset, length))
    }

    /// Rows of the next column, and which of them have a value if not all do.
    fn node(&mut self) -> Result<(usize, Option<Bits>), FileError> {
        let (rows, nulls) = *self.nodes.get(self.node).ok_or(SHORT)?;
        self.node += 1;
        let rows = usize::try_from(rows).map_err(|_| SHORT)?;
        let bits = self.next()?;
        if nulls == 0 {
            return Ok((rows, None));
        }
        Ok((rows, Some(Bits::over(ScalarBuffer::from(bits), rows).ok_or(SHORT)?)))
    }

    /// So many numbers, where they lie if that is where numbers of their width may lie.
    fn numbers<T: ArrowNativeType>(&mut self, count: usize) -> Result<ScalarBuffer<T>, FileError> {
        let bytes = self.next()?;
        let length = count.checked_mul(size_of::<T>()).ok_or(SHORT)?;
        if length > bytes.len() {
            return Err(SHORT);
        }
        let bytes = bytes.slice_with_length(0, length);
        let lies_well = bytes.as_ptr().cast::<T>().is_aligned();
        let bytes = if lies_well { bytes } else { Buffer::from_slice_ref(bytes.as_slice()) };
        Ok(ScalarBuffer::from(bytes))
    }

    fn of_kind(&mut self, kind: Kind, rows: usize) -> Result<Values, FileError> {
        Ok(match kind {
            Kind::I1 => Values::I1(self.numbers(rows)?.into()),
            Kind::I2 => Values::I2(self.numbers(rows)?.into()),
            Kind::I4 => Values::I4(self.numbers(rows)?.into()),
            Kind::I8 => Values::I8(self.numbers(rows)?.into()),
            Kind::U1 => Values::U1(self.numbers(rows)?.into()),
            Kind::U2 => Values::U2(self.numbers(rows)?.into()),
            Kind::U4 => Values::U4(self.numbers(rows)?.into()),
            Kind::U8 => Values::U8(self.numbers(rows)?.into()),
            Kind::F4 => Values::F4(self.numbers(rows)?.into()),
            Kind::F8 => Values::F8(self.numbers(rows)?.into()),
            Kind::DateTime => Values::DateTime(self.numbers(rows)?.into()),
            Kind::Date => Values::Date(self.numbers(rows)?.into()),
            Kind::TimeDelta => Values::TimeDelta(self.numbers(rows)?.into()),
            Kind::Bool | Kind::Str | Kind::Bytes | Kind::Category | Kind::Object(_) => {
                return Err(SHORT);
            }
        })
    }

    fn codes(&mut self, rows: usize, bits: i32, signed: bool) -> Result<Codes, FileError> {
        Ok(match (bits, signed) {
            (8, true) => Codes::I1(self.numbers(rows)?.into()),
            (16, true) => Codes::I2(self.numbers(rows)?.into()),
            (32, true) => Codes::I4(self.numbers(rows)?.into()),
            (8, false) => Codes::I2(converted(&self.numbers::<u8>(rows)?)?),
            (16, false) => Codes::I4(converted(&self.numbers::<u16>(rows)?)?),
            (32, false) => Codes::I4(converted(&self.numbers::<u32>(rows)?)?),
            (64, true) => Codes::I4(converted(&self.numbers::<i64>(rows)?)?),
            (64, false) => Codes::I4(converted(&self.numbers::<u64>(rows)?)?),
            _ => return Err(FileError::Damaged("a dictionary makes no sense")),
        })
    }

    fn texts(&mut self, rows: usize, large: bool) -> Result<Blob, FileError> {
        // Of no rows there may be no offset either.
        let empty = self.buffers.get(self.buffer).is_some_and(|(_, length)| *length == 0);
        let count = if rows == 0 && empty { 0 } else { rows.checked_add(1).ok_or(SHORT)? };
        let offsets = if large { narrowed(&self.numbers(count)?)? } else { self.numbers(count)? };
        Ok((offsets, ScalarBuffer::from(self.next()?)))
    }
}

fn narrowed(offsets: &[i64]) -> Result<ScalarBuffer<i32>, FileError> {
    let mut narrow = Vec::new();
    narrow.try_reserve_exact(offsets.len()).map_err(|_| RecordsError::Memory)?;
    for offset in offsets {
        narrow.push(i32::try_from(*offset).map_err(|_| FileError::Unread {
            what: "has a batch of more than 2 GiB of text",
            hint: "; write it in smaller batches",
        })?);
    }
    Ok(ScalarBuffer::from(narrow))
}

/// Codes in signed numbers. One that is too large leads nowhere, and that of a row without a value
/// may be anything: neither stands in the way of the others.
fn converted<F: Copy, T: ArrowNativeType + TryFrom<F> + From<i8>>(
    from: &[F],
) -> Result<Fixed<T>, FileError> {
    let mut codes = Fixed::default();
    let own = codes.own(from.len()).map_err(|_| RecordsError::Memory)?;
    own.extend(from.iter().map(|code| T::try_from(*code).unwrap_or(T::from(-1))));
    Ok(codes)
}

const BLOCK: FileError = FileError::Damaged("a batch lies outside the file");
const NO_BATCH: FileError = FileError::Damaged("a batch makes no sense");
const SHORT: FileError = FileError::Damaged("a column is longer than its values");
