//! Pieces of a source: together they are it, and each is cut as late as may be.

use std::io::{Cursor, Read};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use deadweight_files::{Chunks, FilesError, Source};
use proptest::prelude::*;

fn chunks(
    reader: Box<dyn Read + Send>,
    size: usize,
    end: Option<u8>,
    longest: usize,
) -> Result<Vec<Vec<u8>>, FilesError> {
    let mut chunks = Chunks::new(Source::stream("log", reader), size, end, longest);
    let mut found = Vec::new();
    while let Some(chunk) = chunks.next(&mut |_read| ControlFlow::Continue(()))? {
        found.push(chunk.to_vec());
    }
    Ok(found)
}

/// As one would write it for bytes in memory.
fn naive(bytes: &[u8], size: usize, end: u8) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let ends = |at: &usize| rest[at - 1] == end || *at == rest.len();
        let within = (1..=size.min(rest.len())).rev().find(ends);
        let cut = within.or_else(|| (size..=rest.len()).find(ends)).unwrap_or(rest.len());
        found.push(rest[..cut].to_vec());
        rest = &rest[cut..];
    }
    found
}

/// Gives a byte at a time, as a slow pipe does.
struct Slow(Cursor<Vec<u8>>);

impl Read for Slow {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let most = buffer.len().min(1);
        self.0.read(&mut buffer[..most])
    }
}

proptest! {
    #[test]
    fn they_are_cut_as_late_as_may_be(bytes in "[ab\n]{0,60}", size in 1..20_usize) {
        let bytes = bytes.into_bytes();
        let truth = naive(&bytes, size, b'\n');
        let quickly = chunks(Box::new(Cursor::new(bytes.clone())), size, Some(b'\n'), 1000).unwrap();
        prop_assert_eq!(&quickly, &truth);
        let slowly = chunks(Box::new(Slow(Cursor::new(bytes))), size, Some(b'\n'), 1000).unwrap();
        prop_assert_eq!(&slowly, &truth);
    }

    #[test]
    fn they_are_cut_anywhere_if_there_is_no_end(bytes in "[ab\n]{0,60}", size in 1..20_usize) {
        let truth: Vec<Vec<u8>> = bytes.as_bytes().chunks(size).map(<[u8]>::to_vec).collect();
        let found = chunks(Box::new(Cursor::new(bytes.into_bytes())), size, None, 1).unwrap();
        prop_assert_eq!(found, truth);
    }
}

#[test]
fn a_record_has_a_bound() {
    let bytes = || Box::new(Cursor::new(b"a\nbbbbbbbbbb\n".to_vec()));
    assert_eq!(
        chunks(bytes(), 3, Some(b'\n'), 11).unwrap(),
        [b"a\n".to_vec(), b"bbbbbbbbbb\n".to_vec()]
    );
    let error = chunks(bytes(), 3, Some(b'\n'), 10).unwrap_err();
    assert_eq!(error.to_string(), "log: what begins at byte 2 has no b'\\n' in its first 10 bytes");
    // The last needs no end, and is as long as it may be.
    assert_eq!(chunks(Box::new(&b"bbb"[..]), 1, Some(b'\n'), 3).unwrap(), [b"bbb".to_vec()]);
}

/// Counts what is read of it.
struct Counted(Cursor<Vec<u8>>, Arc<AtomicUsize>);

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.0.read(buffer)?;
        self.1.fetch_add(count, Ordering::Relaxed);
        Ok(count)
    }
}

#[test]
fn little_is_read_beyond_a_long_record() {
    let long = 2_100_000;
    let bytes = [vec![b'x'; long], b"\nab".repeat(1_000_000)].concat();
    let read = Arc::new(AtomicUsize::new(0));
    let reader = Box::new(Counted(Cursor::new(bytes), Arc::clone(&read)));
    let mut chunks = Chunks::new(Source::stream("log", reader), 1024, Some(b'\n'), 1 << 30);
    let first = chunks.next(&mut |_read| ControlFlow::Continue(())).unwrap().unwrap();
    assert_eq!(first.len(), long + 1);
    let beyond = read.load(Ordering::Relaxed) - first.len();
    assert!(beyond <= 64 << 10, "{beyond}");
}
