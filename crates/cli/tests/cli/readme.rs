//! The README shows what the program prints.

use crate::program::{Program, root};
use crate::shape::shape;
use crate::verb::printed;

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
