//! One bit a row, first row in the lowest bit, as Arrow has it. What is in the last byte past the
//! end is anything.

use arrow_buffer::{BooleanBuffer, ScalarBuffer};

use crate::allocation::Allocation;
use crate::error::Reason;
use crate::fixed::Fixed;
use crate::rows::Rows;

#[derive(Debug, Default)]
pub(crate) struct Bits {
    bytes: Fixed<u8>,
    len: usize,
}

/// The lowest `count` bits of a byte.
fn lowest(count: usize) -> u8 {
    ((1_u16 << count) - 1) as u8
}

/// Eight bits from `index` on, or as many as there are.
fn eight(bytes: &[u8], index: usize) -> u8 {
    let low = bytes.get(index / 8).copied().unwrap_or_default();
    let high = bytes.get(index / 8 + 1).copied().unwrap_or_default();
    (u16::from_le_bytes([low, high]) >> (index % 8)) as u8
}

/// Writes the lowest `count` bits of a byte from `index` on, where there is room for them.
fn put(bytes: &mut [u8], index: usize, bits: u8, count: usize) {
    let (at, used) = (index / 8, index % 8);
    let mask = (u16::from(lowest(count)) << used).to_le_bytes();
    let bits = (u16::from(bits) << used).to_le_bytes();
    bytes[at] = bytes[at] & !mask[0] | bits[0] & mask[0];
    if used + count > 8 {
        bytes[at + 1] = bytes[at + 1] & !mask[1] | bits[1] & mask[1];
    }
}

/// Turns the order of some bits round.
fn reverse(bytes: &mut [u8], mut start: usize, mut end: usize) {
    while end - start >= 16 {
        let (first, last) = (eight(bytes, start), eight(bytes, end - 8));
        put(bytes, start, last.reverse_bits(), 8);
        put(bytes, end - 8, first.reverse_bits(), 8);
        (start, end) = (start + 8, end - 8);
    }
    let count = end - start;
    if count == 0 {
        return;
    }
    let left = u16::from_le_bytes([eight(bytes, start), eight(bytes, start + 8)]);
    let turned = u32::from(left.reverse_bits()) >> (16 - count);
    put(bytes, start, turned as u8, count.min(8));
    if count > 8 {
        put(bytes, start + 8, (turned >> 8) as u8, count - 8);
    }
}

impl Bits {
    /// Takes over a buffer that has bits from its beginning on. It must have `len` of them.
    pub(crate) fn over(bytes: ScalarBuffer<u8>, len: usize) -> Option<Bits> {
        (bytes.len() >= len.div_ceil(8)).then(|| Bits { bytes: bytes.into(), len })
    }

