//! How long a target may stand still, and how far we got when that is over.

use std::time::{Duration, Instant};

use deadweight_heap::Bytes;

use crate::error::Error;

/// What the pause is spent on, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Threads are brought to a stop.
    Stopping,
    /// Maps and page facts are read.
    Listing,
    /// Pages are copied.
    Copying {
        /// Bytes that are there already.
        copied: Bytes,
        /// Bytes there are to copy.
        planned: Bytes,
    },
}

impl std::fmt::Display for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Stage::Stopping => f.write_str("while its threads were being stopped"),
            Stage::Listing => f.write_str("while its pages were being listed"),
            Stage::Copying { copied, planned } => write!(
                f,
                "with {} of {} MB copied",
                copied.0 / 1_000_000,
                planned.0.div_ceil(1_000_000)
            ),
        }
    }
}

/// The end of the pause, if it has a limit. The clock starts when this is made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    start: Instant,
    limit: Option<Duration>,
}

impl Deadline {
    pub(crate) fn start(limit: Option<Duration>) -> Deadline {
        Deadline { start: Instant::now(), limit }
    }

    /// Time since the start.
    pub(crate) fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// Whether it is over.
    pub(crate) fn is_over(&self) -> bool {
        self.limit.is_some_and(|limit| self.elapsed() >= limit)
    }

    /// An error that names the stage, once the time is over.
    pub(crate) fn check(&self, stage: Stage) -> Result<(), Error> {
        match self.limit {
            Some(limit) if self.is_over() => Err(Error::PauseExceeded { limit, stage }),
            _ => Ok(()),
        }
    }
}
