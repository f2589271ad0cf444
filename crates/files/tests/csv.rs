//! Records as the `csv` crate reads them, and what is wrong with them as it looks on their bytes.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

#[path = "../../../fuzz/bodies/csv.rs"]
mod body;
#[path = "../../../fuzz/bodies/corpus.rs"]
mod corpus;
#[path = "../../../fuzz/bodies/noise.rs"]
mod noise;
#[path = "oracle/csv.rs"]
mod oracle;

use std::ops::ControlFlow;
use std::sync::LazyLock;

use ::csv::ByteRecord;
use deadweight_files::csv::{self, BadRow, Checked, Dialect, Fault};
use deadweight_files::{FilesError, Source, Windows};
use oracle::{Grammar, MARK};
use proptest::prelude::*;

static GRAMMAR: LazyLock<Grammar> = LazyLock::new(|| Grammar::new(b',', b'"'));

fn windows(bytes: &[u8], size: usize) -> Windows {
    let bytes = bytes.to_vec();
    Windows::of_size(Source::stream("bytes", Box::new(std::io::Cursor::new(bytes))), size)
}

fn on(_: u64) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn count(bytes: &[u8], size: usize) -> u64 {
    csv::count(&mut windows(bytes, size), Dialect::default(), &mut on).unwrap()
}

fn check(bytes: &[u8], size: usize) -> Checked {
    csv::check(&mut windows(bytes, size), Dialect::default(), usize::MAX, None, true, &mut on)
        .unwrap()
}

fn records(bytes: &[u8]) -> Vec<ByteRecord> {
    GRAMMAR.records(bytes)
}

/// Bytes of many kinds close together.
fn odd() -> impl Strategy<Value = Vec<u8>> {
    let pieces: Vec<&[u8]> = vec![
        b"\"",
        b"\"\"",
        b",",
        b"\n",
        b"\r",
        b"\r\n",
        b"x",
        b"\"a\nb\"",
        b"\"a,\"\"b\"",
        "é".as_bytes(),
        b"\xe9",
        b"\xe2\x82",
        "😀".as_bytes(),
        b"\xf0\x9f\x98",
        b"\0",
        b"word",
        b" ",
        MARK,
    ];
    prop::collection::vec(prop::sample::select(pieces), 0..120).prop_map(|words| words.concat())
}

/// Records of two fields, most of them well made, and more than one chunk of them.
fn usual() -> impl Strategy<Value = Vec<u8>> {
    let fields = vec![
        "1234",
        "some text",
        "",
        "\"quoted, with \"\"quotes\"\"\"",
        "\"two\nlines\"",
        "\"\"",
        "a \"b\" c",
        "naïve",
    ];
    let field = || prop::sample::select(fields.clone());
    let end = prop::sample::select(vec!["\n", "\n", "\n", "\r\n", ",more\n"]);
    let row = (field(), field(), end).prop_map(|(one, two, end)| format!("{one},{two}{end}"));
    prop::collection::vec(row, 0..40).prop_map(|rows| rows.concat().into_bytes())
}

fn texts() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![odd(), usual(), odd().prop_map(|bytes| [MARK, &bytes].concat())]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn there_are_as_many_records_as_the_csv_crate_reads(bytes in texts(), size in 1..300_usize) {
        prop_assert_eq!(count(&bytes, size), records(&bytes).len() as u64);
    }

    #[test]
    fn bad_rows_are_those_that_a_look_at_each_finds(bytes in texts(), size in 1..300_usize) {
        let checked = check(&bytes, size);
        let records = records(&bytes);
        prop_assert_eq!(checked.records, records.len() as u64);
        prop_assert_eq!(checked.fields, records.first().map_or(0, ByteRecord::len) as u64);
        let truth = GRAMMAR.bad(&bytes);
        prop_assert_eq!(checked.bad, truth.len() as u64);
        for (row, (truth, faults)) in checked.rows.iter().zip(&truth) {
            prop_assert_eq!(&row.faults.iter().collect::<Vec<_>>(), faults);
            prop_assert_eq!(BadRow { faults: truth.faults, ..*row }, *truth);
        }
        for (fault, count) in Fault::ALL.iter().zip(checked.by_fault) {
            let truth = truth.iter().filter(|(_, faults)| faults.contains(fault)).count();
            prop_assert_eq!(count, truth as u64);
        }
    }
}

