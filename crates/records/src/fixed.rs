//! A column of numbers of one width: one growable run of memory.
//!
//! It is contiguous, so that a buffer over it needs no copy, and it grows by an eighth: the C
//! library's `realloc` moves the pages of a block that it has mapped on its own, not its bytes, so
//! growing little and often costs little. Handed to Arrow it becomes a shared buffer, which the next
//! change takes back (when Arrow has let go of it) or copies.

use std::mem;

use arrow_buffer::{ArrowNativeType, ScalarBuffer};

use crate::allocation::Allocation;
use crate::error::Reason;
use crate::rows::Rows;

/// The least that is allocated.
const FEWEST: usize = 16;

#[derive(Debug)]
pub(crate) struct Fixed<T: ArrowNativeType> {
    items: Items<T>,
    /// The most items that lay in this block before its last change: what was written to takes memory.
    most: usize,
}

#[derive(Debug)]
enum Items<T: ArrowNativeType> {
    Own(Vec<T>),
    Shared(ScalarBuffer<T>),
}

impl<T: ArrowNativeType> Default for Fixed<T> {
    fn default() -> Fixed<T> {
        Fixed::from(Vec::new())
    }
}

/// From so many bytes on, a column has a block of [`MAPPED`] bytes at least.
const LARGE: usize = 256 << 10;
/// A block that glibc maps on its own, whatever it has learnt: once a program has freed a large block,
/// smaller ones come from the heap, where growing columns leave holes behind each other (malloc.c,
/// `DEFAULT_MMAP_THRESHOLD_MAX`). It is address space: pages that nothing was written to take no memory.
const MAPPED: usize = 32 << 20;

/// How many items more to make room for when `more` are wanted and `len` are there.
fn growth<T>(len: usize, more: usize) -> usize {
    let more = more.max(len / 8).max(FEWEST);
    let bytes = len.saturating_add(more).saturating_mul(size_of::<T>());
    if (LARGE..MAPPED).contains(&bytes) { MAPPED / size_of::<T>() - len } else { more }
}

impl<T: ArrowNativeType> Fixed<T> {
    #[inline]
    pub(crate) fn as_slice(&self) -> &[T] {
        match &self.items {
            Items::Own(items) => items,
            Items::Shared(items) => items,
        }
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.as_slice().len()
    }

    #[inline]
    pub(crate) fn get(&self, index: usize) -> Option<T> {
        self.as_slice().get(index).copied()
    }

    /// The items for change, with room for `more`.
    #[inline]
    pub(crate) fn own(&mut self, more: usize) -> Result<&mut Vec<T>, Reason> {
        self.most = self.most.max(self.len());
        self.take_back();
        if let Items::Shared(shared) = &self.items {
            let mut own = Vec::new();
            own.try_reserve_exact(shared.len() + more)?;
            own.extend_from_slice(shared);
            *self = Fixed::from(own);
        }
        let Items::Own(items) = &mut self.items else { return Err(Reason::Memory) };
        if items.capacity() - items.len() < more {
            let generous = items.try_reserve_exact(growth::<T>(items.len(), more));
            generous.or_else(|_| items.try_reserve_exact(more))?;
        }
        Ok(items)
    }

    /// Has the block for itself again, if nobody else has it.
    fn take_back(&mut self) {
        if let Items::Shared(shared) = &mut self.items {
            let shared = mem::replace(shared, ScalarBuffer::from(Vec::new()));
            self.items = match shared.into_inner().into_vec() {
                Ok(items) => Items::Own(items),
                Err(shared) => Items::Shared(shared.into()),
            };
        }
    }

    pub(crate) fn push(&mut self, item: T) -> Result<(), Reason> {
        self.own(1)?.push(item);
        Ok(())
    }

    pub(crate) fn extend(&mut self, items: &[T]) -> Result<(), Reason> {
        self.own(items.len())?.extend_from_slice(items);
        Ok(())
    }

    pub(crate) fn append(&mut self, from: &Fixed<T>, rows: &Rows<'_>) -> Result<(), Reason> {
        let (items, from) = (self.own(rows.len())?, from.as_slice());
        match rows {
            Rows::Run(run) => items.extend_from_slice(&from[run.clone()]),
            Rows::Each(rows) => items.extend(rows.iter().map(|row| from[*row])),
        }
        Ok(())
    }

    pub(crate) fn set(&mut self, row: usize, item: T) -> Result<(), Reason> {
        self.own(0)?[row] = item;
        Ok(())
    }

    pub(crate) fn truncate(&mut self, len: usize) -> Result<(), Reason> {
        if len < self.len() {
            self.own(0)?.truncate(len);
        }
        Ok(())
    }

    pub(crate) fn delete(&mut self, start: usize, end: usize) -> Result<(), Reason> {
        self.own(0)?.drain(start..end);
        Ok(())
    }

