//! Arrow files: what goes in comes out, by our reader and by Arrow's; and whatever the bytes are,
//! there is an error or a right answer.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

mod rows;

use std::fs::{self, File};
use std::io::Cursor;
use std::sync::Arc;

use arrow_array::types::{Int8Type, UInt32Type};
use arrow_array::{
    Array, ArrayRef, DictionaryArray, Int64Array, LargeStringArray, RecordBatch, StringArray,
    StringViewArray, TimestampNanosecondArray,
};
use arrow_ipc::reader::FileReader;
use arrow_ipc::writer::FileWriter;
use arrow_schema::{DataType, Field as ArrowField, Schema};
use bytes::Bytes;
use deadweight_records::file::{self, FileError};
use deadweight_records::{Field, Kind, RecordsError, Table, Value};
use proptest::prelude::*;

use rows::{Owned, Row, all, every_kind, fields_and_rows, lent, table_of};

fn written(table: &mut Table) -> Vec<u8> {
    let mut bytes = Vec::new();
    file::write(table, &mut bytes).unwrap();
    bytes
}

fn by_arrow(bytes: &[u8]) -> Table {
    let reader = FileReader::try_new(Cursor::new(bytes), None).unwrap();
    let schema = reader.schema();
    Table::from_batches(&schema, reader.map(|batch| batch.unwrap())).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_file_holds_the_rows_that_were_written((fields, rows) in fields_and_rows(40)) {
        let mut table = table_of(&fields, &rows);
        let bytes = written(&mut table);
        let mut opened = file::open(Bytes::from(bytes.clone())).unwrap();
        prop_assert_eq!(opened.len(), rows.len());
        prop_assert_eq!(&all(&opened), &rows);
        // Arrow's reader shares nothing with ours.
        prop_assert_eq!(&all(&by_arrow(&bytes)), &rows);
        prop_assert_eq!(opened.fields(), fields);
        // What lies in a file is changed like anything else.
        for row in &rows {
            opened.push(&lent(row)).unwrap();
        }
        prop_assert_eq!(all(&opened), [rows.clone(), rows].concat());
    }

    #[test]
    fn a_file_of_which_bytes_were_changed_gives_an_error_or_rows(
        (fields, rows) in fields_and_rows(4),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut bytes = written(&mut table_of(&fields, &rows));
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        use_it_all(bytes);
    }
}

/// Does everything with a file that a user could, and does not care what comes out.
fn use_it_all(bytes: Vec<u8>) {
    let Ok(mut table) = file::open(Bytes::from(bytes)) else { return };
    // A damaged file may say that it has more rows than one can go through.
    for row in (0..table.len().min(100)).chain([table.len().saturating_sub(1)]) {
        for field in 0..20 {
            let _ = table.get(row, field);
        }
    }
    let _ = table.batches();
    if table.len() < 10_000 {
        let first: Vec<Value<'_>> = vec![Value::None; table.fields().len()];
        let _ = table.push(&first);
        let _ = table.set(0, 0, Value::Int(1));
        let _ = table.slice(0..table.len());
        let _ = table.delete(0..table.len().min(1));
        let _ = table.detach();
    }
}

/// A row of each kind, with texts of some length.
fn sample() -> (Vec<Field>, Vec<Row>) {
    let fields = every_kind(0b0101_0101_0101_0101_0101);
    let value = |field: &Field, row: i32| match field.kind {
        _ if field.nullable && row == 1 => Owned::None,
        Kind::F4 | Kind::F8 => Owned::Float(f64::from(row) / 2.0),
        Kind::Bool => Owned::Bool(row % 2 == 0),
        Kind::Str => Owned::Str(format!("é{row}")),
        Kind::Category => Owned::Str(format!("c{}", row % 2)),
        Kind::Bytes => Owned::Bytes(vec![0xff, row as u8]),
        Kind::DateTime => Owned::DateTime(row.into()),
        Kind::Date => Owned::Date(row),
        Kind::TimeDelta => Owned::TimeDelta(row.into()),
        _ => Owned::Int(row.into()),
    };
    let row = |row| fields.iter().map(|field| value(field, row)).collect();
    let rows = (0..4).map(row).collect();
    (fields, rows)
}

