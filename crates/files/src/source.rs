//! Where bytes come from: a file, read by position up to the length that it had at first, or a stream,
//! read until it ends.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::ops::{ControlFlow, Range};
use std::os::unix::fs::FileExt;
use std::path::Path;

use rustix::fs::fstatfs;

use crate::awaited::{self, Awaited};
use crate::error::FilesError;
use crate::windows::Watch;

/// Bytes in order, from a place with a name.
pub struct Source {
    name: String,
    from: Origin,
    start: u64,
    at: u64,
}

enum Origin {
    /// Never mapped: of a mapped file that becomes shorter, a look beyond its end kills the process.
    File {
        file: File,
        /// Of the whole file when it was opened.
        length: u64,
        end: u64,
    },
    Stream(Box<dyn Read + Send>),
}

impl Source {
    /// Opens what a path leads to. A file has the length that it has now: what is appended later is not
    /// read. What has no length, such as a pipe, a device or a file of `/proc` or `/sys`, is read until it ends, and
    /// waited for where it is read, not here.
    ///
    /// # Errors
    /// If it is not there, cannot be read or is a directory.
    pub fn open(path: &Path) -> Result<Source, FilesError> {
        let name = if path.as_os_str().is_empty() {
            "\"\"".to_owned()
        } else {
            path.display().to_string()
        };
        let failed = |error| FilesError::Io { name: name.clone(), what: "open", error };
        let file = awaited::open(path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        if metadata.is_dir() {
            return Err(FilesError::Directory(name));
        }
        let length = metadata.len();
        // Files of /proc say that they have no bytes, and have some; those of /sys say that they have a page.
        let is_empty = || matches!(file.read_at(&mut [0], 0), Ok(0));
        let from = if metadata.is_file() && (length > 0 || is_empty()) && !is_of_sysfs(&file) {
            Origin::File { file, length, end: length }
        } else {
            Origin::Stream(Box::new(Awaited(file)))
        };
        Ok(Source { name, from, start: 0, at: 0 })
    }

    /// Opens a part of a file, such as one of [`splits`](crate::splits). Offsets are those in the whole file.
    ///
    /// # Errors
    /// As [`open`](Source::open), and if the file has no length or no such part.
    pub fn open_part(path: &Path, part: Range<u64>) -> Result<Source, FilesError> {
        let mut source = Source::open(path)?;
        let Origin::File { length, end, .. } = &mut source.from else {
            return Err(FilesError::NoLength(source.name));
        };
        if part.start > part.end || part.end > *length {
            let Range { start, end } = part;
            return Err(FilesError::NoPart { name: source.name, start, end, length: *length });
        }
        *end = part.end;
        (source.start, source.at) = (part.start, part.start);
        Ok(source)
    }

    /// A part of a file that is open and had that length then.
    pub(crate) fn part_of(name: String, file: File, length: u64, part: Range<u64>) -> Source {
        let start = part.start.min(part.end);
        Source { name, from: Origin::File { file, length, end: part.end }, start, at: start }
    }

    /// What a reader gives, until it gives no more.
    #[must_use]
    pub fn stream(name: impl Into<String>, reader: Box<dyn Read + Send>) -> Source {
        Source { name: name.into(), from: Origin::Stream(reader), start: 0, at: 0 }
    }

    /// Goes back to where it began, from where `read` was all that was read.
    pub(crate) fn back_at_start(mut self, read: Vec<u8>) -> Source {
        if let Origin::Stream(rest) = self.from {
            self.from = Origin::Stream(Box::new(Cursor::new(read).chain(rest)));
        }
        self.at = self.start;
        self
    }

    /// What messages call it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many bytes there are, where that is known before they are read.
    #[must_use]
    pub fn length(&self) -> Option<u64> {
        match self.from {
            Origin::File { end, .. } => Some(end - self.start),
            Origin::Stream(_) => None,
        }
    }

    /// How many bytes were appended to a file since it was opened; they are not read.
    #[must_use]
    pub fn appended(&self) -> u64 {
        match &self.from {
            // That it cannot be asked any more changes nothing about what was read.
            Origin::File { file, length, .. } => {
                file.metadata().map_or(0, |metadata| metadata.len().saturating_sub(*length))
            }
            Origin::Stream(_) => 0,
        }
    }

    pub(crate) fn at_end(&self) -> bool {
        matches!(self.from, Origin::File { end, .. } if end == self.at)
    }

    pub(crate) fn at(&self) -> u64 {
        self.at
    }

    /// A stream gives what it has, so that nobody waits for bytes that may come much later.
    pub(crate) fn is_stream(&self) -> bool {
        matches!(self.from, Origin::Stream(_))
    }

    /// Tells how far it was read. Whoever is told may end that.
    pub(crate) fn tell(&self, watch: &mut Watch<'_>) -> Result<(), FilesError> {
        match watch(self.at - self.start) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => {
                Err(FilesError::Stopped { name: self.name.clone(), offset: self.at })
            }
        }
    }

    /// The next bytes, as many as there are at once; none at the end. `None` if a signal came first.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> Result<Option<usize>, FilesError> {
        let result = match &mut self.from {
            Origin::File { file, length, end } => {
                let left = usize::try_from(*end - self.at).unwrap_or(usize::MAX);
                let want = buffer.len().min(left);
                let result = file.read_at(&mut buffer[..want], self.at);
                if want > 0 && matches!(result, Ok(0)) {
                    let (name, offset) = (self.name.clone(), self.at);
                    return Err(FilesError::Shorter { name, offset, length: *length });
                }
                result
            }
            Origin::Stream(reader) => reader.read(buffer),
        };
        match result {
            Ok(count) => {
                self.at += count as u64;
                Ok(Some(count))
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(None),
            // What we unpack says itself what is wrong with it.
            Err(error) => Err(error.downcast::<FilesError>().unwrap_or_else(|error| {
                FilesError::Io { name: self.name.clone(), what: "read", error }
            })),
        }
    }
}

pub(crate) fn is_of_sysfs(file: &File) -> bool {
    // `SYSFS_MAGIC` of include/uapi/linux/magic.h.
    fstatfs(file).is_ok_and(|system| system.f_type == 0x6265_6572)
}
