//! Searches and checks files that are larger than memory: in a few hundred kilobytes, whatever their
//! length. No Python is in it, and no `unsafe`.
//!
//! Files are read by position and never mapped: of a mapped file that becomes shorter, a look beyond its
//! end kills the process. Here that is an error which names the file and the byte.
//!
//! ```
//! use std::ops::ControlFlow;
//! use deadweight_files::{Source, Windows, csv};
//!
//! let text = "id,note\n1,\"two\nlines, and a comma\"\n2,last";
//! let source = Source::stream("example", Box::new(text.as_bytes()));
//! let records = csv::count(&mut Windows::new(source), csv::Dialect::default(), &mut |_read| {
//!     ControlFlow::Continue(())
//! })?;
//! assert_eq!(records, 3);
//! # Ok::<(), deadweight_files::FilesError>(())
//! ```
#![forbid(unsafe_code)]

mod awaited;
mod chunks;
pub mod csv;
mod error;
pub mod json;
mod lines;
mod packed;
pub mod search;
mod source;
mod splits;
mod start;
pub mod vector;
mod whole;
mod windows;

pub use chunks::Chunks;
pub use error::FilesError;
pub use lines::{LONGEST_LINE, Line, Lines};
pub use packed::MOST_UNPACKED;
pub use source::Source;
pub use splits::splits;
pub use whole::Whole;
pub use windows::{Watch, Windows};