#[test]
fn a_file_cut_at_any_byte_is_an_error() {
    let (fields, rows) = sample();
    let bytes = written(&mut table_of(&fields, &rows));
    for length in 0..bytes.len() {
        let cut = file::open(Bytes::copy_from_slice(&bytes[..length]));
        assert!(matches!(cut, Err(FileError::Truncated)), "of {length} bytes: {cut:?}");
    }
    assert_eq!(all(&file::open(Bytes::from(bytes)).unwrap()), rows);
}

#[test]
fn a_file_with_any_byte_changed_is_an_error_or_rows() {
    let (fields, rows) = sample();
    let bytes = written(&mut table_of(&fields, &rows));
    for at in 0..bytes.len() {
        for bits in [0x01, 0x80, 0xff] {
            let mut changed = bytes.clone();
            changed[at] ^= bits;
            use_it_all(changed);
        }
    }
}

#[test]
fn what_is_no_arrow_file_is_said_to_be_none() {
    for (known, name) in
        [(&b"PAR1 and so on"[..], "a Parquet file"), (&[0xff; 12], "an Arrow stream")]
    {
        let opened = file::open(Bytes::copy_from_slice(known));
        assert!(matches!(opened, Err(FileError::Other { what, .. }) if what == name), "{opened:?}");
    }
    for foreign in [&b"PARC"[..], b"{\"a\": 1}", &[0; 4096]] {
        let opened = file::open(Bytes::copy_from_slice(foreign));
        assert!(matches!(opened, Err(FileError::Foreign)), "{opened:?}");
    }
}

/// An owner that lets us see when nobody needs the map any more.
struct Owner(Arc<memmap2::Mmap>);
impl AsRef<[u8]> for Owner {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

#[test]
fn numbers_are_read_where_they_lie() {
    let (fields, rows) = sample();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("users.arrow");
    file::save(&mut table_of(&fields, &rows), &path).unwrap();
    let opened = File::open(&path).unwrap();
    // SAFETY: nobody else knows of the file, which is in a folder of our own.
    let map = Arc::new(unsafe { memmap2::Mmap::map(&opened) }.unwrap());
    let within = map.as_ptr_range();

    let mapped = Arc::downgrade(&map);
    let mut table = file::open(Bytes::from_owner(Owner(map))).unwrap();
    for (column, field) in table.columns().iter().zip(&fields) {
        if let Some(address) = column.address() {
            assert!(within.contains(&address.cast()), "{field:?}");
        }
    }
    table.set(2, 0, Value::Int(99)).unwrap();
    assert!(mapped.upgrade().is_some());
    table.detach().unwrap();
    assert!(mapped.upgrade().is_none());
    assert_eq!(table.get(2, 0).unwrap(), Value::Int(99));
    assert_eq!(all(&table)[3], rows[3]);
}

#[test]
fn a_file_is_replaced_when_the_new_one_is_whole() {
    let (fields, rows) = sample();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("users.arrow");
    file::save(&mut table_of(&fields, &rows), &path).unwrap();
    file::save(&mut table_of(&fields, &rows[..1]), &path).unwrap();
    let opened = file::open(Bytes::from(fs::read(&path).unwrap())).unwrap();
    assert_eq!(opened.len(), 1);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);

    let nowhere = folder.path().join("missing/users.arrow");
    let saved = file::save(&mut table_of(&fields, &rows), &nowhere);
    assert!(matches!(saved, Err(FileError::Io(_))), "{saved:?}");
}

fn file_of(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut bytes = Vec::new();
    let mut writer = FileWriter::try_new(&mut bytes, &batch.schema()).unwrap();
    writer.write(&batch).unwrap();
    writer.write(&batch.slice(1, 1)).unwrap();
    writer.finish().unwrap();
    drop(writer);
    bytes
}

