//! Whether somebody asks us to end, while there is something half done.

use crate::sys::{self, Disposition};

const SIGNALS: [i32; 3] = [libc::SIGINT, libc::SIGTERM, libc::SIGHUP];

/// As long as it lives, `SIGINT` (Ctrl-C), `SIGTERM` and `SIGHUP` do not end this process: they are
/// noted, so that what is half done can be taken away before we end. One that was ignored (`nohup`)
/// stays ignored.
pub struct Interruption {
    seen: [u32; 3],
    /// `None`: it is not caught.
    before: [Option<Disposition>; 3],
}

impl Interruption {
    /// Watches from now on. A signal that could not be caught ends us as before.
    #[must_use]
    pub fn watch() -> Interruption {
        let seen = SIGNALS.map(sys::signals_caught);
        let before = SIGNALS.map(|signal| {
            let before = sys::catch_signal(signal).ok()?;
            if before.is_ignored() {
                sys::restore_signal(signal, before);
                return None;
            }
            Some(before)
        });
        Interruption { seen, before }
    }

    /// Whether such a signal came.
    #[must_use]
    pub fn came(&self) -> bool {
        SIGNALS.map(sys::signals_caught) != self.seen
    }
}

impl Drop for Interruption {
    fn drop(&mut self) {
        for (signal, before) in SIGNALS.into_iter().zip(self.before) {
            if let Some(before) = before {
                sys::restore_signal(signal, before);
            }
        }
    }
}
