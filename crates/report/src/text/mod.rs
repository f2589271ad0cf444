//! Text for people. A measured number is unmarked, `~` is modelled, `≈` estimated.

mod census;
mod gaps;
mod sizes;
mod tree;
mod weigh;
mod why;

pub use census::census;
pub use gaps::gaps;
pub use sizes::sizes;
pub use tree::tree;
pub use weigh::weigh;
pub use why::why;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

/// A plain table: columns two blanks apart, no lines. Columns marked `true` are aligned right.
fn table(header: &[&str], right: &[bool]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    if !header.is_empty() {
        table.set_header(header);
    }
    for (index, &right) in right.iter().enumerate() {
        if let Some(column) = table.column_mut(index) {
            if right {
                column.set_cell_alignment(CellAlignment::Right);
            }
            column.set_padding((if index == 0 { 2 } else { 0 }, 2));
        }
    }
    table
}
