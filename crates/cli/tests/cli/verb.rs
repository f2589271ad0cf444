//! Runs the program.

use std::process::{Command, Output};

/// How a run ended and what it wrote.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl From<Output> for Outcome {
    fn from(output: Output) -> Outcome {
        Outcome {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_deadweight"));
    command.args(arguments);
    command
}

pub(crate) fn deadweight(arguments: &[&str]) -> Outcome {
    command(arguments).output().unwrap().into()
}

/// What it prints, of a run in which all goes well and nothing else is said.
pub(crate) fn printed(arguments: &[&str]) -> String {
    let outcome = deadweight(arguments);
    assert_eq!((outcome.code, outcome.err.as_str()), (Some(0), ""), "{arguments:?}");
    outcome.out
}

/// The same, as a JSON document.
pub(crate) fn document(arguments: &[&str]) -> serde_json::Value {
    let text = printed(&[arguments, &["--json"]].concat());
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {text}"))
}

/// It fails with exit status 2, says exactly this, and prints nothing.
#[track_caller]
pub(crate) fn assert_refused(arguments: &[&str], words: &str) {
    assert_failed(&deadweight(arguments), words);
}

#[track_caller]
pub(crate) fn assert_failed(outcome: &Outcome, words: &str) {
    assert_eq!(outcome.err, format!("{words}\n"));
    assert_eq!((outcome.code, outcome.out.as_str()), (Some(2), ""));
}

/// A directory of its own; deleted when dropped.
pub(crate) struct Folder(pub(crate) std::path::PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("deadweight-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    pub(crate) fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    /// The names of what is in it.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.0).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(&self.0);
    }
}
