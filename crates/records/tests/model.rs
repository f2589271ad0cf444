//! A table against a plain list of rows: whatever is done to both, they hold the same.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

mod rows;

use deadweight_records::{Field, Kind, RecordsError, Table};
use proptest::prelude::*;
use proptest::sample::Index;

use rows::{Owned, Row, all, any_value, every_kind, kept, lent, row_of, table_of};

#[derive(Clone, Debug)]
enum Step {
    Push(Row),
    /// With one value that may be of any type.
    PushOdd(Row, Index, Owned),
    Set(Index, Index, Owned),
    SetRow(Index, Row),
    SetRowOdd(Index, Row, Index, Owned),
    Insert(Index, Vec<Row>),
    Append(Vec<Row>),
    Delete(Index, Index),
    Slice(Index, Index),
    Take(Vec<Index>),
    Filter(Vec<bool>),
    Truncate(Index),
    Clear,
    Reserve(u8),
    Shrink,
    /// Arrow has it while the next steps are made.
    Share,
    LetGo,
    ThroughArrow,
}

fn step(fields: &[Field]) -> BoxedStrategy<Step> {
    let row = || row_of(fields);
    let rows = || prop::collection::vec(row_of(fields), 0..6);
    let at = || any::<Index>();
    prop_oneof![
        6 => row().prop_map(Step::Push),
        4 => (row(), at(), any_value()).prop_map(|(row, at, odd)| Step::PushOdd(row, at, odd)),
        6 => (at(), at(), any_value()).prop_map(|(row, field, odd)| Step::Set(row, field, odd)),
        4 => (at(), row()).prop_map(|(at, row)| Step::SetRow(at, row)),
        2 => (at(), row(), at(), any_value())
            .prop_map(|(at, row, field, odd)| Step::SetRowOdd(at, row, field, odd)),
        3 => (at(), rows()).prop_map(|(at, rows)| Step::Insert(at, rows)),
        3 => rows().prop_map(Step::Append),
        2 => (at(), at()).prop_map(|(from, to)| Step::Delete(from, to)),
        1 => (at(), at()).prop_map(|(from, to)| Step::Slice(from, to)),
        1 => prop::collection::vec(at(), 0..12).prop_map(Step::Take),
        1 => prop::collection::vec(any::<bool>(), 0..12).prop_map(Step::Filter),
        1 => at().prop_map(Step::Truncate),
        1 => Just(Step::Clear),
        1 => any::<u8>().prop_map(Step::Reserve),
        1 => Just(Step::Shrink),
        2 => Just(Step::Share),
        2 => Just(Step::LetGo),
        3 => Just(Step::ThroughArrow),
    ]
    .boxed()
}

fn range(len: usize, a: Index, b: Index) -> std::ops::Range<usize> {
    let (a, b) = (a.index(len + 1), b.index(len + 1));
    a.min(b)..a.max(b)
}

/// The row as a table of these fields keeps it; nothing if it must be refused.
fn kept_row(fields: &[Field], row: &[Owned]) -> Option<Row> {
    fields.iter().zip(row).map(|(field, value)| kept(field, value)).collect()
}

