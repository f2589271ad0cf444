//! Whether somebody asks us to end, while there is something half done.

use crate::sys;

const SIGNALS: [i32; 3] = [libc::SIGINT, libc::SIGTERM, libc::SIGHUP];

/// From its making on, `SIGINT` (Ctrl-C), `SIGTERM` and `SIGHUP` do not end this process: they are
/// noted, so that what is half done can be taken away before we end.
#[derive(Clone, Copy, Debug)]
pub struct Interruption {
    seen: [u32; 3],
}

impl Interruption {
    /// Watches from now on. A signal that could not be caught ends us as before.
    #[must_use]
    pub fn watch() -> Interruption {
        let seen = SIGNALS.map(|signal| {
            let seen = sys::signals_caught(signal);
            // If it cannot be caught it does what it always did.
            let _ = sys::catch_signal(signal);
            seen
        });
        Interruption { seen }
    }

    /// Whether such a signal came.
    #[must_use]
    pub fn came(&self) -> bool {
        SIGNALS.map(sys::signals_caught) != self.seen
    }
}
