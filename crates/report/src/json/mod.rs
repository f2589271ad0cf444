//! JSON for programs: one document a verb. Sizes are integers of bytes. docs/json.md has the schemas;
//! keys are only ever added.

mod census;
mod collector;
mod files;
mod gaps;
mod provenance;
mod sizes;
mod snapshot;
mod survey;
mod tree;
mod weigh;
mod why;

pub use census::census;
pub use collector::collector;
pub use files::{files_check, files_count, files_find};
pub use sizes::sizes;
pub use snapshot::snapshot;
pub use survey::survey;
pub use tree::tree;
pub use weigh::weigh;
pub use why::why;

use std::io::{self, Write};

use serde::Serialize;

/// One document and a line end.
fn write(document: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, document)?;
    writeln!(out)
}

/// How sizes are known: `modelled` as soon as one of them follows a rule.
fn trust(modelled: bool) -> &'static str {
    crate::view::trust(modelled).word()
}
