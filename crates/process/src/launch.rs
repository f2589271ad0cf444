//! A program that we start ourselves: its parent may always look at it.

use std::ffi::{OsStr, OsString};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::sys;

/// When to look at a program that was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// That long after its start.
    After(Duration),
    /// When *we* receive `SIGUSR1`.
    Usr1,
    /// When *we* receive `SIGUSR2`.
    Usr2,
}

/// What waiting for the trigger ended with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waited {
    /// It is time to look.
    Triggered,
    /// The program ended before, like this.
    Ended(ExitStatus),
}

/// A program started by us, as our direct child: so even where only parents may trace (Yama
/// `ptrace_scope` 1) we may.
///
/// It has our input and output. Dropped, it is left to run.
///
/// ```no_run
/// use std::time::Duration;
/// use deadweight_process::{Launched, Limits, LiveCopy, Trigger, Waited};
///
/// let after = Trigger::After(Duration::from_secs(5));
/// let mut launched = Launched::start("python".as_ref(), &["app.py".into()], after)?;
/// if launched.wait_for_trigger()? == Waited::Triggered {
///     let copy = LiveCopy::take(launched.pid(), &Limits::default())?;
/// }
/// let status = launched.wait()?;
/// # Ok::<(), deadweight_process::Error>(())
/// ```
#[derive(Debug)]
pub struct Launched {
    child: Child,
    started: Instant,
    trigger: Trigger,
    /// Triggers by signal that were acted on.
    seen: u32,
}

/// Between two looks at the child and the signal: short for a person, nothing for a processor.
const NAP: Duration = Duration::from_millis(20);

impl Launched {
    /// Starts a program, and takes note of the trigger from now on: a signal that comes early is not
    /// lost, nor does it end us.
    ///
    /// # Errors
    ///
    /// If there is no such program, or it cannot be started.
    pub fn start(
        program: &OsStr,
        arguments: &[OsString],
        trigger: Trigger,
    ) -> Result<Launched, Error> {
        Launched::start_into(program, arguments, trigger, Stdio::inherit())
    }

    /// The same, with another standard output than ours.
    ///
    /// # Errors
    ///
    /// As [`start`](Launched::start).
    pub fn start_into(
        program: &OsStr,
        arguments: &[OsString],
        trigger: Trigger,
        output: Stdio,
    ) -> Result<Launched, Error> {
        let failure =
            |source| Error::Launch { program: program.to_string_lossy().into_owned(), source };
        if let Some(signal) = signal(trigger) {
            let _ended_us = sys::catch_signal(signal).map_err(failure)?;
        }
        let seen = signal(trigger).map_or(0, sys::signals_caught);
        let child =
            Command::new(program).args(arguments).stdout(output).spawn().map_err(failure)?;
        Ok(Launched { child, started: Instant::now(), trigger, seen })
    }

    /// Its process number.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it is time to look, or the program has ended. After a signal it can be called
    /// again, and waits for the next one.
    ///
    /// # Errors
    ///
    /// If the child cannot be waited for.
    pub fn wait_for_trigger(&mut self) -> Result<Waited, Error> {
        loop {
            if let Some(status) = self.child.try_wait().map_err(cannot_wait)? {
                return Ok(Waited::Ended(status));
            }
            let nap = match self.trigger {
                Trigger::After(delay) => match delay.checked_sub(self.started.elapsed()) {
                    None | Some(Duration::ZERO) => return Ok(Waited::Triggered),
                    Some(left) => left.min(NAP),
                },
                Trigger::Usr1 | Trigger::Usr2 => {
                    let caught = signal(self.trigger).map_or(0, sys::signals_caught);
                    if caught != self.seen {
                        self.seen = caught;
                        return Ok(Waited::Triggered);
                    }
                    NAP
                }
            };
            std::thread::sleep(nap);
        }
    }

    /// Waits for it to end. Its exit status is known here even if it ended while it was looked at.
    ///
    /// # Errors
    ///
    /// If the child cannot be waited for.
    pub fn wait(&mut self) -> Result<ExitStatus, Error> {
        self.child.wait().map_err(cannot_wait)
    }
}

fn signal(trigger: Trigger) -> Option<i32> {
    match trigger {
        Trigger::After(_) => None,
        Trigger::Usr1 => Some(libc::SIGUSR1),
        Trigger::Usr2 => Some(libc::SIGUSR2),
    }
}

fn cannot_wait(source: std::io::Error) -> Error {
    Error::Io { what: "wait for the program".to_owned(), source }
}
