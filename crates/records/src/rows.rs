//! Which rows of a table are meant.

use std::ops::Range;

use crate::error::Reason;

/// Rows one after another, or one by one.
#[derive(Clone, Debug)]
pub(crate) enum Rows<'a> {
    Run(Range<usize>),
    Each(&'a [usize]),
}

impl Rows<'_> {
    pub(crate) fn len(&self) -> usize {
        match self {
            Rows::Run(run) => run.len(),
            Rows::Each(rows) => rows.len(),
        }
    }

    /// Does something for each, until it fails.
    pub(crate) fn try_for_each(
        &self,
        mut does: impl FnMut(usize) -> Result<(), Reason>,
    ) -> Result<(), Reason> {
        match self {
            Rows::Run(run) => run.clone().try_for_each(does),
            Rows::Each(rows) => rows.iter().try_for_each(|row| does(*row)),
        }
    }
}
