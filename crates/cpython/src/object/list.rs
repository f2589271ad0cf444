//! `list` (Objects/listobject.c): an array of its own, with spare slots.

use deadweight_heap::{Addr, EdgeKind};

use super::{Context, Grounds, Sizes, Visitor, pointers, size_at};
use crate::layout::OB_SIZE;
use crate::memory::{Memory, addr_at};
use crate::types::TypeInfo;

/// `sizeof(PyListObject)`, in every version.
const SIZE: usize = 40;

pub(super) fn decode<M: Memory, V: Visitor>(
    cx: &Context<'_, M>,
    info: &TypeInfo,
    addr: Addr,
    visitor: &mut V,
) -> Option<Sizes> {
    let l = &cx.layout.list;
    let body = &cx.memory.array::<SIZE>(addr)?;
    let items = addr_at(body, l.items);
    // While list.sort() runs, the list looks empty and its array hangs on the C stack.
    let allocated = size_at(body, l.allocated);
    let length = size_at(body, OB_SIZE).min(allocated);
    let buffer = allocated.saturating_mul(8);
    if !items.is_null() && visitor.buffer(items, buffer) {
        pointers(cx, items, length, EdgeKind::Item, Grounds::Visible, visitor);
    }
    let sizeof = info.basic_size.saturating_add(if items.is_null() { 0 } else { buffer });
    Some(Sizes { body: info.basic_size, sizeof })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::of_minor;

    #[test]
    fn a_list_has_all_its_fields() {
        for layout in (10..=15).filter_map(of_minor) {
            let last = layout.list.items.max(layout.list.allocated);
            assert_eq!(last + 8, SIZE as u64, "3.{}", layout.minor);
        }
    }
}
