//! Numbers in a file: of one type, as many as it was made for, read and written by position.
//!
//! The file is a `.npy` file, which says itself what it holds. How many values its length has room for is how long
//! the vector is; how many its header names are the valid ones: while somebody fills a vector, and after a crash,
//! these are fewer.

mod npy;

pub use npy::Number;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use rustix::fs::{FallocateFlags, fallocate, fstatvfs};
use rustix::io::Errno;

use crate::error::FilesError;
use crate::whole::opened;
use crate::windows::Watch;
use npy::Header;

/// So much is set aside between two looks at whether to go on.
const PIECE: u64 = 64 << 20;
/// Written at a time where the file system cannot set blocks aside.
static ZEROS: [u8; 1 << 20] = [0; 1 << 20];

/// A file of numbers.
pub struct Vector {
    name: String,
    file: File,
    writable: bool,
    header: Header,
    /// How many values the file has room for.
    length: AtomicU64,
    /// Behind the last that was written.
    written: AtomicU64,
    /// Whether there is anything that `finish` would have to say.
    changed: AtomicBool,
}

impl Vector {
    /// Makes a file of so many zeros, none of them valid yet. It is made beside and renamed once all its blocks are
    /// there: what was under that name stays until then. The new file has the old one's permissions; a link to a file
    /// is followed. `watch` is told how many bytes were set aside, and may end it.
    ///
    /// # Errors
    /// [`FilesError::Io`], if it was ended, there is no room, the file would be longer than the file system has them, or it cannot
    /// be made there; [`FilesError::NotAFile`] and [`FilesError::Directory`] of what else may be there. What was
    /// there stays as it was, and nothing is left beside it.
    pub fn create(
        path: &Path,
        number: Number,
        length: u64,
        watch: &mut Watch<'_>,
    ) -> Result<Vector, FilesError> {
        let name = path.display().to_string();
        let old = match fs::metadata(path) {
            Ok(old) if old.is_dir() => return Err(FilesError::Directory(name)),
            Ok(old) if old.is_file() => Some(old.permissions()),
            Ok(_) => return Err(FilesError::NotAFile(name)),
            Err(_) => None,
        };
        let failed = |error| FilesError::Io { name: name.clone(), what: "make", error };
        let header = Header::own(number, 0);
        let bytes = total(&header, length).map_err(failed)?;
        let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let (beside, file) = beside(path).map_err(failed)?;
        let make = || {
            old.map_or(Ok(()), |old| file.set_permissions(old))?;
            set_aside(&file, 0, bytes, watch)?;
            file.write_all_at(&header.bytes().unwrap_or_default(), 0)?;
            // The disk may take the new name for the old one before it has what is in it.
            file.sync_data()?;
            fs::rename(&beside, path)
        };
        if let Err(error) = make() {
            // What is half made is of no use to anybody.
            let _ = fs::remove_file(&beside);
            return Err(failed(error));
        }
        let vector = Vector::new(name, file, true, header, length);
        vector.will_change();
        Ok(vector)
    }

    /// Opens one that is there, whatever made it.
    ///
    /// # Errors
    /// [`FilesError::Io`], [`FilesError::Directory`] and [`FilesError::NotAFile`] if it cannot be read, or written if
    /// it should be; [`FilesError::NotAVector`] if it is no `.npy` file of numbers in one dimension, or has lost its
    /// end.
    pub fn open(path: &Path, writable: bool) -> Result<Vector, FilesError> {
        let (name, file, bytes) = opened(path, writable)?;
        let failed = |error| FilesError::Io { name: name.clone(), what: "read", error };
        let mut first = Vec::new();
        (&file).take(npy::MOST as u64).read_to_end(&mut first).map_err(failed)?;
        let foreign = |reason| FilesError::NotAVector { name: name.clone(), reason };
        let header = Header::parse(&first).map_err(foreign)?;
        let room = bytes.saturating_sub(header.data as u64) / header.number.width() as u64;
        if header.values > room {
            let (values, number) = (header.values, header.number);
            return Err(foreign(format!(
                "its header names {values} of {number}, and it has room for {room}: it was cut short"
            )));
        }
        Ok(Vector::new(name, file, writable, header, room))
    }

    fn new(name: String, file: File, writable: bool, header: Header, length: u64) -> Vector {
        let (length, written) = (AtomicU64::new(length), AtomicU64::new(0));
        Vector { name, file, writable, header, length, written, changed: AtomicBool::new(false) }
    }

    /// What messages call it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The type of its values.
    #[must_use]
    pub fn number(&self) -> Number {
        self.header.number
    }

    /// Whether it was opened for writing.
    #[must_use]
    pub fn is_writable(&self) -> bool {
        self.writable
    }

