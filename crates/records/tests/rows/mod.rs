//! Rows as lists of owned values, and an oracle of what each kind of column makes of them.
#![allow(dead_code, reason = "each test takes what it needs")]

use deadweight_records::{Field, Kind, Table, Value};
use proptest::prelude::*;

/// A value that owns its text.
#[derive(Clone, Debug)]
pub(crate) enum Owned {
    None,
    Bool(bool),
    Int(i128),
    Float(f64),
    Str(String),
    Bytes(Vec<u8>),
    DateTime(i64),
    Date(i32),
    TimeDelta(i64),
    Other,
}

/// NaN is NaN here: what went in must come out.
impl PartialEq for Owned {
    fn eq(&self, other: &Owned) -> bool {
        match (self, other) {
            (Owned::Float(a), Owned::Float(b)) => a.to_bits() == b.to_bits(),
            (a, b) => format!("{a:?}") == format!("{b:?}"),
        }
    }
}

impl Owned {
    pub(crate) fn lent(&self) -> Value<'_> {
        match self {
            Owned::None => Value::None,
            Owned::Bool(flag) => Value::Bool(*flag),
            Owned::Int(int) => Value::Int(*int),
            Owned::Float(float) => Value::Float(*float),
            Owned::Str(text) => Value::Str(text),
            Owned::Bytes(bytes) => Value::Bytes(bytes),
            Owned::DateTime(micros) => Value::DateTime(*micros),
            Owned::Date(days) => Value::Date(*days),
            Owned::TimeDelta(micros) => Value::TimeDelta(*micros),
            Owned::Other => Value::Other,
        }
    }

    pub(crate) fn of(value: Value<'_>) -> Owned {
        match value {
            Value::None => Owned::None,
            Value::Bool(flag) => Owned::Bool(flag),
            Value::Int(int) => Owned::Int(int),
            Value::Float(float) => Owned::Float(float),
            Value::Str(text) => Owned::Str(text.to_owned()),
            Value::Bytes(bytes) => Owned::Bytes(bytes.to_owned()),
            Value::DateTime(micros) => Owned::DateTime(micros),
            Value::Date(days) => Owned::Date(days),
            Value::TimeDelta(micros) => Owned::TimeDelta(micros),
            // Objects have a test of their own.
            Value::Object(_) | Value::Other => Owned::Other,
        }
    }
}

pub(crate) type Row = Vec<Owned>;

pub(crate) fn lent(row: &[Owned]) -> Vec<Value<'_>> {
    row.iter().map(Owned::lent).collect()
}

pub(crate) fn all(table: &Table) -> Vec<Row> {
    let fields = table.fields().len();
    let row = |row| (0..fields).map(|field| Owned::of(table.get(row, field).unwrap())).collect();
    (0..table.len()).map(row).collect()
}

pub(crate) fn table_of(fields: &[Field], rows: &[Row]) -> Table {
    let mut table = Table::new(fields).unwrap();
    for row in rows {
        table.push(&lent(row)).unwrap();
    }
    table
}

/// What a column of this field holds of a value; nothing if it must refuse it. Written from the
/// documentation, with no code of the crate.
pub(crate) fn kept(field: &Field, value: &Owned) -> Option<Owned> {
    let int = match value {
        Owned::Int(int) => Some(*int),
        Owned::Bool(flag) => Some(i128::from(*flag)),
        _ => None,
    };
    let whole = |bits: u32, signed: bool| {
        let (low, high) = if signed {
            (-(1_i128 << (bits - 1)), (1 << (bits - 1)) - 1)
        } else {
            (0, (1 << bits) - 1)
        };
        int.filter(|int| (low..=high).contains(int)).map(Owned::Int)
    };
    let float = match value {
        Owned::Float(float) => Some(*float),
        // Exact if all its digits lie within 53 bits.
        _ => int
            .filter(|int| {
                *int == 0 || 128 - int.unsigned_abs().leading_zeros() - int.trailing_zeros() <= 53
            })
            .map(|int| int as f64),
    };
    match (field.kind, value) {
        (_, Owned::None) => field.nullable.then_some(Owned::None),
        (Kind::I1, _) => whole(8, true),
        (Kind::I2, _) => whole(16, true),
        (Kind::I4, _) => whole(32, true),
        (Kind::I8, _) => whole(64, true),
        (Kind::U1, _) => whole(8, false),
        (Kind::U2, _) => whole(16, false),
        (Kind::U4, _) => whole(32, false),
        (Kind::U8, _) => whole(64, false),
        (Kind::F8, _) => float.map(Owned::Float),
        (Kind::F4, _) => {
            let narrow = float.map(|float| (float, f64::from(float as f32)));
            let fits = |both: &(f64, f64)| match int {
                Some(int) => both.1 as i128 == int,
                None => both.0.is_infinite() || !both.1.is_infinite(),
            };
            narrow.filter(fits).map(|both| Owned::Float(both.1))
        }
        (Kind::Bool, Owned::Bool(_))
        | (Kind::Str | Kind::Category, Owned::Str(_))
        | (Kind::Bytes, Owned::Bytes(_))
        | (Kind::DateTime, Owned::DateTime(_))
        | (Kind::Date, Owned::Date(_))
        | (Kind::TimeDelta, Owned::TimeDelta(_)) => Some(value.clone()),
        _ => None,
    }
}

