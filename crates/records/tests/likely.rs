//! Types of texts, and that nothing is lost of any text by the type that it gets.

use deadweight_records::{Field, Kind, Likely, Value};
use proptest::prelude::*;

fn kind(texts: &[&str]) -> Option<Kind> {
    let mut likely = Likely::default();
    for text in texts {
        likely.see(text);
    }
    likely.kind()
}

#[test]
fn the_narrowest_type_is_found_that_all_texts_say() {
    let cases: [(&[&str], Option<Kind>); 28] = [
        (&[], None),
        (&[""], None),
        (&["7"], Some(Kind::U1)),
        (&["7", "", "-1"], Some(Kind::I1)),
        (&["0", "70000"], Some(Kind::U4)),
        (&["18446744073709551615"], Some(Kind::U8)),
        (&["18446744073709551615", "-1"], None),
        (&["18446744073709551616"], None),
        (&["99999999999999999999999999999999999999999999"], None),
        (&["007"], None),
        (&["+7"], None),
        (&["-0"], Some(Kind::F8)),
        (&["1.5", "2"], Some(Kind::F8)),
        (&["1e5", "-0.25E-3"], Some(Kind::F8)),
        (&["1e400"], None),
        (&["1.5", "9007199254740993"], None),
        (&["0.1234567890123456789"], None),
        (&["0.014285714285714285"], Some(Kind::F8)),
        (&[".5"], None),
        (&["nan"], None),
        (&[" 7"], None),
        (&["true", "FALSE"], Some(Kind::Bool)),
        (&["true", "1"], None),
        (&["2024-02-29"], Some(Kind::Date)),
        (&["2024-02-29", "2024-02-29T12:30"], Some(Kind::DateTime)),
        (&["2024-02-29 "], None),
        (&["2024-02-30"], None),
        (&["7", "x"], None),
    ];
    for (texts, truth) in cases {
        assert_eq!(kind(texts), truth, "{texts:?}");
    }
}

#[test]
fn an_empty_text_is_none() {
    let mut likely = Likely::default();
    likely.see("7");
    assert!(!likely.is_nullable());
    likely.see("");
    assert!(likely.is_nullable());
}

proptest! {
    #[test]
    fn every_text_is_read_as_the_type_of_all(
        texts in prop::collection::vec("-?[0-9]{1,20}|-?[0-9]{1,3}\\.[0-9]{1,12}|true|false|2024-0[1-3]-[0-3][0-9]|\\PC{0,3}", 1..5)
    ) {
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let Some(kind) = kind(&texts) else { return Ok(()) };
        let field = Field::new("", kind).nullable();
        for text in texts {
            let value = field.parsed(text);
            prop_assert!(value.is_ok(), "{text:?} as {kind}");
            // An integer is written as it was, and all digits of a float are those that it had.
            match value {
                Ok(Value::Int(int)) => prop_assert_eq!(int.to_string(), text),
                Ok(Value::Float(float)) if text != "-0" => {
                    let digits = text.split_once('.').map_or(0, |(_, fraction)| fraction.len());
                    prop_assert_eq!(format!("{float:.digits$}"), text);
                }
                _ => {}
            }
        }
    }
}
