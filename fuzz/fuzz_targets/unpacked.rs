#![no_main]
#![allow(dead_code)]

#[path = "../bodies/unpacked.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = body::run(bytes);
});
