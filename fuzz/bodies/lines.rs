//! Any bytes as lines, in windows of some size: what cutting the whole at its line feeds gives, and in parts
//! the same.
//!
//! The first byte says how, the second how long a line may be.

use std::fs;
use std::io::Cursor;
use std::ops::ControlFlow;

use deadweight_files::{FilesError, Lines, Source, Windows, splits};

const SIZES: [usize; 8] = [1, 2, 3, 5, 8, 16, 64, 300];
/// A byte beyond it is no bound.
const BOUND: u8 = 200;
const MOST_PARTS: usize = 5;

/// What a line says, where it begins and which it is.
type Told = (Vec<u8>, u64, u64);

fn on(_: u64) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// Reads all lines; says what came of it.
pub(crate) fn run(bytes: &[u8]) -> String {
    let [how, longest, text @ ..] = bytes else { return "nothing".to_owned() };
    let how = usize::from(*how);
    let (size, parts) = (SIZES[how % 8], 1 + how / 8 % MOST_PARTS);
    let longest = if *longest > BOUND { usize::MAX } else { usize::from(*longest) };
    let reader = Box::new(Cursor::new(text.to_vec()));
    let windows = Windows::of_size(Source::stream("bytes", reader), size);
    let mut found = Vec::new();
    let ended = read(windows, longest, &mut found);
    if text.starts_with(b"\xff\xfe") || text.starts_with(b"\xfe\xff") {
        assert!(matches!(ended, Err(FilesError::Utf16(_))), "{ended:?}");
        return "UTF-16".to_owned();
    }
    let mut truth = naive(text);
    let too_long = truth.iter().position(|(line, ..)| line.len() > longest);
    match (&ended, too_long) {
        (Ok(()), None) => {}
        (Err(FilesError::LongLine { line, offset, limit, .. }), Some(index)) => {
            let (_, at, number) = truth[index];
            assert_eq!((*line, *offset, *limit), (Some(number), at, longest));
        }
        (ended, too_long) => panic!("{ended:?}, and not {too_long:?}"),
    }
    let whole = truth.clone();
    truth.truncate(too_long.unwrap_or(usize::MAX));
    assert_eq!(found, truth);
    in_parts(text, parts, size, &whole);

    let logarithm = |number: usize| number.checked_ilog2().map_or(0, |log| log + 1);
    let length = truth.iter().map(|(line, ..)| line.len()).max().unwrap_or(0);
    let ended = if ended.is_ok() { "all" } else { "too long" };
    format!("{} of {}, {ended}", logarithm(truth.len()), logarithm(length))
}

fn read(windows: Windows, longest: usize, found: &mut Vec<Told>) -> Result<(), FilesError> {
    let mut lines = Lines::new(windows).longest(longest);
    while let Some(line) = lines.next(&mut on)? {
        found.push((line.bytes.to_vec(), line.offset, line.number));
    }
    Ok(())
}

fn naive(text: &[u8]) -> Vec<Told> {
    let mark = if text.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    let mut offset = mark as u64;
    let mut found = Vec::new();
    for line in text[mark..].split_inclusive(|byte| *byte == b'\n') {
        let its =
            line.strip_suffix(b"\n").map_or(line, |its| its.strip_suffix(b"\r").unwrap_or(its));
        found.push((its.to_vec(), offset, found.len() as u64 + 1));
        offset += line.len() as u64;
    }
    found
}

fn in_parts(text: &[u8], count: usize, size: usize, whole: &[Told]) {
    let file = tempfile::NamedTempFile::new().expect("a file");
    fs::write(file.path(), text).expect("a file can be written");
    let mut all = Vec::new();
    for part in splits(file.path(), count, b'\n', &mut on).expect("a file") {
        let source = Source::open_part(file.path(), part).expect("a part");
        read(Windows::of_size(source, size), usize::MAX, &mut all).expect("a part");
    }
    // Each part counts its own.
    let places = |lines: &[Told]| -> Vec<_> {
        lines.iter().map(|(line, offset, _)| (line.clone(), *offset)).collect()
    };
    assert_eq!(places(&all), places(whole));
}
