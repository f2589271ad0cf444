#![no_main]
#![allow(dead_code)]

#[path = "../bodies/snapshot.rs"]
mod snapshot;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = snapshot::run(bytes);
});
