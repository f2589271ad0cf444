//! Records and fields as the `csv` crate reads them, in windows of any size.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use std::ops::ControlFlow;

use ::csv::ReaderBuilder;
use deadweight_files::csv::{self, Dialect, Records};
use deadweight_files::{FilesError, Source, Windows};
use proptest::prelude::*;

fn on(_: u64) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn reader(bytes: &[u8], size: usize, dialect: Dialect) -> Records {
    let source = Source::stream("bytes", Box::new(std::io::Cursor::new(bytes.to_vec())));
    Records::new(Windows::of_size(source, size), dialect)
}

/// What is known of a record: its fields, where it begins, and on which line.
type Known = (Vec<Vec<u8>>, u64, u64);

fn read(bytes: &[u8], size: usize, dialect: Dialect) -> Vec<Known> {
    let mut records = reader(bytes, size, dialect);
    let mut found = Vec::new();
    while let Some(record) = records.next(&mut on).unwrap() {
        assert_eq!(record.number, found.len() as u64 + 1);
        assert_eq!(record.fields().count(), record.width());
        let fields = record.fields().map(std::borrow::Cow::into_owned).collect();
        let offset = record.offset;
        // Every other one, so that lines are counted over records that nobody asked of.
        let line = if found.len() % 2 == 0 { records.line().unwrap() } else { 0 };
        found.push((fields, offset, line));
    }
    found
}

fn of_the_crate(bytes: &[u8], delimiter: u8, quote: u8) -> Vec<Vec<Vec<u8>>> {
    let mut builder = ReaderBuilder::new();
    builder.has_headers(false).flexible(true).delimiter(delimiter).quote(quote);
    let mut reader = builder.from_reader(bytes);
    reader
        .byte_records()
        .map(|record| record.unwrap().iter().map(<[u8]>::to_vec).collect())
        .collect()
}

/// Universal newlines, the plain way.
fn line(before: &[u8]) -> u64 {
    let pair = |index: usize| index > 0 && before[index - 1] == b'\r';
    let ends = before.iter().enumerate().filter(|(index, byte)| match byte {
        b'\n' => !pair(*index),
        byte => **byte == b'\r',
    });
    ends.count() as u64 + 1
}

fn texts() -> impl Strategy<Value = Vec<u8>> {
    let odd: Vec<&[u8]> =
        vec![b"\"", b"\"\"", b",", b"\n", b"\r", b"\r\n", b"x", b"\"a\nb\"", b"\xe9", b"\0", b" "];
    let usual: Vec<&[u8]> = vec![
        b"1234,\"two\nlines\"\n",
        b"some text,\"quoted, with \"\"quotes\"\"\"\n",
        b",\r\n",
        b"\"\",a \"b\" c\n",
        b"\"closed\"late,\"closed \"\"late\"\"\" \"again\"\n",
        b"one field and a longer text than the others, and then\n",
    ];
    let joined = |pieces: Vec<&'static [u8]>| {
        prop::collection::vec(prop::sample::select(pieces), 0..60).prop_map(|words| words.concat())
    };
    prop_oneof![joined(odd), joined(usual)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn fields_are_those_that_the_csv_crate_reads(bytes in texts(), size in 1..300_usize) {
        let found = read(&bytes, size, Dialect::default());
        let fields: Vec<_> = found.iter().map(|(fields, ..)| fields.clone()).collect();
        prop_assert_eq!(fields, of_the_crate(&bytes, b',', b'"'));
    }

    #[test]
    fn a_record_is_where_it_says(bytes in texts(), size in 1..300_usize) {
        let found = read(&bytes, size, Dialect::default());
        for (index, (fields, offset, its_line)) in found.iter().enumerate() {
            let start = usize::try_from(*offset).unwrap();
            // What begins there is that record, and those after it.
            let rest = of_the_crate(&bytes[start..], b',', b'"');
            prop_assert_eq!(&rest[0], fields);
            prop_assert_eq!(rest.len(), found.len() - index);
            if index % 2 == 0 {
                prop_assert_eq!(*its_line, line(&bytes[..start]));
            }
        }
        let records = csv::count(
            &mut Windows::new(Source::stream("bytes", Box::new(std::io::Cursor::new(bytes)))),
            Dialect::default(),
            &mut on,
        );
        prop_assert_eq!(records.unwrap(), found.len() as u64);
    }

    #[test]
    fn other_bytes_separate_and_quote_as_well(bytes in texts(), size in 1..300_usize) {
        let swapped: Vec<u8> = bytes
            .iter()
            .map(|byte| match byte { b',' => b'\t', b'"' => b'\'', byte => *byte })
            .collect();
        let found = read(&swapped, size, Dialect::new(b'\t', b'\'').unwrap());
        let fields: Vec<_> = found.into_iter().map(|(fields, ..)| fields).collect();
        prop_assert_eq!(fields, of_the_crate(&swapped, b'\t', b'\''));
    }
}

