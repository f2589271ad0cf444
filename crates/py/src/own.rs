//! The interpreter we run in.

use std::ffi::{c_int, c_void};
use std::mem;
use std::sync::{Arc, Mutex, PoisonError};

use deadweight_cpython::{Bounds, Native, Told};
use deadweight_heap::Addr;
use deadweight_process::{Checked, Own, Trusted};
use pyo3::Borrowed;
use pyo3::ffi;
use pyo3::prelude::*;

use crate::errors::of_own;

/// What all questions about this process begin with.
pub(crate) fn attach(_: Python<'_>) -> PyResult<Arc<Own>> {
    /// Held with the interpreter's lock, and nothing of Python's runs meanwhile.
    static OWN: Mutex<Option<Arc<Own>>> = Mutex::new(None);
    let mut known = OWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(own) = known.as_ref().filter(|own| own.is_current()) {
        return Ok(Arc::clone(own));
    }
    let version = Python::version_str().split(' ').next().unwrap_or_default();
    let own = Arc::new(Own::attach(version).map_err(|error| of_own(&error))?);
    *known = Some(Arc::clone(&own));
    Ok(own)
}

/// Reads objects of this process for as long as `read` runs.
pub(crate) fn with_memory<T>(
    py: Python<'_>,
    read: impl FnOnce(&Own, &Trusted<'_>, &Checked) -> T,
) -> PyResult<T> {
    let own = attach(py)?;
    let checked = Checked::default();
    // SAFETY: `py` shows that this thread holds the interpreter's lock, and `read` gets no means to
    // let go of it: it is given neither `py` nor anything that runs Python code. Those who call with
    // addresses take them from references that their caller holds.
    let trusted = unsafe { Trusted::new(&checked) };
    Ok(read(&own, &trusted, &checked))
}

/// Where an object is.
pub(crate) fn address(object: &Bound<'_, PyAny>) -> Addr {
    Addr(object.as_ptr() as u64)
}

/// Looks for what objects hold together with all that they lead to, where instances of some of our classes tell
/// what they hold.
pub(crate) fn from_roots<'py, T>(
    py: Python<'py>,
    roots: &[Borrowed<'_, 'py, PyAny>],
    (stop, namespaces): (&[Addr], bool),
    classes: &[Addr],
    told: impl Fn(&Bound<'py, PyAny>, Addr) -> Told,
    weigh: impl FnOnce(&Own, &Trusted<'_>, &Checked, &[Addr], Bounds<'_>) -> T,
) -> PyResult<T> {
    let starts: Vec<Addr> = roots.iter().map(|root| address(root)).collect();
    let tells = |addr: Addr, class: Addr| {
        // SAFETY: only objects are asked that references of known layouts have led to from `roots`, which
        // are alive, with the interpreter's lock held since; `from_borrowed_ptr` takes a reference of its own.
        told(&unsafe { Bound::from_borrowed_ptr(py, addr.0 as *mut ffi::PyObject) }, class)
    };
    let native = Some(Native { classes, tells: &tells });
    let bounds = Bounds { stop, namespaces, native };
    with_memory(py, |own, memory, checked| weigh(own, memory, checked, &starts, bounds))
}

/// What an object of one of our classes shows the collector, but for its own class.
pub(crate) fn shown(object: &Bound<'_, PyAny>, class: Addr) -> Vec<Addr> {
    unsafe extern "C" fn note(target: *mut ffi::PyObject, noted: *mut c_void) -> c_int {
        // SAFETY: what is given to `traverse` below, where nobody else has it.
        unsafe { (*noted.cast::<Vec<Addr>>()).push(Addr(target as u64)) };
        0
    }
    let mut noted: Vec<Addr> = Vec::new();
    // SAFETY: `class` is one of ours, which stay for ever, and the object is an instance of it. What is in that
    // slot of a class, if anything, is a `traverseproc` (Include/typeslots.h). Those of our classes run no code
    // of Python's, and pass on what `note` gives.
    unsafe {
        let slot = ffi::PyType_GetSlot(class.0 as *mut ffi::PyTypeObject, ffi::Py_tp_traverse);
        if let Some(traverse) = mem::transmute::<*mut c_void, Option<ffi::traverseproc>>(slot) {
            traverse(object.as_ptr(), note, (&raw mut noted).cast());
        }
    }
    let own = address(object.get_type().as_any());
    if let Some(place) = noted.iter().position(|target| *target == own) {
        noted.swap_remove(place);
    }
    noted
}

/// The object at the end of a chain of references that begins at `first`, if the chain still holds and
/// the last one is of the type at `class`.
pub(crate) fn at_end_of<'py>(
    py: Python<'py>,
    first: &Bound<'py, PyAny>,
    chain: &[Addr],
    class: Addr,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    if chain.first() != Some(&address(first)) {
        return Ok(None);
    }
    let holds = with_memory(py, |own, memory, _| own.scale.leads_to(memory, chain, class))?;
    let Some(&last) = chain.last().filter(|_| holds) else { return Ok(None) };
    // SAFETY: `first` is alive, for we hold a reference, and `leads_to` has followed a strong reference
    // from each object of the chain to the next, with the interpreter's lock held since: so the last
    // one is alive too, and `from_borrowed_ptr` takes a reference of its own.
    let object = unsafe { Bound::from_borrowed_ptr(py, last.0 as *mut ffi::PyObject) };
    Ok(Some(object))
}
