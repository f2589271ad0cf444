//! Scans that leave the interpreter alone, but for a look at it now and then.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use deadweight_files::{FilesError, Watch};
use pyo3::prelude::*;
use pyo3::{PyTraverseError, PyVisit};

use crate::errors::of_files;

/// How often a scan asks whether it is to go on: twice in the time in which it is to stop.
const EVERY: Duration = Duration::from_millis(50);

/// Who is told how far a scan is, and when that was last done. For what scans a little at a time: by
/// [`watched`] alone it would never have scanned for long enough to tell anybody.
pub(crate) struct Pulse {
    progress: Option<Py<PyAny>>,
    last: Instant,
    read: Option<u64>,
    told: Option<u64>,
}

impl Pulse {
    pub(crate) fn new(progress: Option<Py<PyAny>>) -> Pulse {
        Pulse { progress, last: Instant::now(), read: None, told: None }
    }

    /// Shows the collector what it holds.
    pub(crate) fn visit(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.progress)
    }

    /// Detaches from the interpreter for a scan. Every 50 ms signals are handled and `progress` is called
    /// with the number of bytes that were read; what these raise ends the scan, and is raised.
    pub(crate) fn scan<T: Send>(
        &mut self,
        py: Python<'_>,
        scan: impl FnOnce(&mut Watch<'_>) -> Result<T, FilesError> + Send,
    ) -> PyResult<T> {
        let (result, raised) = py.detach(|| {
            let mut raised = None;
            let result = scan(&mut |read| match self.beat(read) {
                Ok(()) => ControlFlow::Continue(()),
                Err(error) => {
                    raised = Some(error);
                    ControlFlow::Break(())
                }
            });
            (result, raised)
        });
        match raised {
            Some(error) => Err(error),
            None => result.map_err(of_files),
        }
    }

    fn beat(&mut self, read: u64) -> PyResult<()> {
        // Where nothing was read since, a signal has ended the wait.
        let waited = self.read.replace(read) == Some(read);
        if !waited && self.last.elapsed() < EVERY {
            return Ok(());
        }
        let result = Python::attach(|py| {
            py.check_signals()?;
            if let Some(progress) = &self.progress {
                self.told = Some(read);
                progress.call1(py, (read,))?;
            }
            Ok(())
        });
        self.last = Instant::now();
        result
    }

    /// Calls `progress` for the last time, where all is read: with what it has not been told yet.
    pub(crate) fn end(&mut self, py: Python<'_>) -> PyResult<()> {
        if let (Some(progress), Some(read)) = (&self.progress, self.read)
            && self.told.replace(read) != Some(read)
        {
            progress.call1(py, (read,))?;
        }
        Ok(())
    }
}

/// A scan from beginning to end: as [`Pulse::scan`].
pub(crate) fn watched<T: Send>(
    py: Python<'_>,
    progress: Option<Py<PyAny>>,
    scan: impl FnOnce(&mut Watch<'_>) -> Result<T, FilesError> + Send,
) -> PyResult<T> {
    let mut pulse = Pulse::new(progress);
    let found = pulse.scan(py, scan)?;
    pulse.end(py)?;
    Ok(found)
}
