//! Records of CSV: how many there are, which of them are not as they should be, and what is in them.
//!
//! RFC 4180, and for what people have beside it one meaning each, that of the `csv` crate:
//!
//! - A record ends at a line feed, a carriage return or both, outside quotes; the last needs none.
//! - Lines with nothing in them are no records.
//! - A byte-order mark of UTF-8 is dropped; UTF-16 is refused.
//! - A field is quoted if its first byte is a quote. Two quotes in it are one; after its closing quote the
//!   field goes on unquoted if there is more. A quote elsewhere is a byte like any other.
//! - A quote that is never closed reaches to the end, which ends the record.

mod check;
mod chunk;
mod count;
mod dialect;
mod faults;
mod line_numbers;
mod record;
mod records;
mod splits;
mod state;
mod utf8;

pub use check::check;
pub use count::count;
pub use dialect::Dialect;
pub use faults::{BadRow, Checked, Fault, Faults};
pub use record::Record;
pub use records::{LONGEST_RECORD, Records};
pub use splits::splits;
