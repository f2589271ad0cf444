//! A program to look at.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::LazyLock;

/// The workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// An interpreter of this machine: the program itself, no wrapper that starts it.
pub(crate) fn python() -> &'static str {
    static PYTHON: LazyLock<String> = LazyLock::new(|| {
        let asked =
            Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).output();
        String::from_utf8(asked.expect("there is a python3").stdout).unwrap().trim().to_owned()
    });
    &PYTHON
}

/// The newest interpreter of each minor version that this machine has.
pub(crate) fn pythons() -> Vec<String> {
    let listed =
        Command::new(python()).arg(root().join("scripts/pythons")).arg("--minors").output();
    let text = String::from_utf8(listed.unwrap().stdout).unwrap();
    text.lines().filter_map(|line| line.split('\t').nth(1)).map(str::to_owned).collect()
}

/// Whether these tests run as root.
pub(crate) fn is_root() -> bool {
    std::os::unix::fs::MetadataExt::uid(&std::fs::metadata("/proc/self").unwrap()) == 0
}

/// A running program; ended when dropped.
pub(crate) struct Program {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Program {
    /// `leaky.py`, once it has leaked.
    pub(crate) fn leaky() -> Program {
        Program::leaky_with(python())
    }

    pub(crate) fn leaky_with(python: &str) -> Program {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli/leaky.py");
        Program::start(Command::new(python).args(["-I", script]))
    }

    /// Python that runs this text, which must print a line when it is ready.
    pub(crate) fn python(text: &str) -> Program {
        Program::start(Command::new(python()).args(["-I", "-c", text]))
    }

    /// A program that prints a line when it is ready.
    pub(crate) fn start(command: &mut Command) -> Program {
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it starts");
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let mut program = Program { child, input, output };
        assert!(!program.line().is_empty(), "{command:?} said nothing");
        program
    }

    pub(crate) fn pid(&self) -> String {
        self.child.id().to_string()
    }

    /// The next line of its output.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// It runs: it reads and answers. Only for `leaky.py`.
    pub(crate) fn assert_answers(&mut self) {
        writeln!(self.input, "still there?").unwrap();
        assert_eq!(self.line(), "still there?");
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}
