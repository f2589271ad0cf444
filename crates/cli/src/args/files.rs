//! `deadweight files`.

use std::ffi::OsString;

use clap::Subcommand;

use super::Output;

#[derive(Debug, clap::Args)]
pub(crate) struct Files {
    #[command(subcommand)]
    pub(crate) verb: FilesVerb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum FilesVerb {
    /// How many rows files of CSV have, whatever is in quotes
    Count(Count),
    /// Rows of CSV that are not as they should be: where, and what is wrong
    Check(Check),
    /// Where a text or a pattern is, by the byte; ends with status 1 if it is nowhere
    Find(Find),
}

/// What is read.
#[derive(Debug, clap::Args)]
pub(crate) struct Paths {
    /// Files, pipes or devices; `-` is standard input; gzip, zstd, bzip2 and xz are unpacked
    #[arg(value_name = "PATH", required = true)]
    pub(crate) paths: Vec<OsString>,
    /// How much a compressed file may have in it, such as 500MB
    #[arg(long, value_name = "SIZE", default_value = "1TB", value_parser = size)]
    pub(crate) max_unpacked: u64,
}

/// How CSV is written.
#[derive(Debug, clap::Args)]
pub(crate) struct Csv {
    /// What separates fields: a character of ASCII, or `tab`
    #[arg(short, long, value_name = "CHAR", default_value = ",", value_parser = one_byte)]
    pub(crate) delimiter: u8,
    /// What quotes fields
    #[arg(long, value_name = "CHAR", default_value = "\"", value_parser = one_byte)]
    pub(crate) quote: u8,
    /// The first record is a row like the others
    #[arg(long)]
    pub(crate) no_header: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Count {
    #[command(flatten)]
    pub(crate) paths: Paths,
    #[command(flatten)]
    pub(crate) csv: Csv,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Check {
    #[command(flatten)]
    pub(crate) paths: Paths,
    #[command(flatten)]
    pub(crate) csv: Csv,
    #[command(flatten)]
    pub(crate) output: Output,
    /// How many bad rows of each file to list [default: 20; with --json 1000]
    #[arg(long, value_name = "N")]
    pub(crate) top: Option<usize>,
    /// End with status 1 if more rows are bad
    #[arg(long, value_name = "N")]
    pub(crate) fail_over: Option<u64>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Find {
    /// What to look for
    pub(crate) pattern: OsString,
    #[command(flatten)]
    pub(crate) paths: Paths,
    /// Look for this text too; may be given several times
    #[arg(long, value_name = "PATTERN", conflicts_with = "regex")]
    pub(crate) or: Vec<OsString>,
    /// The pattern is a regular expression
    #[arg(short, long)]
    pub(crate) regex: bool,
    /// Find matches that begin in another match too
    #[arg(long)]
    pub(crate) overlapping: bool,
    #[command(flatten)]
    pub(crate) output: Output,
    /// How many matches of each file to list [default: 20; with --json 1000]
    #[arg(long, value_name = "N")]
    pub(crate) top: Option<usize>,
}

fn one_byte(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        b"tab" | b"\\t" => Ok(b'\t'),
        [byte] => Ok(*byte),
        _ => Err("expected one character of ASCII, or tab".to_owned()),
    }
}

/// `500MB`, `1.5 GB`. A bare number is bytes.
fn size(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let scale = match unit.trim_start() {
        "" | "B" => 1.0,
        "kB" => 1e3,
        "MB" => 1e6,
        "GB" => 1e9,
        "TB" => 1e12,
        _ => return Err(A_SIZE.to_owned()),
    };
    number.parse::<f64>().map(|number| (number * scale) as u64).map_err(|_| A_SIZE.to_owned())
}

const A_SIZE: &str = "expected a size with its unit, such as 500MB or 2GB";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_decimal_units() {
        assert_eq!(size("500MB"), Ok(500_000_000));
        assert_eq!(size("1.5 kB"), Ok(1500));
        assert_eq!(size("7"), Ok(7));
        for wrong in ["", "MB", "5 parsecs", "-1MB", "1.2.3GB", "1 MiB"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn one_character_is_one_byte() {
        assert_eq!(one_byte(";"), Ok(b';'));
        assert_eq!(one_byte("tab"), Ok(b'\t'));
        for wrong in ["", ",,", "é"] {
            assert!(one_byte(wrong).is_err(), "{wrong}");
        }
    }
}
