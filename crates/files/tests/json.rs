//! Places in records as `serde_json` finds them once it has made all of a record, and what it takes for JSON.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use std::io::Cursor;
use std::ops::{ControlFlow, Range};

use deadweight_files::json::{Literal, NotJson, OnBad, Path, Query, Reader, Records};
use deadweight_files::{FilesError, Lines, Source, Windows};
use proptest::prelude::*;
use serde::de::IgnoredAny;
use serde_json::Value;

fn path(dotted: &str) -> Path {
    dotted.split('.').map(str::to_owned).collect()
}

fn paths() -> Vec<Path> {
    ["a", "a.b", "a.b.c", "b", "b.a", "é"].map(path).to_vec()
}

/// What a line has at places; where lines before and behind it are in memory too.
fn read(line: &[u8], around: &str) -> Result<Vec<Option<String>>, NotJson> {
    let bytes = [around.as_bytes(), line, around.as_bytes()].concat();
    let its = around.len()..around.len() + line.len();
    let mut reader = Reader::new(Query::new(Vec::new(), &paths()));
    reader.look(&bytes);
    reader.read(&bytes, &its)?;
    let text = |place: Range<usize>| str::from_utf8(&line[place]).unwrap().to_owned();
    Ok(reader.selected().map(|place| place.map(text)).collect())
}

/// Whether what is at a place in the record as `serde_json` makes it is the same.
fn same(json: Option<&str>, record: &Value, path: &Path) -> bool {
    let truth = path.iter().try_fold(record, |value, key| match value {
        Value::Object(object) => object.get(key),
        _ => None,
    });
    match (json, truth) {
        (Some(json), Some(truth)) => serde_json::from_str::<Value>(json).unwrap() == *truth,
        (found, truth) => found.is_none() && truth.is_none(),
    }
}

/// JSON as text: keys that come twice, white space, and escapes where none is needed.
fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        prop::sample::select(vec![
            "null", "true", "false", "0", "-0", "1", "1.5", "-2e3", "1E+2", "[]", "{}"
        ])
        .prop_map(str::to_owned),
        "\"([ab .é]|\\\\n|\\\\\"|\\\\u0041){0,4}\"",
    ];
    let blank = || prop::sample::select(vec!["", "", "", " ", "  ", "\t"]);
    leaf.prop_recursive(4, 24, 4, move |inner| {
        let key = prop::sample::select(vec!["\"a\"", "\"b\"", "\"c\"", "\"é\"", "\"\\u0061\"", "\"\""]);
        let pair = (key, blank(), inner.clone(), blank())
            .prop_map(|(key, one, value, two)| format!("{one}{key}{two}:{one}{value}{two}"));
        prop_oneof![
            4 => prop::collection::vec(pair, 0..5).prop_map(|pairs| format!("{{{}}}", pairs.join(","))),
            1 => prop::collection::vec(inner, 0..4).prop_map(|items| format!("[{}]", items.join(", "))),
        ]
    })
}

fn around() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["", "\n", "{\"a\": 1}\n", "\"\n", "\\\n", "é\n", "x"])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn places_have_what_they_have_in_the_whole_record(line in json(), around in around()) {
        let record: Value = serde_json::from_str(&line).unwrap();
        let found = read(line.as_bytes(), around).unwrap();
        for (json, path) in found.iter().zip(paths()) {
            prop_assert!(same(json.as_deref(), &record, &path), "{json:?} at {path:?} of {line}");
        }
    }

    #[test]
    fn what_is_no_json_is_refused(
        line in json(),
        around in around(),
        at in any::<prop::sample::Index>(),
        byte in prop::sample::select(b"\"\\{}[]:,.0-1eatfn \t\x01\xe9\xc3".to_vec()),
        cut in any::<bool>(),
    ) {
        let mut line = line.into_bytes();
        let at = at.index(line.len());
        if cut {
            line.truncate(at);
        } else {
            line[at] = byte;
        }
        let truth = str::from_utf8(&line).is_ok() && serde_json::from_slice::<IgnoredAny>(&line).is_ok();
        prop_assert_eq!(read(&line, around).is_ok(), truth, "{}", line.escape_ascii());
    }
}

#[test]
fn what_follows_a_line_closes_no_text_in_it() {
    for line in ["\"", "{\"a\": \"", "{\"a"] {
        assert!(read(line.as_bytes(), "\"").is_err(), "{line}");
    }
}

