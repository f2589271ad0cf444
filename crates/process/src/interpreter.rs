//! Which interpreter a process runs: the symbols that lead into it.

use std::path::Path;

use deadweight_cpython::{Memory, Symbols};

use crate::live::LiveCopy;

/// Finds the interpreter's symbols; `None` if there is no CPython in the process.
///
/// All of them are in the dynamic symbol table, which stripping leaves alone; from 3.11 on the section
/// `.PyRuntime` leads to the runtime as well.
pub(crate) fn symbols(copy: &LiveCopy) -> Option<Symbols> {
    let runtime = copy.find_symbol("_PyRuntime").or_else(|| copy.find_section(".PyRuntime"))?;
    let type_type = copy.symbol_in(runtime.image, "PyType_Type")?;
    let version = copy.symbol_in(runtime.image, "Py_Version").map(|symbol| symbol.addr);
    Some(Symbols {
        runtime: runtime.addr,
        type_type: type_type.addr,
        version,
        version_text: if version.is_none() { version_text(copy, runtime.image) } else { None },
        debug_build: copy.symbol_in(runtime.image, "_Py_NegativeRefcount").is_some(),
    })
}

/// 3.10 has no symbol for its version: it stands among the constants, as the text that
/// `Py_GetVersion` begins with.
fn version_text(copy: &LiveCopy, image: u32) -> Option<String> {
    const LONGEST: usize = 16;
    let constants = copy.section_in(image, ".rodata")?;
    let mut at_an_end = None;
    let mut scratch = Vec::new();
    let mut at = constants.addr;
    let end = at + constants.size.0;
    while at < end {
        let length = (end.since(at) as usize).min(1 << 16);
        // Pieces overlap by what a text can be long.
        let piece = copy.bytes(at, length, &mut scratch)?;
        if let Some(text) = version_in(piece) {
            return Some(text);
        }
        at_an_end = at_an_end.or_else(|| version_at_an_end(piece));
        at = at + (length.saturating_sub(LONGEST)).max(1) as u64;
        if length < 1 << 16 {
            break;
        }
    }
    at_an_end
}

/// A NUL-terminated `3.x.y` (or `3.x.y+`) between two NULs.
fn version_in(bytes: &[u8]) -> Option<String> {
    bytes.split(|&byte| byte == 0).find_map(version)
}

/// The same at the end of a longer text: where the program was made to be installed in
/// `…/versions/3.10.13`, the linker has that text serve for both. Only 3.10 is looked for in this way,
/// because a later one has a symbol, and so that no library's version is taken for Python's.
fn version_at_an_end(bytes: &[u8]) -> Option<String> {
    bytes.split(|&byte| byte == 0).find_map(|text| {
        let start = text.iter().rposition(|byte| !b"0123456789.+".contains(byte))? + 1;
        version(&text[start..]).filter(|text| text.starts_with("3.10."))
    })
}

fn version(text: &[u8]) -> Option<String> {
    let digits = text.strip_prefix(b"3.")?;
    let text = std::str::from_utf8(text).ok()?;
    let parts: Vec<&str> = text.trim_end_matches('+').split('.').collect();
    let is_number = |part: &&str| part.len() <= 2 && part.parse::<u8>().is_ok();
    let fits = digits.len() <= 7 && parts.len() == 3 && parts.iter().all(is_number);
    fits.then(|| text.to_owned())
}

/// The name of another Python that the process runs, if a file of it says so.
pub(crate) fn other_python(copy: &LiveCopy) -> Option<String> {
    let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    copy.images().iter().find_map(|image| other_python_in(&name(&image.path)))
}

/// `python2.7`, `libpython3.6m.so.1.0`, `libpypy3.9-c.so`.
fn other_python_in(file_name: &str) -> Option<String> {
    let name = file_name.strip_prefix("lib").unwrap_or(file_name);
    if name.starts_with("pypy") {
        return Some("PyPy".to_owned());
    }
    let (major, rest) = name.strip_prefix("python")?.split_once('.')?;
    let minor = &rest[..rest.bytes().take_while(u8::is_ascii_digit).count()];
    let version: (u32, u32) = (major.parse().ok()?, minor.parse().ok()?);
    (version < OLDEST).then(|| format!("Python {major}.{minor}"))
}

/// Older ones are not read.
const OLDEST: (u32, u32) = (3, 10);

/// File names of the images, by number.
pub(crate) fn image_names(copy: &LiveCopy) -> Vec<String> {
    let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    copy.images().iter().map(|image| name(&image.path)).collect()
}

/// The threads, as the decoders want them.
pub(crate) fn threads(copy: &LiveCopy) -> Vec<deadweight_cpython::Thread> {
    let convert = |thread: &crate::Thread| deadweight_cpython::Thread {
        tid: thread.tid,
        thread_pointer: thread.registers.thread_pointer.0,
        stack_pointer: thread.registers.stack_pointer.0,
        registers: thread.registers.general.to_vec(),
    };
    copy.threads().iter().map(convert).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_stands_alone_between_nuls() {
        assert_eq!(version_in(b"x\x003.10.13\0y").as_deref(), Some("3.10.13"));
        assert_eq!(version_in(b"\x003.10.2+\0").as_deref(), Some("3.10.2+"));
        assert_eq!(version_in(b"\x003.10\0 3.10.13\x003.10.x\x003.1415926\0"), None);
    }

    #[test]
    fn old_pythons_are_known_by_their_files() {
        let other = |name| other_python_in(name);
        assert_eq!(other("python2.7").as_deref(), Some("Python 2.7"));
        assert_eq!(other("libpython3.6m.so.1.0").as_deref(), Some("Python 3.6"));
        assert_eq!(other("python3.9").as_deref(), Some("Python 3.9"));
        assert_eq!(other("libpypy3.9-c.so").as_deref(), Some("PyPy"));
        for name in ["python3.10", "libpython3.15.so.1.0", "python3", "python", "sh", "python3.x"] {
            assert_eq!(other(name), None, "{name}");
        }
    }

    #[test]
    fn a_version_can_be_the_end_of_a_path() {
        let text = b"x\0/opt/versions/3.10.13\0y";
        assert_eq!(version_in(text), None);
        assert_eq!(version_at_an_end(text).as_deref(), Some("3.10.13"));
        assert_eq!(version_at_an_end(b"/opt/3.10.13/lib\0openssl-3.0.2\0python3.10\0"), None);
    }
}
