//! The sixteen bytes every object begins with, and what a reference count must look like.

use deadweight_heap::Addr;

use crate::layout::{Layout, OB_TYPE, Refcount};
use crate::memory::{Memory, u64_at};
use crate::space::Space;

/// Reference count word and type of an object, as read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Header {
    pub(crate) refcount: u64,
    pub(crate) type_addr: Addr,
}

impl Header {
    /// The header at an address.
    #[inline]
    pub(crate) fn read<M: Memory>(memory: &M, addr: Addr) -> Option<Header> {
        let bytes = memory.array::<16>(addr)?;
        Some(Header { refcount: u64_at(&bytes, 0), type_addr: Addr(u64_at(&bytes, OB_TYPE)) })
    }
}

/// No reference count is larger where nothing is immortal: it would take a terabyte of references.
/// A freed block begins with a pointer to the next free one, and those lie above.
const LARGEST_COUNT: u64 = 1 << 37;

/// `ob_overflow` of 3.14+: only extensions built for older versions count into it, and only on objects
/// that never die. An address of ours would have thousands there.
const MOST_OVERFLOW: u64 = 15;

/// `ob_flags` of 3.14+ (refcount.h): 1 immortal, 2 deferred, 4 static.
const KNOWN_FLAGS: u64 = 7;

impl Refcount {
    /// Whether a word can be the reference count of a live object.
    #[inline]
    pub(crate) fn is_alive(self, word: u64) -> bool {
        match self {
            Refcount::Plain => word != 0 && word < LARGEST_COUNT,
            Refcount::ImmortalLow32 => word != 0 && word >> 32 == 0,
            Refcount::Low32 => {
                let count = word & 0xffff_ffff;
                let overflow = (word >> 32) & 0xffff;
                let flags = word >> 48;
                let most = if count >= 1 << 31 { MOST_OVERFLOW } else { 0 };
                count != 0 && flags & !KNOWN_FLAGS == 0 && overflow <= most
            }
        }
    }

    /// Whether the object never dies. Its count then says nothing.
    #[inline]
    pub(crate) fn is_immortal(self, word: u64) -> bool {
        match self {
            Refcount::Plain => false,
            Refcount::ImmortalLow32 | Refcount::Low32 => word & 0x8000_0000 != 0,
        }
    }

    /// How many references there are, where the word says so.
    #[inline]
    pub(crate) fn count(self, word: u64) -> Option<u64> {
        match self {
            Refcount::Plain => Some(word),
            _ if self.is_immortal(word) => None,
            Refcount::ImmortalLow32 => Some(word),
            Refcount::Low32 => Some(word & 0xffff_ffff),
        }
    }
}

/// Whether a word found by scanning, not by a known layout, can be the count of a live object.
///
/// Stricter than [`Refcount::is_alive`]: a non-PIE program has its heap below 4 GiB, so a C struct
/// that holds a heap pointer followed by a type pointer looks like an object whose count is an
/// 8-aligned address of ours.
pub(crate) fn is_plausible_count(layout: &Layout, space: &Space, word: u64) -> bool {
    is_plausible(layout, word, |low| space.contains(low))
}

/// The same for who has no map of the memory, but can ask what is there.
pub(crate) fn is_plausible(
    layout: &Layout,
    word: u64,
    is_there: impl FnOnce(Addr) -> bool,
) -> bool {
    let refcount = layout.object.refcount;
    if !refcount.is_alive(word) {
        return false;
    }
    let low = word & 0xffff_ffff;
    let looks_like_pointer = (1 << 20..1 << 31).contains(&low) && low.is_multiple_of(8);
    !(looks_like_pointer && !refcount.is_immortal(word) && is_there(Addr(low)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn freed_blocks_are_not_alive() {
        let freed = [0, 0x0000_7f12_3456_7890, 0x0000_7f12_0000_0010, 0x0000_7f63_d49e_66c0];
        for refcount in [Refcount::Plain, Refcount::ImmortalLow32, Refcount::Low32] {
            for word in freed {
                assert!(!refcount.is_alive(word), "{refcount:?} {word:#x}");
            }
            assert!(refcount.is_alive(1));
            assert!(refcount.is_alive(12_345_678));
        }
    }

    #[test]
    fn immortality_is_the_sign_of_the_low_half() {
        let immortal = Refcount::ImmortalLow32;
        assert!(immortal.is_alive(0xffff_ffff) && immortal.is_immortal(0xffff_ffff));
        assert_eq!(immortal.count(0xffff_ffff), None);
        let flagged = 3 << 30 | 5 << 48;
        assert!(Refcount::Low32.is_alive(flagged) && Refcount::Low32.is_immortal(flagged));
        assert_eq!(Refcount::Low32.count(7), Some(7));
        assert!(!Refcount::Low32.is_alive(1 | 1 << 32), "an overflow without immortality");
        assert!(!Refcount::Low32.is_alive(1 | 8 << 48), "a flag that does not exist");
    }
}
