//! Types from the data: as narrow as the values allow, and nothing lost on the way.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

mod rows;

use deadweight_records::{Field, Kind, Packer, Reason, RecordsError, Table, Value};
use proptest::prelude::*;

use rows::{Owned, all, any_value};

/// What a column of these values must be: nothing if no column has them all. Over the whole list at
/// once, where the packer sees one value at a time.
fn right_kind(values: &[Owned]) -> Option<Kind> {
    let rows = values.len();
    let values: Vec<&Owned> = values.iter().filter(|value| **value != Owned::None).collect();
    let ints: Vec<i128> = values
        .iter()
        .filter_map(|value| if let Owned::Int(int) = value { Some(*int) } else { None })
        .collect();
    let floats = values.iter().filter(|value| matches!(value, Owned::Float(_))).count();
    if !ints.is_empty() && ints.len() == values.len() {
        let (low, high) = (*ints.iter().min()?, *ints.iter().max()?);
        let widths = [
            (Kind::U1, 0, 255),
            (Kind::I1, -128, 127),
            (Kind::U2, 0, 65_535),
            (Kind::I2, -32_768, 32_767),
            (Kind::U4, 0, 4_294_967_295),
            (Kind::I4, -2_147_483_648, 2_147_483_647),
            (Kind::U8, 0, 18_446_744_073_709_551_615),
            (Kind::I8, -9_223_372_036_854_775_808, 9_223_372_036_854_775_807),
        ];
        let fits = |(_, least, most): &&(Kind, i128, i128)| *least <= low && high <= *most;
        return widths.iter().find(fits).map(|(kind, ..)| *kind);
    }
    if floats > 0 && floats + ints.len() == values.len() {
        // No more than 53 binary digits from the first to the last that is not zero.
        let digits = |int: i128| 128 - int.unsigned_abs().leading_zeros() - int.trailing_zeros();
        return ints.iter().all(|int| *int == 0 || digits(*int) <= 53).then_some(Kind::F8);
    }
    let first = values.first()?;
    let same = |value: &&Owned| std::mem::discriminant(*value) == std::mem::discriminant(*first);
    if !values.iter().all(same) {
        return None;
    }
    match first {
        Owned::Bool(_) => Some(Kind::Bool),
        Owned::Str(_) => {
            let different: std::collections::BTreeSet<String> =
                values.iter().map(|value| format!("{value:?}")).collect();
            let few = different.len() * 8 <= rows;
            Some(if few { Kind::Category } else { Kind::Str })
        }
        Owned::Bytes(_) => Some(Kind::Bytes),
        Owned::DateTime(_) => Some(Kind::DateTime),
        Owned::Date(_) => Some(Kind::Date),
        Owned::TimeDelta(_) => Some(Kind::TimeDelta),
        Owned::None | Owned::Int(_) | Owned::Float(_) | Owned::Other => None,
    }
}

fn some_of_a_sort() -> BoxedStrategy<Vec<Owned>> {
    let edge = prop::sample::select(vec![7_u32, 8, 15, 16, 31, 32, 53, 63, 64, 70]);
    let int = (edge, -1..=1_i128, any::<bool>()).prop_map(|(bits, more, minus)| {
        let int = (1_i128 << bits) + more;
        Owned::Int(if minus { -int } else { int })
    });
    let small = any::<i8>().prop_map(|int| Owned::Int(int.into()));
    let number = prop_oneof![4 => small, 1 => int, 1 => any::<f64>().prop_map(Owned::Float)];
    let text = "[a-b]{0,2}".prop_map(Owned::Str);
    prop_oneof![
        prop::collection::vec(prop_oneof![9 => number, 1 => any_value()], 0..30),
        prop::collection::vec(prop_oneof![19 => text, 1 => Just(Owned::None)], 0..60),
        prop::collection::vec(any_value(), 0..10),
    ]
    .boxed()
}

proptest! {
    #[test]
    fn a_column_is_as_narrow_as_its_values_allow(values in some_of_a_sort()) {
        let mut packer = Packer::default();
        packer.add("x").unwrap();
        let mut taken: Vec<Owned> = Vec::new();
        for value in values {
            let with_it = [taken.clone(), vec![value.clone()]].concat();
            let pushed = packer.push(&[value.lent()]);
            if value == Owned::None || right_kind(&with_it).is_some() {
                prop_assert!(pushed.is_ok(), "{value:?} after {taken:?}: {pushed:?}");
                taken = with_it;
            } else {
                let alone = taken.iter().all(|value| *value == Owned::None);
                let refused = match &pushed {
                    Err(RecordsError::Value { row, reason, .. }) if *row == taken.len() => match reason {
                        Reason::NoType { .. } => alone,
                        Reason::Mixed { .. } => !alone,
                        _ => false,
                    },
                    _ => false,
                };
                prop_assert!(refused, "{value:?} after {taken:?}: {pushed:?}");
            }
        }
        let nothing = taken.iter().all(|value| *value == Owned::None);
        prop_assert_eq!(packer.kind(0).is_none(), nothing);
        let table = packer.finish().unwrap();
        if !nothing {
            prop_assert_eq!(Some(table.fields()[0].kind), right_kind(&taken));
        }
        prop_assert_eq!(table.fields()[0].nullable, taken.contains(&Owned::None));
        for (row, value) in taken.iter().enumerate() {
            let kept = Owned::of(table.get(row, 0).unwrap());
            match (value, &kept) {
                // The float that an integer has become is that very number.
                (Owned::Int(int), Owned::Float(float)) => {
                    prop_assert_eq!(format!("{int}"), format!("{float:.0}"));
                }
                (value, kept) => prop_assert_eq!(value, kept),
            }
        }
    }
}

