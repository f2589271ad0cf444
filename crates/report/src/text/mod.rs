//! Text for people. A measured number is unmarked, `~` is modelled, `≈` estimated.

mod census;
mod collector;
mod files;
mod gaps;
mod origin;
mod sizes;
mod snapshot;
mod tree;
mod weigh;
mod why;

pub use census::census;
pub use collector::collector;
pub use files::{bad_row, files_check, files_count, files_find};
pub use gaps::{all_gaps, gaps};
pub use sizes::sizes;
pub use snapshot::snapshot;
pub use tree::tree;
pub use weigh::weigh;
pub use why::why;

use std::borrow::Cow;
use std::io::{self, Write};

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use deadweight_heap::path::is_unprintable;
use deadweight_heap::{Bytes, Trust};

use crate::numbers;

/// A size with the mark of how it is known.
fn size(trust: Trust, bytes: Bytes) -> String {
    format!("{}{}", trust.mark(), numbers::size(bytes))
}

/// What the mark of modelled sizes means, where one was written.
fn explain_marks(any_modelled: bool, out: &mut dyn Write) -> io::Result<()> {
    if any_modelled {
        writeln!(out)?;
        writeln!(
            out,
            "~ some of it is the size that the allocator's rule gives, not one that was read"
        )?;
    }
    Ok(())
}

/// Text from a target without what could upset a terminal: control characters, and those that turn the
/// direction of what follows.
#[must_use]
pub fn clean(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unprintable) {
        return Cow::Borrowed(text);
    }
    let escaped =
        |c: char| if is_unprintable(c) { c.escape_default().to_string() } else { c.into() };
    Cow::Owned(text.chars().map(escaped).collect())
}

/// `a`, `a and b`, `a, b and c`.
fn listed(parts: &[impl ToString]) -> String {
    let parts: Vec<String> = parts.iter().map(ToString::to_string).collect();
    match parts.as_slice() {
        [most @ .., last] if !most.is_empty() => format!("{} and {last}", most.join(", ")),
        parts => parts.concat(),
    }
}

/// A plain table, filled by its rows: columns two blanks apart, no lines.
fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    if !header.is_empty() {
        table.set_header(header);
    }
    table
}

/// A filled table as text. Columns marked `true` are aligned right; those of a table without a header
/// are there only once it has rows.
fn lines(mut table: Table, right: &[bool]) -> String {
    for (index, &right) in right.iter().enumerate() {
        if let Some(column) = table.column_mut(index) {
            if right {
                column.set_cell_alignment(CellAlignment::Right);
            }
            column.set_padding((if index == 0 { 2 } else { 0 }, 2));
        }
    }
    table.trim_fmt()
}

#[cfg(test)]
mod tests {
    use super::{clean, listed};

    #[test]
    fn parts_are_listed_as_people_do() {
        assert_eq!(listed(&[""; 0]), "");
        assert_eq!(listed(&["a"]), "a");
        assert_eq!(listed(&["a", "b", "c"]), "a, b and c");
    }

    #[test]
    fn what_could_upset_a_terminal_is_spelt_out() {
        assert_eq!(clean("Naïve.Größe 🦀"), "Naïve.Größe 🦀");
        assert_eq!(clean("a\u{1b}[31m\n"), "a\\u{1b}[31m\\n");
        assert_eq!(clean("a\u{200f}b\u{61c}c"), "a\\u{200f}b\\u{61c}c");
        assert_eq!(clean("x\u{9b}\u{202e}y\u{2066}"), "x\\u{9b}\\u{202e}y\\u{2066}");
    }
}
