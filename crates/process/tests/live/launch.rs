//! A program that we start is ours to look at, and goes on as if we had not.

use std::ffi::OsString;
use std::time::Duration;

use deadweight_process::{Error, Launched, Limits, LiveCopy, Trigger, Waited};

use crate::target::{assert_sums_agree, send_signal};

fn start(program: &str, arguments: &[&str], trigger: Trigger) -> Result<Launched, Error> {
    let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
    Launched::start(program.as_ref(), &arguments, trigger)
}

#[test]
fn a_copy_is_taken_after_some_time_and_the_program_ends_as_it_would() {
    let trigger = Trigger::After(Duration::from_millis(300));
    let mut launched =
        start("python3", &["-c", "import time; time.sleep(1.5); exit(7)"], trigger).unwrap();
    assert_eq!(launched.wait_for_trigger().unwrap(), Waited::Triggered);
    let copy = LiveCopy::take(launched.pid(), &Limits::default()).unwrap();
    assert_sums_agree(&copy);
    assert_eq!(launched.wait().unwrap().code(), Some(7));
}

#[test]
fn a_copy_is_taken_at_each_signal() {
    let mut launched = start("sleep", &["60"], Trigger::Usr2).unwrap();
    for _ in 0..3 {
        send_signal(std::process::id(), "USR2");
        assert_eq!(launched.wait_for_trigger().unwrap(), Waited::Triggered);
        LiveCopy::take(launched.pid(), &Limits::default()).unwrap();
    }
    send_signal(launched.pid(), "TERM");
    let ended = launched.wait_for_trigger().unwrap();
    assert!(matches!(ended, Waited::Ended(status) if status.code().is_none()), "{ended:?}");
}

#[test]
fn a_program_that_ends_before_its_time_says_how() {
    let trigger = Trigger::After(Duration::from_mins(10));
    let mut launched = start("sh", &["-c", "exit 3"], trigger).unwrap();
    let waited = launched.wait_for_trigger().unwrap();
    assert!(matches!(waited, Waited::Ended(status) if status.code() == Some(3)), "{waited:?}");
}

/// The tracer hears of the end first: it must leave the exit status to the parent.
#[test]
fn the_exit_status_survives_an_end_in_the_middle_of_a_copy() {
    for _ in 0..20 {
        let mut launched =
            start("sh", &["-c", "sleep 0.05; exit 9"], Trigger::After(Duration::ZERO)).unwrap();
        assert_eq!(launched.wait_for_trigger().unwrap(), Waited::Triggered);
        let error = loop {
            match LiveCopy::take(launched.pid(), &Limits::default()) {
                Ok(_) => {}
                Err(error) => break error,
            }
        };
        match error {
            Error::Ended { .. } | Error::Zombie { .. } | Error::MainThreadEnded { .. } => {}
            other => panic!("{other:?}"),
        }
        assert_eq!(launched.wait().unwrap().code(), Some(9));
    }
}

#[test]
fn a_program_that_is_not_there_is_named() {
    let error = start("no-such-program", &[], Trigger::Usr1).unwrap_err();
    assert_eq!(error.to_string(), "cannot start no-such-program");
    assert!(error.hint().unwrap().contains("Check the name"));
}

/// What we started goes on when we are gone: it is not killed with the handle.
#[test]
fn a_program_outlives_its_handle() {
    let launched = start("sleep", &["30"], Trigger::Usr1).unwrap();
    let pid = launched.pid();
    drop(launched);
    send_signal(pid, "0");
    send_signal(pid, "KILL");
}
