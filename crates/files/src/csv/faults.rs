//! What can be wrong with a record, and what a check found.

/// What can be wrong with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It has more or fewer fields than the first record, or than was said.
    Ragged,
    /// A quote in a field that is not quoted, or something between a closing quote and the field's end.
    BareQuote,
    /// A quote that is not closed: all that follows is taken for one field.
    OpenQuote,
    /// A byte of zero.
    Nul,
    /// Bytes that are no UTF-8.
    NotUtf8,
}

impl Fault {
    /// All there are, in the order in which they are listed.
    pub const ALL: [Fault; 5] =
        [Fault::Ragged, Fault::BareQuote, Fault::OpenQuote, Fault::Nul, Fault::NotUtf8];
}

/// A set of [`Fault`]s.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults(u8);

impl Faults {
    /// Whether it is among them.
    #[must_use]
    pub fn contains(self, fault: Fault) -> bool {
        self.0 & 1 << fault as u8 != 0
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those that are there.
    pub fn iter(self) -> impl Iterator<Item = Fault> {
        Fault::ALL.into_iter().filter(move |fault| self.contains(*fault))
    }

    pub(super) fn add(&mut self, fault: Fault, there: bool) {
        self.0 |= u8::from(there) << fault as u8;
    }
}

/// A record that is not as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadRow {
    /// Which it is, from 1; the header counts.
    pub record: u64,
    /// Where its first byte is in the source.
    pub offset: u64,
    /// The line it begins on, from 1. In a part that begins within a file nobody knows it.
    pub line: Option<u64>,
    /// How many fields it has.
    pub fields: u64,
    /// What is wrong with it.
    pub faults: Faults,
}

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// How many records there are, the header among them.
    pub records: u64,
    /// How many fields a record is to have: as many as the first, unless that was said; 0 if there is none.
    pub fields: u64,
    /// How many records are not as they should be.
    pub bad: u64,
    /// How many records have each [`Fault`], in the order of [`Fault::ALL`].
    pub by_fault: [u64; 5],
    /// The first of the bad records.
    pub rows: Vec<BadRow>,
}