    /// How many values it has.
    #[expect(clippy::len_without_is_empty, reason = "nobody asks")]
    #[must_use]
    pub fn len(&self) -> u64 {
        self.length.load(Ordering::Relaxed)
    }

    /// How many of them, from the first on, the file says are valid now: others may write to it too.
    ///
    /// # Errors
    /// If it says nothing any more.
    pub fn valid(&self) -> Result<u64, FilesError> {
        let mut bytes = vec![0; self.header.data];
        self.file.read_exact_at(&mut bytes, 0).map_err(|error| self.not_read(error))?;
        let header = Header::parse(&bytes);
        let header =
            header.map_err(|reason| FilesError::NotAVector { name: self.name.clone(), reason })?;
        // It may be longer than when it was opened.
        Ok(header.values.min(self.len()))
    }

    /// The file, and where in it the values begin: for who maps it.
    #[must_use]
    pub fn file(&self) -> (&File, usize) {
        (&self.file, self.header.data)
    }

    /// It is written in ways that are not seen here: through a map.
    pub fn will_change(&self) {
        self.changed.store(true, Ordering::Relaxed);
    }

    /// Whether it was written, and [`finish`](Vector::finish) would say that more of it is valid.
    #[must_use]
    pub fn is_unfinished(&self) -> bool {
        self.changed.load(Ordering::Relaxed) && self.valid().is_ok_and(|valid| valid < self.len())
    }

    /// Reads values from `at` on, as many as `buffer` holds.
    ///
    /// # Errors
    /// If they cannot be read, or the file has become shorter.
    pub fn read(&self, at: u64, buffer: &mut [u8]) -> Result<(), FilesError> {
        let read = self.file.read_exact_at(buffer, self.place(at));
        read.map_err(|error| self.not_read(error))
    }

    /// Writes values from `at` on.
    ///
    /// # Errors
    /// If they cannot be written, or the file has become shorter.
    pub fn write(&self, at: u64, values: &[u8]) -> Result<(), FilesError> {
        let end = at + (values.len() / self.number().width()) as u64;
        self.will_write(end)?;
        let written = self.file.write_all_at(values, self.place(at));
        written.map_err(|error| self.failed("write", error))?;
        self.written.fetch_max(end, Ordering::Relaxed);
        Ok(())
    }

    /// Writes values from `at` on, each `step` from the last.
    ///
    /// # Errors
    /// As [`write`](Vector::write).
    pub fn write_apart(&self, at: u64, step: i64, values: &[u8]) -> Result<(), FilesError> {
        let (mut place, mut end) = (at, 0);
        let values = values.chunks_exact(self.number().width());
        let last = at.wrapping_add_signed(step.wrapping_mul(values.len() as i64 - 1));
        self.will_write(at.max(last) + 1)?;
        for value in values {
            let written = self.file.write_all_at(value, self.place(place));
            written.map_err(|error| self.failed("write", error))?;
            end = end.max(place + 1);
            place = place.wrapping_add_signed(step);
        }
        self.written.fetch_max(end, Ordering::Relaxed);
        Ok(())
    }

    fn will_write(&self, end: u64) -> Result<(), FilesError> {
        // It would become longer.
        if end > self.len() {
            return Err(self.shorter());
        }
        self.check()?;
        self.will_change();
        Ok(())
    }

    /// Whether the file is as long as it was.
    ///
    /// # Errors
    /// If it is not, or cannot be asked.
    pub fn check(&self) -> Result<(), FilesError> {
        let metadata = self.file.metadata().map_err(|error| self.failed("read", error))?;
        if metadata.len() < self.place(self.len()) { Err(self.shorter()) } else { Ok(()) }
    }