#[test]
fn the_deviations_that_people_have_are_counted_as_documented() {
    let cases: [(&str, u64); 16] = [
        ("", 0),
        ("\n\r\n\n", 0),
        ("a,b", 1),
        ("a,b\n1,2", 2),
        ("a,b\n1,2\n", 2),
        ("a,b\r\n1,2\r\n", 2),
        ("a,b\r1,2\r", 2),
        ("a,b\n\n\n1,2\n", 2),
        ("a,b\n1,\"two\nlines\"\n", 2),
        ("a,b\n1,\"two\r\nlines, \"\"quoted\"\"\"\n2,x", 3),
        ("a,b\n1,bare \"quote\n2,x\n", 3),
        ("a,b\n1,\"never closed\n2,x\n", 2),
        ("a,b\n1,\"closed\" late\n2,x\n", 3),
        ("\u{feff}a,b\n", 1),
        ("\u{feff}", 0),
        ("\"\"\n", 1),
    ];
    for (text, records) in cases {
        for size in [1, 2, 3, 7, 64, 1000] {
            assert_eq!(count(text.as_bytes(), size), records, "{text:?} in windows of {size}");
            assert_eq!(check(text.as_bytes(), size).records, records, "{text:?}");
        }
    }
}

#[test]
fn a_bad_row_is_named_by_record_line_and_byte() {
    let text = b"id,note\n1,\"two\nlines\"\n2,x,y\r\n3,a \"b\"\n4,caf\xe9\n5,\0\n6,\"open\n7,x\n";
    let checked = check(text, 16);
    assert_eq!((checked.records, checked.fields, checked.bad), (7, 2, 5));
    let rows: Vec<_> = checked
        .rows
        .iter()
        .map(|row| {
            (row.record, row.line.unwrap(), row.offset, row.faults.iter().collect::<Vec<_>>())
        })
        .collect();
    let truth = vec![
        (3, 4, 22, vec![Fault::Ragged]),
        (4, 5, 29, vec![Fault::BareQuote]),
        (5, 6, 37, vec![Fault::NotUtf8]),
        (6, 7, 44, vec![Fault::Nul]),
        (7, 8, 48, vec![Fault::OpenQuote]),
    ];
    assert_eq!(rows, truth);
    let some =
        csv::check(&mut windows(text, 16), Dialect::default(), 2, None, true, &mut on).unwrap();
    assert_eq!((some.bad, some.rows.len(), some.by_fault), (5, 2, [1; 5]));
}

#[test]
fn utf_16_is_refused_and_other_delimiters_are_not() {
    let error = csv::count(&mut windows(b"\xff\xfea\0,\0", 1), Dialect::default(), &mut on);
    assert!(matches!(error, Err(FilesError::Utf16(_))));
    let tabs = Dialect::new(b'\t', b'\'').unwrap();
    let text = b"a\tb\n1\t'two\nlines'\n";
    assert_eq!(csv::count(&mut windows(text, 5), tabs, &mut on).unwrap(), 2);
    for (delimiter, quote) in [(b',', b','), (b'\n', b'"'), (b',', b'\r'), (0xff, b'"'), (0, b'"')]
    {
        let error = Dialect::new(delimiter, quote).unwrap_err().to_string();
        assert_eq!(
            error.contains("the delimiter is"),
            matches!(delimiter, b'\n' | 0xff | 0),
            "{error}"
        );
    }
}

#[test]
fn the_corpus_has_the_records_that_the_csv_crate_reads() {
    corpus::replay("csv", 60, body::run);
}

#[test]
#[ignore = "writes to the corpus"]
fn gather_corpus() {
    let texts: [&[u8]; 14] = [
        b"a,b\n1,2\n",
        b"a,b\r\n1,\"two\r\nlines, \"\"quoted\"\"\"\r\n",
        b"a,b\r1,2\r\r3,4",
        b"a,b\n1\r\n2,3,4\r5,6\n\r",
        b"\xef\xbb\xbfid,name\n1,caf\xe9\n2,na\xc3\xafve\n",
        b"\xff\xfea\0,\0b\0\n\0",
        b"a\0b,\0\n\0\0\n",
        b"a,b\n1,bare \"quote\" here\n\"closed\" late,2\n",
        b"a,b\n1,\"never closed\n2,x\n3,y\n",
        b"\"\"\n\"\",\"\"\n\"\"\"\"\n",
        b"a\tb\n'tab\tin it'\t'it''s'\n",
        b"\xf0\x9f\x98\x80,\xe2\x82\xac\n\xf0\x9f\x98,\xe2\x82\n",
        b"one field\n\n\n\r\n and,more \n",
        b"",
    ];
    let mut seeds: Vec<Vec<u8>> = Vec::new();
    for how in 0..160 {
        seeds.extend(texts.iter().map(|text| [&[how], *text].concat()));
        // A quote that opens, closes or doubles at the end of a chunk and of a window.
        for length in 59..67 {
            let before = [&[how][..], &vec![b'x'; length], b",\""].concat();
            seeds.push([&before[..], b"open\n"].concat());
            seeds.push([&before[..], b"\"\",\n\""].concat());
        }
    }
    corpus::gather("csv", seeds, 200_000, 120, body::run);
}
