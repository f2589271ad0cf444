//! Compressed sources give what is in them, or say why not.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

mod packing;

use std::fs;
use std::io::{Cursor, Read};
use std::ops::ControlFlow;

use deadweight_files::csv::{self, Dialect};
use deadweight_files::{FilesError, Lines, Source, Windows};
use packing::{FORMATS, pack};
use proptest::prelude::*;

const PLENTY: u64 = 1 << 40;

fn on(_: u64) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn stream(bytes: Vec<u8>) -> Source {
    Source::stream("data", Box::new(Cursor::new(bytes)))
}

fn read(source: Source, most: u64) -> Result<Vec<u8>, FilesError> {
    let mut windows = Windows::of_size(source.unpacked(most)?, 64);
    let mut found = Vec::new();
    while windows.advance(windows.bytes().len(), &mut on)? {
        found.extend_from_slice(windows.bytes());
    }
    Ok(found)
}

fn format() -> impl Strategy<Value = &'static str> {
    prop::sample::select(FORMATS.to_vec())
}

proptest! {
    #[test]
    fn what_was_packed_comes_out_and_what_was_not_stays(
        parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 1..4),
        format in format(),
    ) {
        let whole = parts.concat();
        // One after the other is one, as by `cat`.
        let packed: Vec<u8> = parts.iter().flat_map(|part| pack(format, part)).collect();
        prop_assert_eq!(&read(stream(packed), PLENTY).unwrap(), &whole);
        prop_assert_eq!(&read(stream(whole.clone()), PLENTY).unwrap(), &whole);
    }

    #[test]
    fn a_flipped_bit_is_an_error_or_changes_nothing(
        bytes in prop::collection::vec(any::<u8>(), 1..300),
        format in format(),
        place in any::<prop::sample::Index>(),
        bit in 0..8,
    ) {
        let mut packed = pack(format, &bytes);
        // Behind what tells the format: without that it is read as it is.
        let place = 10 + place.index(packed.len() - 10);
        packed[place] ^= 1_u8 << bit;
        match read(stream(packed), PLENTY) {
            Ok(found) => prop_assert_eq!(found, bytes),
            Err(FilesError::Damaged { format: told, .. } | FilesError::CutOff { format: told, .. }) => {
                prop_assert_eq!(told, format);
            }
            Err(error) => prop_assert!(false, "{error}"),
        }
    }

    #[test]
    fn as_much_as_is_allowed_is_given_and_no_more(length in 0..2000_u64, format in format(), most in 0..2000_u64) {
        let packed = pack(format, &vec![b'x'; length as usize]);
        match read(stream(packed), most) {
            Ok(found) => prop_assert!(found.len() as u64 == length && length <= most),
            Err(FilesError::TooMuchUnpacked { name, most: told }) => {
                prop_assert!(name == "data" && told == most && length > most);
            }
            Err(error) => prop_assert!(false, "{error}"),
        }
    }
}

#[test]
fn one_that_lost_its_end_says_where_wherever_that_is() {
    for format in FORMATS {
        let text: Vec<u8> =
            (0..500_u32).flat_map(|number| number.to_string().into_bytes()).collect();
        let packed = pack(format, &text);
        for length in 10..packed.len() {
            let error = read(stream(packed[..length].to_vec()), PLENTY).unwrap_err();
            let FilesError::CutOff { name, format: told, offset } = &error else {
                panic!("{format} of {length} of {} bytes: {error}", packed.len())
            };
            assert_eq!((name.as_str(), *told, *offset), ("data", format, length as u64));
        }
        let message = read(stream(packed[..20].to_vec()), PLENTY).unwrap_err().to_string();
        assert_eq!(message, format!("data: {format} that ends at byte 20, before its end"));
    }
}

#[test]
fn a_bomb_is_stopped_where_it_was_said() {
    for format in FORMATS {
        let packed = pack(format, &vec![0; 50 << 20]);
        assert!(packed.len() < 1_000_000, "{format}: {}", packed.len());
        let mut windows = Windows::new(stream(packed).unpacked(1 << 20).unwrap());
        let error = csv::count(&mut windows, Dialect::default(), &mut on).unwrap_err();
        assert_eq!(error.to_string(), "data has more than 1048576 bytes in it");
        assert!(windows.read_to() <= 1 << 20);
    }
}

/// As tools write that put an index before what it is of.
#[test]
fn a_frame_of_zstandard_that_is_to_be_skipped_may_come_first() {
    for kind in 0x50..=0x5f {
        let skipped = [kind, 0x2a, 0x4d, 0x18, 5, 0, 0, 0, 1, 2, 3, 4, 5];
        let packed = [&skipped, pack("Zstandard", b"text").as_slice(), &skipped].concat();
        assert_eq!(read(stream(packed), PLENTY).unwrap(), b"text");
        assert_eq!(read(stream(skipped.to_vec()), PLENTY).unwrap(), b"");
    }
}