    /// Brings all that was written to the disk, and then says in the file that it is valid up to the last value that
    /// was written, or as far as it said if that is more, or up to `valid`.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn flush(&self, valid: Option<u64>) -> Result<(), FilesError> {
        if !self.writable {
            return Ok(());
        }
        let sync = || self.file.sync_data().map_err(|error| self.failed("write", error));
        // What others write from here on may miss the disk.
        let written = self.written.load(Ordering::Relaxed);
        sync()?;
        let now = self.valid()?;
        let valid = valid.unwrap_or(written.max(now));
        if valid != now {
            self.say_valid(valid)?;
            sync()?;
        }
        Ok(())
    }

    /// Says in the file that all of it is valid, if it was changed at all. It is left to the system when that comes to
    /// the disk.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn finish(&self) -> Result<(), FilesError> {
        if self.changed.load(Ordering::Relaxed) { self.say_valid(self.len()) } else { Ok(()) }
    }

    /// Makes it longer, by zeros, or shorter. Nobody may have the file mapped: what is cut off could not be read
    /// without a signal that ends the process. `watch` is told how many bytes were set aside, and may end it.
    ///
    /// # Errors
    /// If there is no room, or it was ended. The vector is as long as it was then.
    pub fn resize(&self, length: u64, watch: &mut Watch<'_>) -> Result<(), FilesError> {
        let failed = |error| self.failed("resize", error);
        let (old, new) = (self.place(self.len()), total(&self.header, length).map_err(failed)?);
        self.check()?;
        let header = Header { values: length, ..self.header };
        if header.bytes().is_none() {
            return Err(self.no_room());
        }
        if new > old {
            // Less than a value may follow the last.
            let rest =
                self.file.metadata().map_or(0, |metadata| metadata.len().saturating_sub(old));
            if rest < self.number().width() as u64 {
                self.file.write_all_at(&[0; 8][..rest as usize], old).map_err(failed)?;
            }
            if let Err(error) = set_aside(&self.file, old, new - old, watch) {
                let _ = self.file.set_len(old);
                return Err(failed(error));
            }
        } else {
            self.written.fetch_min(length, Ordering::Relaxed);
            if self.valid()? > length {
                self.say_valid(length)?;
            }
            self.file.set_len(new).map_err(failed)?;
        }
        self.length.store(length, Ordering::Relaxed);
        self.will_change();
        Ok(())
    }

    fn say_valid(&self, valid: u64) -> Result<(), FilesError> {
        let header = Header { values: valid, ..self.header };
        let bytes = header.bytes().ok_or_else(|| self.no_room())?;
        // At once, and in one block of the disk: it is the old or the new one, whenever all ends.
        let written = self.file.write_all_at(&bytes, 0);
        written.map_err(|error| self.failed("write", error))
    }

    fn place(&self, at: u64) -> u64 {
        self.header.data as u64 + at * self.number().width() as u64
    }

    fn no_room(&self) -> FilesError {
        let reason = "its header has no room for such a length".to_owned();
        FilesError::NotAVector { name: self.name.clone(), reason }
    }

    fn not_read(&self, error: io::Error) -> FilesError {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => self.shorter(),
            _ => self.failed("read", error),
        }
    }

    fn shorter(&self) -> FilesError {
        let (name, length) = (self.name.clone(), self.place(self.len()));
        let offset = self.file.metadata().map_or(0, |metadata| metadata.len());
        FilesError::Shorter { name, offset, length }
    }

    fn failed(&self, what: &'static str, error: io::Error) -> FilesError {
        FilesError::Io { name: self.name.clone(), what, error }
    }
}

/// How long the file of so many values is.
fn total(header: &Header, length: u64) -> io::Result<u64> {
    let bytes = length.checked_mul(header.number.width() as u64);
    let bytes = bytes.and_then(|bytes| bytes.checked_add(header.data as u64));
    bytes.filter(|bytes| i64::try_from(*bytes).is_ok()).ok_or(Errno::FBIG.into())
}

/// Makes a file longer by blocks that are there: that the disk is full is an error now, and no signal when a mapped
/// file is written later.
fn set_aside(file: &File, from: u64, bytes: u64, watch: &mut Watch<'_>) -> io::Result<()> {
    let system = fstatvfs(file)?;
    // To find out that there is too little by trying would leave none for anybody until then.
    if system.f_blocks > 0 && bytes > system.f_bavail.saturating_mul(system.f_frsize) {
        return Err(Errno::NOSPC.into());
    }
    let mut done = 0;
    while done < bytes {
        let count = PIECE.min(bytes - done);
        match fallocate(file, FallocateFlags::empty(), from + done, count) {
            Ok(()) => done += count,
            Err(Errno::INTR) => {}
            Err(Errno::OPNOTSUPP) => {
                let count = count.min(ZEROS.len() as u64);
                file.write_all_at(&ZEROS[..count as usize], from + done)?;
                done += count;
            }
            Err(error) => return Err(error.into()),
        }
        if watch(done).is_break() {
            return Err(io::ErrorKind::Interrupted.into());
        }
    }
    Ok(())
}

/// A new file in the same folder. One of this name may be there: of a process of the same number that was killed.
fn beside(path: &Path) -> io::Result<(PathBuf, File)> {
    /// Two threads may make one at once.
    static MADE: AtomicUsize = AtomicUsize::new(0);
    loop {
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let name = format!(".deadweight.{}.{number}.part", std::process::id());
        let beside = path.with_file_name(name);
        match OpenOptions::new().read(true).write(true).create_new(true).open(&beside) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            file => return Ok((beside, file?)),
        }
    }
}
