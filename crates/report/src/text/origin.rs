//! What was looked at: the first line of every report.

use std::io::{self, Write};

use deadweight_heap::Provenance;

use super::clean;
use crate::numbers::duration;

/// Command lines are cut here.
const LONGEST_COMMAND: usize = 60;

/// `Python 3.12.1 · pid 4242 · python app.py`, and how long it stood still.
pub(super) fn origin(from: &Provenance, out: &mut dyn Write) -> io::Result<()> {
    write!(out, "Python {} · pid {} · {}", from.python, from.pid, command(&from.command))?;
    if from.pause_micros > 0 {
        write!(out, " · paused {}", duration(from.pause_micros))?;
    }
    writeln!(out)
}

/// A command line without the folder of the program, in one line, not too long.
fn command(line: &str) -> String {
    let (program, arguments) = line.split_once(' ').unwrap_or((line, ""));
    let name = program.rsplit('/').next().unwrap_or(program);
    let whole = if arguments.is_empty() { name.to_owned() } else { format!("{name} {arguments}") };
    let mut shown: String = whole.chars().take(LONGEST_COMMAND).collect();
    if shown.len() < whole.len() {
        shown.push('…');
    }
    clean(&shown).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_one_short_line() {
        assert_eq!(command("/usr/bin/python3 app.py --port 80"), "python3 app.py --port 80");
        assert_eq!(command("python -c import os\nos.abort()"), "python -c import os\\nos.abort()");
        assert_eq!(command(""), "");
        let long = command(&format!("python {}", "x".repeat(100)));
        assert_eq!(long.chars().count(), LONGEST_COMMAND + 1);
        assert!(long.ends_with('…'));
    }
}
