//! `int` (Objects/longobject.c): digits of 30 bits in place. `Decimal`: words apart when long.

use deadweight_heap::Addr;

use super::{Context, Sizes, Visitor, size_at};
use crate::layout::{IntSize, Layout, OB_SIZE};
use crate::memory::{Memory, addr_at, u8_at, u32_at};
use crate::types::TypeInfo;

const DIGIT: u64 = 4;
const DIGIT_BITS: u32 = 30;

fn digits<M: Memory>(memory: &M, layout: &Layout, addr: Addr) -> Option<(u64, bool)> {
    let word = memory.word(addr + OB_SIZE)?;
    Some(match layout.int.size {
        IntSize::VarSize => (word.cast_signed().unsigned_abs(), word.cast_signed() < 0),
        IntSize::Tag { shift } => (word >> shift, word & 3 == 2),
    })
}

pub(super) fn decode<M: Memory>(cx: &Context<'_, M>, info: &TypeInfo, addr: Addr) -> Option<Sizes> {
    let (digits, _) = digits(cx.memory, cx.layout, addr)?;
    // From 3.11 on every int has room for one digit, and `__sizeof__` counts it.
    let least = u64::from(cx.layout.minor >= 11);
    let digits_size = digits.max(least).checked_mul(DIGIT)?;
    // Before 3.12 `__sizeof__` ignores what a subclass added to the struct.
    let start = if cx.layout.minor < 12 { cx.layout.int.digits } else { info.basic_size };
    let sizeof = start.checked_add(digits_size)?;
    if !info.python && info.basic_size > cx.layout.int.digits {
        // `bool` before 3.12: its basic size is the whole struct, the one digit included.
        return Some(Sizes { body: info.basic_size, sizeof });
    }
    let body = info.basic_size.checked_add(digits_size)?;
    if info.python {
        // PyType_GenericAlloc adds a digit as a sentinel and rounds.
        return Some(Sizes { body: body.checked_add(DIGIT)?.checked_next_multiple_of(8)?, sizeof });
    }
    // From 3.11 on ints of one digit are made by _PyLong_FromMedium, which asks for the whole struct
    // with its padding.
    let padded = cx.layout.minor >= 11 && digits <= 1;
    Some(Sizes { body: if padded { body.next_multiple_of(8) } else { body }, sizeof })
}

/// The value of a small int.
pub(crate) fn small<M: Memory>(memory: &M, layout: &Layout, addr: Addr) -> Option<i64> {
    let (digits, negative) = digits(memory, layout, addr)?;
    if digits > 2 {
        return None;
    }
    let mut scratch = Vec::new();
    let bytes = memory.bytes(addr + layout.int.digits, (digits * DIGIT) as usize, &mut scratch)?;
    let mut value = 0_i64;
    for digit in (0..digits).rev() {
        value = value << DIGIT_BITS | i64::from(u32_at(bytes, digit * DIGIT));
    }
    Some(if negative { -value } else { value })
}

/// `decimal.Decimal` (Modules/_decimal/_decimal.c): an `mpd_t` whose words stand in the object until
/// there are more than four.
pub(super) fn decimal<M: Memory, V: Visitor>(
    cx: &Context<'_, M>,
    info: &TypeInfo,
    addr: Addr,
    visitor: &mut V,
) -> Option<Sizes> {
    /// `mpd_t` at 24: flags, exp, digits, len, alloc, data.
    const FLAGS: u64 = 24;
    const ALLOC: u64 = 56;
    const DATA: u64 = 64;
    /// `MPD_STATIC_DATA`: the words are the object's own.
    const STATIC_DATA: u8 = 0x20;
    let mut scratch = Vec::new();
    let body = cx.memory.bytes(addr, (DATA + 8) as usize, &mut scratch)?;
    let mut sizes = Sizes::same(info.basic_size);
    if u8_at(body, FLAGS) & STATIC_DATA == 0 {
        let size = size_at(body, ALLOC).checked_mul(8)?;
        visitor.buffer(addr_at(body, DATA), size);
        sizes.sizeof = sizes.sizeof.checked_add(size)?;
    }
    Some(sizes)
}
