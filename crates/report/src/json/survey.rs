//! One line of the stream that a program writes about itself when memory runs out.

use std::io::{self, Write};

use serde::Serialize;

use super::trust;
use crate::view::{Survey, SurveyRow};

#[derive(Serialize)]
struct Line<'a> {
    kind: &'static str,
    complete: bool,
    seconds: f64,
    objects: u64,
    held_bytes: u64,
    trust: &'static str,
    left_out: u64,
    types: Vec<Row<'a>>,
    holders: Vec<Holder<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    name: &'a str,
    count: u64,
    held_bytes: u64,
}

#[derive(Serialize)]
struct Holder<'a> {
    path: &'a str,
    count: u64,
    held_bytes: u64,
    types: Vec<Row<'a>>,
}

fn row<'a>(row: &SurveyRow<'a>) -> Row<'a> {
    Row { name: row.name, count: row.count, held_bytes: row.held.0 }
}

/// Writes the line.
///
/// # Errors
/// Those of the writer.
pub fn survey(view: &Survey<'_>, out: &mut dyn Write) -> io::Result<()> {
    let holders = view.holders.iter().map(|(holder, types)| Holder {
        path: holder.name,
        count: holder.count,
        held_bytes: holder.held.0,
        types: types.iter().map(row).collect(),
    });
    let line = Line {
        kind: "survey",
        complete: view.complete,
        seconds: view.seconds,
        objects: view.objects,
        held_bytes: view.held.0,
        trust: trust(view.modelled),
        left_out: view.left_out,
        types: view.types.iter().map(row).collect(),
        holders: holders.collect(),
    };
    serde_json::to_writer(&mut *out, &line)?;
    writeln!(out)
}
