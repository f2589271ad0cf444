//! What the end of an Arrow file says: the fields, and where the batches are.

use arrow_ipc::{
    Block, DateUnit, Endianness, Field as Described, Footer, MetadataVersion, Precision, TimeUnit,
    Type, root_as_footer,
};

use super::{FileError, MAGIC, copied};
use crate::error::RecordsError;
use crate::kind::{Field, Kind};

/// How the values of a field lie in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Storage {
    Numbers,
    Bits,
    /// With offsets of 64 bits, or of 32.
    Texts {
        large: bool,
    },
    /// Numbers of words, of which the dictionary of that id has the list.
    Words {
        id: i64,
        bits: i32,
        signed: bool,
    },
}

#[derive(Debug)]
pub(super) struct Column {
    pub(super) field: Field,
    pub(super) storage: Storage,
    /// Whether the words of a dictionary have offsets of 64 bits.
    pub(super) large_words: bool,
}

#[derive(Debug)]
pub(super) struct Contents {
    pub(super) columns: Vec<Column>,
    pub(super) dictionaries: Vec<Block>,
    pub(super) batches: Vec<Block>,
}

/// Reads the end of a file.
pub(super) fn contents(file: &[u8]) -> Result<Contents, FileError> {
    if !file.starts_with(MAGIC) {
        return Err(if MAGIC.starts_with(file) { FileError::Truncated } else { foreign(file) });
    }
    // The length of the footer, four bytes, and the magic again.
    let before = file.strip_suffix(MAGIC).ok_or(FileError::Truncated)?;
    let (before, length) = before.split_last_chunk::<4>().ok_or(FileError::Truncated)?;
    let length = usize::try_from(i32::from_le_bytes(*length)).map_err(|_| NO_FOOTER)?;
    let start = before.len().checked_sub(length).ok_or(NO_FOOTER)?;
    // A copy lies on a boundary of eight bytes; the file's own need not.
    let bytes = copied(&before[start..])?;
    let footer = root_as_footer(&bytes).map_err(|_| NO_FOOTER)?;
    if footer.version() < MetadataVersion::V4 || footer.version() > MetadataVersion::V5 {
        return Err(unread("is of another version of the format"));
    }
    let dictionaries =
        footer.dictionaries().map_or_else(Vec::new, |all| all.iter().copied().collect());
    let batches = footer.recordBatches().map_or_else(Vec::new, |all| all.iter().copied().collect());
    Ok(Contents { columns: columns(&footer)?, dictionaries, batches })
}

/// What a file is that begins otherwise.
fn foreign(file: &[u8]) -> FileError {
    if file.starts_with(b"PAR1") {
        let reader = "pyarrow.parquet.read_table";
        FileError::Other { what: "a Parquet file", reader }
    } else if file.starts_with(&[0xff; 4]) {
        FileError::Other { what: "an Arrow stream", reader: "pyarrow.ipc.open_stream" }
    } else {
        FileError::Foreign
    }
}

fn columns(footer: &Footer<'_>) -> Result<Vec<Column>, FileError> {
    let schema = footer.schema().ok_or(NO_FOOTER)?;
    if schema.endianness() != Endianness::Little {
        return Err(unread("has its numbers the other way round"));
    }
    schema.fields().unwrap_or_default().iter().map(|field| column(&field)).collect()
}

fn column(described: &Described<'_>) -> Result<Column, FileError> {
    let name = described.name().unwrap_or_default();
    let (kind, storage) = stored(described).ok_or_else(|| {
        let found = described.type_type().variant_name().unwrap_or("unknown").to_lowercase();
        let hint = match described.type_type() {
            Type::Utf8View | Type::BinaryView => "; write it with an older compatibility level",
            Type::Timestamp => "; convert it to microseconds without a time zone",
            Type::Duration => "; convert it to microseconds",
            _ => "",
        };
        RecordsError::ArrowType { field: name.to_owned(), found, hint }
    })?;
    let field = Field { name: name.to_owned(), kind, nullable: described.nullable() };
    let large = matches!(storage, Storage::Texts { large: true });
    let Some(dictionary) = described.dictionary() else {
        return Ok(Column { field, storage, large_words: false });
    };
    if kind != Kind::Str {
        let found = format!("a dictionary of {kind}");
        return Err(RecordsError::ArrowType { field: field.name, found, hint: "" }.into());
    }
    // Where it is not said, the format has them of 32 bits.
    let (bits, signed) =
        dictionary.indexType().map_or((32, true), |int| (int.bitWidth(), int.is_signed()));
    Ok(Column {
        field: Field { kind: Kind::Category, ..field },
        storage: Storage::Words { id: dictionary.id(), bits, signed },
        large_words: large,
    })
}

/// Nothing for a type that no column here has.
fn stored(described: &Described<'_>) -> Option<(Kind, Storage)> {
    let numbers = |kind| Some((kind, Storage::Numbers));
    match described.type_type() {
        Type::Int => {
            let int = described.type_as_int()?;
            numbers(match (int.bitWidth(), int.is_signed()) {
                (8, true) => Kind::I1,
                (16, true) => Kind::I2,
                (32, true) => Kind::I4,
                (64, true) => Kind::I8,
                (8, false) => Kind::U1,
                (16, false) => Kind::U2,
                (32, false) => Kind::U4,
                (64, false) => Kind::U8,
                _ => return None,
            })
        }
        Type::FloatingPoint => match described.type_as_floating_point()?.precision() {
            Precision::SINGLE => numbers(Kind::F4),
            Precision::DOUBLE => numbers(Kind::F8),
            _ => None,
        },
        Type::Bool => Some((Kind::Bool, Storage::Bits)),
        Type::Utf8 => Some((Kind::Str, Storage::Texts { large: false })),
        Type::LargeUtf8 => Some((Kind::Str, Storage::Texts { large: true })),
        Type::Binary => Some((Kind::Bytes, Storage::Texts { large: false })),
        Type::LargeBinary => Some((Kind::Bytes, Storage::Texts { large: true })),
        Type::Timestamp => {
            let timestamp = described.type_as_timestamp()?;
            let naive = timestamp.timezone().is_none_or(str::is_empty);
            (naive && timestamp.unit() == TimeUnit::MICROSECOND).then_some(())?;
            numbers(Kind::DateTime)
        }
        Type::Date => {
            (described.type_as_date()?.unit() == DateUnit::DAY).then_some(())?;
            numbers(Kind::Date)
        }
        Type::Duration => {
            (described.type_as_duration()?.unit() == TimeUnit::MICROSECOND).then_some(())?;
            numbers(Kind::TimeDelta)
        }
        _ => None,
    }
}

fn unread(what: &'static str) -> FileError {
    FileError::Unread { what, hint: "" }
}

const NO_FOOTER: FileError = FileError::Damaged("its end makes no sense");
