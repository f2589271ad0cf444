//! Lines as the standard library has them, in windows of any size.

#[path = "../../../fuzz/bodies/lines.rs"]
mod body;
#[path = "../../../fuzz/bodies/corpus.rs"]
mod corpus;
#[path = "../../../fuzz/bodies/noise.rs"]
mod noise;

use std::io::{Cursor, Read};
use std::ops::ControlFlow;

use deadweight_files::{FilesError, Lines, Source, Windows};
use proptest::prelude::*;

fn on(_: u64) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// What a line says, where it begins and which it is.
type Told = (Vec<u8>, u64, u64);

fn lines(
    reader: Box<dyn Read + Send>,
    size: usize,
    longest: usize,
) -> Result<Vec<Told>, FilesError> {
    let windows = Windows::of_size(Source::stream("log", reader), size);
    let mut lines = Lines::new(windows).longest(longest);
    let mut found = Vec::new();
    while let Some(line) = lines.next(&mut on)? {
        found.push((line.bytes.to_vec(), line.offset, line.number));
    }
    Ok(found)
}

fn of(bytes: &[u8], size: usize, longest: usize) -> Result<Vec<Told>, FilesError> {
    lines(Box::new(Cursor::new(bytes.to_vec())), size, longest)
}

fn naive(text: &str) -> Vec<Told> {
    let place = |line: &str| line.as_ptr() as u64 - text.as_ptr() as u64;
    let numbered = (1..).zip(text.lines());
    // The standard library leaves a carriage return at the end of a last line without a line feed, as we do.
    numbered.map(|(number, line)| (line.as_bytes().to_vec(), place(line), number)).collect()
}

/// Gives a byte at a time, as a slow pipe does.
struct Slow(Cursor<Vec<u8>>);

impl Read for Slow {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let most = buffer.len().min(1);
        self.0.read(&mut buffer[..most])
    }
}

/// The same lines in batches.
fn batches(
    bytes: &[u8],
    size: usize,
    longest: usize,
    ends: bool,
) -> Result<Vec<Vec<u8>>, FilesError> {
    let windows =
        Windows::of_size(Source::stream("log", Box::new(Cursor::new(bytes.to_vec()))), size);
    let mut lines = Lines::new(windows).longest(longest).keep_ends(ends);
    let (mut all, mut found) = (Vec::new(), Vec::new());
    loop {
        lines.batch(&mut found, &mut on)?;
        if found.is_empty() {
            return Ok(all);
        }
        all.extend(found.iter().map(|its| lines.windows().bytes()[its.clone()].to_vec()));
        assert_eq!(lines.given(), all.len() as u64);
    }
}

proptest! {
    #[test]
    fn batches_of_them_are_the_same(text in "[a\r\né]{0,40}", size in 1..60_usize, longest in 0..9_usize) {
        let truth = of(text.as_bytes(), size, longest);
        let truth = truth.map(|lines| lines.into_iter().map(|line| line.0).collect::<Vec<_>>());
        let found = batches(text.as_bytes(), size, longest, false);
        prop_assert_eq!(format!("{found:?}"), format!("{truth:?}"));
    }

    #[test]
    fn with_their_ends_they_are_all_bytes(text in "[a\r\né]{0,40}", size in 1..60_usize) {
        let found = batches(text.as_bytes(), size, 1000, true).unwrap();
        prop_assert_eq!(found.concat(), text.as_bytes());
        prop_assert_eq!(found.len(), text.lines().count());
        prop_assert!(found.iter().rev().skip(1).all(|line| line.ends_with(b"\n")));
    }

    #[test]
    fn they_are_those_of_the_standard_library(text in "[a\r\né]{0,40}", size in 1..9_usize) {
        let truth = naive(&text);
        prop_assert_eq!(&of(text.as_bytes(), size, 1000).unwrap(), &truth);
        let slowly = lines(Box::new(Slow(Cursor::new(text.into_bytes()))), size, 1000).unwrap();
        prop_assert_eq!(&slowly, &truth);
    }

    #[test]
    fn one_that_is_too_long_is_named(text in "[ab\r\n]{0,60}", size in 1..9_usize, longest in 0..9_usize) {
        let too_long = naive(&text).into_iter().find(|(bytes, ..)| bytes.len() > longest);
        match (of(text.as_bytes(), size, longest), too_long) {
            (Ok(_), None) => {}
            (Err(FilesError::LongLine { name, line, offset, limit }), Some((_, at, number))) => {
                prop_assert_eq!((name.as_str(), line, offset, limit), ("log", Some(number), at, longest));
            }
            (found, truth) => prop_assert!(false, "{found:?}, not {truth:?}"),
        }
    }
}

