//! A number in one output is the same number in the other.

use deadweight_heap::Bytes;
use deadweight_report::numbers::{count, rough_count, size};
use serde_json::Value;

use crate::program::Program;
use crate::verb::{Folder, document, printed};

fn number(value: &Value, key: &str) -> u64 {
    value[key].as_u64().unwrap_or_else(|| panic!("{key} in {value}"))
}

fn marked(row: &Value, key: &str, trust: &str) -> String {
    let mark = if row[trust] == "modelled" { "~" } else { "" };
    format!("{mark}{}", size(Bytes(number(row, key))))
}

/// Words of a line, whatever their columns.
fn words(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn rows<'a>(document: &'a Value, key: &str) -> &'a [Value] {
    document[key].as_array().unwrap()
}

#[test]
fn text_and_json_hold_the_same_numbers() {
    let folder = Folder::new("numbers");
    let file = folder.file("leaky.dwsnap");
    printed(&["snapshot", &Program::leaky().pid(), "-o", &file]);
    let has = |text: &str, wanted: &str| {
        assert!(text.lines().any(|line| words(line).contains(wanted)), "{wanted}\nin\n{text}");
    };

    let (text, json) = (printed(&["census", &file, "--top", "40"]), document(&["census", &file]));
    assert!(rows(&json, "types").len() > 40);
    for row in &rows(&json, "types")[..40] {
        let sizes = [
            marked(row, "shallow_bytes", "trust"),
            marked(row, "retained_bytes", "retained_trust"),
            size(Bytes(number(row, "getsizeof_bytes"))),
        ];
        let name = row["name"].as_str().unwrap();
        has(&text, &format!("{} {} {name}", count(number(row, "count")), sizes.join(" ")));
    }
    let totals = ["objects", "tracked", "references"].map(|key| count(number(&json, key)));
    let [objects, tracked, references] = totals;
    has(&text, &format!("{objects} objects, {tracked} tracked, {references} references"));

    let (text, json) = (printed(&["weigh", &file]), document(&["weigh", &file]));
    has(&text, &format!("Resident {}", size(Bytes(number(&json, "rss_bytes")))));
    has(
        &text,
        &format!(
            "{} objects, {} references",
            rough_count(number(&json, "objects")),
            rough_count(number(&json, "references"))
        ),
    );
    let titles = [
        "Python objects",
        "pymalloc, C code",
        "pymalloc, free",
        "other anonymous",
        "stacks",
        "static data",
        "files and code",
    ];
    assert_eq!(rows(&json, "account").len(), titles.len());
    for (row, title) in rows(&json, "account").iter().zip(titles) {
        has(&text, &format!("{title} {}", marked(row, "bytes", "trust")));
    }
    let sum: u64 = rows(&json, "account").iter().map(|row| number(row, "bytes")).sum();
    assert_eq!(sum, number(&json, "rss_bytes"));
    for row in &rows(&json, "heaviest")[..2] {
        let what = format!("{} {}", count(number(row, "count")), row["type"].as_str().unwrap());
        let holder =
            format!("{} {}", row["holder_type"].as_str().unwrap(), row["path"].as_str().unwrap());
        has(&text, &format!("{} {what} ← {holder}", marked(row, "bytes", "trust")));
    }

    let (text, json) =
        (printed(&["why", &file, "UserRecord"]), document(&["why", &file, "UserRecord"]));
    let (held, retained) =
        (marked(&json, "held_bytes", "trust"), marked(&json, "retained_bytes", "trust"));
    has(
        &text,
        &format!("{} UserRecord · {held} held, {retained} retained", count(number(&json, "count"))),
    );
    has(&text, rows(&json, "paths")[0]["path"].as_str().unwrap());

    let (text, json) = (printed(&["tree", &file]), document(&["tree", &file]));
    let shown = rows(&json, "rows").iter().filter(|row| !row["edge"].is_null());
    assert!(shown.clone().count() > 5, "{json}");
    for row in shown {
        let many = number(row, "count");
        let many = if many == 1 { String::new() } else { count(many) + " " };
        let (edge, name) = (row["edge"].as_str().unwrap(), row["type"].as_str().unwrap());
        let line = format!("{edge} {many}{name}");
        let retained = marked(row, "retained_bytes", "trust");
        let is = |text: &str| words(text).starts_with(&retained) && words(text).ends_with(&line);
        assert!(text.lines().any(is), "{retained} {line}\nin\n{text}");
    }
}
