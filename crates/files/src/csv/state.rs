//! The grammar, a byte at a time: what is always right.

use super::dialect::Dialect;

/// What the next byte means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It may be the first of a record.
    Record,
    /// It may be the first of a field.
    Field,
    /// It is in a field that is not quoted, or no longer.
    Plain,
    /// It is in quotes.
    Quoted,
    /// It comes after a quote in quotes, which was the closing one unless this is a quote too.
    Quote,
}

/// What a byte was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    Content,
    Delimiter,
    /// The end of a record.
    End,
    /// A line end with nothing before it.
    Blank,
    /// A quote in a field that is not quoted, or what stands after a closing quote.
    Astray,
}

impl State {
    pub(super) fn step(self, byte: u8, dialect: Dialect) -> (State, Mark) {
        let (quote, delimiter) = (byte == dialect.quote, byte == dialect.delimiter);
        let line_end = matches!(byte, b'\n' | b'\r');
        match self {
            State::Quoted if quote => (State::Quote, Mark::Content),
            State::Quoted => (State::Quoted, Mark::Content),
            State::Record if line_end => (State::Record, Mark::Blank),
            _ if line_end => (State::Record, Mark::End),
            _ if delimiter => (State::Field, Mark::Delimiter),
            State::Record | State::Field | State::Quote if quote => (State::Quoted, Mark::Content),
            State::Record | State::Field => (State::Plain, Mark::Content),
            State::Plain if !quote => (State::Plain, Mark::Content),
            State::Plain | State::Quote => (State::Plain, Mark::Astray),
        }
    }

    /// Whether the end of the source ends a record here.
    pub(super) fn in_record(self) -> bool {
        self != State::Record
    }
}
