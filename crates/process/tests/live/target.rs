//! A process to look at, which answers when asked whether it still runs.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use deadweight_process::LiveCopy;

/// A child, ended when dropped.
pub(crate) struct Target {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

/// Ends every Python target: answers each line it is sent.
const ANSWER: &str =
    "\nimport sys\nprint('ready', flush=True)\nfor line in sys.stdin: print('pong', flush=True)\n";

impl Target {
    /// Python that runs a script, says what the script prints, then `ready`, and then answers.
    pub(crate) fn python(script: &str) -> Target {
        Target::python_of("python3", script)
    }

    /// The same with this interpreter.
    pub(crate) fn python_of(python: &str, script: &str) -> Target {
        Target::start(Command::new(python).args(["-c", &format!("{script}{ANSWER}")]))
    }

    /// Idle Python, once it is.
    pub(crate) fn idle_python() -> Target {
        let mut target = Target::python("");
        assert_eq!(target.line(), "ready");
        target
    }

    /// The smallest program there is everywhere; it echoes.
    pub(crate) fn cat() -> Target {
        let mut target = Target::start(&mut Command::new("cat"));
        target.assert_answers_with("pong");
        target
    }

    /// Starts a program.
    pub(crate) fn start(command: &mut Command) -> Target {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Target { child, input, output }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The next line of its output.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// The next line, as numbers.
    pub(crate) fn numbers(&mut self) -> Vec<u64> {
        self.line().split_whitespace().map(|word| word.parse().unwrap()).collect()
    }

    /// What it says to a line.
    pub(crate) fn ask(&mut self) -> String {
        writeln!(self.input).unwrap();
        self.line()
    }

    /// It runs: it reads and answers.
    pub(crate) fn assert_answers(&mut self) {
        self.assert_answers_with("pong");
    }

    fn assert_answers_with(&mut self, answer: &str) {
        writeln!(self.input, "{answer}").unwrap();
        assert_eq!(self.line(), answer);
    }

    /// Holds it, so that not even the kernel writes to it (a running thread's CPU number, say).
    pub(crate) fn stop(&self) {
        self.signal("STOP");
        self.await_state('T');
    }

    /// Sends it a signal, by name.
    pub(crate) fn signal(&self, signal: &str) {
        send_signal(self.pid(), signal);
    }

    /// A line of `/proc/PID/status`.
    pub(crate) fn status(&self, key: &str) -> String {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(key)).unwrap();
        line.trim_start_matches(':').trim().to_owned()
    }

    /// Waits until its state is this letter.
    pub(crate) fn await_state(&self, state: char) {
        let since = Instant::now();
        while !self.status("State").starts_with(state) {
            assert!(since.elapsed() < Duration::from_secs(20), "state {}", self.status("State"));
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Lets it end by itself, and waits for that.
    pub(crate) fn end(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

/// Sends a process a signal, by name.
pub(crate) fn send_signal(pid: u32, signal: &str) {
    // The shell's own `kill`: the program is not everywhere.
    let status = Command::new("sh").args(["-c", &format!("kill -{signal} {pid}")]).status();
    assert!(status.unwrap().success(), "kill -{signal} {pid}");
}

/// Whether these tests run as root.
pub(crate) fn is_root() -> bool {
    std::os::unix::fs::MetadataExt::uid(&std::fs::metadata("/proc/self").unwrap()) == 0
}

/// The pages listed and the kernel's own sum, of the same moment, are the same to the byte.
pub(crate) fn assert_sums_agree(copy: &LiveCopy) {
    let areas = copy.areas().iter().map(|area| area.resident().0).sum::<u64>();
    let rss = copy.rollup().expect("this kernel has smaps_rollup").rss.0;
    assert_eq!(areas, rss, "areas add up to {areas}, the kernel says {rss}");
    let pages = copy.resident(deadweight_heap::Addr(0), deadweight_heap::Bytes(u64::MAX)).0;
    assert_eq!(pages, rss);
}

/// Whether the tests may take minutes: `make test-real` sets it.
pub(crate) fn at_length() -> bool {
    std::env::var_os("DEADWEIGHT_AT_LENGTH").is_some()
}

/// All interpreters that `scripts/pythons` finds.
pub(crate) fn pythons_of_this_machine() -> Vec<PathBuf> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/pythons");
    let output = Command::new(script).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let found: Vec<PathBuf> =
        text.lines().filter_map(|line| Some(line.split_once('\t')?.1.into())).collect();
    assert!(!found.is_empty(), "scripts/pythons finds none");
    found
}

/// The interpreters that this machine has, at the usual places.
pub(crate) fn pythons() -> Vec<&'static str> {
    let system = "/usr/bin/python3";
    if Path::new(system).exists() { vec!["python3", system] } else { vec!["python3"] }
}
