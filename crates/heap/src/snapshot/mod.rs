//! The saved snapshot, `.dwsnap`: a whole [`Capture`](crate::Capture) as one file of compressed
//! columns.
//!
//! The format is described in `docs/formats.md`. Readers ignore columns they do not know, so that
//! what is added later does not keep older readers out; whatever else changes raises [`MAJOR`].
//!
//! What is read is not trusted: nothing is allocated because the file says so, every size is checked
//! against the others and against the reader's limit, every block has a checksum, and at the end the
//! tables must fit together.

mod column;
mod facts;
mod read;
mod write;

use std::io;

use thiserror::Error;

use crate::units::Bytes;

pub use read::read;
pub use write::write;

/// Files of a higher major version are refused.
pub const MAJOR: u16 = 1;
/// Rises when columns are added.
pub const MINOR: u16 = 2;

/// What every file begins with. The first byte is no text, the last one is spoilt by programs that
/// translate line ends.
const MAGIC: [u8; 8] = *b"\x89DWSNAP\n";

/// Why a snapshot could not be read.
#[derive(Debug, Error)]
pub enum SnapshotError {
    /// The source failed.
    #[error("reading the snapshot failed")]
    Io(#[from] io::Error),
    /// Something else than a snapshot.
    #[error("this is not a deadweight snapshot")]
    Foreign,
    /// Made by a program that came after this one.
    #[error("the snapshot has format {0}.{1}; this version of deadweight reads {MAJOR}.x only")]
    Version(u16, u16),
    /// It ends before its end.
    #[error("the snapshot is cut short in `{0}`")]
    Truncated(String),
    /// A checksum does not fit.
    #[error("the snapshot is damaged in `{0}`")]
    Damaged(String),
    /// The checksums fit, but the contents make no sense.
    #[error("the snapshot makes no sense in `{column}`: {why}")]
    Malformed {
        /// Which column.
        column: &'static str,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A column is not there.
    #[error("the snapshot has no column `{0}`")]
    Missing(&'static str),
    /// It would take more memory than the reader allows.
    #[error("the snapshot needs {} bytes of memory or more; the limit is {}", .needs.0, .limit.0)]
    TooLarge {
        /// What it is known to need.
        needs: Bytes,
        /// What it may take.
        limit: Bytes,
    },
    /// Each column is sound, but together they are no heap.
    #[error("the tables of the snapshot contradict each other")]
    Inconsistent,
}
