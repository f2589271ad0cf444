#![no_main]
#![allow(dead_code)]

#[path = "../bodies/search.rs"]
mod body;
#[path = "../../crates/files/tests/oracle/search.rs"]
mod oracle;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = body::run(bytes);
});
