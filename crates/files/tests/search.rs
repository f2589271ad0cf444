//! What is found in windows is what is found in the whole.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

#[path = "../../../fuzz/bodies/search.rs"]
mod body;
#[path = "../../../fuzz/bodies/corpus.rs"]
mod corpus;
#[path = "../../../fuzz/bodies/noise.rs"]
mod noise;
#[path = "oracle/search.rs"]
mod oracle;

use std::ops::ControlFlow;

use deadweight_files::search::{self, Match, Overlaps, Pattern, Search};
use deadweight_files::{FilesError, Source, Windows};
use proptest::prelude::*;
use regex_automata::meta;
use regex_automata::util::syntax;

fn windows(bytes: &[u8], size: usize) -> Windows {
    let bytes = bytes.to_vec();
    Windows::of_size(Source::stream("bytes", Box::new(std::io::Cursor::new(bytes))), size)
}

fn on(_: u64) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// All ways to ask, which must agree.
fn found(bytes: &[u8], size: usize, pattern: &Pattern) -> Vec<Match> {
    let mut of_bytes = windows(bytes, size);
    let mut search = Search::new(&mut of_bytes, pattern);
    let mut found = Vec::new();
    while search.more(&mut found, &mut on).unwrap() {}
    let count = search::count(&mut windows(bytes, size), pattern, &mut on).unwrap();
    assert_eq!(count, found.len() as u64);
    let first = search::find(&mut windows(bytes, size), pattern, &mut on).unwrap();
    assert_eq!(first.as_ref(), found.first());
    found
}

fn overlaps() -> impl Strategy<Value = Overlaps> {
    prop::sample::select(vec![Overlaps::Left, Overlaps::Found])
}

fn texts() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop::sample::select(b"ab\n".to_vec()), 1..5)
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let pieces: Vec<&[u8]> =
        vec![b"a", b"b", b"aa", b"ab", b" ", b"\n", b"\r\n", "é".as_bytes(), b"\xc3", b"\xff"];
    prop::collection::vec(prop::sample::select(pieces), 0..60).prop_map(|words| words.concat())
}

/// With and without a bound, with all that looks at what is beside a match.
const REGEXES: [&str; 22] = [
    "a",
    "ab|abb",
    "abb|ab",
    "aab|b",
    "a+",
    "a+?b",
    "a.*b",
    "[ab]+$",
    "(?m)^a",
    "(?m)b$",
    "(?mR)a$",
    r"\bab?\b",
    r"\Aa+",
    r"b\z",
    "a{2,3}",
    "(?s)a.{0,3}b",
    "é+",
    r"(?-u)\xc3.",
    r"(?i)AB",
    r"\w\B",
    r"\n[^\n]b",
    r"a\r?\nb",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn a_text_is_found_across_windows(
        bytes in bytes(), text in texts(), size in 1..20_usize, overlaps in overlaps()
    ) {
        let pattern = Pattern::text(&text, overlaps).unwrap();
        prop_assert_eq!(found(&bytes, size, &pattern), oracle::texts(&bytes, &[&text], overlaps));
    }

    #[test]
    fn several_texts_are_found_across_windows(
        bytes in bytes(),
        texts in prop::collection::vec(texts(), 1..5),
        size in 1..20_usize,
        overlaps in overlaps(),
    ) {
        let pattern = Pattern::several(&texts, overlaps).unwrap();
        let texts: Vec<&[u8]> = texts.iter().map(Vec::as_slice).collect();
        prop_assert_eq!(found(&bytes, size, &pattern), oracle::texts(&bytes, &texts, overlaps));
    }

    #[test]
    fn a_regular_expression_is_found_across_windows(
        bytes in bytes(),
        regex in prop::sample::select(REGEXES.to_vec()),
        size in 1..20_usize,
        overlaps in overlaps(),
    ) {
        let pattern = Pattern::regex(regex, overlaps).unwrap();
        let whole = meta::Builder::new()
            .syntax(syntax::Config::new().utf8(false))
            .configure(meta::Config::new().utf8_empty(false))
            .build(regex)
            .unwrap();
        prop_assert_eq!(found(&bytes, size, &pattern), oracle::regex(&bytes, &whole, overlaps));
    }
}

#[test]
fn what_overlaps_is_found_if_it_is_asked_for() {
    let starts = |overlaps| {
        let pattern = Pattern::text(b"aa", overlaps).unwrap();
        found(b"aaaa", 3, &pattern).iter().map(|one| one.start).collect::<Vec<_>>()
    };
    assert_eq!(starts(Overlaps::Left), [0, 2]);
    assert_eq!(starts(Overlaps::Found), [0, 1, 2]);
}

