//! Whether a search is to go on, asked also within a window: to search one may take much longer than to read it.

use std::time::{Duration, Instant};

use crate::error::FilesError;
use crate::source::Source;
use crate::windows::Watch;

/// How long a search goes on before it asks again.
const EVERY: Duration = Duration::from_millis(50);
/// Of so many matches, the last is followed by a look at the clock.
const MANY: u32 = 64;

/// Asks whoever watches.
pub(super) struct Looks<'a, 'w> {
    pub(super) source: &'a Source,
    pub(super) watch: &'a mut Watch<'w>,
    /// When that was last asked.
    pub(super) last: &'a mut Instant,
    pub(super) matches: u32,
}

impl Looks<'_, '_> {
    /// After a match.
    pub(super) fn count(&mut self) -> Result<(), FilesError> {
        self.matches += 1;
        if self.matches.is_multiple_of(MANY) { self.look() } else { Ok(()) }
    }

    /// After what may have taken long.
    pub(super) fn look(&mut self) -> Result<(), FilesError> {
        if self.last.elapsed() < EVERY {
            return Ok(());
        }
        self.source.tell(self.watch)?;
        *self.last = Instant::now();
        Ok(())
    }
}
