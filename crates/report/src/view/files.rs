//! What was found in files.

use deadweight_files::csv::Checked;
use deadweight_files::search::Match;
use deadweight_heap::Bytes;

/// What was found in one file.
#[derive(Clone, Debug)]
pub struct OfFile<T> {
    /// As it was named.
    pub name: String,
    /// How much of it was read.
    pub size: Bytes,
    /// What was appended meanwhile, and not read.
    pub appended: Bytes,
    /// What was found.
    pub found: T,
}

/// A file that could not be read.
#[derive(Clone, Debug)]
pub struct NotRead {
    /// As it was named.
    pub name: String,
    /// Why.
    pub reason: String,
}

/// Rows of files of CSV.
#[derive(Clone, Debug)]
pub struct CountView {
    /// Records of each file, the header among them.
    pub files: Vec<OfFile<u64>>,
    /// The others.
    pub failed: Vec<NotRead>,
    /// Whether the first record of each is no row.
    pub header: bool,
}

impl CountView {
    /// Of a number of records.
    #[must_use]
    pub fn rows(&self, records: u64) -> u64 {
        rows(records, self.header)
    }

    /// Of all files.
    #[must_use]
    pub fn all_rows(&self) -> u64 {
        self.files.iter().map(|file| self.rows(file.found)).sum()
    }
}

/// Rows of files of CSV that are not as they should be.
#[derive(Clone, Debug)]
pub struct CheckView {
    /// What was found in each file.
    pub files: Vec<OfFile<Checked>>,
    /// The others.
    pub failed: Vec<NotRead>,
    /// Whether the first record of each is no row.
    pub header: bool,
}

impl CheckView {
    /// Of a number of records.
    #[must_use]
    pub fn rows(&self, records: u64) -> u64 {
        rows(records, self.header)
    }

    /// In all files.
    #[must_use]
    pub fn all_bad(&self) -> u64 {
        self.files.iter().map(|file| file.found.bad).sum()
    }
}

/// Where patterns are in files.
#[derive(Clone, Debug)]
pub struct FindView {
    /// What is looked for.
    pub patterns: Vec<String>,
    /// What was found in each file.
    pub files: Vec<OfFile<Found>>,
    /// The others.
    pub failed: Vec<NotRead>,
}

/// Where patterns are in a file.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// How often.
    pub count: u64,
    /// The first of them.
    pub matches: Vec<Match>,
}

fn rows(records: u64, header: bool) -> u64 {
    records.saturating_sub(u64::from(header))
}
