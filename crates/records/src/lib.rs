//! Typed, growable columns that together are rows: what a million records take in Python objects, in
//! a fifth of the memory or less. No Python is in it, and no `unsafe`.
//!
//! It is no data frame. Nothing is computed over columns here: they are handed, without a copy, to
//! the libraries that compute.
//!
//! ```
//! use deadweight_records::{Field, Kind, Table, Value};
//!
//! let mut users = Table::new(&[
//!     Field::new("user_id", Kind::U4),
//!     Field::new("name", Kind::Str),
//!     Field::new("joined", Kind::DateTime).nullable(),
//! ])?;
//! users.push(&[Value::Int(7), Value::Str("Ada"), Value::None])?;
//! let error = users.push(&[Value::Int(-1), Value::Str("Bob"), Value::None]).unwrap_err();
//! assert_eq!(error.to_string(), "row 1, field \"user_id\": -1 does not fit into u4");
//! assert_eq!(users.get(0, 1)?, Value::Str("Ada"));
//! # Ok::<(), deadweight_records::RecordsError>(())
//! ```
//!
//! # How values lie in memory
//!
//! As Arrow has them, so that handing them over is handing over addresses.
//!
//! - Numbers, dates and times: one contiguous block, for buffers and `numpy.asarray`. Blocks in
//!   chunks would grow without moving, but no array could be laid over them; this block grows by an
//!   eighth, by moving its pages.
//! - True and false: a bit each, for that is what Arrow has, at an eighth of the memory. An array of
//!   one byte each is a copy.
//! - Text and bytes: a blob and one offset of 32 bits a row; another such chunk each time 2 GiB are
//!   full. A text that is replaced by one of another length is appended to the blob, and each row has a
//!   start of its own from then on, until garbage is more than half of the blob or Arrow wants it.
//! - Categories: a code of one, two or four bytes, and each word once.
//! - Objects of which nothing is known here: one after another, as their owner has them.
//! - Rows without a value: a bit a row, from the first such row on.
//!
//! What was handed to Arrow, or lies in a mapped file, is shared: the first change of a column copies
//! it, or takes it back if nobody else has it any more. Nothing is pinned.
#![forbid(unsafe_code)]

mod accept;
mod allocation;
mod arrow;
mod beside;
mod bits;
mod category;
mod column;
mod error;
pub mod file;
mod fixed;
mod infer;
mod kind;
mod likely;
mod objects;
mod parse;
mod rows;
mod table;
mod texts;
mod value;
mod values;

pub use allocation::Allocation;
pub use column::Column;
pub use error::{Reason, RecordsError};
pub use infer::Packer;
pub use kind::{Field, Kind};
pub use likely::Likely;
pub use objects::{Object, Objects, Opaque};
pub use table::Table;
pub use value::{Value, Valued};
