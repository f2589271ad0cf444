//! Arrow files, mapped; and the same bytes in memory, for pickles.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::{Arc, Weak};

use bytes::Bytes;
use deadweight_records as records;
use memmap2::Mmap;
use pyo3::buffer::PyBuffer;
use pyo3::exceptions::{PyIsADirectoryError, PyOSError};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;

use super::table::Table;
use crate::errors::{EISDIR, of_file, of_records_file};

/// What columns that lie in a file keep alive.
struct Mapped {
    map: Mmap,
    #[expect(dead_code, reason = "a `Watch` asks whether it lives")]
    file: Arc<File>,
}

impl AsRef<[u8]> for Mapped {
    fn as_ref(&self) -> &[u8] {
        &self.map
    }
}

/// The file that columns lie in, for as long as one of them does.
pub(crate) struct Watch {
    file: Weak<File>,
    bytes: u64,
    /// Where it is mapped, as long as the file is there.
    map: Range<usize>,
}

impl Watch {
    /// Whether columns lie in the file still, which must be as long as it was: what was cut off could
    /// not be read without a signal that ends the process.
    pub(crate) fn holds(&self) -> PyResult<bool> {
        let Some(file) = self.file.upgrade() else { return Ok(false) };
        if file.metadata()?.len() < self.bytes {
            return Err(PyOSError::new_err("the file that these records lie in was cut short"));
        }
        Ok(true)
    }

    /// Whether a block is the file, mapped still.
    pub(crate) fn maps(&self, start: usize) -> bool {
        self.file.strong_count() > 0 && self.map.contains(&start)
    }

    /// Whether that lies in the file, which is mapped still.
    pub(crate) fn has(&self, numbers: *const u8) -> bool {
        self.map.contains(&numbers.addr())
    }
}

fn map(file: &File) -> io::Result<Mmap> {
    // SAFETY: the map is only read, and nothing is taken for granted of what it has: lengths, offsets
    // and UTF-8 are checked when they are used. Its length is looked at before each access; whoever
    // writes into the file meanwhile, or cuts it short in that moment, is who the documentation warns.
    unsafe { Mmap::map(file) }
}

/// The columns of an Arrow file, where they lie in it.
#[expect(clippy::needless_pass_by_value, reason = "what Python hands over is ours")]
#[pyfunction]
#[pyo3(signature = (path, /))]
pub(crate) fn open_records(path: PathBuf) -> PyResult<Table> {
    let of_file = |error| of_file(&path, &error);
    let file = Arc::new(File::open(&path).map_err(of_file)?);
    let metadata = file.metadata().map_err(of_file)?;
    if metadata.is_dir() {
        let path = path.as_os_str().to_owned();
        return Err(PyIsADirectoryError::new_err((EISDIR, "Is a directory", path)));
    }
    let bytes = metadata.len();
    if bytes == 0 {
        return Err(of_records_file(&path, records::file::FileError::Foreign));
    }
    let map = map(&file).map_err(of_file)?;
    let start = map.as_ptr().addr();
    let watch = Watch { file: Arc::downgrade(&file), bytes, map: start..start + map.len() };
    let mapped = Bytes::from_owner(Mapped { map, file });
    let table = records::file::open(mapped).map_err(|error| of_records_file(&path, error))?;
    Ok(Table::new(table, Some(watch)))
}

/// The columns of an Arrow file in memory, where they lie in it if that is `bytes`, which do not change.
#[pyfunction]
#[pyo3(signature = (file, /))]
pub(crate) fn read_records(py: Python<'_>, file: &Bound<'_, PyAny>) -> PyResult<Table> {
    let bytes = if let Ok(bytes) = file.cast::<PyBytes>() {
        bytes.clone()
    } else {
        let buffer = PyBuffer::<u8>::get(file)?;
        PyBytes::new_with(py, buffer.len_bytes(), |place| buffer.copy_to_slice(py, place))?
    };
    let table = records::file::open(Bytes::from_owner(PyBackedBytes::from(bytes)));
    let table = table.map_err(|error| of_records_file(&PathBuf::from("pickle"), error))?;
    Ok(Table::new(table, None))
}