    pub(crate) fn move_last(&mut self, count: usize, at: usize) -> Result<(), Reason> {
        self.own(0)?[at..].rotate_right(count);
        Ok(())
    }

    /// Room for exactly so many more.
    pub(crate) fn reserve(&mut self, more: usize) -> Result<(), Reason> {
        let items = self.own(0)?;
        Ok(items.try_reserve_exact(more)?)
    }

    pub(crate) fn shrink_to_fit(&mut self) {
        // A copy of what somebody else has as well would take more, not less.
        self.take_back();
        if let Items::Own(items) = &mut self.items {
            items.shrink_to_fit();
            self.most = 0;
        }
    }

    /// Hands the items out: what gets them and we share one buffer from here on.
    pub(crate) fn share(&mut self) -> ScalarBuffer<T> {
        if let Items::Own(items) = &mut self.items {
            self.items = Items::Shared(ScalarBuffer::from(mem::take(items)));
        }
        match &self.items {
            Items::Shared(shared) => shared.clone(),
            Items::Own(_) => ScalarBuffer::from(Vec::new()),
        }
    }

    /// Bytes of its items.
    pub(crate) fn payload(&self) -> usize {
        size_of_val(self.as_slice())
    }

    /// What its items lie in.
    pub(crate) fn allocation(&self) -> Allocation {
        let (start, bytes, begins) = match &self.items {
            Items::Own(items) => (items.as_ptr().addr(), items.capacity() * size_of::<T>(), true),
            Items::Shared(items) => {
                let whole = items.inner();
                (whole.data_ptr().addr().get(), whole.capacity(), whole.ptr_offset() == 0)
            }
        };
        let most = self.most.max(self.len()) * size_of::<T>();
        Allocation { start: Some(start), bytes, filled: begins.then_some(most) }
    }
}

impl<T: ArrowNativeType> From<Vec<T>> for Fixed<T> {
    fn from(items: Vec<T>) -> Fixed<T> {
        Fixed { items: Items::Own(items), most: 0 }
    }
}

impl<T: ArrowNativeType> From<ScalarBuffer<T>> for Fixed<T> {
    fn from(shared: ScalarBuffer<T>) -> Fixed<T> {
        Fixed { items: Items::Shared(shared), most: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_arrow_has_does_not_change_under_it() {
        let mut column = Fixed::default();
        column.extend(&[1_i32, 2, 3]).unwrap();
        let shared = column.share();
        column.own(0).unwrap()[0] = 9;
        assert_eq!(&shared[..], [1, 2, 3]);
        assert_eq!(column.as_slice(), [9, 2, 3]);
    }

    #[test]
    fn sharing_copies_nothing_either_way() {
        let mut column = Fixed::default();
        column.extend(&[1_i64; 1000]).unwrap();
        let address = column.as_slice().as_ptr();
        let shared = column.share();
        assert_eq!(shared.as_ptr(), address);
        drop(shared);
        assert_eq!(column.own(0).unwrap().as_ptr(), address);
    }

    #[test]
    fn what_another_has_too_is_not_copied_to_save_room() {
        let mut column = Fixed::default();
        column.extend(&[1_u8; 100]).unwrap();
        let shared = column.share();
        column.shrink_to_fit();
        assert_eq!(column.as_slice().as_ptr(), shared.as_ptr());
        drop(shared);
        column.shrink_to_fit();
        assert_eq!(column.allocation().bytes, 100);
    }

    #[test]
    fn what_was_written_to_takes_memory_until_it_is_given_back() {
        let mut column = Fixed::default();
        column.extend(&vec![1_u64; 100_000]).unwrap();
        let held = column.allocation().held();
        assert!(held >= 800_000, "{held}");
        column.delete(10, 60_000).unwrap();
        assert_eq!(column.allocation().held(), held);
        column.truncate(10).unwrap();
        assert_eq!(column.allocation().held(), held);
        drop(column.share());
        assert_eq!(column.allocation().held(), held);
        column.push(2).unwrap();
        assert_eq!(column.allocation().held(), held);
        // A copy lies in a block of its own.
        let shared = column.share();
        column.push(3).unwrap();
        assert!(column.allocation().held() < 1_000);
        assert_eq!(shared.len(), 11);
        column.extend(&vec![1; 100_000]).unwrap();
        column.truncate(10).unwrap();
        column.shrink_to_fit();
        assert_eq!(column.allocation().held(), 80);
    }

    #[test]
    fn the_room_is_at_most_an_eighth_more_than_the_items() {
        let mut column = Fixed::default();
        for item in 0_u64..5_000_000 {
            column.push(item).unwrap();
            let (payload, capacity) = (column.payload(), column.allocation().bytes);
            let most = payload + (payload / 8).max(FEWEST * 8);
            // Of its own block it has written to no more than the items.
            let mapped = capacity == MAPPED && most >= LARGE;
            assert!(capacity <= most || mapped, "{capacity} of {most} at {item}");
        }
    }
}
