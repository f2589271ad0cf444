#![no_main]
#![allow(dead_code)]

#[path = "../bodies/path.rs"]
mod path;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = path::run(bytes);
});