/// Packs one column of so many rows, with a different text in each of the first `different`.
fn packed_texts(rows: usize, different: usize) -> Kind {
    let mut packer = Packer::default();
    packer.add("x").unwrap();
    for row in 0..rows {
        let text = format!("text {}", row.min(different - 1));
        packer.push(&[Value::Str(&text)]).unwrap();
    }
    let table = packer.finish().unwrap();
    assert_eq!(table.get(rows - 1, 0).unwrap().to_string(), format!("\"text {}\"", different - 1));
    table.fields()[0].kind
}

#[test]
fn text_is_a_category_while_there_are_eight_rows_to_each() {
    assert_eq!(packed_texts(8, 1), Kind::Category);
    assert_eq!(packed_texts(7, 1), Kind::Str);
    assert_eq!(packed_texts(1023, 127), Kind::Category);
    assert_eq!(packed_texts(1023, 128), Kind::Str);
    assert_eq!(packed_texts(10_000, 1250), Kind::Category);
    assert_eq!(packed_texts(10_000, 1251), Kind::Str);
    // 4,096 of 32,769 rows were few when that was looked at first; one more were too many, and stay so.
    assert_eq!(packed_texts(50_000, 4096), Kind::Category);
    assert_eq!(packed_texts(50_000, 4097), Kind::Str);
}

#[test]
fn fields_that_come_late_have_no_value_in_the_rows_before() {
    let mut packer = Packer::default();
    packer.add("id").unwrap();
    packer.push(&[Value::Int(1)]).unwrap();
    packer.add("name").unwrap();
    packer.push(&[Value::Int(-2), Value::Str("x")]).unwrap();
    packer.push(&[Value::None, Value::Str("x")]).unwrap();
    assert!(matches!(packer.add("id"), Err(RecordsError::SameName(_))));
    let table = packer.finish().unwrap();
    let fields = [Field::new("id", Kind::I1).nullable(), Field::new("name", Kind::Str).nullable()];
    assert_eq!(table.fields(), fields);
    let text = || Owned::Str("x".to_owned());
    let expected = [[Owned::Int(1), Owned::None], [Owned::Int(-2), text()], [Owned::None, text()]];
    assert_eq!(all(&table), expected);
}

#[test]
fn a_field_that_no_column_has_is_taken_out_with_its_values() {
    let mut packer = Packer::default();
    packer.add("a").unwrap();
    packer.add("b").unwrap();
    packer.push(&[Value::Int(1), Value::Int(2)]).unwrap();
    packer.push(&[Value::Str("x"), Value::Int(3)]).unwrap_err();
    let column = packer.remove(0).unwrap();
    assert_eq!((column.len(), column.get(0)), (1, Ok(Some(Value::Int(1)))));
    packer.push(&[Value::Int(3)]).unwrap();
    assert!(matches!(packer.remove(1), Err(RecordsError::NoField(_))));
    assert_eq!(all(&packer.finish().unwrap()), [[Owned::Int(2)], [Owned::Int(3)]]);
}

#[test]
fn a_row_that_is_refused_leaves_nothing_behind() {
    let mut packer = Packer::default();
    packer.add("a").unwrap();
    packer.add_told(&Field::new("b", Kind::U1)).unwrap();
    packer.push(&[Value::Str("x"), Value::Int(255)]).unwrap();
    let refused = packer.push(&[Value::Str("y"), Value::Int(256)]).unwrap_err();
    assert_eq!(refused.to_string(), "row 1, field \"b\": 256 does not fit into u1");
    let refused = packer.push(&[Value::Int(1), Value::Int(1)]).unwrap_err();
    let said =
        "row 1, field \"a\": 1 among values of type category: no column holds both without loss";
    assert_eq!(refused.to_string(), said);
    packer.push(&[Value::Str("z"), Value::Int(0)]).unwrap();
    let table: Table = packer.finish().unwrap();
    let text = |text: &str| Owned::Str(text.to_owned());
    assert_eq!(all(&table), [[text("x"), Owned::Int(255)], [text("z"), Owned::Int(0)]]);
}
