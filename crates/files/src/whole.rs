//! A file whose bytes are asked for by their places.

use std::fs::{File, OpenOptions};
use std::io;
use std::ops::Range;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;

use crate::error::FilesError;
use crate::source::{Source, is_of_sysfs};
use crate::windows::Windows;

/// A file of a known length, which it keeps: what is appended later is not seen.
pub struct Whole {
    name: String,
    file: File,
    length: u64,
}

impl Whole {
    /// Opens a file, as what it is: one that is compressed has the bytes that it has.
    ///
    /// # Errors
    /// If it is not there, cannot be read, is a directory, or has no length.
    pub fn open(path: &Path) -> Result<Whole, FilesError> {
        let (name, file, length) = opened(path, false)?;
        // Files of /proc say that they have no bytes, and have some; those of /sys say that they have a page.
        if is_of_sysfs(&file) || length == 0 && !matches!(file.read_at(&mut [0], 0), Ok(0)) {
            return Err(FilesError::NotAFile(name));
        }
        Ok(Whole { name, file, length })
    }

    /// What messages call it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many bytes it had when it was opened.
    #[expect(clippy::len_without_is_empty, reason = "nobody asks")]
    #[must_use]
    pub fn len(&self) -> u64 {
        self.length
    }

    /// Reads bytes from `at` on, as many as `buffer` holds.
    ///
    /// # Errors
    /// If they cannot be read, or are there no more.
    pub fn read(&self, at: u64, buffer: &mut [u8]) -> Result<(), FilesError> {
        self.file.read_exact_at(buffer, at).map_err(|error| {
            let name = self.name.clone();
            match error.kind() {
                io::ErrorKind::UnexpectedEof => {
                    let offset = self.file.metadata().map_or(0, |metadata| metadata.len());
                    FilesError::Shorter { name, offset, length: self.length }
                }
                _ => FilesError::Io { name, what: "read", error },
            }
        })
    }

    /// A part of it, to be searched. Offsets are those in the file; what is outside of the part is not looked at.
    ///
    /// # Errors
    /// If the process has no room for one more open file.
    pub fn windows(&self, part: Range<u64>) -> Result<Windows, FilesError> {
        let name = self.name.clone();
        let part = part.start.min(self.length)..part.end.min(self.length);
        match self.file.try_clone() {
            Ok(file) => Ok(Windows::new(Source::part_of(name, file, self.length, part))),
            Err(error) => Err(FilesError::Io { name, what: "open", error }),
        }
    }
}

/// A file that has a length: its name for messages, and how long it is.
pub(crate) fn opened(path: &Path, writable: bool) -> Result<(String, File, u64), FilesError> {
    let name = path.display().to_string();
    let failed = |error| FilesError::Io { name: name.clone(), what: "open", error };
    // Of a pipe, nobody may ever write into the other end.
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let opened = OpenOptions::new().read(true).write(writable).custom_flags(flags).open(path);
    let file = opened.map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if metadata.is_dir() {
        Err(FilesError::Directory(name))
    } else if metadata.is_file() {
        Ok((name, file, metadata.len()))
    } else {
        Err(FilesError::NotAFile(name))
    }
}
