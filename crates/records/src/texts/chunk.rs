//! One piece of a column of texts: a blob and where each text lies in it.

use arrow_buffer::ScalarBuffer;

use super::Blob;
use crate::allocation::Allocation;
use crate::error::Reason;
use crate::fixed::Fixed;

/// A blob and offsets into it, as Arrow has them: text `i` lies from `offsets[i]` to
/// `offsets[i + 1]`. It is *compact* then. Once a text is replaced by one of another length, each has
/// a start of its own in `starts`, and `offsets[i + 1]` is only its end; bytes that no text has any
/// more are counted as garbage.
///
/// Of what comes from a file nothing is certain (not `checked`): reading bounds every access.
#[derive(Debug)]
pub(super) struct Chunk {
    starts: Option<Fixed<i32>>,
    offsets: Fixed<i32>,
    bytes: Fixed<u8>,
    garbage: usize,
    checked: bool,
}

impl Default for Chunk {
    fn default() -> Chunk {
        Chunk {
            starts: None,
            offsets: Fixed::from(vec![0]),
            bytes: Fixed::default(),
            garbage: 0,
            checked: true,
        }
    }
}

impl Chunk {
    /// Over buffers of a file, unchecked.
    pub(super) fn over(offsets: ScalarBuffer<i32>, bytes: ScalarBuffer<u8>) -> Chunk {
        if offsets.is_empty() {
            return Chunk { bytes: bytes.into(), checked: false, ..Chunk::default() };
        }
        Chunk {
            starts: None,
            offsets: offsets.into(),
            bytes: bytes.into(),
            garbage: 0,
            checked: false,
        }
    }

    #[inline]
    pub(super) fn rows(&self) -> usize {
        self.offsets.len() - 1
    }

    #[inline]
    fn span(&self, row: usize) -> Option<(usize, usize)> {
        let end = self.offsets.get(row + 1)?;
        let start = match &self.starts {
            None => self.offsets.get(row)?,
            Some(starts) => starts.get(row)?,
        };
        Some((usize::try_from(start).ok()?, usize::try_from(end).ok()?))
    }

    #[inline]
    pub(super) fn get(&self, row: usize) -> Option<&[u8]> {
        let (start, end) = self.span(row)?;
        self.bytes.as_slice().get(start..end)
    }

    /// Whether the offsets rise and lie within the blob.
    pub(super) fn is_sound(&self) -> bool {
        let offsets = self.offsets.as_slice();
        let within = |&end: &i32| usize::try_from(end).is_ok_and(|end| end <= self.bytes.len());
        self.checked
            || (offsets.first().is_some_and(|first| *first >= 0)
                && offsets.is_sorted()
                && offsets.last().is_some_and(within))
    }

    /// Whether the blob is the texts one after another and nothing else.
    pub(super) fn is_compact(&self) -> bool {
        self.is_shareable() && {
            let offsets = self.offsets.as_slice();
            let end = offsets.last().copied().unwrap_or_default();
            offsets.first() == Some(&0) && usize::try_from(end) == Ok(self.bytes.len())
        }
    }

    /// Whether Arrow can have it as it is: a blob may be longer than its texts, if none lies between.
    pub(super) fn is_shareable(&self) -> bool {
        self.starts.is_none() && self.garbage == 0 && self.is_sound()
    }

    /// Whether it can be changed as it is.
    pub(super) fn is_ours(&self) -> bool {
        self.checked
    }

    /// To be called of one that is compact.
    pub(super) fn make_ours(&mut self) {
        self.checked = true;
    }

