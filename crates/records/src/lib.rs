//! x
#![forbid(unsafe_code)]

mod accept;
mod arrow;
mod bits;
mod category;
mod column;
mod error;
pub mod file;
mod fixed;
mod infer;
mod kind;
mod rows;
mod table;
mod texts;
mod value;

pub use column::Column;
pub use error::{Reason, RecordsError};
pub use infer::Packer;
pub use kind::{Field, Kind};
pub use table::Table;
pub use value::Value;