fn run(fields: &[Field], most: usize, steps: Vec<Step>) {
    let mut table = Table::with_chunks(fields, most).unwrap();
    let mut list: Vec<Row> = Vec::new();
    let mut shared = Vec::new();
    for step in steps {
        let shown = format!("{step:?}");
        match step {
            Step::Push(row) => {
                table.push(&lent(&row)).unwrap();
                list.push(row);
            }
            Step::PushOdd(mut row, at, odd) => {
                let at = at.index(row.len());
                row[at] = odd;
                push_odd(&mut table, &mut list, fields, &row, at);
            }
            Step::Set(row, field, odd) => {
                let field = field.index(fields.len());
                let row = row.index(list.len() + 1);
                let set = table.set(row, field, odd.lent());
                match (list.get_mut(row), kept(&fields[field], &odd)) {
                    (Some(row), Some(value)) => {
                        set.unwrap();
                        row[field] = value;
                    }
                    (None, _) => assert!(matches!(set, Err(RecordsError::NoRow { .. }))),
                    (Some(_), None) => refused(set, row, &fields[field]),
                }
            }
            Step::SetRow(at, row) if !list.is_empty() => {
                let at = at.index(list.len());
                table.set_row(at, &lent(&row)).unwrap();
                list[at] = row;
            }
            Step::SetRowOdd(at, mut row, field, odd) if !list.is_empty() => {
                let (at, field) = (at.index(list.len()), field.index(fields.len()));
                row[field] = odd;
                let set = table.set_row(at, &lent(&row));
                match kept_row(fields, &row) {
                    Some(kept) => list[at] = kept,
                    None => refused(set, at, &fields[field]),
                }
            }
            Step::Insert(at, rows) => {
                let at = at.index(list.len() + 1);
                table.insert(at, &table_of(fields, &rows)).unwrap();
                list.splice(at..at, rows);
            }
            Step::Append(rows) => {
                table.append(&table_of(fields, &rows)).unwrap();
                list.extend(rows);
            }
            Step::Delete(a, b) => {
                let range = range(list.len(), a, b);
                table.delete(range.clone()).unwrap();
                list.drain(range);
            }
            Step::Slice(a, b) => {
                let range = range(list.len(), a, b);
                assert_eq!(all(&table.slice(range.clone()).unwrap()), list[range]);
            }
            Step::Take(rows) if !list.is_empty() => {
                let rows: Vec<usize> = rows.iter().map(|row| row.index(list.len())).collect();
                let taken: Vec<Row> = rows.iter().map(|row| list[*row].clone()).collect();
                assert_eq!(all(&table.take(&rows).unwrap()), taken);
            }
            // Of no rows there are none to choose.
            Step::SetRow(..) | Step::SetRowOdd(..) | Step::Take(_) => {}
            Step::Filter(mut mask) => {
                mask.resize(list.len(), true);
                let kept = list.iter().zip(&mask).filter(|(_, kept)| **kept);
                let kept: Vec<Row> = kept.map(|(row, _)| row.clone()).collect();
                assert_eq!(all(&table.filter(&mask).unwrap()), kept);
            }
            Step::Truncate(at) => {
                let rows = at.index(list.len() + 1);
                table.truncate(rows).unwrap();
                list.truncate(rows);
            }
            Step::Clear => {
                table.clear();
                list.clear();
            }
            Step::Reserve(rows) => table.reserve(rows.into()).unwrap(),
            Step::Shrink => table.shrink_to_fit().unwrap(),
            Step::Share => shared.push((table.batches().unwrap(), list.clone())),
            Step::LetGo => shared.clear(),
            Step::ThroughArrow => {
                let (schema, batches) = table.batches().unwrap();
                let halves = batches.iter().flat_map(|batch| {
                    let half = batch.num_rows() / 2;
                    [batch.slice(0, half), batch.slice(half, batch.num_rows() - half)]
                });
                // The next step is done to several pieces.
                table = Table::from_batches(&schema, halves).unwrap();
            }
        }
        assert_eq!(all(&table), list, "after {shown}");
        assert_eq!(table.len(), list.len());
        let whole = table.columns().iter().all(|column| column.len() == list.len());
        assert!(whole || !table.is_whole(), "{shown}");
        assert_eq!(table.fields(), fields);
    }
    for ((schema, batches), then) in shared {
        assert_eq!(all(&Table::from_batches(&schema, batches).unwrap()), then, "what Arrow has");
    }
}

fn push_odd(table: &mut Table, list: &mut Vec<Row>, fields: &[Field], row: &[Owned], at: usize) {
    let pushed = table.push(&lent(row));
    match kept_row(fields, row) {
        Some(kept) => {
            pushed.unwrap();
            list.push(kept);
        }
        None => refused(pushed, list.len(), &fields[at]),
    }
}

fn refused(done: Result<(), RecordsError>, at: usize, field: &Field) {
    match done {
        Err(RecordsError::Value { row, field: name, .. }) => {
            assert_eq!((row, name.as_str()), (at, field.name.as_str()));
        }
        other => panic!("{} of row {at} was to be refused: {other:?}", field.name),
    }
}

