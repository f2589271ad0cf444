//! Lines of JSON, each a record: whether they are JSON, and what a few places in them say. Nothing else of a record
//! is made.
//!
//! `serde_json` says what JSON is. It validates a gigabyte in a second; records as programs write them, without a
//! backslash, are recognized in half of that ([`plain`]), and whatever is not recognized is asked of it.

mod literal;
mod path;
mod plain;
mod query;
mod records;
mod whole;

pub use literal::Literal;
pub use path::Path;
pub use query::{Asked, Query, Reader};
pub use records::{BadRecord, OnBad, Records, Tally};
pub use whole::NotJson;
