//! The reader as a process of its own: to be killed, or to be somebody else.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use deadweight_heap::{Addr, Bytes};
use deadweight_process::{Limits, LiveCopy, Memory};

use crate::target::Target;

/// Set for a reader: the process to look at.
const PID: &str = "DEADWEIGHT_TEST_PID";
/// May be set for a reader: an address to read there.
pub(crate) const ADDRESS: &str = "DEADWEIGHT_TEST_ADDRESS";
/// Set for a reader that never ends by itself.
const FOREVER: &str = "DEADWEIGHT_TEST_FOREVER";

/// What a reader reads: the process it was told to, else one of its own.
#[test]
fn a_reader_reads_what_it_is_told_to() {
    let own = Target::cat();
    let pid = std::env::var(PID).map_or_else(|_| own.pid(), |pid| pid.parse().unwrap());
    loop {
        match LiveCopy::take(pid, &Limits::default()) {
            Ok(copy) => {
                assert!(copy.copied() > Bytes(0));
                let areas: u64 = copy.areas().iter().map(|area| area.resident().0).sum();
                assert_eq!(areas, copy.rollup().unwrap().rss.0);
                let at = std::env::var(ADDRESS).map_or(0, |at| at.parse().unwrap());
                let mut scratch = Vec::new();
                let bytes = copy.bytes(Addr(at), 8, &mut scratch).map(String::from_utf8_lossy);
                println!("outcome: copied {:?} {bytes:?}", copy.page_source());
            }
            Err(error) => println!("outcome: {error} // {}", error.hint().unwrap_or_default()),
        }
        if std::env::var_os(FOREVER).is_none() {
            return;
        }
    }
}

/// The program that runs the test above, at a place where everybody may run it. Deleted when dropped.
pub(crate) struct Reader {
    path: PathBuf,
}

impl Reader {
    pub(crate) fn new(name: &str) -> Reader {
        let path = std::env::temp_dir().join(format!("deadweight-{name}-{}", std::process::id()));
        std::fs::copy(std::env::current_exe().unwrap(), &path).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        Reader { path }
    }

    /// Its arguments and environment, for whatever starts it.
    pub(crate) fn prepare(pid: u32, command: &mut Command) -> &mut Command {
        command
            .args(["--exact", "reader::a_reader_reads_what_it_is_told_to", "--nocapture"])
            .env(PID, pid.to_string())
            .current_dir("/")
    }

    pub(crate) fn path(&self) -> &str {
        self.path.to_str().unwrap()
    }

    /// Starts one that reads again and again.
    pub(crate) fn start_forever(&self, pid: u32) -> std::process::Child {
        let mut command = Command::new(&self.path);
        Reader::prepare(pid, &mut command).env(FOREVER, "1");
        command.stdout(std::process::Stdio::null()).spawn().unwrap()
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let _gone = std::fs::remove_file(&self.path);
    }
}

/// What a reader said of the process.
pub(crate) fn outcome(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    // The test program's own words stand before it on the line.
    let outcome = text.lines().find_map(|line| Some(line.split_once("outcome: ")?.1.to_owned()));
    outcome.unwrap_or_else(|| panic!("{text}{}", String::from_utf8_lossy(&output.stderr)))
}

/// A number of milliseconds that differs from call to call.
pub(crate) fn some_millis(below: u32) -> Duration {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Duration::from_micros(u64::from((now.subsec_nanos() / 7) % (below * 1000)))
}
