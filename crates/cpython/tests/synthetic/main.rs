//! Defends the reading of memory without any interpreter: process images made up byte by byte, whose
//! truth is known, and what is left of them after damage.

mod cases;
#[path = "../../../../fuzz/bodies/corpus.rs"]
mod corpus;
mod damage;
mod graphs;
mod image;
#[path = "../../../../fuzz/bodies/memory_image.rs"]
mod memory_image;
mod motion;
#[path = "../../../../fuzz/bodies/noise.rs"]
mod noise;
mod oracle;
mod refused;
mod survival;
