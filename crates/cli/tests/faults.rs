//! The program itself, at bad moments: killed while it looks, and without any privilege.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]
#![expect(clippy::print_stdout, reason = "says how often it met what it tries")]

use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const DEADWEIGHT: &str = env!("CARGO_BIN_EXE_deadweight");

/// Counts in one thread, counts signals in another, and says both when asked.
const COUNTING: &str = "
import signal, sys, threading
data = [bytes([n % 256]) * 1000 for n in range(60_000)]
count = signals = 0
def caught(*_):
    global signals
    signals += 1
signal.signal(signal.SIGUSR1, caught)
def forever():
    global count
    while True: count += 1
threading.Thread(target=forever, daemon=True).start()
print('ready', flush=True)
for line in sys.stdin: print(count, signals, flush=True)
";

struct Counting {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Counting {
    fn start() -> Counting {
        let mut child = Command::new("python3")
            .args(["-c", COUNTING])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n");
        Counting { child, input, output }
    }

    /// How far it has counted, and how many signals it has met.
    fn ask(&mut self) -> (u64, u64) {
        writeln!(self.input).unwrap();
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        let (count, signals) = line.trim().split_once(' ').unwrap();
        (count.parse().unwrap(), signals.parse().unwrap())
    }

    fn status(&self, key: &str) -> String {
        let text = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        text.lines().find_map(|line| line.strip_prefix(key)).unwrap().trim().to_owned()
    }

    fn signal(&self) {
        let kill = format!("kill -USR1 {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }
}

impl Drop for Counting {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

fn weigh(pid: u32) -> Child {
    Command::new(DEADWEIGHT)
        .args(["weigh", "--quiet", "--json", &pid.to_string()])
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

/// Numbers below `bound` without a pattern, the same each time.
fn draw(state: &mut u64, bound: Duration) -> Duration {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    Duration::from_nanos((*state >> 20) % bound.as_nanos().max(1) as u64)
}

/// Half of the kills fall anywhere in the run, half of them into the pause.
#[test]
fn a_target_runs_on_when_we_are_killed_at_any_of_a_hundred_moments() {
    let mut target = Counting::start();
    let since = Instant::now();
    assert!(weigh(target.child.id()).wait().unwrap().success());
    let whole = since.elapsed();
    let (mut state, mut in_the_pause) = (41, 0);
    let (mut count, mut met) = target.ask();
    for round in 0..100_u64 {
        let mut weighing = weigh(target.child.id());
        if round % 2 == 0 {
            thread::sleep(draw(&mut state, whole));
        } else {
            let since = Instant::now();
            while target.status("TracerPid:") == "0" && since.elapsed() < whole * 4 {
                thread::yield_now();
            }
            thread::sleep(draw(&mut state, Duration::from_millis(15)));
        }
        // Held back while the target stands still: it must not be lost with us.
        target.signal();
        in_the_pause += u32::from(target.status("TracerPid:") != "0");
        weighing.kill().unwrap();
        weighing.wait().unwrap();
        assert_eq!(target.status("TracerPid:"), "0");
        let run = target.status("State:");
        assert!(!run.starts_with(['t', 'T']), "round {round}: {run}");
        let since = Instant::now();
        let (now, signals) = loop {
            let (now, signals) = target.ask();
            if now > count && signals == met + 1 {
                break (now, signals);
            }
            assert!(since.elapsed() < Duration::from_secs(20), "{round}: {count} {now} {signals}");
            thread::sleep(Duration::from_millis(1));
        };
        (count, met) = (now, signals);
    }
    println!("{in_the_pause} of 100 kills fell into the pause");
    assert!(in_the_pause >= 5, "only {in_the_pause} kills fell into the pause");
    assert!(weigh(target.child.id()).wait().unwrap().success());
}

/// No root, no capability, none to be had: a program that we start is ours to look at.
#[test]
fn a_launched_program_needs_no_privilege() {
    let python = "/usr/bin/python3";
    let bare = ["--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all"];
    let try_it = Command::new("setpriv").args(bare).args(["--no-new-privs", "true"]).status();
    if !Path::new(python).exists() || !try_it.is_ok_and(|status| status.success()) {
        println!("NOT RUN: setpriv does not work here");
        return;
    }
    // Where everybody may run it.
    let program: PathBuf =
        std::env::temp_dir().join(format!("deadweight-launch-{}", std::process::id()));
    fs::copy(DEADWEIGHT, &program).unwrap();
    fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
    let script = "
import time
class Here: pass
kept = [Here() for _ in range(1234)]
time.sleep(4)
";
    let output = Command::new("setpriv")
        .args(bare)
        .args(["--no-new-privs", program.to_str().unwrap()])
        .args(["census", "--quiet", "--json", "--after", "2s", "--", python, "-c", script])
        .current_dir("/")
        .output();
    fs::remove_file(&program).unwrap();
    let output = output.unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let census: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let rows = census["types"].as_array().unwrap();
    let here = rows.iter().find(|row| row["name"] == "__main__.Here").unwrap();
    assert_eq!(here["count"], 1234);
}
