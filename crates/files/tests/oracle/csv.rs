//! CSV by the record: the `csv` crate says which records there are, a grammar whether quotes are where they
//! belong, and the standard library what is UTF-8.

use ::csv::{ByteRecord, ReaderBuilder};
use deadweight_files::csv::{BadRow, Fault, Faults};
use regex_automata::meta::{self, Regex};
use regex_automata::util::syntax;

pub(crate) const MARK: &[u8] = b"\xef\xbb\xbf";

/// What separates and quotes fields, and how they are made well.
pub(crate) struct Grammar {
    delimiter: u8,
    quote: u8,
    /// A record with the line ends after it.
    well: Regex,
    /// A record whose last field is not closed.
    open: Regex,
}

impl Grammar {
    pub(crate) fn new(delimiter: u8, quote: u8) -> Grammar {
        let [d, q] = [delimiter, quote].map(|byte| format!(r"\x{byte:02x}"));
        let field = format!(r"(?:{q}(?:[^{q}]|{q}{q})*{q}|[^{q}{d}\r\n]*)");
        let well = regex(&format!(r"(?s-u)\A{field}(?:{d}{field})*[\r\n]*\z"));
        let open = regex(&format!(r"(?s-u)\A(?:{field}{d})*{q}(?:[^{q}]|{q}{q})*\z"));
        Grammar { delimiter, quote, well, open }
    }

    pub(crate) fn records(&self, bytes: &[u8]) -> Vec<ByteRecord> {
        let mut builder = ReaderBuilder::new();
        builder.has_headers(false).flexible(true).delimiter(self.delimiter).quote(self.quote);
        let mut reader = builder.from_reader(bytes);
        reader.byte_records().map(|record| record.expect("memory can be read")).collect()
    }

    /// The records that are not as they should be.
    pub(crate) fn bad(&self, bytes: &[u8]) -> Vec<(BadRow, Vec<Fault>)> {
        let records = self.records(bytes);
        let longer = [bytes, b"\nx"].concat();
        let is_open = self.records(&longer).len() == records.len() && !records.is_empty();
        let mut bad = Vec::new();
        for (index, record) in records.iter().enumerate() {
            let start = offset(bytes, record);
            let end = records.get(index + 1).map_or(bytes.len(), |next| offset(bytes, next));
            let its = &bytes[start..end];
            let opens = is_open && index + 1 == records.len();
            let mut faults = Vec::new();
            if record.len() != records[0].len() {
                faults.push(Fault::Ragged);
            }
            if !(self.well.is_match(its) && !opens || opens && self.open.is_match(its)) {
                faults.push(Fault::BareQuote);
            }
            if opens {
                faults.push(Fault::OpenQuote);
            }
            if its.contains(&0) {
                faults.push(Fault::Nul);
            }
            if str::from_utf8(its).is_err() {
                faults.push(Fault::NotUtf8);
            }
            if !faults.is_empty() {
                let row = BadRow {
                    record: index as u64 + 1,
                    offset: start as u64,
                    line: Some(line(&bytes[..start])),
                    fields: record.len() as u64,
                    faults: Faults::default(),
                };
                bad.push((row, faults));
            }
        }
        bad
    }
}

/// Where a record begins: what is before its first byte are line ends and the mark.
pub(crate) fn offset(bytes: &[u8], record: &ByteRecord) -> usize {
    let mut offset = record.position().map_or(0, |position| position.byte() as usize);
    if offset == 0 && bytes.starts_with(MARK) {
        offset = MARK.len();
    }
    let line_ends = bytes[offset..].iter().take_while(|byte| matches!(byte, b'\n' | b'\r'));
    offset + line_ends.count()
}

/// Universal newlines, the plain way.
fn line(before: &[u8]) -> u64 {
    let mut lines = 1;
    for (index, byte) in before.iter().enumerate() {
        let pair = *byte == b'\n' && index > 0 && before[index - 1] == b'\r';
        lines += u64::from(matches!(byte, b'\n' | b'\r') && !pair);
    }
    lines
}

fn regex(pattern: &str) -> Regex {
    let of_bytes = syntax::Config::new().utf8(false);
    meta::Builder::new().syntax(of_bytes).build(pattern).expect("a grammar of ours")
}