#[test]
fn every_number_that_json_has_is_one_and_no_other() {
    for text in [
        "-", "01", "1.", ".5", "1e", "1e+", "+1", "--1", "1.5.5", "0x1", "1_0", "NaN", "Infinity",
        "- 1",
    ] {
        assert!(read(text.as_bytes(), "").is_err(), "{text}");
    }
    for text in ["0", "-0", "10", "0.50", "1e05", "-1.5E-7", "1e999", &"9".repeat(1000)] {
        assert!(read(text.as_bytes(), "").is_ok(), "{text}");
    }
}

#[test]
fn a_record_that_is_nested_deeply_is_read_and_ends_no_stack() {
    for depth in [1, 31, 32, 33, 100_000] {
        let line = format!("{{\"b\": {}1{}, \"a\": 2}}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(read(line.as_bytes(), "").unwrap()[0].as_deref(), Some("2"), "{depth}");
        assert!(read(&line.as_bytes()[..line.len() - 10], "").is_err());
    }
}

#[test]
fn a_line_that_is_too_long_for_marks_is_read_as_any_other() {
    for length in [1 << 19, (1 << 20) - 20, 1 << 20, 1 << 21] {
        let line = format!("{{\"a\": 2, \"b\": \"{}\"}}", "x".repeat(length));
        assert_eq!(read(line.as_bytes(), "\n").unwrap()[0].as_deref(), Some("2"), "{length}");
        assert!(read(&line.as_bytes()[..length], "\n").is_err(), "{length}");
    }
}

#[test]
fn a_message_says_what_is_wrong_and_where() {
    let message = |line: &[u8]| read(line, "").unwrap_err().to_string();
    assert_eq!(message(b"{\"a\" 1}"), "no JSON: expected `:` at column 6");
    assert_eq!(message(b"{\"a\": \"\xe9\"}"), "no JSON: bytes that are no UTF-8 at column 8");
    assert_eq!(message(b"{\"a\": 1} 2"), "no JSON: trailing characters at column 10");
}

fn is(json: &str, literal: Literal) -> bool {
    let line = format!("{{\"a\": {json}}}");
    let mut reader = Reader::new(Query::new(vec![vec![(path("a"), vec![literal])]], &[]));
    reader.look(line.as_bytes());
    reader.read(line.as_bytes(), &(0..line.len())).unwrap() == 1
}

#[test]
fn values_are_compared_as_python_compares_them() {
    let int = |digits: &str| Literal::Int(digits.to_owned());
    let text = |text: &str| Literal::Text(text.to_owned());
    for json in ["1", "1.0", "true", "10e-1"] {
        for literal in [int("1"), Literal::Float(1.0), Literal::Bool(true)] {
            assert!(is(json, literal.clone()), "{json} {literal:?}");
        }
        for literal in
            [int("0"), Literal::Float(1.5), Literal::Bool(false), Literal::Null, text("1")]
        {
            assert!(!is(json, literal.clone()), "{json} {literal:?}");
        }
    }
    assert!(is("false", int("0")) && is("-0.0", int("0")) && is("-0", Literal::Float(0.0)));
    assert!(is("null", Literal::Null) && !is("null", int("0")) && !is("null", text("null")));
    assert!(is("\"\"", text("")) && is("\"\\u00e9\"", text("é")) && !is("\"é\"", text("e")));
    assert!(
        !is("\"\\ud800\"", text("\u{fffd}")) && !is("[1]", int("1")) && !is("{}", Literal::Null)
    );
}

#[test]
fn numbers_are_compared_without_rounding_them() {
    let int = |digits: &str| Literal::Int(digits.to_owned());
    // 2⁵³ and one more, which as floats are the same.
    assert!(is("9007199254740993", int("9007199254740993")));
    assert!(!is("9007199254740993", Literal::Float(9_007_199_254_740_992.0)));
    assert!(is("9007199254740992", Literal::Float(9_007_199_254_740_992.0)));
    let exact = format!("{:.0}", 1e300);
    assert!(
        is(&exact, Literal::Float(1e300)) && is("1e300", int(&exact)) && is(&exact, int(&exact))
    );
    assert!(!is(&"1".repeat(301), Literal::Float(1e300)) && !is(&exact, int("1")));
    assert!(is("1e999", Literal::Float(f64::INFINITY)) && !is("1", Literal::Float(f64::NAN)));
    let powers = [2_f64.powi(127), -(2_f64.powi(127))];
    for power in powers {
        assert!(is(&format!("{power:.0}"), Literal::Float(power)), "{power}");
        assert!(!is(&i128::MAX.to_string(), Literal::Float(power)));
    }
}

#[test]
fn a_record_meets_a_step_if_all_of_its_places_have_one_of_their_values() {
    let text = |text: &str| Literal::Text(text.to_owned());
    let steps = vec![
        vec![(path("a"), vec![text("x"), text("y")]), (path("b"), vec![Literal::Null])],
        vec![(path("a.b"), vec![text("z")])],
    ];
    let lines = [
        ("{\"a\": \"y\", \"b\": null}", 1),
        ("{\"a\": \"y\"}", 0),
        ("{\"a\": \"z\", \"b\": null}", 0),
        ("[\"a\"]", 0),
        ("null", 0),
    ];
    let mut reader = Reader::new(Query::new(steps, &[]));
    for (line, met) in lines {
        reader.look(line.as_bytes());
        assert_eq!(reader.read(line.as_bytes(), &(0..line.len())).unwrap(), met, "{line}");
    }
}

fn on(_: u64) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn records(text: &str, size: usize, on_bad: OnBad) -> Records {
    let source = Source::stream("log", Box::new(Cursor::new(text.as_bytes().to_vec())));
    let odd = vec![(path("a"), vec![Literal::Int("1".to_owned()), Literal::Int("3".to_owned())])];
    let query = Query::new(vec![odd], &[path("a"), path("b")]);
    Records::new(Lines::new(Windows::of_size(source, size)), query, on_bad)
}

/// Line, first byte, and what is selected.
type Told = (u64, u64, Vec<String>);

fn told(records: &mut Records, found: &mut Vec<Told>) -> Result<(), FilesError> {
    while records.advance(&mut on)? {
        for index in 0..records.len() {
            let (line, offset) = records.place(index);
            let text = |json: Option<&[u8]>| {
                json.map_or(String::new(), |json| String::from_utf8_lossy(json).into())
            };
            found.push((line.unwrap(), offset, records.values(index).map(text).collect()));
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn records_are_those_of_each_line(
        lines in prop::collection::vec(
            prop::sample::select(vec![
                "{\"a\": 1}", "{\"a\": 3, \"b\": [\"x\"]}", "{\"a\": 2}", "", " ", "{", "1",
                "{\"a\": 1} {\"a\": 3}", "\"a\",\"b\"",
            ]),
            0..12,
        ),
        size in 1..200_usize,
        end in prop::sample::select(vec!["\n", "\r\n"]),
    ) {
        let text = lines.iter().flat_map(|line| [*line, end]).collect::<String>();
        let (mut truth, mut bad, mut offset) = (Vec::new(), Vec::new(), 0);
        for (number, line) in (1..).zip(&lines) {
            match serde_json::from_str::<Value>(line) {
                Ok(value) if value["a"] == 1 || value["a"] == 3 => {
                    let b = value.get("b").map_or(String::new(), Value::to_string);
                    truth.push((number, offset, vec![value["a"].to_string(), b]));
                }
                Err(_) if !line.trim().is_empty() => bad.push((number, offset, truth.len())),
                _ => {}
            }
            offset += (line.len() + end.len()) as u64;
        }
        let (mut found, mut skipping) = (Vec::new(), records(&text, size, OnBad::Skip(2)));
        told(&mut skipping, &mut found).unwrap();
        prop_assert_eq!(&found, &truth);
        let kept: Vec<_> = skipping.bad().iter().map(|bad| (bad.line.unwrap(), bad.offset)).collect();
        prop_assert_eq!(&kept, &bad.iter().take(2).map(|bad| (bad.0, bad.1)).collect::<Vec<_>>());
        prop_assert_eq!(skipping.tally().bad, bad.len() as u64);
        let taken = lines.iter().filter(|line| !line.trim().is_empty()).count();
        prop_assert_eq!(skipping.tally().taken, taken as u64);
        prop_assert_eq!(&skipping.tally().met, &vec![truth.len() as u64]);

        let (mut before, mut failing) = (Vec::new(), records(&text, size, OnBad::Fail));
        match (told(&mut failing, &mut before), bad.first()) {
            (Ok(()), None) => prop_assert_eq!(before, truth),
            (Err(FilesError::Record { name, line, offset, .. }), Some((number, at, count))) => {
                prop_assert_eq!((name.as_str(), line, offset), ("log", Some(*number), *at));
                prop_assert_eq!(&before, &truth[..*count]);
                let taken = lines[..*number as usize].iter().filter(|line| !line.trim().is_empty()).count();
                let tally = failing.tally();
                prop_assert_eq!((tally.taken, tally.bad, &tally.met), (taken as u64, 1, &vec![*count as u64]));
            }
            (found, truth) => prop_assert!(false, "{found:?}, not {truth:?}"),
        }
    }
}
