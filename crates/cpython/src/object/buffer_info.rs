//! Shapes and formats that a NumPy array, or a `numpy.void`, keeps of each kind of view that was asked of
//! it, until it dies itself (`_buffer_info_t`, numpy/_core/src/multiarray/buffer.c, 1.20 and later).

use deadweight_heap::Addr;

use super::{Context, Visitor};
use crate::chain::Chain;
use crate::memory::{Memory, addr_at, c_string, u32_at};

const FORMAT: u64 = 0;
const DIMENSIONS_COUNT: u64 = 8;
const NEXT: u64 = 32;
const SIZE: u64 = 40;
/// What the address in the array is marked with. Another struct may have something else in that place.
const TAG: u64 = 3;
/// `_tmp_string_t`: a format has room for so many bytes, or for twice as many, or for twice as many again ...
const LEAST_FORMAT: u64 = 16;
const LONGEST_FORMAT: usize = 1 << 16;

pub(super) fn kept<M: Memory, V: Visitor>(
    cx: &Context<'_, M>,
    tagged: Addr,
    most_dimensions: u64,
    visitor: &mut V,
) {
    if tagged.0 % 8 != TAG {
        return;
    }
    let mut chain = Chain::new();
    let mut at = Addr(tagged.0 - TAG);
    let mut scratch = Vec::new();
    while chain.goes_on(at) {
        let Some(info) = cx.memory.bytes(at, SIZE as usize, &mut scratch) else {
            visitor.unreadable();
            return;
        };
        let dimensions = u64::from(u32_at(info, DIMENSIONS_COUNT)).min(most_dimensions);
        if !visitor.buffer(at, SIZE + dimensions * 16) {
            return;
        }
        let format = addr_at(info, FORMAT);
        at = addr_at(info, NEXT);
        if let Some(text) = c_string(cx.memory, format, LONGEST_FORMAT) {
            let length = text.len() as u64 + 1;
            visitor.buffer(format, length.next_power_of_two().max(LEAST_FORMAT));
        }
    }
}
