//! The target stands still for a moment, and goes on, whatever happens to whom.

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use deadweight_process::{Error, Limits, LiveCopy, Stage};

use crate::reader::{Reader, some_millis};
use crate::target::{Target, assert_sums_agree};

/// Python with some hundred megabytes.
fn large() -> Target {
    let mut target = Target::python("data = [bytes([n % 256]) * 1000 for n in range(300000)]");
    assert_eq!(target.line(), "ready");
    target
}

#[test]
fn threads_that_start_and_end_all_the_time_are_all_stopped() {
    let script = "
import threading, time, mmap, sys
sys.setswitchinterval(1e-5)
def brief(n):
    room = mmap.mmap(-1, 1 << 20)
    room[:4096 * (n % 100 + 1)] = b'z' * (4096 * (n % 100 + 1))
    [str(k) for k in range(n % 500)]
    room.close()
def churn():
    n = 0
    while True:
        some = [threading.Thread(target=brief, args=(n + k,), daemon=True) for k in range(6)]
        for one in some: one.start()
        for one in some: one.join()
        n += 6
for _ in range(3): threading.Thread(target=churn, daemon=True).start()
";
    let mut target = Target::python(script);
    assert_eq!(target.line(), "ready");
    let mut most = 0;
    for _ in 0..30 {
        let copy = LiveCopy::take(target.pid(), &Limits::default()).unwrap();
        assert_sums_agree(&copy);
        assert!(copy.threads().len() >= 4, "{:?}", copy.threads());
        most = most.max(copy.threads().len());
    }
    assert!(most > 4, "no thread of those that come and go was met");
    target.assert_answers();
}

#[test]
fn a_reader_that_is_killed_lets_the_target_go_on() {
    let reader = Reader::new("killed");
    let mut target = large();
    for _ in 0..20 {
        let mut child = reader.start_forever(target.pid());
        thread::sleep(Duration::from_millis(20) + some_millis(300));
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(target.status("TracerPid"), "0");
        target.assert_answers();
    }
}

#[test]
fn a_stopped_target_stays_stopped() {
    let mut target = Target::idle_python();
    target.stop();
    for _ in 0..5 {
        let copy = LiveCopy::take(target.pid(), &Limits::default()).unwrap();
        assert_sums_agree(&copy);
        thread::sleep(Duration::from_millis(20));
        assert!(target.status("State").starts_with("T (stopped)"), "{}", target.status("State"));
    }
    target.signal("CONT");
    target.assert_answers();
}

#[test]
fn no_signal_gets_lost() {
    let script = "
import signal
signal.signal(signal.SIGUSR1, lambda *_: print('signal', flush=True))
";
    let mut target = Target::python(script);
    assert_eq!(target.line(), "ready");
    let (pid, done) = (target.pid(), AtomicBool::new(false));
    thread::scope(|scope| {
        let copies = scope.spawn(|| {
            let mut copies = 0;
            while !done.load(Ordering::Relaxed) {
                LiveCopy::take(pid, &Limits::default()).unwrap();
                copies += 1;
            }
            copies
        });
        for _ in 0..200 {
            target.signal("USR1");
            // Waits forever if the signal went with the stop.
            assert_eq!(target.line(), "signal");
        }
        done.store(true, Ordering::Relaxed);
        assert!(copies.join().unwrap() > 10);
    });
    target.assert_answers();
}

/// A thread that is not the main one is just about to receive a signal when it is stopped, again and
/// again, and we are killed before it goes on.
#[test]
fn no_signal_gets_lost_with_us() {
    let script = "
import select, signal, sys, threading, time
sent = met = 0
def caught(*_):
    global met
    met += 1
signal.signal(signal.SIGUSR1, caught)
def send():
    global sent
    while True:
        sent += 1
        signal.pthread_kill(threading.get_ident(), signal.SIGUSR1)
        since = time.monotonic()
        while met < sent and time.monotonic() < since + 60: time.sleep(0)
        if met < sent: return
threading.Thread(target=send, daemon=True).start()
# Python handles a signal in its main thread, which so must not wait for long.
print('ready', flush=True)
while True:
    if select.select([sys.stdin], [], [], 0.0002)[0]:
        if not sys.stdin.readline(): break
        print(sent, flush=True)
";
    let mut target = Target::start(Command::new("python3").args(["-c", script]));
    assert_eq!(target.line(), "ready");
    let reader = Reader::new("killed-with-a-signal");
    let mut before = 0;
    for round in 0..60 {
        let mut reading = reader.start_forever(target.pid());
        thread::sleep(Duration::from_millis(40) + some_millis(30));
        reading.kill().unwrap();
        reading.wait().unwrap();
        let since = Instant::now();
        // One that was lost is waited for, and no more are sent.
        loop {
            let sent: u64 = target.ask().parse().unwrap();
            if sent > before + 2 {
                before = sent;
                break;
            }
            assert!(since.elapsed() < Duration::from_secs(20), "round {round}: a signal is lost");
            thread::sleep(Duration::from_millis(1));
        }
    }
}

