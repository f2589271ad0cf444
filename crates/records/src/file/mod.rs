//! Arrow files: a table written, and read where it lies.

mod footer;
mod read;
mod write;

use std::io;

use thiserror::Error;

use crate::error::RecordsError;

pub use read::open;
pub use write::{length, save, write};

/// What a file begins and ends with.
const MAGIC: &[u8] = b"ARROW1";

/// A copy of what a file says of itself, which says how long that is.
fn copied(bytes: &[u8]) -> Result<Vec<u8>, RecordsError> {
    let mut copy = Vec::new();
    copy.try_reserve_exact(bytes.len()).map_err(|_| RecordsError::Memory)?;
    copy.extend_from_slice(bytes);
    Ok(copy)
}

/// Why a file could not be written or read.
#[derive(Debug, Error)]
pub enum FileError {
    /// Writing failed.
    #[error("writing the file failed")]
    Io(#[from] io::Error),
    /// Something else than an Arrow file.
    #[error("this is not an Arrow file")]
    Foreign,
    /// A file of another format, which many have in its place.
    #[error(
        "this is {what}, and not an Arrow file; Records.from_arrow takes the table {reader}() gives"
    )]
    Other {
        /// What it is.
        what: &'static str,
        /// What reads it.
        reader: &'static str,
    },
    /// It ends before its end.
    #[error("the Arrow file is cut short")]
    Truncated,
    /// It contradicts itself.
    #[error("the Arrow file is damaged: {0}")]
    Damaged(&'static str),
    /// An Arrow file, but of a sort that is not read here.
    #[error("the Arrow file {what}, which is not read here{hint}")]
    Unread {
        /// What it is or has.
        what: &'static str,
        /// What to do about it: empty, or a clause that begins with `;`.
        hint: &'static str,
    },
    /// A column of a type that no column here has; or a table that could not be written.
    #[error(transparent)]
    Records(#[from] RecordsError),
}
