//! Reading the target's `str` objects as text.

use deadweight_heap::Addr;

use crate::layout::{Layout, of_minor};
use crate::memory::{Memory, addr_at, u32_at, u64_at};
use crate::version::Version;

/// Names longer than this are cut: they are for people to read.
const LONGEST: u64 = 1000;

/// How a `str` object stores its characters (unicodeobject.h).
#[derive(Clone, Copy, Debug)]
pub(crate) struct StrShape {
    pub(crate) length: u64,
    /// Bytes a character: 1, 2 or 4; 0 for 3.10's strings that are not ready.
    pub(crate) kind: u64,
    pub(crate) compact: bool,
    pub(crate) ascii: bool,
}

impl StrShape {
    /// From the object's fetched bytes (at least the ASCII header).
    pub(crate) fn of(layout: &Layout, body: &[u8]) -> StrShape {
        let l = &layout.str;
        let state = u64::from(u32_at(body, l.state));
        let kind_shift = l.kind_mask.trailing_zeros();
        StrShape {
            length: u64_at(body, l.length),
            kind: (state & l.kind_mask) >> kind_shift,
            compact: state & l.compact_mask != 0,
            ascii: state & l.ascii_mask != 0,
        }
    }

    /// Bytes of the object's own block: its header, and its characters if they follow it.
    pub(crate) fn body_size(self, layout: &Layout) -> u64 {
        let header = match (self.compact, self.ascii) {
            (true, true) => layout.str.ascii_size,
            (true, false) => layout.str.compact_size,
            (false, _) => return layout.str.legacy_size,
        };
        header.saturating_add(self.data_size())
    }

    /// Bytes of the characters with their terminator.
    pub(crate) fn data_size(self) -> u64 {
        self.length.saturating_add(1).saturating_mul(self.kind)
    }
}

/// How a `str` object says that its characters are ASCII and follow its head: all bits of `mask` are set
/// in the 32 bits at `offset`.
#[derive(Clone, Copy, Debug)]
pub struct AsciiMark {
    /// From the beginning of the object.
    pub offset: usize,
    /// Bits of the state word.
    pub mask: u32,
}

impl AsciiMark {
    /// In that version, if it is one we know.
    #[must_use]
    pub fn of(version: Version) -> Option<AsciiMark> {
        let str = of_minor(version.minor).filter(|_| version.major == 3)?.str;
        let mask = u32::try_from(str.compact_mask | str.ascii_mask).ok()?;
        Some(AsciiMark { offset: str.state as usize, mask })
    }
}

/// The text of a `str` object, cut after a thousand characters.
pub(crate) fn read<M: Memory>(memory: &M, layout: &Layout, addr: Addr) -> Option<String> {
    let l = &layout.str;
    let mut scratch = Vec::new();
    let body = memory.bytes(addr, l.ascii_size as usize, &mut scratch)?;
    let shape = StrShape::of(layout, body);
    let data = match (shape.compact, shape.ascii) {
        (true, true) => addr + l.ascii_size,
        (true, false) => addr + l.compact_size,
        (false, _) => Addr(memory.word(addr + l.data)?),
    };
    let length = shape.length.min(LONGEST);
    let width = shape.kind;
    if !matches!(width, 1 | 2 | 4) {
        return None;
    }
    let mut scratch = Vec::new();
    let bytes = memory.bytes(data, (length * width) as usize, &mut scratch)?;
    let character = |code: u32| char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
    Some(match width {
        1 if shape.ascii => String::from_utf8_lossy(bytes).into_owned(),
        1 => bytes.iter().map(|&byte| char::from(byte)).collect(),
        2 => bytes
            .chunks_exact(2)
            .map(|pair| character(u32::from(pair[0]) | u32::from(pair[1]) << 8))
            .collect(),
        _ => bytes.chunks_exact(4).map(|four| character(u32_at(four, 0))).collect(),
    })
}

/// The text behind a field that holds a `str`; `None` for null and for anything that is no `str`.
pub(crate) fn field<M: Memory>(
    memory: &M,
    layout: &Layout,
    body: &[u8],
    offset: u64,
) -> Option<String> {
    let addr = addr_at(body, offset);
    if addr.is_null() {
        return None;
    }
    read_str(memory, layout, addr)
}

/// The same for an object that may be anything: `None` unless its type derives from `str`.
pub(crate) fn read_str<M: Memory>(memory: &M, layout: &Layout, addr: Addr) -> Option<String> {
    let type_addr = memory.word(addr + crate::layout::OB_TYPE)?;
    let flags = memory.word(Addr(type_addr) + layout.type_.flags)?;
    if flags & crate::types::flag::UNICODE_SUBCLASS == 0 {
        return None;
    }
    read(memory, layout, addr)
}