#[test]
fn fields_are_as_documented() {
    let cases: [(&str, &[&[&str]]); 12] = [
        ("", &[]),
        ("\n\r\n", &[]),
        ("a", &[&["a"]]),
        ("a,", &[&["a", ""]]),
        (",\n", &[&["", ""]]),
        ("\"\"", &[&[""]]),
        ("\"a\"\"b\"", &[&["a\"b"]]),
        ("\"a\"b\"c,d", &[&["ab\"c", "d"]]),
        ("a\"b\",c", &[&["a\"b\"", "c"]]),
        ("\"never, closed\nx,y", &[&["never, closed\nx,y"]]),
        ("\u{feff}a,b\n", &[&["a", "b"]]),
        ("a\r\rb\n\nc", &[&["a"], &["b"], &["c"]]),
    ];
    for (text, truth) in cases {
        for size in [1, 2, 3, 64, 1000] {
            let found = read(text.as_bytes(), size, Dialect::default());
            let found: Vec<Vec<String>> = found
                .into_iter()
                .map(|(fields, ..)| {
                    fields.into_iter().map(|field| String::from_utf8(field).unwrap()).collect()
                })
                .collect();
            assert_eq!(found, truth, "{text:?} in windows of {size}");
        }
    }
}

#[test]
fn a_quote_that_is_not_closed_is_said_of_its_record_alone() {
    let mut records = reader(b"a,\"b\"\nc,\"d\n", 4, Dialect::default());
    let closed = records.next(&mut on).unwrap().unwrap();
    assert!(!closed.is_open && closed.is_quoted(1) && !closed.is_quoted(0));
    let open = records.next(&mut on).unwrap().unwrap();
    assert!(open.is_open);
    assert_eq!(
        (open.bytes(), open.raw(1), open.raw(2)),
        (&b"c,\"d\n"[..], Some(&b"\"d\n"[..]), None)
    );
    assert!(records.next(&mut on).unwrap().is_none());
    assert!(records.next(&mut on).unwrap().is_none());
}

#[test]
fn a_record_has_a_bound_and_says_so() {
    let text = b"ab,cd\n\"123\n567\"\n\"123\n5678";
    for size in [1, 7, 1000] {
        let mut records = reader(text, size, Dialect::default()).longest(9);
        assert_eq!(records.next(&mut on).unwrap().unwrap().width(), 2);
        assert_eq!(records.next(&mut on).unwrap().unwrap().bytes().len(), 9);
        assert!(records.next(&mut on).is_ok(), "{size}");
        let mut records = reader(text, size, Dialect::default()).longest(8);
        records.next(&mut on).unwrap();
        let error = records.next(&mut on).unwrap_err();
        let FilesError::LongRecord { record, offset, limit, .. } = error else { panic!("{error}") };
        assert_eq!((record, offset, limit), (2, 6, 8));
    }
}

#[test]
fn who_wants_the_header_alone_begins_anew() {
    for text in [&b"\xef\xbb\xbf\n\nid,name\n1,x\n2,y"[..], b"id,name\n1,x\n2,y", b""] {
        for size in [1, 4, 1000] {
            let mut records = reader(text, size, Dialect::default());
            let header = records.next(&mut on).unwrap().map(|header| header.width());
            assert_eq!(header, (!text.is_empty()).then_some(2));
            let mut windows = records.into_windows();
            let count = csv::count(&mut windows, Dialect::default(), &mut on).unwrap();
            assert_eq!(count, if text.is_empty() { 0 } else { 3 }, "{size}");
        }
    }
    for size in [1, 4, 1000] {
        let mut records = reader(b"\n\r\n\n\xef\xbb\xbfid,name\n1\n", size, Dialect::default());
        records.next(&mut on).unwrap();
        let mut records = records.again();
        assert_eq!(records.next(&mut on).unwrap().unwrap().width(), 2);
        assert_eq!(records.line(), Some(4), "{size}");
        let mut windows = records.again().into_windows();
        let checked = csv::check(&mut windows, Dialect::default(), 1, None, true, &mut on).unwrap();
        assert_eq!((checked.records, checked.rows[0].line), (2, Some(5)), "{size}");
    }
}
