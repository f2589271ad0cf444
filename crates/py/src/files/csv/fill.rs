//! Records of Python's side, packed straight from the text: no object is made on the way.

use std::borrow::Cow;

use deadweight_files::csv::{Record, Records};
use deadweight_files::{FilesError, Watch};
use deadweight_records::{Field, Kind, Packer, RecordsError, Value};

use super::bad::{Bad, BadRows, Found, no_text, reason};
use super::decoding::Decoding;

/// What becomes a column.
pub(super) struct Column {
    /// Its number in the file.
    pub(super) place: usize,
    pub(super) field: Field,
    /// Whether the values decide if there are many texts of few words.
    pub(super) is_free: bool,
}

/// What is read.
pub(super) struct Plan {
    /// How many fields a record is to have.
    pub(super) width: usize,
    pub(super) columns: Vec<Column>,
    pub(super) decoding: Decoding,
    /// How many rows there may be.
    pub(super) most: usize,
}

/// Why there are no rows.
pub(super) enum Failed {
    Records(RecordsError),
    Bad(Bad),
}

impl Plan {
    /// Reads rows. They are fewer than there may be only if there are no more.
    pub(super) fn read(
        &self,
        records: &mut Records,
        bad: &mut BadRows,
        watch: &mut Watch<'_>,
    ) -> Result<Result<Packer, Failed>, FilesError> {
        let mut packer = match self.packer() {
            Ok(packer) => packer,
            Err(error) => return Ok(Err(Failed::Records(error))),
        };
        while packer.rows() < self.most {
            let Some(record) = records.next(watch)? else { break };
            match self.put(&record, &mut packer) {
                Ok(None) => packer.end_row(),
                Ok(Some(reason)) => {
                    let found = Found::new(&record, reason, self.decoding).on_line(records);
                    if let Some(bad) = bad.add(found) {
                        return Ok(Err(Failed::Bad(bad)));
                    }
                }
                Err(error) => return Ok(Err(Failed::Records(error))),
            }
        }
        Ok(Ok(packer))
    }

    fn packer(&self) -> Result<Packer, RecordsError> {
        let mut packer = Packer::default();
        for column in &self.columns {
            if column.is_free {
                packer.add(&column.field.name)?;
            } else {
                packer.add_told(&column.field)?;
            }
        }
        Ok(packer)
    }

    /// Puts the values of a record, or none of them and says why.
    fn put(
        &self,
        record: &Record<'_>,
        packer: &mut Packer,
    ) -> Result<Option<String>, RecordsError> {
        if let Some(reason) = reason(record, self.width) {
            return Ok(Some(reason));
        }
        for (at, column) in self.columns.iter().enumerate() {
            let said = record.get(column.place).unwrap_or_default();
            let is_quoted = said.is_empty() && record.is_quoted(column.place);
            if let Err(refused) = self.put_field(packer, at, column, said, is_quoted) {
                return match refused {
                    // What was put before it was taken back.
                    Refused::Put(RecordsError::Value { reason, .. }) => {
                        Ok(Some(format!("column {:?}: {reason}", column.field.name)))
                    }
                    Refused::Put(error) => Err(error),
                    Refused::Before(reason) => packer.leave_out(at).map(|()| Some(reason)),
                };
            }
        }
        Ok(None)
    }

    fn put_field(
        &self,
        packer: &mut Packer,
        at: usize,
        column: &Column,
        said: Cow<'_, [u8]>,
        is_quoted: bool,
    ) -> Result<(), Refused> {
        let field = &column.field;
        if field.kind == Kind::Bytes && (is_quoted || !field.nullable || !said.is_empty()) {
            return packer.put(at, &Value::Bytes(&said)).map_err(Refused::Put);
        }
        let Some(text) = self.decoding.text(said) else {
            return Err(Refused::Before(no_text(&field.name)));
        };
        // Quotes with nothing in them are a text; nothing is none.
        let value = match field.kind {
            Kind::Str | Kind::Category if is_quoted => Ok(Value::Str("")),
            _ => field.parsed(&text),
        };
        match value {
            Ok(value) => packer.put(at, &value).map_err(Refused::Put),
            Err(reason) => Err(Refused::Before(format!("column {:?}: {reason}", field.name))),
        }
    }
}

/// Where a value was refused.
enum Refused {
    /// When it was put.
    Put(RecordsError),
    /// Before that, in words.
    Before(String),
}
