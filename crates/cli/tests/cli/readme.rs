//! The README shows what the program prints.

use std::process::Command;

use crate::program::{Program, root};
use crate::shape::shape;
use crate::verb::{Folder, Outcome, printed};

/// What stands after `$ deadweight VERB` in the README, up to the next command or the end of the block.
fn captured(verb: &str) -> String {
    let text = std::fs::read_to_string(root().join("README.md")).unwrap();
    let start = format!("\n$ deadweight {verb} ");
    let (_, rest) =
        text.split_once(&start).unwrap_or_else(|| panic!("{verb} is not in the README"));
    let (_, output) = rest.split_once('\n').unwrap();
    let end = output.find("\n$ ").unwrap_or(usize::MAX).min(output.find("\n```").unwrap());
    output[..end].trim().to_owned()
}

/// The lines of a shape that do not depend on what the program holds.
fn frame(text: &str) -> Vec<String> {
    let fixed = [
        "Resident ",
        "Python objects ",
        "pymalloc, C code",
        "other anonymous ",
        "stacks ",
        "static data ",
        "files and code ",
        "Heaviest ",
        "# objects,",
        "count ",
        "└─ .",
        "└─ [*]",
    ];
    let is_fixed = |line: &&str| fixed.iter().any(|start| line.starts_with(start));
    let first_words = |line: &str| -> String {
        if line.starts_with("└─") { "└─".to_owned() } else { line.to_owned() }
    };
    shape(text).lines().filter(is_fixed).map(first_words).collect()
}

#[test]
fn the_captured_output_has_the_shape_of_real_output() {
    let program = Program::leaky();
    let pid = program.pid();
    for (verb, arguments) in [
        ("weigh", &["weigh", &pid][..]),
        ("why", &["why", &pid, "UserRecord"]),
        ("census", &["census", &pid]),
    ] {
        let (readme, real) = (frame(&captured(verb)), frame(&printed(arguments)));
        assert!(!readme.is_empty());
        assert_eq!(readme, real, "scripts/capture-readme makes it again");
    }
}

/// Every verb there is has its line.
#[test]
fn every_verb_is_in_the_readme() {
    let text = std::fs::read_to_string(root().join("README.md")).unwrap();
    let help = printed(&["--help"]);
    let verbs = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let verbs =
        verbs.take_while(|line| !line.is_empty()).filter_map(|line| line.split_whitespace().next());
    let missing: Vec<&str> =
        verbs.filter(|verb| !text.contains(&format!("`deadweight {verb}"))).collect();
    assert_eq!(missing, [""; 0]);
}

/// The blocks of shell below a heading, in order.
fn recipes(heading: &str) -> Vec<String> {
    let text = std::fs::read_to_string(root().join("README.md")).unwrap();
    let (_, rest) = text.split_once(&format!("\n## {heading}\n")).unwrap();
    let section = rest.split("\n## ").next().unwrap();
    let blocks = section.split("```sh\n").skip(1);
    blocks.map(|block| block.split("\n```").next().unwrap().to_owned()).collect()
}

#[test]
fn the_recipes_can_be_run() {
    let folder = Folder::new("recipes");
    let program = Program::leaky();
    let ours = std::path::Path::new(env!("CARGO_BIN_EXE_deadweight")).parent().unwrap();
    let path = format!("{}:{}", ours.display(), std::env::var("PATH").unwrap());
    let run = |script: &str| -> Outcome {
        let mut shell = Command::new("bash");
        shell.args(["-ec", script]).current_dir(&folder.0);
        shell.env("PATH", &path).env("PID", program.pid()).output().unwrap().into()
    };
    let [compare, limit] = recipes("Before and after, and in CI").try_into().unwrap();
    let grown = run(&compare);
    assert_eq!((grown.code, grown.err.as_str()), (Some(0), ""));
    assert_eq!(grown.out.lines().count(), 10, "{}", grown.out);
    assert!(grown.out.lines().all(|line| line.contains(" 0 B  ")), "{}", grown.out);

    let held = run(&limit);
    assert_eq!((held.code, held.out.as_str(), held.err.as_str()), (Some(0), "", ""));
    let exceeded = run(&limit.replace("300_000_000", "1_000_000"));
    assert!(exceeded.err.ends_with(" bytes resident, 1,000,000 allowed\n"), "{}", exceeded.err);
    assert_eq!(exceeded.code, Some(1));
}
