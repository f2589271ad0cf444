//! Values of texts, against what the standard library says of numbers, and a calendar that counts day by day.

use deadweight_records::{Field, Kind, Reason, Value};
use proptest::prelude::*;

fn parsed(kind: Kind, text: &str) -> Option<Value<'_>> {
    Field::new("field", kind).parsed(text).ok()
}

#[test]
fn numbers_are_decimal_and_may_have_blanks_around_them() {
    for (text, int) in
        [("7", 7), ("+7", 7), (" -7\t", -7), ("007", 7), ("18446744073709551615", u64::MAX.into())]
    {
        assert_eq!(parsed(Kind::I8, text), Some(Value::Int(int)), "{text}");
    }
    for text in ["", " ", "1.0", "1_000", "0x10", "1e3", "7 8", "٣", "- 7", "\n7"] {
        assert_eq!(parsed(Kind::I8, text), None, "{text:?}");
    }
    for (text, float) in [
        ("7", 7.0),
        (" 0.1 ", 0.1),
        ("-.5", -0.5),
        ("1e400", f64::INFINITY),
        ("INF", f64::INFINITY),
    ] {
        assert_eq!(parsed(Kind::F8, text), Some(Value::Float(float)), "{text}");
    }
    assert!(matches!(parsed(Kind::F4, "nan"), Some(Value::Float(float)) if float.is_nan()));
    for text in ["", "1,5", "0x1p3", "1_0.0", "one"] {
        assert_eq!(parsed(Kind::F8, text), None, "{text:?}");
    }
    let digits = "9".repeat(50);
    let beyond = Field::new("field", Kind::U8).parsed(&digits);
    assert_eq!(beyond, Err(Reason::Overflow { value: digits.clone(), kind: Kind::U8 }));
}

#[test]
fn what_is_true_is_said_in_few_words() {
    for text in ["true", "True", "TRUE", "1", " true "] {
        assert_eq!(parsed(Kind::Bool, text), Some(Value::Bool(true)), "{text}");
    }
    for text in ["false", "FALSE", "0"] {
        assert_eq!(parsed(Kind::Bool, text), Some(Value::Bool(false)), "{text}");
    }
    for text in ["", "t", "yes", "2", "on", "truely"] {
        assert_eq!(parsed(Kind::Bool, text), None, "{text}");
    }
}

#[test]
fn every_day_of_ten_thousand_years_is_the_one_after_the_day_before() {
    let (mut year, mut month, mut day) = (1, 1, 1);
    for days in -719_162..=2_932_896 {
        let text = format!("{year:04}-{month:02}-{day:02}");
        assert_eq!(parsed(Kind::Date, &text), Some(Value::Date(days)), "{text}");
        // The day after it, if the month has one; else it is none.
        let next = format!("{year:04}-{month:02}-{:02}", day + 1);
        if day >= 28 && parsed(Kind::Date, &next).is_none() {
            (month, day) = (month + 1, 1);
            if month > 12 {
                (year, month) = (year + 1, 1);
            }
        } else {
            day += 1;
        }
    }
    assert_eq!((year, month, day), (10_000, 1, 1));
}

#[test]
fn times_are_whole_microseconds_and_have_no_zone() {
    let minute = 12 * 3_600_000_000 + 30 * 60_000_000;
    for (text, micros) in [
        ("1970-01-01", 0),
        ("1970-01-01T12:30", minute),
        ("1970-01-01 12:30:01", minute + 1_000_000),
        ("1970-01-01 12:30:01.5", minute + 1_500_000),
        ("1970-01-01 12:30:01.000001", minute + 1_000_001),
        ("1970-01-01 12:30:01.000001000", minute + 1_000_001),
        (" 1969-12-31T23:59:59.999999 ", -1),
    ] {
        assert_eq!(parsed(Kind::DateTime, text), Some(Value::DateTime(micros)), "{text}");
    }
    for text in [
        "",
        "1970",
        "1970-01-01T",
        "1970-01-01T12",
        "1970-01-01T24:00",
        "1970-01-01T12:60",
        "1970-01-01T12:30:60",
        "1970-01-01T12:30:00.",
        "1970-01-01T12:30:00.0000001",
        "1970-01-01T12:30:00Z",
        "1970-01-01T12:30+01:00",
        "1970-01-01_12:30",
        "0000-01-01",
        "1970-13-01",
        "1970-00-01",
        "1970-01-00",
        "1900-02-29",
        "197é-01-01",
        "1970-01-01T12:30:00.é",
    ] {
        assert_eq!(parsed(Kind::DateTime, text), None, "{text}");
    }
}

#[test]
fn nothing_is_none_where_there_may_be_none() {
    for kind in Kind::ALL.into_iter().filter(|kind| kind.is_parsed()) {
        assert_eq!(Field::new("field", kind).nullable().parsed(""), Ok(Value::None), "{kind}");
    }
    assert_eq!(parsed(Kind::Str, ""), Some(Value::Str("")));
    assert_eq!(parsed(Kind::Bytes, ""), Some(Value::Bytes(b"")));
    let error = Field::new("field", Kind::U1).parsed("").unwrap_err();
    assert_eq!(error.to_string(), "\"\" is no u1");
    assert_eq!(parsed(Kind::TimeDelta, "1"), None);
}

proptest! {
    #[test]
    fn whatever_a_float_or_an_integer_prints_is_read_back(float in any::<f64>(), int in any::<i128>()) {
        let text = float.to_string();
        let Some(Value::Float(back)) = parsed(Kind::F8, &text) else { panic!("{text}") };
        prop_assert!(back.to_bits() == float.to_bits() || back.is_nan() && float.is_nan());
        let text = int.to_string();
        prop_assert_eq!(parsed(Kind::I8, &text), Some(Value::Int(int)));
    }

    #[test]
    fn no_text_makes_it_panic(text in "\\PC*|[-0-9T: .]{0,30}") {
        for kind in Kind::ALL {
            let _ = parsed(kind, &text);
        }
    }
}
