//! Defends the reading of memory without any interpreter: process images made up byte by byte, whose
//! truth is known, and what is left of them after damage.

mod image;
mod oracle;
mod graphs;
