//! Layout tables: where CPython keeps what, as data.
//!
//! One table a minor version is the base. From 3.13 on, the running interpreter's own
//! `_Py_DebugOffsets` win wherever they speak, and the collector's lists are always found through
//! `gc.generation0`: 3.13.0 and 3.13.15 differ there (24 and 20 bytes into the collector's state).

#[rustfmt::skip]
mod v3_10;
#[rustfmt::skip]
mod v3_11;
#[rustfmt::skip]
mod v3_12;
#[rustfmt::skip]
mod v3_13;
#[rustfmt::skip]
mod v3_14;
#[rustfmt::skip]
mod v3_15;
mod debug_offsets;
mod table;

pub(crate) use debug_offsets::{apply as apply_debug_offsets, read as read_debug_offsets};
pub(crate) use table::*;

/// `sizeof(PyObject)` without the free-threaded build.
pub(crate) const OBJECT_SIZE: u64 = 16;
/// `offsetof(PyObject, ob_type)`.
pub(crate) const OB_TYPE: u64 = 8;
/// `offsetof(PyVarObject, ob_size)`.
pub(crate) const OB_SIZE: u64 = 16;
/// `sizeof(PyGC_Head)`: two words in front of every object the collector can track.
pub(crate) const GC_HEAD: u64 = 16;
/// Two words in front of the GC head of objects with a managed dict or weak references (3.11+).
pub(crate) const PRE_HEADER: u64 = 16;

/// The base table of a minor version.
pub(crate) fn of_minor(minor: u32) -> Option<Layout> {
    Some(match minor {
        10 => v3_10::LAYOUT,
        11 => v3_11::LAYOUT,
        12 => v3_12::LAYOUT,
        13 => v3_13::LAYOUT,
        14 => v3_14::LAYOUT,
        15 => v3_15::LAYOUT,
        _ => return None,
    })
}
