//! Columns of objects of which the crate knows nothing: here, texts that are counted.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use std::sync::Arc;

use deadweight_records::{Field, Kind, Object, Packer, Reason, RecordsError, Table, Value};

type Counted = Option<Arc<str>>;

const COUNTED: Kind = Kind::objects::<Counted>();

fn fields() -> [Field; 2] {
    [Field::new("id", Kind::U1), Field::new("what", COUNTED)]
}

fn texts(table: &Table) -> Vec<Option<&str>> {
    let text = |row| match table.get(row, 1).unwrap() {
        Value::Object(object) => object.get::<Counted>().unwrap().as_deref(),
        other => panic!("{other:?}"),
    };
    (0..table.len()).map(text).collect()
}

fn of(all: &[&Counted]) -> Table {
    let mut table = Table::new(&fields()).unwrap();
    for (id, object) in all.iter().enumerate() {
        table.push(&[Value::Int(id as i128), Value::Object(Object::new(*object))]).unwrap();
    }
    table
}

#[test]
fn objects_go_where_their_rows_go() {
    let (a, b, c) = (Some("a".into()), Some("b".into()), Some("c".into()));
    let mut table = of(&[&a, &b, &c]);
    table.push(&[Value::Int(3), Value::None]).unwrap();
    assert_eq!(texts(&table), [Some("a"), Some("b"), Some("c"), None]);
    assert_eq!(texts(&table.take(&[2, 0, 0]).unwrap()), [Some("c"), Some("a"), Some("a")]);
    assert_eq!(texts(&table.slice(1..3).unwrap()), [Some("b"), Some("c")]);
    let other = table.slice(0..1).unwrap();
    table.insert(2, &other).unwrap();
    assert_eq!(texts(&table), [Some("a"), Some("b"), Some("a"), Some("c"), None]);
    table.set(4, 1, Value::Object(Object::new(&b))).unwrap();
    table.set(0, 1, Value::None).unwrap();
    table.delete(1..3).unwrap();
    assert_eq!(texts(&table), [None, Some("c"), Some("b")]);
}

#[test]
fn objects_are_let_go_with_their_rows() {
    let text: Arc<str> = "counted".into();
    let object = Some(Arc::clone(&text));
    let mut table = of(&[&object, &object, &object]);
    assert_eq!(Arc::strong_count(&text), 5);
    table.set(0, 1, Value::None).unwrap();
    table.truncate(2).unwrap();
    assert_eq!(Arc::strong_count(&text), 3);
    // A row that is refused leaves none behind.
    let wrong = [Value::Int(256), Value::Object(Object::new(&object))];
    table.push(&wrong).unwrap_err();
    let mut turned = Table::new(&[fields()[1].clone(), fields()[0].clone()]).unwrap();
    turned.push(&[wrong[1], wrong[0]]).unwrap_err();
    assert_eq!(Arc::strong_count(&text), 3);
    drop(table);
    assert_eq!(Arc::strong_count(&text), 2);
}

#[test]
fn values_are_no_objects_and_objects_no_values() {
    let object: Counted = None;
    let mut table = of(&[&object]);
    for row in [[Value::Int(1), Value::Int(7)], [Value::Object(Object::new(&object)), Value::None]]
    {
        let error = table.push(&row).unwrap_err();
        let wrong = matches!(error, RecordsError::Value { reason: Reason::WrongType { .. }, .. });
        assert!(wrong, "{error}");
    }
    let alien = 7_u32;
    table.push(&[Value::Int(1), Value::Object(Object::new(&alien))]).unwrap_err();
    assert_eq!((table.len(), table.columns()[1].len()), (1, 1));
}

#[test]
fn neither_arrow_nor_a_file_has_objects() {
    let mut table = of(&[&None]);
    for error in [table.arrow_schema().unwrap_err(), table.batches().unwrap_err()] {
        assert_eq!(
            error.to_string(),
            "field \"what\": objects are nothing that Arrow or a file has"
        );
    }
    assert!(deadweight_records::file::write(&mut table, Vec::new()).is_err());
    assert_eq!(table.arrow_field(0).unwrap().name(), "id");
    assert!(matches!(table.arrow_field(2), Err(RecordsError::NoField(_))));
}

#[test]
fn a_packer_takes_objects_where_it_is_told_to() {
    let mut packer = Packer::default();
    packer.add("id").unwrap();
    packer.push(&[Value::Int(7)]).unwrap();
    // Rows that were there before have none.
    packer.add_told(&fields()[1]).unwrap();
    let text: Counted = Some("late".into());
    packer.push(&[Value::Int(8), Value::Object(Object::new(&text))]).unwrap();
    assert_eq!(texts(&packer.finish().unwrap()), [None, Some("late")]);
}
