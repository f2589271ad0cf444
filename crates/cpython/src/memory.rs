//! Where bytes come from, seen from the decoders: something that lends them.

use deadweight_heap::Addr;

/// The bytes of one address space, lent.
///
/// Implemented by every source (a copy of a live process, a core file, own memory) and by the tests'
/// heap builder. The walk is generic over it, never `dyn`: the common case is a bounds check and a
/// slice.
pub trait Memory {
    /// `len` bytes at `addr`, or `None` if any of them is not there. Borrowed from the source where
    /// they lie together, else copied into `scratch`.
    fn bytes<'a>(&'a self, addr: Addr, len: usize, scratch: &'a mut Vec<u8>) -> Option<&'a [u8]>;

    /// Where objects can live: private memory, sorted by address, not overlapping.
    fn regions(&self) -> &[Region];

    /// Whether the program has all these bytes, be they in memory or not. A source that does not know says
    /// yes.
    fn is_mapped(&self, start: Addr, len: u64) -> bool {
        let _ = (start, len);
        true
    }

    /// A hint that the bytes at `addr` are wanted soon.
    #[inline]
    fn prefetch(&self, addr: Addr) {
        let _ = addr;
    }

    /// A word that may not be there, although the block behind it is: what an allocator may keep in
    /// front of it. Only a source that reads without looking tells it from [`Memory::word`].
    #[inline]
    fn doubtful_word(&self, addr: Addr) -> Option<u64> {
        self.word(addr)
    }

    /// A word at an address of which nothing is known. As before, others need not tell.
    #[inline]
    fn unknown_word(&self, addr: Addr) -> Option<u64> {
        self.word(addr)
    }

    /// A few bytes, copied.
    #[inline]
    fn array<const N: usize>(&self, addr: Addr) -> Option<[u8; N]> {
        let mut scratch = Vec::new();
        self.bytes(addr, N, &mut scratch)?.first_chunk().copied()
    }

    /// One aligned or unaligned 64-bit word.
    #[inline]
    fn word(&self, addr: Addr) -> Option<u64> {
        self.array(addr).map(u64::from_le_bytes)
    }
}

/// One range of memory in which objects can live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// First byte.
    pub start: Addr,
    /// One past the last byte.
    pub end: Addr,
    /// What sort of memory.
    pub kind: RegionKind,
}

/// The sorts of memory that can hold objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegionKind {
    /// Heaps, maps and stacks. Objects there are 16-aligned: every allocator CPython uses is.
    Anonymous,
    /// Data of a program file or shared library, by its number in the source's list of images.
    /// Static objects there are 8-aligned.
    Image(u32),
}

/// The little-endian 64-bit word at `offset` of fetched bytes; 0 past their end.
#[inline]
pub(crate) fn u64_at(bytes: &[u8], offset: u64) -> u64 {
    let rest = bytes.get(offset as usize..);
    rest.and_then(<[u8]>::first_chunk).map_or(0, |word| u64::from_le_bytes(*word))
}

/// The same for 32 bits.
#[inline]
pub(crate) fn u32_at(bytes: &[u8], offset: u64) -> u32 {
    let rest = bytes.get(offset as usize..);
    rest.and_then(<[u8]>::first_chunk).map_or(0, |word| u32::from_le_bytes(*word))
}

/// The same for one byte.
#[inline]
pub(crate) fn u8_at(bytes: &[u8], offset: u64) -> u8 {
    bytes.get(offset as usize).copied().unwrap_or(0)
}

/// The same for a pointer.
#[inline]
pub(crate) fn addr_at(bytes: &[u8], offset: u64) -> Addr {
    Addr(u64_at(bytes, offset))
}

/// A NUL-terminated string of at most `limit` bytes.
pub(crate) fn c_string<M: Memory>(memory: &M, addr: Addr, limit: usize) -> Option<String> {
    let mut text = Vec::new();
    let mut scratch = Vec::new();
    // In steps, because the string may end just before memory that is not there.
    while text.len() < limit {
        let step = 16 - ((addr.0 + text.len() as u64) % 16) as usize;
        let bytes = memory.bytes(addr + text.len() as u64, step, &mut scratch)?;
        match bytes.iter().position(|&byte| byte == 0) {
            Some(end) => {
                text.extend_from_slice(&bytes[..end]);
                return Some(String::from_utf8_lossy(&text).into_owned());
            }
            None => text.extend_from_slice(bytes),
        }
    }
    None
}
