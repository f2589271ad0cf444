//! Parts of a file have what the file has, record for record.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use std::fs;
use std::ops::{ControlFlow, Range};
use std::path::Path;

use ::csv::{ByteRecord, ReaderBuilder};
use deadweight_files::csv::{self, Dialect};
use deadweight_files::{FilesError, Lines, Source, Windows, splits};
use proptest::prelude::*;

fn on(_: u64) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn records(bytes: &[u8]) -> Vec<ByteRecord> {
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes);
    reader.byte_records().map(Result::unwrap).collect()
}

fn is_whole(parts: &[Range<u64>], length: usize) -> bool {
    let mut from = 0;
    let joined = parts.iter().all(|part| {
        let follows = part.start == from && part.end > from;
        from = part.end;
        follows
    });
    joined && from == length as u64
}

fn its<'a>(bytes: &'a [u8], part: &Range<u64>) -> &'a [u8] {
    &bytes[part.start as usize..part.end as usize]
}

fn windows(path: &Path, part: Range<u64>) -> Windows {
    Windows::of_size(Source::open_part(path, part).unwrap(), 7)
}

fn file(bytes: &[u8]) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), bytes).unwrap();
    file
}

/// Words that bring up all there is, so that cuts fall everywhere.
fn text() -> impl Strategy<Value = Vec<u8>> {
    let words =
        ["a", ",", "\n", "\r\n", "\r", "\"", "\"a,\n\"", "\"\"", "\u{feff}", "long field", "\n\n"];
    prop::collection::vec(prop::sample::select(words.to_vec()), 0..40)
        .prop_map(|words| words.concat().into_bytes())
}

proptest! {
    #[test]
    fn records_of_all_parts_are_those_of_the_file(bytes in text(), count in 1..9_usize) {
        let file = file(&bytes);
        let parts = csv::splits(file.path(), count, Dialect::default(), &mut on).unwrap();
        prop_assert!(parts.len() <= count && is_whole(&parts, bytes.len()), "{parts:?}");
        // The crate drops a byte-order mark wherever it begins; ours is dropped only where the file does.
        let mut all = Vec::new();
        let mut counted = 0;
        for part in &parts {
            let bytes = its(&bytes, part);
            let guard: &[u8] = if part.start > 0 && bytes.starts_with(b"\xef\xbb\xbf") { b"\n" } else { b"" };
            all.extend(records(&[guard, bytes].concat()));
            counted += csv::count(&mut windows(file.path(), part.clone()), Dialect::default(), &mut on).unwrap();
        }
        let truth = records(&bytes);
        prop_assert_eq!(counted, truth.len() as u64);
        prop_assert_eq!(all, truth);
    }

    #[test]
    fn lines_of_all_parts_are_those_of_the_file(bytes in text(), count in 1..9_usize) {
        let file = file(&bytes);
        let parts = splits(file.path(), count, b'\n', &mut on).unwrap();
        prop_assert!(parts.len() <= count && is_whole(&parts, bytes.len()), "{parts:?}");
        let lines = |part: Range<u64>| {
            let mut lines = Lines::new(windows(file.path(), part));
            let mut found = Vec::new();
            while let Some(line) = lines.next(&mut on).unwrap() {
                found.push((line.bytes.to_vec(), line.offset));
            }
            found
        };
        let all: Vec<_> = parts.into_iter().flat_map(lines).collect();
        prop_assert_eq!(all, lines(0..bytes.len() as u64));
    }

    #[test]
    fn each_part_but_the_last_ends_with_the_byte_nearest_to_its_goal(
        bytes in prop::collection::vec(prop::sample::select(b"ab;".to_vec()), 0..200),
        count in 1..9_usize,
    ) {
        let file = file(&bytes);
        let parts = splits(file.path(), count, b';', &mut on).unwrap();
        let goals = (1..count).map(|part| bytes.len() * part / count);
        let cut = |goal: usize| {
            let after = |at: &usize| *at == bytes.len() || *at > 0 && bytes[*at - 1] == b';';
            (goal..=bytes.len()).find(after).unwrap()
        };
        let mut truth: Vec<u64> = goals.map(|goal| cut(goal) as u64).chain([bytes.len() as u64]).collect();
        truth.dedup();
        truth.retain(|end| *end > 0);
        prop_assert_eq!(parts.iter().map(|part| part.end).collect::<Vec<_>>(), truth);
    }
}

#[test]
fn parts_of_a_file_of_several_windows_are_about_the_same_length() {
    let bytes = b"1,\"a\nb\"\r\n".repeat(100_000);
    let file = file(&bytes);
    let parts = csv::splits(file.path(), 7, Dialect::default(), &mut on).unwrap();
    assert!(is_whole(&parts, bytes.len()));
    assert_eq!(parts.len(), 7);
    for part in &parts {
        assert!((part.end - part.start).abs_diff(bytes.len() as u64 / 7) <= 9, "{part:?}");
        assert_eq!(part.start % 9, 0);
    }
}

#[test]
fn an_empty_file_has_no_parts_and_what_has_no_length_is_refused() {
    let file = file(b"");
    assert_eq!(splits(file.path(), 3, b'\n', &mut on).unwrap(), []);
    assert_eq!(csv::splits(file.path(), 3, Dialect::default(), &mut on).unwrap(), []);
    let endless = Path::new("/dev/zero");
    let error = splits(endless, 3, b'\n', &mut on).unwrap_err();
    assert_eq!(error.to_string(), "/dev/zero has no length: it cannot be split");
    let error = csv::splits(Path::new("/proc/self/limits"), 3, Dialect::default(), &mut on);
    assert!(matches!(error, Err(FilesError::NoLength(_))));
}

#[test]
fn a_part_that_the_file_no_longer_has_is_an_error() {
    let file = file(b"one\ntwo\n");
    let error = Source::open_part(file.path(), 4..12).err().unwrap();
    assert!(matches!(error, FilesError::NoPart { start: 4, end: 12, length: 8, .. }), "{error}");
}

#[test]
fn progress_of_a_part_counts_from_its_beginning() {
    let file = file(&b"x".repeat(1000));
    let source = Source::open_part(file.path(), 600..1000).unwrap();
    assert_eq!(source.length(), Some(400));
    let mut windows = Windows::of_size(source, 64);
    let mut most = 0;
    let mut watch = |read| {
        most = read;
        ControlFlow::Continue(())
    };
    csv::count(&mut windows, Dialect::default(), &mut watch).unwrap();
    assert!((300..=400).contains(&most), "{most}");
    assert_eq!((windows.read_to(), windows.source().appended()), (1000, 0));
}
