//! A record as `serde_json` has it: slower than [`plain`](super::plain), and right about everything.

use std::fmt;
use std::ops::Range;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use thiserror::Error;

use super::path::{Found, Node, Paths};

/// Why a line is no JSON.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("no JSON: {reason} at column {column}")]
pub struct NotJson {
    /// In the words of `serde_json`.
    pub reason: String,
    /// Which byte of the line, from 1.
    pub column: usize,
}

impl NotJson {
    fn new(error: &serde_json::Error) -> NotJson {
        let text = error.to_string();
        let column = error.column();
        let place = format!(" at line {} column {column}", error.line());
        NotJson { reason: text.strip_suffix(&place).unwrap_or(&text).to_owned(), column }
    }
}

/// Finds what is at the paths.
pub(super) fn read(line: &[u8], paths: &Paths, found: &mut Found) -> Result<(), NotJson> {
    let text = str::from_utf8(line).map_err(|error| NotJson {
        reason: "bytes that are no UTF-8".to_owned(),
        column: error.valid_up_to() + 1,
    })?;
    let value: &RawValue = serde_json::from_str(text).map_err(|error| NotJson::new(&error))?;
    within(value, paths.root(), text, found).map_err(|error| NotJson::new(&error))
}

fn within(
    value: &RawValue,
    node: &Node,
    line: &str,
    found: &mut Found,
) -> Result<(), serde_json::Error> {
    if !node.has_children() || !value.get().starts_with('{') {
        return Ok(());
    }
    let mut values = Vec::new();
    let visitor = Values { node, values: &mut values };
    serde_json::Deserializer::from_str(value.get()).deserialize_map(visitor)?;
    for (child, value) in values {
        child.forget(found);
        child.put(place(value.get(), line), found);
        within(value, child, line, found)?;
    }
    Ok(())
}

/// Where a part of a line is in it.
fn place(part: &str, line: &str) -> Range<usize> {
    let start = part.as_ptr() as usize - line.as_ptr() as usize;
    start..start + part.len()
}

/// What an object has at the keys that lead on.
struct Values<'n, 'v, 'de> {
    node: &'n Node,
    values: &'v mut Vec<(&'n Node, &'de RawValue)>,
}

impl<'de> Visitor<'de> for Values<'_, '_, 'de> {
    type Value = ();

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(child) = map.next_key_seed(Key(self.node))? {
            let value = map.next_value()?;
            if let Some(child) = child {
                self.values.push((child, value));
            }
        }
        Ok(())
    }
}

/// A key as bytes: one with half of a surrogate pair is JSON, and no text.
struct Key<'n>(&'n Node);

impl<'de, 'n> DeserializeSeed<'de> for Key<'n> {
    type Value = Option<&'n Node>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_bytes(self)
    }
}

impl<'n> Visitor<'_> for Key<'n> {
    type Value = Option<&'n Node>;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("a key")
    }

    fn visit_bytes<E>(self, key: &[u8]) -> Result<Self::Value, E> {
        Ok(self.0.child(key))
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(self.0.child(key.as_bytes()))
    }
}
