//! `growth`: heaps of this process, one a round.

use std::sync::{Mutex, PoisonError};

use deadweight_heap::Growth as Observed;
use pyo3::prelude::*;

use crate::snapshot::capture;

/// What was seen in the rounds so far.
#[pyclass(frozen, module = "deadweight._core")]
pub(crate) struct Growth {
    observed: Mutex<Observed>,
    /// Whether short keys of dicts are names in paths.
    values: bool,
}

/// Holder, path, type, count, objects and bytes of all rounds together.
type Row = (String, String, String, u64, u64, u64);

#[pymethods]
impl Growth {
    #[new]
    fn new(values: bool) -> Growth {
        Growth { observed: Mutex::new(Observed::default()), values }
    }

    /// Looks at this process.
    fn observe(&self, py: Python<'_>) -> PyResult<()> {
        let (capture, _) = capture(py, self.values)?;
        py.detach(|| self.lock().observe(&capture.heap));
        Ok(())
    }

    /// How many rounds there were, and what grew in each of them.
    fn leaks(&self, py: Python<'_>) -> (u32, Vec<Row>) {
        py.detach(|| {
            let observed = self.lock();
            let row = |leak: &deadweight_heap::Leak| {
                let (holder, path, kind) = (&leak.holder, &leak.path, &leak.type_name);
                let names = (holder.clone(), path.clone(), kind.clone());
                (names.0, names.1, names.2, leak.count, leak.objects, leak.bytes.0)
            };
            (observed.rounds(), observed.leaks().iter().map(row).collect())
        })
    }
}

impl Growth {
    fn lock(&self) -> std::sync::MutexGuard<'_, Observed> {
        self.observed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