/// Each format says in its header how far back it refers.
#[test]
fn what_wants_more_memory_than_we_give_is_refused() {
    let mut far = pack("Zstandard", b"text");
    assert_eq!(far[4] & 0x20, 0, "a frame with a window of its own");
    far[5] = (28 - 10) << 3;
    let error = read(stream(far), PLENTY).unwrap_err().to_string();
    assert!(error.contains("too much memory"), "{error}");

    let mut far = pack("xz", b"text");
    // A block header of 12 bytes with LZMA2 alone, and 256 MiB.
    assert_eq!(far[12..16], [2, 0, 0x21, 1]);
    far[16] = 32;
    let mut sum = flate2::Crc::new();
    sum.update(&far[12..20]);
    far[20..24].copy_from_slice(&sum.sum().to_le_bytes());
    let error = read(stream(far), PLENTY).unwrap_err().to_string();
    assert!(error.contains("memory"), "{error}");
}

#[test]
fn a_file_is_told_by_what_is_in_it_and_not_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.csv.gz");
    fs::write(&path, "a,b\n1,2\n").unwrap();
    let source = Source::open(&path).unwrap().unpacked(PLENTY).unwrap();
    assert_eq!(source.length(), Some(8));
    assert_eq!(csv::count(&mut Windows::new(source), Dialect::default(), &mut on).unwrap(), 2);

    let path = folder.path().join("rows.csv");
    fs::write(&path, pack("xz", b"a,b\n1,2\n3,4")).unwrap();
    let source = Source::open(&path).unwrap().unpacked(PLENTY).unwrap();
    assert_eq!(source.length(), None);
    assert_eq!(csv::count(&mut Windows::new(source), Dialect::default(), &mut on).unwrap(), 3);
}

#[test]
fn a_packed_file_that_becomes_shorter_is_told_as_such() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut state = 4711_u64;
    let noise: Vec<u8> = (0..1_000_000)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 56) as u8
        })
        .collect();
    let packed = pack("gzip", &noise);
    fs::write(file.path(), &packed).unwrap();
    let source = Source::open(file.path()).unwrap().unpacked(PLENTY).unwrap();
    file.as_file().set_len(100_000).unwrap();
    let mut windows = Windows::new(source);
    let error = csv::count(&mut windows, Dialect::default(), &mut on).unwrap_err();
    let FilesError::Shorter { offset: 100_000, length, .. } = error else { panic!("{error}") };
    assert_eq!(length, packed.len() as u64);
}

/// A reader that a signal interrupts before every byte.
struct Interrupted(Cursor<Vec<u8>>, bool);

impl Read for Interrupted {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.1 = !self.1;
        if self.1 {
            return Err(std::io::ErrorKind::Interrupted.into());
        }
        let most = buffer.len().min(1);
        self.0.read(&mut buffer[..most])
    }
}

#[test]
fn signals_are_told_to_who_watches_and_lose_nothing() {
    let text: Vec<u8> = (0..500_u32).flat_map(|number| number.to_string().into_bytes()).collect();
    for format in FORMATS {
        let reader = Interrupted(Cursor::new(pack(format, &text)), false);
        let source = Source::stream("data", Box::new(reader));
        assert_eq!(read(source, PLENTY).unwrap(), text, "{format}");
    }
}

/// What has come of a pipe. Then signals come, and in the end no more bytes.
struct Stalled(Cursor<Vec<u8>>, usize);

impl Read for Stalled {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self.0.read(buffer)? {
            0 if self.1 > 0 => {
                self.1 -= 1;
                Err(std::io::ErrorKind::Interrupted.into())
            }
            count => Ok(count),
        }
    }
}

fn stalled(bytes: &[u8]) -> Windows {
    let reader = Stalled(Cursor::new(bytes.to_vec()), 100);
    Windows::new(Source::stream("data", Box::new(reader)).unpacked(PLENTY).unwrap())
}

#[test]
fn who_watches_is_asked_wherever_what_is_packed_stalls() {
    for format in FORMATS {
        let mut packed = pack(format, b"text");
        if format == "gzip" {
            // A name in the header, as RFC 1952 has it.
            packed[3] |= 8;
            packed.splice(10..10, *b"name\0");
        }
        for length in 10..packed.len() {
            let mut asked = 0;
            let mut watch = |_| {
                asked += 1;
                if asked < 5 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            };
            let mut windows = stalled(&packed[..length]);
            let error = loop {
                match windows.advance(windows.bytes().len(), &mut watch) {
                    Ok(goes_on) => assert!(goes_on, "{format}: {length}"),
                    Err(error) => break error,
                }
            };
            assert!(matches!(error, FilesError::Stopped { .. }), "{format}: {length}: {error}");
        }
    }
}

#[test]
fn what_cannot_be_packed_is_not_waited_for() {
    for text in
        [&b"a\n"[..], b"hi\n", b"BZ\n", b"BZhi\n", b"BZh11AY\n", b"P*\n", b"\xff\n", b"\xef\xbb\n"]
    {
        let mut lines = Lines::new(stalled(text));
        let mut asked = 0;
        let mut watch = |_| {
            asked += 1;
            if asked == 1 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        };
        let line = lines.next(&mut watch).unwrap().unwrap();
        assert_eq!(line.bytes, &text[..text.len() - 1]);
    }
}
