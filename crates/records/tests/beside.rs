//! Columns put beside others, filled, and in the place of others: against the rows that should come of it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use deadweight_records::{Field, Kind, Reason, RecordsError, Table, Value};

fn numbers(name: &str, kind: Kind, values: &[i128]) -> Table {
    let mut table = Table::new(&[Field::new(name, kind)]).unwrap();
    for value in values {
        table.push(&[Value::Int(*value)]).unwrap();
    }
    table
}

fn column(table: &Table, field: usize) -> Vec<Value<'_>> {
    (0..table.len()).map(|row| table.get(row, field).unwrap()).collect()
}

/// Rows 1 to 3, the last of them in a further batch.
fn in_batches() -> Table {
    let schema = numbers("a", Kind::U1, &[]).arrow_schema().unwrap();
    let batches = [&[1, 2][..], &[3]].map(|values| {
        let (_, mut batches) = numbers("a", Kind::U1, values).batches().unwrap();
        batches.pop().unwrap()
    });
    let table = Table::from_batches(&schema, batches).unwrap();
    assert!(!table.is_whole());
    table
}

#[test]
fn columns_are_put_beside_each_other() {
    let both = in_batches().beside(numbers("b", Kind::I8, &[-1, -2, -3])).unwrap();
    assert_eq!(column(&both, 0), [1, 2, 3].map(Value::Int));
    assert_eq!(column(&both, 1), [-1, -2, -3].map(Value::Int));
    let shorter = in_batches().beside(numbers("b", Kind::I8, &[1]));
    assert!(matches!(shorter, Err(RecordsError::Length { got: 1, want: 3 })));
    let twice = in_batches().beside(in_batches());
    assert!(matches!(twice, Err(RecordsError::SameName(name)) if name == "a"));
}

#[test]
fn a_field_is_filled_in_all_batches() {
    let field = Field::new("b", Kind::Category);
    let table = in_batches().with_filled(&field, Value::Str("x")).unwrap();
    assert!(!table.is_whole());
    assert_eq!(column(&table, 0), [1, 2, 3].map(Value::Int));
    assert_eq!(column(&table, 1), [Value::Str("x"); 3]);
    let none = in_batches().with_filled(&field.clone().nullable(), Value::None).unwrap();
    assert_eq!(none.null_count(1), 3);
    let refused = in_batches().with_filled(&field, Value::None);
    assert!(matches!(refused, Err(RecordsError::Value { reason: Reason::Null, .. })));
}

#[test]
fn a_column_takes_the_place_of_another() {
    let mut table = in_batches();
    table.set_column(0, numbers("a", Kind::I8, &[7, 8, 9])).unwrap();
    assert_eq!(column(&table, 0), [7, 8, 9].map(Value::Int));
    assert_eq!(table.fields(), [Field::new("a", Kind::U1)]);
    for (wrong, field) in
        [(numbers("a", Kind::I8, &[1, 2, 300]), 0), (numbers("a", Kind::U1, &[1]), 0)]
    {
        table.set_column(field, wrong).unwrap_err();
        assert_eq!(column(&table, 0), [7, 8, 9].map(Value::Int));
    }
    let nowhere = table.set_column(1, numbers("a", Kind::U1, &[1, 2, 3]));
    assert!(matches!(nowhere, Err(RecordsError::NoField(_))));
}
