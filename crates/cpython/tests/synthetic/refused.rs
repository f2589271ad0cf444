//! Interpreters that are not read, and what is said of them: there is none of these to start.

use deadweight_cpython::Runtime;

use crate::damage::toured;
use crate::image::numbers::Python;

/// What is said of an interpreter of which a word after its cookie (`_Py_DebugOffsets`) is another.
fn refusal(python: Python, offset: u64, word: u64) -> String {
    let mut process = toured(python);
    process.poke(process.symbols.runtime.0 + offset, word).expect("the runtime is there");
    let refusal = Runtime::attach(&process, &process.symbols).expect_err("it is refused");
    refusal.to_string()
}

#[test]
fn builds_without_the_lock_and_later_versions_are_refused_in_words() {
    for python in [Python::V3_13, Python::V3_14, Python::V3_15] {
        let version = python.text();
        assert_eq!(
            refusal(python, 16, 1),
            format!("Python {version} is a free-threaded build, which deadweight cannot read yet")
        );
        assert_eq!(
            refusal(python, 8, 0x0310_00f0),
            "Python 3.16.0 is not supported: deadweight reads CPython 3.10 to 3.15"
        );
    }
}