/// A field of each kind; those whose bit is set in the mask are nullable.
pub(crate) fn every_kind(nullable: u32) -> Vec<Field> {
    let field = |(at, kind): (usize, Kind)| {
        let field = Field::new(kind.name(), kind);
        if nullable >> at & 1 == 1 { field.nullable() } else { field }
    };
    Kind::ALL.into_iter().enumerate().map(field).collect()
}

/// Days since 1970 from the first of year 1 to the last of year 9999.
const DAYS: std::ops::RangeInclusive<i32> = -719_162..=2_932_896;

fn date() -> BoxedStrategy<Owned> {
    DAYS.prop_map(Owned::Date).boxed()
}

fn datetime() -> BoxedStrategy<Owned> {
    const DAY: i64 = 86_400_000_000;
    (DAYS, 0..DAY).prop_map(|(days, rest)| Owned::DateTime(i64::from(days) * DAY + rest)).boxed()
}

fn text() -> BoxedStrategy<String> {
    prop_oneof![6 => "[a-c\0é𝄞]{0,6}", 1 => Just("long ".repeat(400))].boxed()
}

/// A value of any type.
pub(crate) fn any_value() -> BoxedStrategy<Owned> {
    let edge = prop::sample::select(vec![7_u32, 8, 15, 16, 31, 32, 53, 63, 64, 100]);
    prop_oneof![
        Just(Owned::None),
        Just(Owned::Other),
        any::<bool>().prop_map(Owned::Bool),
        any::<i8>().prop_map(|int| Owned::Int(int.into())),
        (edge, -1..=1_i128, any::<bool>()).prop_map(|(bits, more, minus)| {
            let int = (1_i128 << bits) + more;
            Owned::Int(if minus { -int } else { int })
        }),
        any::<f64>().prop_map(Owned::Float),
        any::<f32>().prop_map(|float| Owned::Float(float.into())),
        text().prop_map(Owned::Str),
        prop::collection::vec(any::<u8>(), 0..5).prop_map(Owned::Bytes),
        datetime(),
        date(),
        any::<i64>().prop_map(Owned::TimeDelta),
    ]
    .boxed()
}

/// A value that a column of that field holds as it is.
pub(crate) fn value_of(field: &Field) -> BoxedStrategy<Owned> {
    let bounds = field.kind.bounds();
    let value = match field.kind {
        Kind::F4 => any::<f32>().prop_map(|float| Owned::Float(float.into())).boxed(),
        Kind::F8 => any::<f64>().prop_map(Owned::Float).boxed(),
        Kind::Bool => any::<bool>().prop_map(Owned::Bool).boxed(),
        Kind::Str => text().prop_map(Owned::Str).boxed(),
        Kind::Category => "[a-c]{0,2}".prop_map(Owned::Str).boxed(),
        Kind::Bytes => prop::collection::vec(any::<u8>(), 0..5).prop_map(Owned::Bytes).boxed(),
        Kind::DateTime => datetime(),
        Kind::Date => date(),
        Kind::TimeDelta => any::<i64>().prop_map(Owned::TimeDelta).boxed(),
        _ => bounds.map_or(Just(Owned::None).boxed(), |(low, high)| {
            (low..=high).prop_map(Owned::Int).boxed()
        }),
    };
    if field.nullable { prop_oneof![4 => value, 1 => Just(Owned::None)].boxed() } else { value }
}

pub(crate) fn row_of(fields: &[Field]) -> BoxedStrategy<Row> {
    fields.iter().map(value_of).collect::<Vec<_>>().boxed()
}

/// Some fields, and rows of them.
pub(crate) fn fields_and_rows(most: usize) -> BoxedStrategy<(Vec<Field>, Vec<Row>)> {
    any::<u32>()
        .prop_flat_map(move |nullable| {
            let fields = every_kind(nullable);
            let rows = prop::collection::vec(row_of(&fields), 0..most);
            (Just(fields), rows)
        })
        .boxed()
}
