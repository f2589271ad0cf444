//! Calls as keys of a cache.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyInt, PyString, PyTuple, PyType};
use pyo3::{PyTraverseError, PyVisit};

use super::locate::hash_of;

/// A call whose result is not there. Its arguments are hashed once.
#[pyclass(frozen, module = "deadweight._core")]
pub(crate) struct Call {
    #[pyo3(get)]
    pub(super) key: Py<PyAny>,
    pub(super) hash: u64,
}

impl Call {
    /// Arguments as a key, and its hash. Those by name count in their order, and with `typed` types count too.
    #[inline]
    pub(super) fn of<'py>(
        args: &Bound<'py, PyTuple>,
        kwargs: Option<&Bound<'py, PyDict>>,
        typed: bool,
    ) -> PyResult<(Bound<'py, PyAny>, u64)> {
        let kwargs = kwargs.filter(|kwargs| !kwargs.is_empty());
        let key = match kwargs {
            None if !typed => single(args).unwrap_or_else(|| args.clone().into_any()),
            _ => whole(args, kwargs, typed)?,
        };
        let hash = hash_of(&key)?;
        Ok((key, hash))
    }

    pub(super) fn missed(key: Bound<'_, PyAny>, hash: u64) -> PyResult<Py<PyAny>> {
        let py = key.py();
        Ok(Py::new(py, Call { key: key.unbind(), hash })?.into_any())
    }
}

#[pymethods]
impl Call {
    /// A traceback may hold it, of an exception that its arguments keep.
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.key)
    }
}

/// A key that is one argument, of a type that no tuple is equal to.
fn single<'py>(args: &Bound<'py, PyTuple>) -> Option<Bound<'py, PyAny>> {
    if args.len() != 1 {
        return None;
    }
    let argument = args.get_item(0).ok()?;
    let plain =
        argument.is_exact_instance_of::<PyString>() || argument.is_exact_instance_of::<PyInt>();
    plain.then_some(argument)
}

fn whole<'py>(
    args: &Bound<'py, PyTuple>,
    kwargs: Option<&Bound<'py, PyDict>>,
    typed: bool,
) -> PyResult<Bound<'py, PyAny>> {
    let py = args.py();
    let mut parts: Vec<Bound<'py, PyAny>> = args.iter().collect();
    let mut kinds: Vec<Bound<'py, PyType>> = Vec::new();
    if typed {
        kinds.extend(args.iter().map(|it| it.get_type()));
    }
    if let Some(kwargs) = kwargs {
        parts.push(mark(py)?);
        for (name, value) in kwargs {
            if typed {
                kinds.push(value.get_type());
            }
            parts.extend([name, value]);
        }
    }
    parts.extend(kinds.into_iter().map(Bound::into_any));
    Ok(PyTuple::new(py, parts)?.into_any())
}

/// Stands between arguments by place and those by name: nobody can give it.
fn mark(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    static MARK: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let make = || Ok::<_, PyErr>(py.import("builtins")?.getattr("object")?.call0()?.unbind());
    Ok(MARK.get_or_try_init(py, make)?.bind(py).clone())
}