#[test]
fn files_of_others_are_read_too() {
    let words = StringArray::from(vec!["no", "sv"]);
    let codes = arrow_array::UInt32Array::from(vec![Some(1), None, Some(0)]);
    let category = DictionaryArray::<UInt32Type>::try_new(codes, Arc::new(words)).unwrap();
    let bytes = file_of(vec![
        ("id", Arc::new(Int64Array::from(vec![Some(-1), Some(2), None]))),
        ("name", Arc::new(LargeStringArray::from(vec![Some("a"), None, Some("ccc")]))),
        ("country", Arc::new(category)),
    ]);
    let mut opened = file::open(Bytes::from(bytes)).unwrap();
    assert!(!opened.is_whole());
    assert_eq!(opened.batches().unwrap().1.len(), 2);
    let (a, none) = (Value::Str("a"), Value::None);
    let expected = [
        [Value::Int(-1), a, Value::Str("sv")],
        [Value::Int(2), none, none],
        [none, Value::Str("ccc"), Value::Str("no")],
        [Value::Int(2), none, none],
    ];
    for (row, expected) in expected.iter().enumerate() {
        for (field, expected) in expected.iter().enumerate() {
            assert_eq!(opened.get(row, field).unwrap(), *expected, "row {row}, field {field}");
        }
    }
    assert!(matches!(opened.get(4, 0), Err(RecordsError::NoRow { row: 4, rows: 4 })));
    let rows = all(&opened);
    assert_eq!(all(&opened.slice(1..4).unwrap()), rows[1..]);
    let turned = opened.take(&[3, 0, 1, 3, 2]).unwrap();
    assert_eq!(all(&turned), [3, 0, 1, 3, 2].map(|row: usize| rows[row].clone()));
    assert_eq!([0, 1, 2].map(|field| opened.null_count(field)), [1, 2, 2]);
    opened.set(3, 0, Value::None).unwrap();
    assert!(opened.is_whole());
    assert_eq!(all(&opened)[..3], rows[..3]);
    assert_eq!(opened.get(3, 0).unwrap(), Value::None);
}

#[test]
fn types_that_no_column_has_are_named() {
    let views: ArrayRef = Arc::new(StringViewArray::from(vec!["a", "b", "c"]));
    let nanos: ArrayRef = Arc::new(TimestampNanosecondArray::from(vec![1, 2, 3]));
    for (column, named) in [(views, "utf8view"), (nanos, "timestamp")] {
        let opened = file::open(Bytes::from(file_of(vec![("x", column)])));
        match opened {
            Err(FileError::Records(RecordsError::ArrowType { field, found, hint })) => {
                assert_eq!((field.as_str(), found.as_str()), ("x", named));
                assert!(!hint.is_empty());
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn batches_of_others_are_taken_in() {
    let words = StringArray::from(vec!["no", "sv"]);
    let codes = arrow_array::Int8Array::from(vec![Some(1), None, Some(0)]);
    let category = DictionaryArray::<Int8Type>::try_new(codes, Arc::new(words)).unwrap();
    let batch = RecordBatch::try_from_iter(vec![
        ("view", Arc::new(StringViewArray::from(vec![Some("a"), None, Some("c")])) as ArrayRef),
        ("large", Arc::new(LargeStringArray::from(vec!["x", "yy", ""]))),
        ("category", Arc::new(category)),
    ])
    .unwrap();
    let both = [batch.slice(1, 2), batch.clone()];
    let table = Table::from_batches(&batch.schema(), both).unwrap();
    let text = |text: &str| Owned::Str(text.to_owned());
    let expected = [
        [Owned::None, text("yy"), Owned::None],
        [text("c"), text(""), text("no")],
        [text("a"), text("x"), text("sv")],
        [Owned::None, text("yy"), Owned::None],
        [text("c"), text(""), text("no")],
    ];
    assert_eq!(all(&table), expected);

    let schema = Schema::new(vec![ArrowField::new("x", DataType::Float16, false)]);
    let refused = Table::from_batches(&schema, []).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "field \"x\" has the Arrow type Float16, which records do not hold; \
         rows that come one by one can have it in a field of objects"
    );
}

#[test]
fn numbers_go_out_and_come_in_without_a_copy() {
    let (fields, rows) = sample();
    let mut table = table_of(&fields, &rows);
    let (schema, batches) = table.batches().unwrap();
    assert_eq!(batches.len(), 1);
    for (column, array) in table.columns().iter().zip(batches[0].columns()) {
        if let Some(address) = column.address() {
            assert_eq!(array.to_data().buffers()[0].as_ptr(), address);
        }
    }
    let back = Table::from_batches(&schema, batches).unwrap();
    for (here, there) in table.columns().iter().zip(back.columns()) {
        assert_eq!(here.address(), there.address());
    }
}
