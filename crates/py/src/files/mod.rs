//! Files larger than memory, and streams, as Python objects. What is found in them is `deadweight-files`'; here
//! is where it comes from, who may end it, and what is made of it.

mod csv;
mod given;
mod lines;
mod parts;
mod watch;

pub(crate) use csv::CsvPass;
pub(crate) use lines::LineIterator;
pub(crate) use parts::{Pieces, split_after, split_records};
