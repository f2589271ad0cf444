//! Any bytes as what may be compressed: what is in it up to a bound, or an error, however little comes at
//! once.
//!
//! The first byte says how.

use std::io::{self, Cursor, Read};
use std::ops::ControlFlow;

use deadweight_files::{FilesError, Source, Windows};

const SIZES: [usize; 4] = [1, 7, 64, 5000];
const BOUNDS: [u64; 4] = [0, 10, 1000, 1 << 16];

fn on(_: u64) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// Unpacks; says what came of it.
pub(crate) fn run(bytes: &[u8]) -> String {
    let Some((&how, packed)) = bytes.split_first() else { return "nothing".to_owned() };
    let how = usize::from(how);
    let (size, most) = (SIZES[how % 4], BOUNDS[how / 4 % 4]);
    let at_once = unpack(Box::new(Cursor::new(packed.to_vec())), size, most);
    let slowly = unpack(Box::new(Slow(Cursor::new(packed.to_vec()), false)), size, most);
    match (&at_once, &slowly) {
        (Ok(at_once), Ok(slowly)) => assert_eq!(at_once, slowly),
        // Which of two reasons is seen first depends on how much is looked at.
        (Err(_), Err(_)) => {}
        _ => panic!("{at_once:?} at once, {slowly:?} slowly"),
    }
    match at_once {
        Ok(text) if text == packed => "as it is".to_owned(),
        Ok(text) => format!("{} bytes", text.len().checked_ilog2().map_or(0, |log| log + 1)),
        Err(error) => error.to_string().replace(|letter: char| letter.is_ascii_digit(), ""),
    }
}

fn unpack(reader: Box<dyn Read + Send>, size: usize, most: u64) -> Result<Vec<u8>, FilesError> {
    let source = Source::stream("bytes", reader);
    let mut windows = Windows::of_size(source.unpacked(most)?, size);
    let mut found = Vec::new();
    let ended = loop {
        match windows.advance(windows.bytes().len(), &mut on) {
            Ok(true) => found.extend_from_slice(windows.bytes()),
            Ok(false) => break Ok(found),
            Err(error) => break Err(error),
        }
        assert_eq!(windows.read_to(), found.len() as u64);
    };
    match ended {
        Err(error @ FilesError::TooMuchUnpacked { most: told, .. }) => {
            assert_eq!(told, most);
            assert!(windows.read_to() <= most);
            Err(error)
        }
        Err(error @ (FilesError::CutOff { .. } | FilesError::Damaged { .. })) => Err(error),
        Err(error) => panic!("{error}"),
        Ok(found) => Ok(found),
    }
}

/// Gives a byte at a time, and every other time a signal comes first.
struct Slow(Cursor<Vec<u8>>, bool);

impl Read for Slow {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.1 = !self.1;
        if self.1 {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let most = buffer.len().min(1);
        self.0.read(&mut buffer[..most])
    }
}
