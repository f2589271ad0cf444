//! Writing. The writer of `arrow-ipc` takes a batch's buffers as they are, so that a table is
//! written without a second copy of it in memory.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow_ipc::writer::FileWriter;
use arrow_schema::ArrowError;

use super::FileError;
use crate::error::RecordsError;
use crate::table::Table;

/// Writes a table as an Arrow file, without the categories that no row has.
///
/// # Errors
/// [`FileError::Io`], and those of [`Table::batches`].
pub fn write(table: &mut Table, to: impl Write) -> Result<(), FileError> {
    table.unite_words()?;
    // Without the memory for it they are written too.
    match table.forget() {
        Ok(()) | Err(RecordsError::Memory) => {}
        Err(error) => return Err(error.into()),
    }
    let (schema, batches) = table.batches()?;
    let failed = |error: ArrowError| match error {
        ArrowError::IoError(_, error) => FileError::Io(error),
        error => FileError::Records(RecordsError::Arrow(error.to_string())),
    };
    let mut writer = FileWriter::try_new(to, &schema).map_err(failed)?;
    batches.iter().try_for_each(|batch| writer.write(batch)).map_err(failed)?;
    writer.finish().map_err(failed)
}

/// How many bytes [`write()`] writes of a table.
///
/// # Errors
/// As [`write()`].
pub fn length(table: &mut Table) -> Result<usize, FileError> {
    let mut counted = Counted(0);
    write(table, &mut counted)?;
    Ok(counted.0)
}

struct Counted(usize);

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes a table into a file beside the one named, and renames it when it is whole: whoever has
/// the old file mapped keeps it. The new one has the old one's permissions; a link is followed.
///
/// # Errors
/// As [`write()`], and [`FileError::Io`] if there is something else than a file. What was there before
/// stays as it was.
pub fn save(table: &mut Table, path: &Path) -> Result<(), FileError> {
    let old = match fs::metadata(path) {
        Ok(old) if old.is_file() => Some(old.permissions()),
        Ok(old) if !old.is_dir() => {
            let text = "a device or a pipe is there, not a file";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text).into());
        }
        // A directory refuses the name by itself.
        _ => None,
    };
    // A link that leads to nothing yet is replaced.
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let beside = beside(path);
    let file = OpenOptions::new().write(true).create_new(true).open(&beside)?;
    let permitted = old.map_or(Ok(()), |old| file.set_permissions(old).map_err(FileError::Io));
    let saved = permitted.and_then(|()| write_whole(table, file));
    let saved = saved.and_then(|()| Ok(fs::rename(&beside, path)?));
    saved.inspect_err(|_| {
        // What is half written is of no use to anybody.
        let _ = fs::remove_file(&beside);
    })
}

fn beside(path: &Path) -> PathBuf {
    /// Two threads may save at once.
    static SAVED: AtomicUsize = AtomicUsize::new(0);
    let number = SAVED.fetch_add(1, Ordering::Relaxed);
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}.{number}.part", std::process::id()));
    path.with_file_name(name)
}

fn write_whole(table: &mut Table, file: File) -> Result<(), FileError> {
    let mut writer = BufWriter::new(file);
    write(table, &mut writer)?;
    writer.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
    Ok(())
}
