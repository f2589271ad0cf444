//! Better advice than the parser has, for what is often typed wrong.

use std::ffi::OsString;

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};

/// Verbs that start a program given after `--`.
const LAUNCHERS: [&str; 5] = ["weigh", "census", "tree", "snapshot", "gc"];

/// Puts in place of the parser's tip one that fits, where we know one.
pub(crate) fn advise(error: &mut clap::Error, arguments: &[OsString]) {
    if error.kind() != ErrorKind::UnknownArgument {
        return;
    }
    let words: Vec<&str> =
        arguments.iter().skip(1).map(|word| word.to_str().unwrap_or_default()).collect();
    let Some(ContextValue::String(unknown)) = error.get(ContextKind::InvalidArg) else { return };
    if let Some(tip) = tip(&words, unknown) {
        let tips = ContextValue::StyledStrs(vec![StyledStr::from(tip)]);
        error.insert(ContextKind::Suggested, tips);
    } else if unknown.starts_with('-') && !words.contains(&"--") {
        // The parser's own: to start a program of that name.
        error.remove(ContextKind::Suggested);
    }
}

fn tip(words: &[&str], unknown: &str) -> Option<String> {
    let at = words.iter().position(|word| !word.starts_with('-'))?;
    let (verb, rest) = (words[at], &words[at + 1..]);
    if verb == "why" && ["--after", "--on"].contains(&unknown) {
        let tip = "'why' starts no program: 'deadweight snapshot --after 5s -- python app.py' does, and \
                   saves what 'why' can be asked about";
        return Some(tip.to_owned());
    }
    if rest.contains(&"--") || !LAUNCHERS.contains(&verb) {
        return None;
    }
    // What came before it was taken for the process or file.
    let first = rest.iter().position(|word| *word == unknown)?.checked_sub(1)?;
    let target = rest[first];
    let is_process = target.bytes().all(|byte| byte.is_ascii_digit());
    let is_one = is_process || std::path::Path::new(target).is_file();
    if target.starts_with('-') || is_one && unknown.starts_with('-') {
        return None;
    }
    if verb == "tree" && is_one {
        return Some(format!("to begin there: 'deadweight tree {target} --from {unknown}'"));
    }
    let line = [&[verb], &rest[..first], &["--"], &rest[first..]].concat().join(" ");
    (!is_process).then(|| format!("to start a program: 'deadweight {line}'"))
}
