//! The interpreters of this machine, as `scripts/pythons` lists them.

use std::process::Command;

/// One of them.
#[derive(Clone, Debug)]
pub(crate) struct Interpreter {
    pub(crate) version: String,
    pub(crate) path: String,
}

impl Interpreter {
    /// 3.`minor`.
    pub(crate) fn minor(&self) -> u32 {
        self.version.split('.').nth(1).unwrap().parse().unwrap()
    }
}

/// All of them; the script says on standard error which minor versions are missing.
pub(crate) fn all() -> Vec<Interpreter> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/pythons");
    let output = Command::new(script).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    eprint!("{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap();
    let found: Vec<Interpreter> = lines
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .map(|(version, path)| Interpreter { version: version.into(), path: path.into() })
        .collect();
    assert!(!found.is_empty(), "{script} lists no interpreter");
    found
}