#[test]
fn a_target_that_ends_meanwhile_is_an_error_of_that_name() {
    let mut ended = 0;
    for round in 0..8 {
        let target = large();
        let pid = target.pid();
        let taking = thread::spawn(move || {
            let mut copies = 0;
            loop {
                match LiveCopy::take(pid, &Limits::default()) {
                    Ok(_) => copies += 1,
                    Err(error) => return (copies, error),
                }
            }
        });
        thread::sleep(Duration::from_millis(90 + 23 * round));
        target.end();
        let (_, error) = taking.join().unwrap();
        match error {
            Error::Ended { pid: it } => {
                assert_eq!(it, pid);
                ended += 1;
            }
            Error::NoSuchProcess { .. } | Error::Zombie { .. } | Error::MainThreadEnded { .. } => {}
            other => panic!("{other}: {other:?}"),
        }
    }
    assert!(ended > 0, "none ended while it was being read");
}

/// A thread that calls `exec` waits for all others to be gone. Their tracer must not make it wait.
#[test]
fn a_thread_that_runs_another_program_is_not_held_up() {
    const WANTED: u32 = 60;
    let script = "
import os, sys, threading, time
print('again', flush=True)
def again():
    time.sleep(0.01)
    os.execv(sys.executable, [sys.executable, __file__])
for _ in range(3): threading.Thread(target=time.sleep, args=(100,), daemon=True).start()
threading.Thread(target=again).start()
time.sleep(100)
";
    let path = std::env::temp_dir().join(format!("deadweight-again-{}.py", std::process::id()));
    std::fs::write(&path, script).unwrap();
    let mut target = Target::start(Command::new("python3").arg(&path));
    assert_eq!(target.line(), "again");
    let mut copies = 0;
    for _ in 0..100_000 {
        match LiveCopy::take(target.pid(), &Limits::default()) {
            Ok(copy) => {
                assert_sums_agree(&copy);
                copies += 1;
                if copies == WANTED {
                    break;
                }
            }
            // Between two programs it has no memory, and its main thread looks like a zombie.
            Err(Error::Ended { .. } | Error::Zombie { .. } | Error::MainThreadEnded { .. }) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
    assert_eq!(copies, WANTED);
    for _ in 0..5 {
        assert_eq!(target.line(), "again");
    }
    std::fs::remove_file(&path).unwrap();
}

/// A thread that has just forked waits in the kernel until its child runs a program, and nothing can
/// interrupt that. Here the child waits for somebody to open a pipe first.
#[test]
fn a_thread_that_cannot_be_stopped_is_not_waited_for_without_end() {
    let pipe = std::env::temp_dir().join(format!("deadweight-pipe-{}", std::process::id()));
    let script = format!(
        "
import os
os.mkfifo({pipe:?})
print(os.getpid(), flush=True)
open_pipe = (os.POSIX_SPAWN_OPEN, 5, {pipe:?}, os.O_RDONLY, 0)
os.waitpid(os.posix_spawn('/bin/true', ['true'], {{}}, file_actions=[open_pipe]), 0)
"
    );
    let mut target = Target::python(&script);
    target.numbers();
    target.await_state('D');
    let limits = Limits { max_pause: Some(Duration::from_millis(100)), ..Limits::default() };
    let error = LiveCopy::take(target.pid(), &limits).unwrap_err();
    assert!(matches!(error, Error::PauseExceeded { stage: Stage::Stopping, .. }), "{error:?}");
    let error = LiveCopy::take(target.pid(), &Limits::default()).unwrap_err();
    assert!(matches!(error, Error::StuckThread { uninterruptible: true, .. }), "{error:?}");
    assert_eq!(target.status("TracerPid"), "0");
    std::fs::File::options().write(true).open(&pipe).unwrap();
    std::fs::remove_file(&pipe).unwrap();
    assert_eq!(target.line(), "ready");
    target.assert_answers();
}

#[test]
fn a_copy_that_takes_too_long_is_given_up() {
    let mut target = large();
    let take = |max_pause| {
        let limits = Limits { max_pause: Some(max_pause), ..Limits::default() };
        LiveCopy::take(target.pid(), &limits)
    };
    let stage = |result: Result<LiveCopy, Error>| match result {
        Err(Error::PauseExceeded { stage, .. }) => stage,
        other => panic!("{other:?}"),
    };
    assert!(matches!(stage(take(Duration::ZERO)), Stage::Stopping | Stage::Listing));
    let mut limit = Duration::from_millis(1);
    let planned = loop {
        match stage(take(limit)) {
            Stage::Copying { copied, planned } => {
                assert!(copied < planned);
                break planned;
            }
            // The machine was too busy even to list the pages in that time.
            Stage::Stopping | Stage::Listing => limit *= 2,
        }
    };
    assert!(planned.0 > 300_000_000, "{planned:?}");
    assert_eq!(target.status("TracerPid"), "0");
    take(Duration::from_mins(1)).unwrap();
    target.assert_answers();
}
