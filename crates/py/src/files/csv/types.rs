//! Types of columns, of all that is in them.

use deadweight_files::csv::{Record, Records};
use deadweight_files::{FilesError, Watch};
use deadweight_records::{Kind, Likely};

use super::bad::{Bad, BadRows, Found, no_text, reason};
use super::batch::Wanted;

/// A type, empty of texts, and whether some are empty.
type Type = (&'static str, bool);

/// Looks at all records; bad ones say nothing.
pub(super) fn types(
    records: &mut Records,
    wanted: &Wanted,
    bad: &mut BadRows,
    watch: &mut Watch<'_>,
) -> Result<Result<Vec<Type>, Bad>, FilesError> {
    let mut columns = vec![Likely::default(); wanted.columns.len()];
    while let Some(record) = records.next(watch)? {
        if let Err(reason) = see(&record, wanted, &mut columns) {
            let found = Found::new(&record, reason, wanted.decoding).on_line(records);
            if let Some(bad) = bad.add(found) {
                return Ok(Err(bad));
            }
        }
    }
    let type_ = |column: &Likely| (column.kind().map_or("", Kind::name), column.is_nullable());
    Ok(Ok(columns.iter().map(type_).collect()))
}

fn see(record: &Record<'_>, wanted: &Wanted, columns: &mut [Likely]) -> Result<(), String> {
    if let Some(reason) = reason(record, wanted.width) {
        return Err(reason);
    }
    let mut texts = Vec::with_capacity(columns.len());
    for (place, name) in &wanted.columns {
        let said = record.get(*place).unwrap_or_default();
        texts.push(wanted.decoding.text(said).ok_or_else(|| no_text(name))?);
    }
    columns.iter_mut().zip(texts).for_each(|(column, text)| column.see(&text));
    Ok(())
}
