//! What deadweight found, as text for people and JSON for programs.
//!
//! One format a folder, one verb a file; each a pure function of a view into a `Write`. Nothing is
//! computed here that the two formats could disagree about: a [`view`] holds every number once.
#![forbid(unsafe_code)]

pub mod json;
pub mod numbers;
pub mod text;
pub mod view;