    pub(super) fn used(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn garbage(&self) -> usize {
        self.garbage
    }

    pub(super) fn push(&mut self, text: &[u8]) -> Result<(), Reason> {
        let start = self.bytes.len();
        self.offsets.own(1)?;
        if let Some(starts) = &mut self.starts {
            starts.own(1)?;
        }
        self.bytes.extend(text)?;
        if let Some(starts) = &mut self.starts {
            starts.push(start as i32)?;
        }
        self.offsets.push((start + text.len()) as i32)
    }

    /// Replaces a text. The new one must not make the blob longer than offsets can say.
    pub(super) fn set(&mut self, row: usize, text: &[u8]) -> Result<(), Reason> {
        let Some((start, end)) = self.span(row) else { return Err(OUTSIDE) };
        if text.len() == end - start {
            self.bytes.own(0)?[start..end].copy_from_slice(text);
            return Ok(());
        }
        if self.starts.is_none() {
            let mut starts = Fixed::default();
            starts.extend(self.offsets.as_slice().get(..self.rows()).unwrap_or_default())?;
            self.starts = Some(starts);
        }
        let Some(starts) = &mut self.starts else { return Err(OUTSIDE) };
        let (starts, offsets) = (starts.own(0)?, self.offsets.own(0)?);
        if text.len() < end - start {
            self.bytes.own(0)?[start..start + text.len()].copy_from_slice(text);
            offsets[row + 1] = (start + text.len()) as i32;
            self.garbage += end - start - text.len();
        } else {
            let start_now = self.bytes.len();
            self.bytes.extend(text)?;
            starts[row] = start_now as i32;
            offsets[row + 1] = (start_now + text.len()) as i32;
            self.garbage += end - start;
        }
        Ok(())
    }

    pub(super) fn delete(&mut self, start: usize, end: usize) -> Result<(), Reason> {
        if start == end {
            return Ok(());
        }
        if let Some(starts) = &mut self.starts {
            let (starts, offsets) = (starts.own(0)?, self.offsets.own(0)?);
            let ends = &offsets[start + 1..=end];
            let lengths = starts[start..end].iter().zip(ends).map(|(start, end)| end - start);
            self.garbage += lengths.map(|length| length as usize).sum::<usize>();
            starts.drain(start..end);
            offsets.drain(start + 1..=end);
            return Ok(());
        }
        let (bytes, offsets) = (self.bytes.own(0)?, self.offsets.own(0)?);
        let (from, to) = (offsets[start], offsets[end]);
        bytes.drain(from as usize..to as usize);
        offsets.drain(start + 1..=end);
        for offset in &mut offsets[start + 1..] {
            *offset -= to - from;
        }
        Ok(())
    }

    pub(super) fn move_last(&mut self, count: usize, at: usize) -> Result<(), Reason> {
        let rows = self.rows();
        let offsets = self.offsets.own(0)?;
        if let Some(starts) = &mut self.starts {
            starts.own(0)?[at..].rotate_right(count);
            offsets[at + 1..].rotate_right(count);
            return Ok(());
        }
        let moved = offsets[rows] - offsets[rows - count];
        self.bytes.own(0)?[offsets[at] as usize..].rotate_right(moved as usize);
        // Ends become lengths, which move as the texts do, and ends again.
        for row in (at..rows).rev() {
            offsets[row + 1] -= offsets[row];
        }
        offsets[at + 1..].rotate_right(count);
        for row in at..rows {
            offsets[row + 1] += offsets[row];
        }
        Ok(())
    }

    /// Room for so many more, and an eighth at least.
    pub(super) fn reserve_more(&mut self, rows: usize, bytes: usize) -> Result<(), Reason> {
        self.offsets.own(rows)?;
        self.bytes.own(bytes)?;
        Ok(())
    }

    /// Room for exactly so many more.
    pub(super) fn reserve(&mut self, rows: usize, bytes: usize) -> Result<(), Reason> {
        if let Some(starts) = &mut self.starts {
            starts.reserve(rows)?;
        }
        self.offsets.reserve(rows)?;
        self.bytes.reserve(bytes)
    }

    pub(super) fn shrink_to_fit(&mut self) {
        if let Some(starts) = &mut self.starts {
            starts.shrink_to_fit();
        }
        self.offsets.shrink_to_fit();
        self.bytes.shrink_to_fit();
    }

    /// Offsets and blob of a compact one, shared.
    pub(super) fn share(&mut self) -> Blob {
        (self.offsets.share(), self.bytes.share())
    }

    pub(super) fn payload(&self) -> usize {
        let starts = self.starts.as_ref().map_or(0, Fixed::payload);
        starts + self.offsets.payload() + self.bytes.payload()
    }

    pub(super) fn allocations(&self, all: &mut Vec<Allocation>) {
        all.extend(self.starts.as_ref().map(Fixed::allocation));
        all.extend([self.offsets.allocation(), self.bytes.allocation()]);
    }
}

/// An offset that leads out of the blob.
pub(super) const OUTSIDE: Reason = Reason::Damaged("a text outside its buffer");
