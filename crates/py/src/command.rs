//! `python -m deadweight`: the same command as the program's.

use pyo3::prelude::*;

/// Runs a command line, the program's name first, and gives its exit status.
#[pyfunction]
pub(crate) fn run(py: Python<'_>, arguments: Vec<String>) -> u8 {
    py.detach(|| deadweight_cli::run(arguments).code())
}