    pub(crate) fn from_arrow(bits: &BooleanBuffer) -> Result<Bits, Reason> {
        if bits.offset() == 0 {
            let bytes = ScalarBuffer::from(bits.inner().clone());
            return Bits::over(bytes, bits.len()).ok_or(Reason::Damaged("too few bits"));
        }
        let mut copy = Bits::default();
        copy.reserve(bits.len())?;
        for bit in bits {
            copy.push(bit)?;
        }
        Ok(copy)
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(crate) fn get(&self, index: usize) -> Option<bool> {
        let byte = self.bytes.get(index / 8)?;
        (index < self.len).then_some(byte >> (index % 8) & 1 != 0)
    }

    pub(crate) fn set(&mut self, index: usize, bit: bool) -> Result<(), Reason> {
        let byte = &mut self.bytes.own(0)?[index / 8];
        let mask = 1 << (index % 8);
        *byte = if bit { *byte | mask } else { *byte & !mask };
        Ok(())
    }

    pub(crate) fn push(&mut self, bit: bool) -> Result<(), Reason> {
        self.push_up_to_eight(bit.into(), 1)
    }

    /// Appends the lowest `count` bits of a byte.
    fn push_up_to_eight(&mut self, bits: u8, count: usize) -> Result<(), Reason> {
        let bytes = self.bytes.own(2)?;
        // Those of a file may be more than there are bits.
        bytes.resize((self.len + count).div_ceil(8), 0);
        put(bytes, self.len, bits, count);
        self.len += count;
        Ok(())
    }

    pub(crate) fn extend_with(&mut self, bit: bool, count: usize) -> Result<(), Reason> {
        self.bytes.own(count.div_ceil(8) + 1)?;
        for at in (0..count).step_by(8) {
            self.push_up_to_eight(if bit { 0xff } else { 0 }, (count - at).min(8))?;
        }
        Ok(())
    }

    pub(crate) fn append(&mut self, from: &Bits, rows: &Rows<'_>) -> Result<(), Reason> {
        match rows {
            Rows::Run(run) => {
                self.bytes.own(run.len().div_ceil(8) + 1)?;
                let mut starts = run.clone().step_by(8);
                starts.try_for_each(|at| {
                    self.push_up_to_eight(eight(from.bytes.as_slice(), at), (run.end - at).min(8))
                })
            }
            Rows::Each(rows) => {
                rows.iter().try_for_each(|row| self.push(from.get(*row).unwrap_or_default()))
            }
        }
    }

    pub(crate) fn truncate(&mut self, len: usize) -> Result<(), Reason> {
        if len < self.len {
            self.bytes.own(0)?.truncate(len.div_ceil(8));
            self.len = len;
        }
        Ok(())
    }

    pub(crate) fn delete(&mut self, start: usize, end: usize) -> Result<(), Reason> {
        let bytes = self.bytes.own(0)?;
        for at in (end..self.len).step_by(8) {
            let moved = eight(bytes, at);
            put(bytes, at - (end - start), moved, (self.len - at).min(8));
        }
        self.truncate(self.len - (end - start))
    }

    pub(crate) fn move_last(&mut self, count: usize, at: usize) -> Result<(), Reason> {
        let (bytes, middle) = (self.bytes.own(0)?, self.len - count);
        reverse(bytes, at, middle);
        reverse(bytes, middle, self.len);
        reverse(bytes, at, self.len);
        Ok(())
    }

    pub(crate) fn count(&self) -> usize {
        let whole = self.bytes.as_slice().get(..self.len / 8).unwrap_or_default();
        let whole: u32 = whole.iter().map(|byte| byte.count_ones()).sum();
        let last = eight(self.bytes.as_slice(), self.len / 8 * 8) & lowest(self.len % 8);
        (whole + last.count_ones()) as usize
    }

    pub(crate) fn reserve(&mut self, more: usize) -> Result<(), Reason> {
        self.bytes.reserve(more.div_ceil(8))
    }

    pub(crate) fn shrink_to_fit(&mut self) {
        self.bytes.shrink_to_fit();
    }

    pub(crate) fn share(&mut self) -> BooleanBuffer {
        BooleanBuffer::new(self.bytes.share().into_inner(), 0, self.len)
    }

    pub(crate) fn payload(&self) -> usize {
        self.len.div_ceil(8)
    }

    pub(crate) fn allocations(&self, all: &mut Vec<Allocation>) {
        all.push(self.bytes.allocation());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(bits: &[bool]) -> Bits {
        let mut made = Bits::default();
        for &bit in bits {
            made.push(bit).unwrap();
        }
        made
    }

    fn all(bits: &Bits) -> Vec<bool> {
        (0..bits.len()).map(|index| bits.get(index).unwrap()).collect()
    }

    proptest! {
        #[test]
        fn bits_do_what_a_list_of_flags_does(
            mut flags: Vec<bool>,
            more: Vec<bool>,
            cut in any::<(prop::sample::Index, prop::sample::Index)>(),
        ) {
            let mut bits = of(&flags);
            prop_assert_eq!(bits.get(flags.len()), None);
            let (a, b) = (cut.0.index(flags.len() + 1), cut.1.index(flags.len() + 1));
            let (start, end) = (a.min(b), a.max(b));
            bits.delete(start, end).unwrap();
            flags.drain(start..end);
            let other = of(&more);
            let from = cut.0.index(more.len() + 1);
            bits.append(&other, &Rows::Run(from..more.len())).unwrap();
            flags.extend(&more[from..]);
            bits.move_last(more.len() - from, start).unwrap();
            flags[start..].rotate_right(more.len() - from);
            bits.extend_with(true, start).unwrap();
            flags.extend(vec![true; start]);
            prop_assert_eq!(all(&bits), flags.clone());
            prop_assert_eq!(bits.count(), flags.iter().filter(|flag| **flag).count());
            prop_assert_eq!(bits.share().iter().collect::<Vec<_>>(), flags);
        }
    }
}
