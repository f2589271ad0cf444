//! What has no length, such as a pipe that nobody writes to yet: waited for in steps, so that who watches is
//! asked meanwhile.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;

/// Who watches is asked so often at least.
const STEP: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };

/// Opens a path without waiting, which the system would do for the first writer of a pipe.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed()).open(path)
}

/// A file that was opened so. It says that a signal came where nothing came in time.
pub(crate) struct Awaited(pub(crate) File);

impl Read for Awaited {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if poll(&mut [PollFd::new(&self.0, PollFlags::IN)], Some(&STEP))? == 0 {
            return Err(io::ErrorKind::Interrupted.into());
        }
        match self.0.read(buffer) {
            // Somebody else was faster.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                Err(io::ErrorKind::Interrupted.into())
            }
            read => read,
        }
    }
}
