//! What can go wrong, as types: a Python exception is chosen by the variant.

use std::io;

use thiserror::Error;

/// Why something could not be done with a file.
#[derive(Debug, Error)]
pub enum FilesError {
    /// The system refused.
    #[error("cannot {what} {name}: {error}")]
    Io {
        /// The file.
        name: String,
        /// What was tried.
        what: &'static str,
        /// The system's word for it.
        error: io::Error,
    },
    /// A folder, where a file should be.
    #[error("{0} is a directory")]
    Directory(String),
    /// What has no length, where a file should be.
    #[error("{0} has no length, as files have: devices, pipes and what is in /proc have none")]
    NotAFile(String),
    /// A file that holds no vector.
    #[error("{name} is no vector: {reason}")]
    NotAVector {
        /// The file.
        name: String,
        /// What speaks against it.
        reason: String,
    },
    /// It has lost its end since the scan began.
    #[error(
        "{name} became shorter while it was read: it ends at byte {offset} and had {length} bytes at first"
    )]
    Shorter {
        /// The file.
        name: String,
        /// Where there was nothing more.
        offset: u64,
        /// How long it was when it was opened.
        length: u64,
    },
    /// A part that a file does not have.
    #[error("{name} has {length} bytes, and no part from byte {start} to {end}")]
    NoPart {
        /// The file.
        name: String,
        /// Where the part would begin.
        start: u64,
        /// Where it would end.
        end: u64,
        /// How long the file is.
        length: u64,
    },
    /// Whoever watched the scan ended it.
    #[error("stopped at byte {offset} of {name}")]
    Stopped {
        /// The file.
        name: String,
        /// How far it was read.
        offset: u64,
    },
    /// A line that must be held whole is longer than allowed.
    #[error("{name}: {} at byte {offset} is longer than {limit} bytes", which(*line))]
    LongLine {
        /// The file.
        name: String,
        /// Which line it is, from 1, where lines are counted.
        line: Option<u64>,
        /// Where the line begins.
        offset: u64,
        /// How long it may be.
        limit: usize,
    },
    /// A file has no end of a piece where there must be one.
    #[error("{name}: what begins at byte {offset} has no b'{}' in its first {limit} bytes", end.escape_ascii())]
    LongPiece {
        /// The file.
        name: String,
        /// What a piece ends with.
        end: u8,
        /// Where the piece begins.
        offset: u64,
        /// How long it may be.
        limit: usize,
    },
    /// A record of CSV is longer than allowed.
    #[error("{name}: record {record} at byte {offset} is longer than {limit} bytes")]
    LongRecord {
        /// The file.
        name: String,
        /// Which record it is, from 1; the header counts.
        record: u64,
        /// Where the record begins.
        offset: u64,
        /// How long it may be.
        limit: usize,
    },
    /// A record that cannot be read.
    #[error("{name}: {}byte {offset}: {reason}", line.map_or_else(String::new, |line| format!("line {line}, ")))]
    Record {
        /// The file.
        name: String,
        /// Which line it begins on, from 1, where lines are counted.
        line: Option<u64>,
        /// Where it begins.
        offset: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// What is compressed has no end.
    #[error("{name}: {format} that ends at byte {offset}, before its end")]
    CutOff {
        /// The file.
        name: String,
        /// How it is compressed.
        format: &'static str,
        /// How many bytes it has.
        offset: u64,
    },
    /// What is compressed does not hold together.
    #[error("{name}: {format} that is damaged before byte {offset}: {reason}")]
    Damaged {
        /// The file.
        name: String,
        /// How it is compressed.
        format: &'static str,
        /// Up to where it was read when that was seen.
        offset: u64,
        /// In the words of who unpacks it.
        reason: String,
    },
    /// What is compressed has more in it than allowed.
    #[error("{name} has more than {most} bytes in it")]
    TooMuchUnpacked {
        /// The file.
        name: String,
        /// How much it may have in it.
        most: u64,
    },
    /// Only what has a length can be split.
    #[error("{0} has no length: it cannot be split")]
    NoLength(String),
    /// Text of two bytes a character, which has no line ends of one byte.
    #[error("{0} is UTF-16: its characters have two bytes")]
    Utf16(String),
    /// Nothing to look for.
    #[error("an empty pattern matches everywhere")]
    EmptyPattern,
    /// A pattern that cannot be used.
    #[error("the pattern {pattern:?}: {reason}")]
    Pattern {
        /// As it was given.
        pattern: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A byte that cannot separate or quote fields.
    #[error("the {0} is one character of ASCII, and neither zero nor a line end")]
    Dialect(&'static str),
    /// What separates fields quotes them, too.
    #[error("the delimiter and the quote are two different characters")]
    OneMark,
}

fn which(line: Option<u64>) -> String {
    line.map_or_else(|| "the line".to_owned(), |line| format!("line {line}"))
}

impl FilesError {
    /// What to try next, where we know something.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            FilesError::Shorter { .. } => {
                Some("Something else writes to it: try again, or take a copy of it first.")
            }
            FilesError::NoPart { .. } => {
                Some("Split it again: it was another file, or a longer one.")
            }
            FilesError::LongLine { line: None, .. } => {
                Some("A pattern whose matches have a bound, such as {1,100}, needs no whole lines.")
            }
            FilesError::LongRecord { .. } => Some(
                "A quote that is not closed takes all that follows into its field: a check says where.",
            ),
            FilesError::NoLength(_) => {
                Some("Pipes, devices and compressed files can only be read from their beginning.")
            }
            FilesError::Utf16(_) => Some("Make it UTF-8 first: `iconv -f UTF-16 -t UTF-8`."),
            _ => None,
        }
    }
}
