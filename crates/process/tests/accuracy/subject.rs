//! An interpreter that holds the heaps of scenarios, said what it sees of itself, and stands still.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use deadweight_process::{Limits, LiveCopy};

use crate::truth::Truth;

/// The corpus of this repository.
pub(crate) fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus")
}

/// Such a process.
pub(crate) struct Subject {
    child: Process,
    pub(crate) truth: Truth,
}

impl Subject {
    /// Starts an interpreter with these scenarios; `arguments` may name flags of `truth.py` too.
    pub(crate) fn start(python: &str, arguments: &[&str]) -> Subject {
        Subject::start_with(&mut Command::new(python), arguments)
    }

    /// The same with a command that has options or an environment.
    pub(crate) fn start_with(command: &mut Command, arguments: &[&str]) -> Subject {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir();
        let name = format!("deadweight-accuracy-{}-{number}", std::process::id());
        let (records, stats) = (folder.join(&name), folder.join(name + "-stats"));
        let mut child = command
            .arg(corpus().join("truth.py"))
            .arg(&records)
            .arg(corpus().join("heaps"))
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(&stats).unwrap())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let stats_text = std::fs::read_to_string(&stats).unwrap();
        let rows = std::fs::read(&records);
        let _gone = (std::fs::remove_file(&records), std::fs::remove_file(&stats));
        assert!(!line.is_empty(), "{command:?} said nothing:\n{stats_text}");
        Subject { child: Process(child), truth: Truth::parse(&line, &rows.unwrap(), &stats_text) }
    }

    /// Lets it end; what it said stays.
    pub(crate) fn finish(self) -> Truth {
        self.truth
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.0.id()
    }

    /// Copies its memory once it waits.
    pub(crate) fn copy(&self) -> LiveCopy {
        let since = Instant::now();
        let syscall = format!("/proc/{}/stat", self.pid());
        let waits = || {
            let stat = std::fs::read_to_string(&syscall).unwrap();
            stat.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with('S'))
        };
        while !waits() {
            assert!(since.elapsed() < Duration::from_secs(30), "it does not come to rest");
            std::thread::sleep(Duration::from_millis(5));
        }
        LiveCopy::take(self.pid(), &Limits::default()).unwrap()
    }
}

/// Ended when dropped.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _gone = self.0.wait();
    }
}