#[test]
fn the_message_says_which_line_is_too_long() {
    let error = of(b"one\r\ntwo\nthree\n", 4, 3).unwrap_err();
    assert_eq!(error.to_string(), "log: line 3 at byte 9 is longer than 3 bytes");
    assert_eq!(error.hint(), None);
}

#[test]
fn a_mark_of_utf_8_is_no_part_of_the_first_line_and_utf_16_is_refused() {
    let marked = "\u{feff}one\n\u{feff}two";
    let truth = [(b"one".to_vec(), 3, 1), ("\u{feff}two".into(), 7, 2)];
    assert_eq!(of(marked.as_bytes(), 2, 100).unwrap(), truth);
    assert!(matches!(of(b"\xff\xfeo\0\n\0", 2, 100), Err(FilesError::Utf16(_))));
}

#[test]
fn bytes_that_are_no_text_are_given_as_they_are() {
    let truth = [(b"\xff\0\r".to_vec(), 0, 1), (b"\xe9".to_vec(), 5, 2)];
    assert_eq!(of(b"\xff\0\r\r\n\xe9", 3, 100).unwrap(), truth);
}

/// A reader that fills whatever it is given, and counts how often it is asked.
struct Endless {
    left: usize,
    asked: std::sync::Arc<std::sync::atomic::AtomicUsize>,
}

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = buffer.len().min(self.left);
        buffer[..count].fill(b'x');
        self.left -= count;
        self.asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Ok(count)
    }
}

#[test]
fn a_long_line_is_read_in_steps_that_double_and_not_beyond_the_bound() {
    let asked = std::sync::Arc::default();
    let endless = |left| Box::new(Endless { left, asked: std::sync::Arc::clone(&asked) });
    let found = lines(endless(32 << 20), 1024, 64 << 20).unwrap();
    assert_eq!((found.len(), found[0].0.len()), (1, 32 << 20));
    let times = asked.load(std::sync::atomic::Ordering::Relaxed);
    assert!(times < 64, "{times} reads, each of which moves and looks at what is there");

    asked.store(0, std::sync::atomic::Ordering::Relaxed);
    let error = lines(endless(usize::MAX), 1024, 1 << 20).unwrap_err();
    assert!(matches!(error, FilesError::LongLine { line: Some(1), offset: 0, .. }), "{error}");
    let times = asked.load(std::sync::atomic::Ordering::Relaxed);
    assert!(times < 32, "{times} reads for a line that is too long after 11 doublings");
}

#[test]
fn the_corpus_has_the_lines_that_cutting_it_gives() {
    corpus::replay("lines", 60, body::run);
}

#[test]
#[ignore = "writes to the corpus"]
fn gather_corpus() {
    let texts: [&[u8]; 6] = [
        b"one\ntwo\r\nthree\rfour\n\r\n\nlast",
        b"\xef\xbb\xbfone\r\n\xef\xbb\xbftwo\r",
        b"\xff\xfeo\0\n\0",
        b"\0\xff\xe9\n\r\r\n\x80",
        b"\r",
        b"",
    ];
    let mut seeds = Vec::new();
    for how in 0..40 {
        for longest in [0, 3, 5, 255] {
            seeds.extend(texts.iter().map(|text| [&[how, longest], *text].concat()));
        }
    }
    corpus::gather("lines", seeds, 200_000, 100, body::run);
}
