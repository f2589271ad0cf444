//! Any bytes as CSV, in windows of some size: the records that the `csv` crate reads, bad where a look at each
//! finds it, and in parts the same.
//!
//! The first byte says how.

use std::fs;
use std::io::Cursor;
use std::ops::ControlFlow;
use std::sync::LazyLock;

use ::csv::ByteRecord;
use deadweight_files::csv::{self, BadRow, Dialect, Fault};
use deadweight_files::{FilesError, Source, Windows};

use crate::oracle::{Grammar, offset};

/// So that windows end everywhere in a chunk of 64 bytes.
const SIZES: [usize; 8] = [1, 2, 3, 7, 63, 64, 65, 300];
const DIALECTS: [(u8, u8); 2] = [(b',', b'"'), (b'\t', b'\'')];
const MOST_PARTS: usize = 5;

static GRAMMARS: LazyLock<[Grammar; 2]> =
    LazyLock::new(|| DIALECTS.map(|(delimiter, quote)| Grammar::new(delimiter, quote)));

fn on(_: u64) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// Counts, checks and splits; says what came of it.
pub(crate) fn run(bytes: &[u8]) -> String {
    let Some((&how, text)) = bytes.split_first() else { return "nothing".to_owned() };
    let how = usize::from(how);
    let (size, which, parts) = (SIZES[how % 8], how / 8 % 2, 1 + how / 16 % MOST_PARTS);
    let (delimiter, quote) = DIALECTS[which];
    let dialect = Dialect::new(delimiter, quote).expect("a dialect");
    let windows = || {
        let reader = Box::new(Cursor::new(text.to_vec()));
        Windows::of_size(Source::stream("bytes", reader), size)
    };
    let counted = csv::count(&mut windows(), dialect, &mut on);
    let checked = csv::check(&mut windows(), dialect, usize::MAX, None, true, &mut on);
    if text.starts_with(b"\xff\xfe") || text.starts_with(b"\xfe\xff") {
        assert!(matches!(counted, Err(FilesError::Utf16(_))), "{counted:?}");
        assert!(matches!(checked, Err(FilesError::Utf16(_))), "{checked:?}");
        return "UTF-16".to_owned();
    }
    let (counted, checked) = (counted.expect("bytes"), checked.expect("bytes"));

    let grammar = &GRAMMARS[which];
    let records = grammar.records(text);
    assert_eq!(counted, records.len() as u64);
    assert_eq!(checked.records, counted);
    assert_eq!(checked.fields, records.first().map_or(0, ByteRecord::len) as u64);
    let truth = grammar.bad(text);
    assert_eq!(checked.bad, truth.len() as u64);
    for (row, (truth, faults)) in checked.rows.iter().zip(&truth) {
        assert_eq!(&row.faults.iter().collect::<Vec<_>>(), faults, "{row:?}");
        assert_eq!(BadRow { faults: truth.faults, ..*row }, *truth);
    }
    for (fault, count) in Fault::ALL.iter().zip(checked.by_fault) {
        let truth = truth.iter().filter(|(_, faults)| faults.contains(fault)).count();
        assert_eq!(count, truth as u64, "{fault:?}");
    }
    read(csv::Records::new(windows(), dialect), &records, text);
    let begins: Vec<u64> = records.iter().map(|one| offset(text, one) as u64).collect();
    split(text, parts, size, dialect, &begins);

    let faults: Vec<String> =
        Fault::ALL.iter().zip(checked.by_fault).filter(|(_, count)| *count > 0).map(name).collect();
    let many = counted.checked_ilog2().map_or(0, |log| log + 1);
    format!("{many} of {}: {}", checked.fields.min(3), faults.join(" "))
}

fn read(mut ours: csv::Records, records: &[ByteRecord], text: &[u8]) {
    for theirs in records {
        let record = ours.next(&mut on).expect("bytes").expect("a record");
        assert_eq!(record.offset, offset(text, theirs) as u64);
        assert_eq!(record.fields().collect::<Vec<_>>(), theirs.iter().collect::<Vec<_>>());
    }
    assert!(ours.next(&mut on).expect("bytes").is_none());
}

fn name((fault, _): (&Fault, u64)) -> String {
    format!("{fault:?}")
}

fn split(text: &[u8], count: usize, size: usize, dialect: Dialect, begins: &[u64]) {
    let file = tempfile::NamedTempFile::new().expect("a file");
    fs::write(file.path(), text).expect("a file can be written");
    let parts = csv::splits(file.path(), count, dialect, &mut on).expect("a file");
    assert!(parts.len() <= count, "{parts:?}");
    let mut end = 0;
    let mut all = 0;
    for part in parts {
        assert!(part.start == end && part.end > end, "{part:?}");
        assert!(part.start == 0 || begins.contains(&part.start), "{part:?}, {begins:?}");
        end = part.end;
        let source = Source::open_part(file.path(), part).expect("a part");
        all += csv::count(&mut Windows::of_size(source, size), dialect, &mut on).expect("a part");
    }
    assert_eq!((end, all), (text.len() as u64, begins.len() as u64));
}