#[test]
fn what_is_found_comes_some_at_a_time() {
    let text = vec![b'a'; 3000];
    let texts: Vec<Vec<u8>> = (1..100).map(|length| vec![b'a'; length]).collect();
    let pattern = Pattern::several(&texts, Overlaps::Found).unwrap();
    let mut windows = windows(&text, 128 * 1024);
    let mut search = Search::new(&mut windows, &pattern);
    let (mut found, mut all) = (Vec::new(), Vec::new());
    while search.more(&mut found, &mut on).unwrap() {
        assert!(found.len() <= 32 * 1024 + texts.len());
        all.append(&mut found);
    }
    let texts: Vec<&[u8]> = texts.iter().map(Vec::as_slice).collect();
    assert_eq!(all, oracle::texts(&text, &texts, Overlaps::Found));
    assert_eq!(
        search::count(&mut self::windows(&text, 1000), &pattern, &mut on).unwrap(),
        all.len() as u64
    );
}

/// Each of them takes long, though a window is soon read.
#[test]
fn who_watches_is_asked_within_a_window() {
    let text = vec![b'a'; 100_000];
    let lengths: Vec<Vec<u8>> = (1..1000).map(|length| vec![b'a'; length]).collect();
    let patterns = [
        Pattern::regex("a[^\n]*b|a", Overlaps::Left),
        Pattern::regex("[^\n]+", Overlaps::Found),
        Pattern::regex("[a-c]{1,3000}[0-9]", Overlaps::Left),
        Pattern::text(&text[..50_000], Overlaps::Found),
        Pattern::several(&lengths, Overlaps::Found),
    ];
    for (number, pattern) in patterns.into_iter().enumerate() {
        let mut asked = 0;
        let mut stop = |_| {
            asked += 1;
            if asked > 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let windows = &mut windows(&text, 128 * 1024);
        let ended = search::count(windows, &pattern.unwrap(), &mut stop);
        assert!(matches!(ended, Err(FilesError::Stopped { .. })), "{number}: {ended:?}");
    }
}

#[test]
fn patterns_that_match_nothing_are_refused() {
    assert!(matches!(Pattern::text(b"", Overlaps::Left), Err(FilesError::EmptyPattern)));
    assert!(matches!(Pattern::several(&["a", ""], Overlaps::Left), Err(FilesError::EmptyPattern)));
    let none: [&str; 0] = [];
    assert!(matches!(Pattern::several(&none, Overlaps::Left), Err(FilesError::EmptyPattern)));
    for regex in ["", "a*", r"\b", "(?m)^", "a|"] {
        let pattern = Pattern::regex(regex, Overlaps::Left);
        assert!(matches!(pattern, Err(FilesError::EmptyPattern)), "{regex}");
    }
}

#[test]
fn what_a_regular_expression_cannot_be_is_said_in_words() {
    let refusals = [
        ("(?=a)b", "look-around, including look-ahead and look-behind, is not supported"),
        ("(?<!a)b", "look-around, including look-ahead and look-behind, is not supported"),
        (r"(a)\1", "backreferences are not supported"),
        ("a(", "unclosed group"),
        ("[^,]+", "a match has no bound and may go on over line ends"),
        ("(a{1000}){1000}", "it is too large: its automaton has more than"),
        ("(?s)a.*b", "a match has no bound and may go on over line ends"),
    ];
    for (regex, words) in refusals {
        let Err(error) = Pattern::regex(regex, Overlaps::Left) else { panic!("{regex}") };
        let message = error.to_string();
        assert!(message.starts_with(&format!("the pattern {regex:?}: {words}")), "{message}");
    }
}

#[test]
fn a_line_has_a_bound_that_can_be_set() {
    let mut text = b"short a b\n".to_vec();
    text.extend([b'a'; 5000]);
    text.extend(b"b\nshort a b\n");
    let pattern = Pattern::regex("a.*b", Overlaps::Left).unwrap();
    let search = |longest| {
        let mut windows = windows(&text, 64);
        let mut search = Search::new(&mut windows, &pattern).longest_line(longest);
        let mut found = Vec::new();
        while search.more(&mut found, &mut on)? {}
        Ok::<_, FilesError>(found.len())
    };
    assert_eq!(search(10_000).unwrap(), 3);
    let error = search(1000).unwrap_err();
    assert_eq!(error.to_string(), "bytes: the line at byte 10 is longer than 1000 bytes");
}

#[test]
fn the_corpus_is_found_as_in_the_whole() {
    corpus::replay("search", 60, body::run);
}

#[test]
#[ignore = "writes to the corpus"]
fn gather_corpus() {
    let patterns: [&str; 8] =
        ["aa", "ab|b|abc", "(?m)^a.*b$", r"\bab?\b", "a{2,3}", "(?i)É+", r"\n[^\n]b", "(?=a)b"];
    let text = "aaaa ab\nabc b\r\n\u{feff}éÉ aab\n\0b".as_bytes();
    let mut seeds = Vec::new();
    for how in 0..48 {
        for pattern in patterns.iter().chain(&REGEXES) {
            seeds.push([&[how, pattern.len() as u8], pattern.as_bytes(), text].concat());
        }
    }
    corpus::gather("search", seeds, 200_000, 120, body::run);
}
