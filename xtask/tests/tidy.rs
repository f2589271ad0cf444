//! The tree against what ARCHITECTURE.md says of it: what a reader of that page relies on stays true.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Longer files are to be split.
const MOST_LINES: usize = 1000;
/// Names that say nothing of what is inside.
const DRAWERS: [&str; 7] = ["utils", "util", "helpers", "helper", "common", "shared", "misc"];
/// Where `unsafe` is fenced in; every other crate forbids it. What a crate ships counts, not the programs
/// that measure it.
const FENCED: [&str; 15] = [
    "crates/process/src/sys.rs",
    "crates/process/src/own.rs",
    "crates/py/src/arrow.rs",
    "crates/py/src/files/apart.rs",
    "crates/py/src/files/vector.rs",
    "crates/py/src/own.rs",
    "crates/py/src/records/alike.rs",
    "crates/py/src/records/ascii.rs",
    "crates/py/src/records/column.rs",
    "crates/py/src/records/file.rs",
    "crates/py/src/records/row.rs",
    "crates/py/src/peak/counters.rs",
    "crates/py/src/peak/hooks.rs",
    "crates/py/src/peak/mod.rs",
    "crates/py/src/peak/pools.rs",
];
/// Crates that turn bytes into answers, and must not fetch any themselves.
const PURE: [&str; 3] = ["heap", "cpython", "report"];
/// What fetches: `std::io` is not among it, for a pure crate may write into a `Write`.
const WORLD: [&str; 6] =
    ["std::fs", "std::env", "std::process", "std::net", "std::thread", "std::time"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// Every file that belongs to the project, relative to its root.
fn files() -> Vec<PathBuf> {
    let root = root();
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let ours = !matches!(name.as_str(), "target" | "__pycache__" | "node_modules")
                && (!name.starts_with('.') || name == ".ci" || name == ".cargo");
            if !ours {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path.strip_prefix(&root).unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

fn read(path: &Path) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_default()
}

fn has_extension(path: &Path, extensions: &[&str]) -> bool {
    path.extension().is_some_and(|extension| extensions.iter().any(|known| extension == *known))
}

/// Folder names below `crates/`.
fn crates() -> BTreeSet<String> {
    let folders = fs::read_dir(root().join("crates")).unwrap();
    folders.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
}

/// The code map of ARCHITECTURE.md: crate, and what it may depend on.
fn code_map() -> BTreeMap<String, BTreeSet<String>> {
    let page = read(Path::new("ARCHITECTURE.md"));
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    rows.filter_map(|row| {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let name = cells.get(1)?.trim_matches('`').to_owned();
        // Tables of other things have other first cells.
        (cells.len() == 6).then(|| {
            let dependencies = cells[3].split(',').map(str::trim).filter(|cell| *cell != "–");
            (name, dependencies.map(str::to_owned).collect())
        })
    })
    .collect()
}

#[test]
fn the_code_map_names_the_crates_that_are_there() {
    assert_eq!(code_map().into_keys().collect::<BTreeSet<_>>(), crates());
}

#[test]
fn crates_depend_only_on_what_the_code_map_says() {
    for (name, allowed) in code_map() {
        let manifest = read(Path::new(&format!("crates/{name}/Cargo.toml")));
        let section = manifest.split("[dependencies]").nth(1).unwrap_or_default();
        let section = section.split("\n[").next().unwrap_or_default();
        let found: BTreeSet<String> = section
            .lines()
            .filter_map(|line| line.strip_prefix("deadweight-"))
            .filter_map(|line| line.split(['.', ' ', '=']).next())
            .map(str::to_owned)
            .collect();
        assert_eq!(found, allowed, "crates/{name}/Cargo.toml");
    }
}

#[test]
fn pure_crates_do_not_reach_for_the_world() {
    for path in files().iter().filter(|path| has_extension(path, &["rs"])) {
        let in_pure = PURE.iter().any(|name| path.starts_with(format!("crates/{name}/src")));
        if !in_pure {
            continue;
        }
        let text = read(path);
        for word in WORLD {
            assert!(!text.contains(word), "{} uses {word}", path.display());
        }
    }
}

#[test]
fn unsafe_code_is_where_the_fence_is() {
    for name in crates() {
        let text = read(Path::new(&format!("crates/{name}/src/lib.rs")));
        let fenced = FENCED.iter().any(|path| path.starts_with(&format!("crates/{name}/")));
        let level = if fenced { "#![deny(unsafe_code)]" } else { "#![forbid(unsafe_code)]" };
        assert!(text.contains(level), "crates/{name}/src/lib.rs lacks {level}");
    }
    for path in files().iter().filter(|path| has_extension(path, &["rs"])) {
        let shipped =
            path.starts_with("crates") && path.components().any(|p| p.as_os_str() == "src");
        if !shipped || FENCED.iter().any(|fenced| path == Path::new(fenced)) {
            continue;
        }
        for (number, line) in read(path).lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            let block = ["unsafe {", "unsafe fn", "unsafe impl"].iter().any(|w| code.contains(w));
            assert!(!block, "{}:{}: unsafe outside the fence", path.display(), number + 1);
        }
    }
}

#[test]
fn files_are_short_enough_to_be_read() {
    for path in files().iter().filter(|path| has_extension(path, &["rs", "py", "sh", "c"])) {
        let lines = read(path).lines().count();
        assert!(lines <= MOST_LINES, "{} has {lines} lines: split it", path.display());
    }
}

#[test]
fn no_file_is_named_like_a_drawer() {
    for path in files() {
        for part in path.components() {
            let name = Path::new(part.as_os_str()).file_stem().unwrap_or_default();
            let name = name.to_string_lossy();
            assert!(!DRAWERS.contains(&name.as_ref()), "{}: name the idea", path.display());
        }
    }
}

#[test]
fn links_between_pages_lead_somewhere() {
    for page in files().iter().filter(|path| has_extension(path, &["md"])) {
        let text = read(page);
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = link.split('#').next().unwrap_or_default();
            if file.is_empty() || file.contains("://") {
                continue;
            }
            let target = root().join(page.parent().unwrap_or(Path::new(""))).join(file);
            assert!(target.exists(), "{}: {link} is not there", page.display());
        }
    }
}
