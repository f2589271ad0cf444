//! Records: rows of typed columns as Python objects. The columns are `deadweight-records`'; here are
//! conversions, and the protocols by which Python and other libraries come at them.

#[expect(unsafe_code, reason = "the items of a dict, without references of our own")]
mod alike;
#[expect(unsafe_code, reason = "the state word of a text")]
mod ascii;
#[expect(unsafe_code, reason = "buffers lent to other libraries")]
mod column;
#[expect(unsafe_code, reason = "mapping a file")]
mod file;
mod given;
mod incoming;
mod pack;
mod reference;
#[expect(unsafe_code, reason = "instances of a user's class are made without calling it")]
mod row;
mod rows;
mod schema;
mod select;
mod table;
mod value;

pub(crate) use column::{Column, ValueIterator};
pub(crate) use file::{open_records, read_records};
pub(crate) use given::records_from_columns;
pub(crate) use pack::{pack_arrow, pack_records};
pub(crate) use row::{Attribute, Row};
pub(crate) use rows::{RowIterator, Rows};
pub(crate) use schema::{Schema, kind};
pub(crate) use table::{Table, records_from_arrow};
