//! Categories that no row has any more are given back, and what others have of them stays.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use std::collections::VecDeque;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use bytes::Bytes;
use deadweight_records::{Field, Kind, Table, Value, file};
use proptest::prelude::*;

fn sessions() -> Table {
    Table::new(&[Field::new("session", Kind::Category).nullable()]).unwrap()
}

fn push(table: &mut Table, word: &str) {
    table.push(&[Value::Str(word)]).unwrap();
}

fn texts(table: &Table) -> Vec<Option<String>> {
    let text = |row| match table.get(row, 0).unwrap() {
        Value::Str(text) => Some(text.to_owned()),
        _ => None,
    };
    (0..table.len()).map(text).collect()
}

/// The categories of a batch, with those that no row has.
fn words(batch: &RecordBatch) -> Vec<String> {
    let words = batch.column(0).as_any_dictionary().values();
    words.as_string::<i32>().iter().map(|word| word.unwrap().to_owned()).collect()
}

fn written(table: &mut Table) -> Table {
    let mut bytes = Vec::new();
    file::write(table, &mut bytes).unwrap();
    file::open(Bytes::from(bytes)).unwrap()
}

#[test]
fn a_window_that_rolls_has_the_categories_of_its_rows() {
    let (mut table, mut window) = (sessions(), VecDeque::new());
    let compact = {
        let mut compact = sessions();
        (0..2_000).for_each(|row| push(&mut compact, &format!("session {row:06}")));
        compact.payload()
    };
    for row in 0..100_000 {
        let word = format!("session {row:06}");
        push(&mut table, &word);
        window.push_back(Some(word));
        if table.len() == 2_000 {
            table.delete(0..1_000).unwrap();
            window.drain(..1_000);
        }
        assert!(table.payload() < compact * 3, "{} bytes after {row}", table.payload());
    }
    assert_eq!(texts(&table), Vec::from(window));
}

#[test]
fn a_row_that_changes_keeps_no_category_but_its_last() {
    let mut table = sessions();
    push(&mut table, "first");
    for change in 0..50_000 {
        let word = format!("change {change}");
        let value = if change % 3 == 0 { Value::None } else { Value::Str(&word) };
        table.set(0, 0, value).unwrap();
        assert!(table.payload() < 3 * 4096, "{} bytes after {change}", table.payload());
    }
    assert_eq!(texts(&table), [Some("change 49999".to_owned())]);
}

#[test]
fn rows_that_were_refused_leave_no_categories() {
    let fields = [Field::new("word", Kind::Category), Field::new("number", Kind::U1)];
    let mut table = Table::new(&fields).unwrap();
    for number in 0..50_000 {
        let word = format!("word {number}");
        table.push(&[Value::Str(&word), Value::Int(256)]).unwrap_err();
        assert!(table.payload() < 3 * 4096, "{} bytes after {number}", table.payload());
    }
}

#[test]
fn few_categories_stay_until_they_are_to_go() {
    let mut table = sessions();
    for word in ["a", "b", "c", "d"] {
        push(&mut table, word);
    }
    table.set(3, 0, Value::None).unwrap();
    table.delete(0..1).unwrap();
    let batch = table.batches().unwrap().1.remove(0);
    assert_eq!(words(&batch), ["a", "b", "c", "d"]);

    let mut read = written(&mut table);
    assert_eq!(texts(&read), texts(&table));
    assert_eq!(words(&read.batches().unwrap().1[0]), ["b", "c"]);

    table.shrink_to_fit().unwrap();
    assert_eq!(words(&table.batches().unwrap().1[0]), ["b", "c"]);
    // What was handed out before is as it was.
    assert_eq!(words(&batch), ["a", "b", "c", "d"]);
    let keys = batch.column(0).as_any_dictionary().keys();
    assert_eq!(keys.as_primitive::<arrow_array::types::Int8Type>().values()[..2], [1, 2]);
    assert!(keys.is_null(2));
}

#[test]
fn batches_that_were_not_changed_keep_theirs() {
    let mut table = sessions();
    for word in ["a", "b", "c"] {
        push(&mut table, word);
    }
    let (schema, batches) = table.batches().unwrap();
    let both = [batches[0].slice(0, 1), batches[0].slice(1, 1)];
    let mut table = Table::from_batches(&schema, both).unwrap();
    table.shrink_to_fit().unwrap();
    assert_eq!(texts(&written(&mut table)), texts(&table));
    for batch in table.batches().unwrap().1 {
        assert_eq!(words(&batch), ["a", "b", "c"]);
    }
    table.set(0, 0, Value::Str("b")).unwrap();
    table.shrink_to_fit().unwrap();
    assert_eq!(words(&table.batches().unwrap().1[0]), ["b"]);
}

#[test]
fn batches_with_categories_of_their_own_are_one_file() {
    let (mut one, mut other) = (sessions(), sessions());
    for word in ["a", "b"] {
        push(&mut one, word);
    }
    for word in ["c", "b", "a"] {
        push(&mut other, word);
    }
    let (schema, mut batches) = one.batches().unwrap();
    batches.extend(other.batches().unwrap().1);
    let mut table = Table::from_batches(&schema, batches).unwrap();
    let read = written(&mut table);
    assert_eq!(texts(&read), ["a", "b", "c", "b", "a"].map(|word| Some(word.to_owned())));
}

proptest! {
    #[test]
    fn rows_stay_what_they_are(
        steps in prop::collection::vec((0..5_u8, any::<prop::sample::Index>(), 0..900_u16), 1..400),
    ) {
        let (mut table, mut list) = (sessions(), Vec::new());
        for (step, at, number) in steps {
            let word = format!("{number} {}", "long ".repeat(40));
            let at = at.index(list.len() + 1);
            match step {
                0 if at < list.len() => {
                    let value = if number % 4 == 0 { Value::None } else { Value::Str(&word) };
                    table.set(at, 0, value).unwrap();
                    list[at] = (number % 4 != 0).then_some(word);
                }
                1 => {
                    table.delete(at..list.len()).unwrap();
                    list.truncate(at);
                }
                2 => prop_assert_eq!(texts(&written(&mut table)), &list[..]),
                _ => {
                    push(&mut table, &word);
                    list.push(Some(word));
                }
            }
            prop_assert_eq!(texts(&table), &list[..]);
        }
    }
}
