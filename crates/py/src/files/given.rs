//! What a user hands over to be read: a path, `"-"`, or an object with `read`.

use std::ffi::OsStr;
use std::io;
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::Arc;

use deadweight_files::{FilesError, MOST_UNPACKED, Source};
use pyo3::buffer::PyBuffer;
use pyo3::exceptions::{PyBlockingIOError, PyRuntimeError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use crate::errors::of_files;

/// The `read` of an object that is given, for whoever keeps the source: to be shown to the collector, once.
pub(super) type Read = Option<Arc<Py<PyAny>>>;

/// What is given, as a source of what is in it if it is compressed.
pub(super) fn source(
    given: &Bound<'_, PyAny>,
    max_unpacked: Option<u64>,
) -> PyResult<(Source, Read)> {
    let py = given.py();
    let (source, read) = match path(given)? {
        Some(path) => (py.detach(|| Source::open(&path)).map_err(of_files)?, None),
        None if is_standard_input(given) => stream(&standard_input(py)?)?,
        None => stream(given)?,
    };
    let most = max_unpacked.unwrap_or(MOST_UNPACKED);
    Ok((py.detach(|| source.unpacked(most)).map_err(of_files)?, read))
}

/// A part of a file, as it is in the file.
pub(crate) fn open_part(given: &Bound<'_, PyAny>, part: Range<u64>) -> PyResult<Source> {
    let path = file(given)?;
    given.py().detach(|| Source::open_part(&path, part)).map_err(of_files)
}

/// The path of a file that has a length, such as one that is to be cut in parts.
pub(crate) fn file(given: &Bound<'_, PyAny>) -> PyResult<PathBuf> {
    let Some(path) = path(given)? else {
        let text = "parts are those of a file: a path is wanted";
        return Err(PyTypeError::new_err(text));
    };
    let checked = given.py().detach(|| {
        let source = Source::open(&path)?.unpacked(MOST_UNPACKED)?;
        if source.length().is_some() {
            Ok(path)
        } else {
            Err(FilesError::NoLength(source.name().to_owned()))
        }
    });
    checked.map_err(of_files)
}

/// `None` for what is read otherwise.
pub(super) fn path(given: &Bound<'_, PyAny>) -> PyResult<Option<PathBuf>> {
    let is_path = given.is_instance_of::<PyString>() || given.is_instance_of::<PyBytes>();
    if is_standard_input(given) || (!is_path && !given.hasattr("__fspath__")?) {
        return Ok(None);
    }
    let path = given.py().import("os")?.call_method1("fsencode", (given,))?;
    let bytes = path.cast::<PyBytes>()?.as_bytes();
    if bytes.contains(&0) {
        return Err(PyValueError::new_err("a path has no null bytes"));
    }
    Ok(Some(PathBuf::from(OsStr::from_bytes(bytes))))
}

/// A `Path("-")` is a file.
fn is_standard_input(given: &Bound<'_, PyAny>) -> bool {
    given.cast::<PyString>().is_ok_and(|text| text == "-")
}

fn standard_input(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    let stdin = py.import("sys")?.getattr("stdin")?;
    if stdin.is_none() {
        return Err(PyRuntimeError::new_err("there is no standard input"));
    }
    stdin.getattr("buffer")
}

fn stream(given: &Bound<'_, PyAny>) -> PyResult<(Source, Read)> {
    let py = given.py();
    let io = py.import("io")?;
    if given.is_instance(&io.getattr("TextIOBase")?)? {
        return Err(text(given)?);
    }
    // `read` of a buffered pipe waits until it has all that is asked for.
    let is_buffered = given.is_instance(&io.getattr("BufferedReader")?)?;
    let read = given.getattr_opt(if is_buffered { "read1" } else { "read" })?;
    // Before Python 3.14, `read1` of one that does not wait gives no bytes where there are none yet, as at the end.
    if is_buffered && !waits(given) {
        return Err(PyBlockingIOError::new_err(
            "the file does not wait for bytes: `os.set_blocking(file.fileno(), True)` makes it",
        ));
    }
    let Some(read) = read.filter(PyAnyMethods::is_callable) else {
        let kind = given.get_type().fully_qualified_name()?;
        let text = format!("a path, \"-\" or a binary file with `read` is wanted, not {kind}");
        return Err(PyTypeError::new_err(text));
    };
    let name = match given.getattr_opt("name") {
        Ok(Some(name)) if name.is_instance_of::<PyString>() => name.to_string(),
        _ => format!("<{}>", given.get_type().name()?),
    };
    let read = Arc::new(read.unbind());
    let kept = Some(Arc::clone(&read));
    Ok((Source::stream(name, Box::new(Given { read })), kept))
}

/// What is no file of the system's waits.
fn waits(given: &Bound<'_, PyAny>) -> bool {
    let ask = || {
        let number = given.call_method0("fileno")?;
        given.py().import("os")?.call_method1("get_blocking", (number,))?.extract()
    };
    ask().unwrap_or(true)
}

fn text(given: &Bound<'_, PyAny>) -> PyResult<PyErr> {
    let kind = given.get_type().name()?;
    let text = format!(
        "{kind} is a text file, and bytes are read: open it with \"rb\", or hand over its `.buffer`"
    );
    Ok(PyTypeError::new_err(text))
}

/// What an object's `read` returns. It is called by a scan, which has detached from the interpreter.
struct Given {
    read: Arc<Py<PyAny>>,
}

impl io::Read for Given {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Python::attach(|py| self.ask(py, buffer)).map_err(io::Error::other)
    }
}

impl Given {
    fn ask(&self, py: Python<'_>, buffer: &mut [u8]) -> PyResult<usize> {
        let given = self.read.bind(py).call1((buffer.len(),))?;
        let length = if let Ok(bytes) = given.cast::<PyBytes>() {
            let bytes = bytes.as_bytes();
            buffer.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
            bytes.len()
        } else if given.is_none() {
            let text = "`read` gave nothing yet: the file does not wait for bytes";
            return Err(PyBlockingIOError::new_err(text));
        } else if let Ok(bytes) = PyBuffer::<u8>::get(&given) {
            let length = bytes.item_count();
            if length <= buffer.len() {
                bytes.copy_to_slice(py, &mut buffer[..length])?;
            }
            length
        } else {
            let kind = given.get_type().fully_qualified_name()?;
            let hint = "A text file has its bytes in `.buffer`.";
            let text = format!("`read` gave {kind}, and bytes are wanted. {hint}");
            return Err(PyTypeError::new_err(text));
        };
        if length > buffer.len() {
            let text = format!("`read({})` gave {length} bytes, which is too much", buffer.len());
            return Err(PyValueError::new_err(text));
        }
        Ok(length)
    }
}
