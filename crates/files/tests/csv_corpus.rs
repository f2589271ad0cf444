//! CSV as people have it (`corpus/csv`): the records that are written down beside it, and what is wrong with
//! them, in windows of any size and wherever in a chunk of 64 bytes it begins.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::io::Cursor;
use std::ops::ControlFlow;
use std::path::PathBuf;

use ::csv::{ByteRecord, ReaderBuilder};
use deadweight_files::csv::{self, Checked, Dialect, Fault};
use deadweight_files::{FilesError, Source, Windows};
use serde_json::Value;

/// A text and what it means.
struct Case {
    name: String,
    text: Vec<u8>,
    /// `None` if it is refused.
    records: Option<Vec<Vec<Vec<u8>>>>,
    /// What is wrong with which record, from 1.
    bad: BTreeMap<u64, Vec<String>>,
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../corpus/csv")
}

fn document(name: &str) -> Value {
    serde_json::from_slice(&fs::read(folder().join(name)).unwrap()).unwrap()
}

fn bytes(text: &str, encoding: Option<&str>) -> Vec<u8> {
    match encoding {
        None => text.as_bytes().to_vec(),
        Some("latin-1") => text.chars().map(|one| u8::try_from(one).unwrap()).collect(),
        Some("utf-16-le") => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        Some("utf-16-be") => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        Some(other) => panic!("{other}"),
    }
}

fn records(value: &Value, encoding: Option<&str>) -> Option<Vec<Vec<Vec<u8>>>> {
    let field = |field: &Value| bytes(field.as_str().unwrap(), encoding);
    let record = |record: &Value| record.as_array().unwrap().iter().map(field).collect();
    Some(value.as_array()?.iter().map(record).collect())
}

/// A file each that are as they should be, and texts in one that mostly are not.
fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "csv") {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let records = records(&document(&format!("{name}.json")), None);
            let text = fs::read(&path).unwrap();
            cases.push(Case { name, text, records, bad: BTreeMap::new() });
        }
    }
    assert_eq!(cases.len(), 12);
    for one in document("deviations.json").as_array().unwrap() {
        let encoding = one["encoding"].as_str();
        let mut bad = BTreeMap::new();
        for (record, faults) in one["bad"].as_object().into_iter().flatten() {
            let faults = faults.as_array().unwrap().iter();
            let faults = faults.map(|fault| fault.as_str().unwrap().to_owned()).collect();
            bad.insert(record.parse().unwrap(), faults);
        }
        cases.push(Case {
            name: one["name"].as_str().unwrap().to_owned(),
            text: bytes(one["text"].as_str().unwrap(), encoding),
            records: records(&one["records"], encoding),
            bad,
        });
    }
    cases
}

fn windows(bytes: &[u8], size: usize) -> Windows {
    Windows::of_size(Source::stream("bytes", Box::new(Cursor::new(bytes.to_vec()))), size)
}

fn on(_: u64) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn count(bytes: &[u8], size: usize) -> Result<u64, FilesError> {
    csv::count(&mut windows(bytes, size), Dialect::default(), &mut on)
}

fn check(bytes: &[u8], size: usize) -> Result<Checked, FilesError> {
    csv::check(&mut windows(bytes, size), Dialect::default(), usize::MAX, None, true, &mut on)
}

fn read(bytes: &[u8], size: usize) -> Vec<Vec<Vec<u8>>> {
    let mut records = csv::Records::new(windows(bytes, size), Dialect::default());
    let mut read = Vec::new();
    while let Some(record) = records.next(&mut on).unwrap() {
        read.push(record.fields().map(Cow::into_owned).collect());
    }
    read
}

fn word(fault: Fault) -> &'static str {
    match fault {
        Fault::Ragged => "ragged",
        Fault::BareQuote => "bare_quote",
        Fault::OpenQuote => "open_quote",
        Fault::Nul => "nul",
        Fault::NotUtf8 => "not_utf8",
    }
}

fn bad(checked: &Checked) -> BTreeMap<u64, Vec<String>> {
    let words = |row: &csv::BadRow| row.faults.iter().map(|fault| word(fault).to_owned()).collect();
    checked.rows.iter().map(|row| (row.record, words(row))).collect()
}

#[test]
fn texts_have_the_records_and_the_faults_that_are_written_down() {
    for Case { name, text, records, bad: truth } in cases() {
        for size in 1..text.len() + 2 {
            let (counted, checked) = (count(&text, size), check(&text, size));
            let Some(records) = &records else {
                assert!(matches!(counted, Err(FilesError::Utf16(_))), "{name}");
                assert!(matches!(checked, Err(FilesError::Utf16(_))), "{name}");
                continue;
            };
            let checked = checked.unwrap();
            let fields = records.first().map_or(0, Vec::len);
            assert_eq!(counted.unwrap(), records.len() as u64, "{name}");
            assert_eq!((checked.records, checked.fields), (records.len() as u64, fields as u64));
            assert_eq!(bad(&checked), truth, "{name}");
            assert_eq!(read(&text, size), *records, "{name}");
        }
    }
}

#[test]
fn it_does_not_matter_where_in_a_chunk_they_begin() {
    for Case { name, text, records, bad: truth } in cases() {
        let Some(records) = &records else { continue };
        let fields = records.first().map_or(1, Vec::len);
        for before in 0..130 {
            let first = "x".repeat(before) + &",".repeat(fields - 1) + "y\n";
            let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text);
            let longer = [first.as_bytes(), text].concat();
            let (counted, checked) = (count(&longer, 300).unwrap(), check(&longer, 300).unwrap());
            assert_eq!(counted, records.len() as u64 + 1, "{name}, after {before}");
            let later = truth.iter().map(|(record, faults)| (record + 1, faults.clone()));
            assert_eq!(bad(&checked), later.collect(), "{name}, after {before}");
            assert_eq!(read(&longer, 300)[1..], *records, "{name}, after {before}");
        }
    }
}

/// What is written down is not only our word.
#[test]
fn the_csv_crate_reads_the_same_fields() {
    for Case { name, text, records, .. } in cases() {
        let Some(records) = records else { continue };
        let mut reader =
            ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_slice());
        let theirs: Vec<ByteRecord> = reader.byte_records().map(Result::unwrap).collect();
        let ours: Vec<ByteRecord> = records.into_iter().map(ByteRecord::from).collect();
        assert_eq!(theirs, ours, "{name}");
    }
}
