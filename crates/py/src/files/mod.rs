//! Files larger than memory, and streams, as Python objects. What is found in them is `deadweight-files`'; here
//! is where it comes from, who may end it, and what is made of it.

mod anonymous;
#[expect(unsafe_code, reason = "bytes that are read into")]
mod apart;
mod csv;
mod given;
mod json;
mod lines;
mod numbers;
mod parts;
mod pattern;
mod users;
#[expect(unsafe_code, reason = "buffers over the mapped file")]
mod vector;
mod watch;
mod whole;

pub(crate) use csv::CsvPass;
pub(crate) use json::{JsonCounts, JsonIterator, JsonQuery};
pub(crate) use lines::LineIterator;
pub(crate) use parts::{Pieces, split_after, split_records};
pub(crate) use pattern::{Regex, regex};
pub(crate) use vector::Vector;
pub(crate) use whole::{Mapped, Match, mapped};
