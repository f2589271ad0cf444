#![no_main]
#![allow(dead_code)]

#[path = "../../crates/cpython/tests/synthetic/image/mod.rs"]
mod image;
#[path = "../bodies/memory_image.rs"]
mod memory_image;
#[path = "../bodies/noise.rs"]
mod noise;
#[path = "../../crates/cpython/tests/synthetic/survival.rs"]
mod survival;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = memory_image::run(bytes);
});
