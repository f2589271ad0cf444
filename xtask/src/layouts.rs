//! Layout tables from an interpreter's own headers.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What may differ between patch releases of one minor version, because the reader takes it from
/// the running interpreter: sizes of whole states, and where the collector's lists begin.
const TOLD_BY_THE_TARGET: [&str; 4] =
    ["runtime.size", "interpreter.size", "thread.size", "gc.generations"];

/// One interpreter's numbers: `section.field value`, in the order the program printed them.
struct Table {
    version: String,
    minor: u32,
    lines: Vec<(String, String)>,
}

/// Writes the table of each interpreter's minor version.
pub(crate) fn write(pythons: &[&str]) -> Result<String, String> {
    let mut report = String::new();
    for python in pythons {
        let table = measure(python)?;
        let path = file_of(table.minor);
        fs::write(&path, render(&table)).map_err(|e| format!("{}: {e}", path.display()))?;
        writeln!(report, "{} from {}", path.display(), table.version).map_err(|e| e.to_string())?;
    }
    Ok(report.trim_end().to_string())
}

/// Compares each interpreter's headers with the table that is checked in.
pub(crate) fn check(pythons: &[&str]) -> Result<String, String> {
    let mut report = String::new();
    for python in pythons {
        let table = measure(python)?;
        let path = file_of(table.minor);
        let stored = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        let stored_from = stored.split('`').nth(1).unwrap_or_default().to_string();
        if stored_from == table.version {
            if stored != render(&table) {
                return Err(format!(
                    "{} is not what the headers of {} give; run `cargo xtask layouts {python}`",
                    path.display(),
                    table.version
                ));
            }
            writeln!(report, "{}: identical", table.version).map_err(|e| e.to_string())?;
            continue;
        }
        let differing: Vec<&str> = table
            .lines
            .iter()
            .filter(|(key, value)| !stored.contains(&stored_line(key, value)))
            .map(|(key, _)| key.as_str())
            .collect();
        if let Some(key) = differing.iter().find(|key| !TOLD_BY_THE_TARGET.contains(key)) {
            return Err(format!(
                "{}: {key} differs from the table made from {stored_from}",
                table.version
            ));
        }
        let what = if differing.is_empty() { "none".to_string() } else { differing.join(", ") };
        writeln!(report, "{}: differs from {stored_from} in: {what}", table.version)
            .map_err(|e| e.to_string())?;
    }
    Ok(report.trim_end().to_string())
}

fn file_of(minor: u32) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    root.join(format!("crates/cpython/src/layout/v3_{minor}.rs"))
}

/// A field's line in the rendered file. Field names repeat between sections, so each line carries
/// its whole key as a comment; that is what `check` looks for.
fn stored_line(key: &str, value: &str) -> String {
    let field = key.split('.').nth(1).unwrap_or(key);
    format!("        {field}: {value}, // {key}\n")
}

fn render(table: &Table) -> String {
    let mut text = format!(
        "//! CPython 3.{}: made by cargo xtask layouts from the headers of `{}`. Not to be edited.\n",
        table.minor, table.version
    );
    text.push_str("\n#[allow(clippy::wildcard_imports, reason = \"a table names every section\")]");
    text.push_str("\nuse super::*;\n\npub(super) const LAYOUT: Layout = Layout {\n");
    let _ = writeln!(text, "    minor: {},\n    made_from: \"{}\",", table.minor, table.version);
    let mut open = "";
    for (key, value) in &table.lines {
        let section = key.split('.').next().unwrap_or_default();
        if section != open {
            if !open.is_empty() {
                text.push_str("    },\n");
            }
            let _ = writeln!(text, "    {section}: {} {{", type_name(section));
            open = section;
        }
        text.push_str(&stored_line(key, value));
    }
    text.push_str("    },\n};\n");
    text
}

/// `frame_object` → `FrameObjectLayout`.
fn type_name(section: &str) -> String {
    let mut name = String::new();
    for word in section.split('_').filter(|word| !word.is_empty()) {
        let mut letters = word.chars();
        name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        name.extend(letters);
    }
    name + "Layout"
}

/// Compiles and runs `layout.c` against one interpreter's headers.
fn measure(python: &str) -> Result<Table, String> {
    let facts = run(Command::new(python).args([
        "-c",
        "import sys, sysconfig; p = sysconfig.get_path('include', vars={'installed_base': sys.base_prefix}); \
         print('%d.%d.%d' % sys.version_info[:3], sys.version_info[1], p, sep='\\n')",
    ]))?;
    let facts: Vec<&str> = facts.lines().collect();
    let [version, minor, include] = facts.as_slice() else {
        return Err(format!("{python} did not say its version and headers"));
    };
    let headers = Path::new(include);
    if !headers.join("internal/pycore_gc.h").is_file() {
        return Err(format!(
            "{python}: no internal headers in {include}; install its -dev package"
        ));
    }
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("layouts/layout.c");
    let program = std::env::temp_dir().join(format!("deadweight-layout-{}", std::process::id()));
    // _Py_TIER2 is given on CPython's own command line where the JIT is built in (Debian does);
    // it adds a field at the end of the thread state of 3.15 and changes nothing else.
    run(Command::new("cc")
        .args(["-w", "-D_Py_TIER2=3", "-I", include, "-I"])
        .arg(headers.join("internal"))
        .arg(&source)
        .arg("-o")
        .arg(&program))?;
    let printed = run(&mut Command::new(&program));
    let _ = fs::remove_file(&program);
    let lines = printed?
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(key, value)| (key.to_string(), separated(value)))
        .collect();
    let minor = minor.parse().map_err(|_| format!("{python}: odd version {version}"))?;
    Ok(Table { version: (*version).to_string(), minor, lines })
}

/// Puts a separator into numbers of more than five digits, as Rust writes them.
fn separated(value: &str) -> String {
    let mut text = String::new();
    let mut rest = value;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let tail = &rest[start..];
        let length = tail.find(|c: char| !c.is_ascii_digit()).unwrap_or(tail.len());
        let (digits, after) = tail.split_at(length);
        text.push_str(&rest[..start]);
        if digits.len() > 5 {
            let (head, last) = digits.split_at(digits.len() - 3);
            let _ = write!(text, "{head}_{last}");
        } else {
            text.push_str(digits);
        }
        rest = after;
    }
    text + rest
}

fn run(command: &mut Command) -> Result<String, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|e| format!("{name}: {e}"))?;
    if !output.status.success() {
        return Err(format!("{name} failed:\n{}", String::from_utf8_lossy(&output.stderr)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
