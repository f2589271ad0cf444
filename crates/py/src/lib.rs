//! The compiled part of the Python package. Thin: what it answers, the other crates have computed.
#![deny(unsafe_code)]

use pyo3::prelude::*;

#[expect(unsafe_code, reason = "the structs of Arrow's C data interface")]
mod arrow;
mod caches;
mod command;
mod errors;
mod files;
mod growth;
mod heap;
mod native;
#[expect(unsafe_code, reason = "the one place that takes addresses for objects")]
mod own;
mod pauses;
#[expect(unsafe_code, reason = "hooks that the interpreter calls with blocks of memory")]
mod peak;
mod records;
mod sizes;
mod snapshot;
mod survey;

#[pymodule]
mod _core {
    #[pymodule_export]
    #[expect(non_upper_case_globals, reason = "as Python writes it")]
    const __version__: &str = env!("CARGO_PKG_VERSION");
    #[pymodule_export]
    use super::arrow::{arrow_stream, results_schema};
    #[pymodule_export]
    use super::caches::{Cache, Call, WeakCache};
    #[pymodule_export]
    use super::command::run;
    #[pymodule_export]
    use super::errors::{
        BadRecords, BadSnapshot, NoSuchProcess, NotEnoughMemory, NotPermitted, NotThere,
        PauseTooLong, Unsupported,
    };
    #[pymodule_export]
    use super::files::{
        CsvPass, JsonCounts, JsonIterator, JsonQuery, LineIterator, Mapped, Match, Pieces, Regex,
        Vector, mapped, regex, split_after, split_records,
    };
    #[pymodule_export]
    use super::growth::Growth;
    #[pymodule_export]
    use super::heap::Heap;
    #[pymodule_export]
    use super::pauses::{Pauses, unraisable};
    #[pymodule_export]
    use super::peak::{Peak, peak};
    #[pymodule_export]
    use super::records::{
        Attribute, Column, Row, Rows, Schema, Table, open_records, pack_arrow, pack_records,
        read_records, records_from_arrow, records_from_columns,
    };
    #[pymodule_export]
    use super::sizes::{deepsizeof, layout, sizeof};
    #[pymodule_export]
    use super::snapshot::{load, snapshot, snapshot_of, why};
    #[pymodule_export]
    use super::survey::survey;
}