fn steps() -> impl Strategy<Value = (Vec<Field>, usize, Vec<Step>)> {
    any::<u32>().prop_flat_map(|nullable| {
        let fields = every_kind(nullable);
        let steps = prop::collection::vec(step(&fields), 1..40);
        (Just(fields), prop::sample::select(vec![2000_usize, 5000, usize::MAX]), steps)
    })
}

proptest! {
    #[test]
    fn a_table_does_what_a_list_of_rows_does((fields, most, steps) in steps()) {
        run(&fields, most, steps);
    }
}

#[test]
fn rows_of_other_kinds_are_appended_if_all_their_values_fit() {
    let here = [Field::new("text", Kind::Str), Field::new("number", Kind::U1)];
    let there = [Field::new("text", Kind::Category), Field::new("number", Kind::I8).nullable()];
    let row = |text: &str, number| vec![Owned::Str(text.to_owned()), number];
    let (one, two) = (row("a", Owned::Int(1)), row("b", Owned::Int(255)));
    let mut table = table_of(&here, std::slice::from_ref(&one));
    for (odd, said) in [(Owned::Int(256), "256 does not fit into u1"), (Owned::None, "None in a")] {
        let other = table_of(&there, &[two.clone(), row("c", odd)]);
        for (refused, at) in [(table.append(&other), 2), (table.insert(0, &other), 1)] {
            let refused = refused.unwrap_err().to_string();
            let expected = format!("row {at}, field \"number\": {said}");
            assert!(refused.starts_with(&expected), "{refused}");
            assert_eq!(all(&table), std::slice::from_ref(&one));
            assert!(table.columns().iter().all(|column| column.len() == 1));
        }
    }
    table.insert(0, &table_of(&there, std::slice::from_ref(&two))).unwrap();
    assert_eq!(all(&table), [two, one]);
    assert_eq!(table.fields(), here);
}

#[test]
fn a_row_with_a_text_that_is_too_long_is_not_set_half() {
    let fields = [Field::new("number", Kind::U1), Field::new("text", Kind::Str)];
    let row = vec![Owned::Int(1), Owned::Str("a".to_owned())];
    let mut table = Table::with_chunks(&fields, 8).unwrap();
    table.push(&lent(&row)).unwrap();
    let long = [Owned::Int(2), Owned::Str("123456789".to_owned())];
    refused(table.set_row(0, &lent(&long)), 0, &fields[1]);
    assert_eq!(all(&table), [row]);
}

#[test]
fn columns_of_other_fields_take_what_they_can() {
    let (whole, float) = (Field::new("a", Kind::U1).nullable(), Field::new("b", Kind::F8));
    let rows = [vec![Owned::Int(1), Owned::Float(0.5)], vec![Owned::Int(2), Owned::Float(1.5)]];
    let table = || table_of(&[whole.clone(), float.clone()], &rows);
    let kept = table();
    let address = kept.columns()[0].address();
    // By name, and no rows without a value: the column that was.
    let fields = [Field::new("b", Kind::F4), Field::new("a", Kind::U1)];
    let other = kept.into_fields(&fields).unwrap();
    assert_eq!(other.fields(), fields);
    assert_eq!(other.columns()[1].address(), address);
    assert_eq!(all(&other)[1], [Owned::Float(1.5), Owned::Int(2)]);

    let refused = table().into_fields(&[Field::new("a", Kind::U1), Field::new("b", Kind::I8)]);
    assert_eq!(refused.unwrap_err().to_string(), "row 0, field \"b\": 0.5 is no i8");
    let mut with_none = table();
    with_none.set(1, 0, deadweight_records::Value::None).unwrap();
    let refused = with_none.into_fields(&[Field::new("a", Kind::U1), float.clone()]);
    let said = "row 1, field \"a\": None in a field that is not nullable";
    assert_eq!(refused.unwrap_err().to_string(), said);
    for names in [&[whole.clone()][..], &[whole.clone(), float.clone(), Field::new("c", Kind::I1)]]
    {
        assert!(matches!(table().into_fields(names), Err(RecordsError::Fields(_))));
    }
}
