//! `list`, `tuple`, `set`, and the small holders: `cell`, `method`, `weakref`.

use deadweight_heap::EdgeKind;

use super::Image;
use super::model::{Label, Obj, Sight};
use super::numbers::Python;

/// `PySet_MINSIZE`: so many entries lie in the set itself.
const SMALL_TABLE: u64 = 8;

impl Image {
    pub(crate) fn list(&mut self, items: &[Obj]) -> Obj {
        let object = self.list_of(items.len(), items.len());
        self.put_all(object, items);
        object
    }

    /// A list of empty places, with room for more.
    pub(crate) fn list_of(&mut self, length: usize, allocated: usize) -> Obj {
        let object = self.object(self.core.list, 40);
        self.fill_list(object, length, allocated);
        object
    }

    /// The array behind a list, also one of a derived class.
    pub(crate) fn fill_list(&mut self, object: Obj, length: usize, allocated: usize) {
        let at = self.address(object);
        let mut array = 0;
        if allocated > 0 {
            let block = self.blocks.allocate(&mut self.memory, allocated as u64 * 8);
            array = block.start;
            self.objects[object.0].blocks.push(block);
        }
        self.memory.put_words(at + 16, &[length as u64, array, allocated as u64]);
        for index in 0..length as u64 {
            let label = Label::At(EdgeKind::Item, index);
            self.add_place(object, array + index * 8, label, Sight::Visible);
        }
    }

    pub(crate) fn tuple(&mut self, items: &[Obj]) -> Obj {
        let object = self.tuple_of(items.len());
        self.put_all(object, items);
        object
    }

    pub(crate) fn tuple_of(&mut self, length: usize) -> Obj {
        let size = self.numbers.tuple_items + length as u64 * 8;
        let object = self.object(self.core.tuple, size);
        self.fill_tuple(object, length);
        object
    }

    /// The items of a tuple, also of one of a derived class.
    pub(crate) fn fill_tuple(&mut self, object: Obj, length: usize) {
        let at = self.address(object);
        self.memory.put_word(at + 16, length as u64);
        if self.since(Python::V3_14) {
            // `ob_hash`: not computed yet.
            self.memory.put_word(at + 24, u64::MAX);
        }
        for index in 0..length as u64 {
            let place = at + self.numbers.tuple_items + index * 8;
            self.add_place(object, place, Label::At(EdgeKind::Item, index), Sight::Visible);
        }
    }

    fn put_all(&mut self, object: Obj, items: &[Obj]) {
        for (place, &item) in items.iter().enumerate() {
            self.put(object, place, item);
        }
    }

    pub(crate) fn set(&mut self, items: &[Obj]) -> Obj {
        let object = self.set_of(self.core.set, items.len());
        self.put_all(object, items);
        object
    }

    pub(crate) fn frozenset(&mut self, items: &[Obj]) -> Obj {
        let object = self.set_of(self.core.frozenset, items.len());
        self.put_all(object, items);
        object
    }

    /// A set with places for `length` elements, one removed element, and the rest never used.
    pub(crate) fn set_of(&mut self, type_of: Obj, length: usize) -> Obj {
        let object = self.object(type_of, 200);
        let at = self.address(object);
        let used = length as u64;
        // `set_add_entry`: grows when three fifths are filled; the removed one counts.
        let mut entries = SMALL_TABLE;
        while (used + 1) * 5 >= (entries - 1) * 3 {
            entries *= 2;
        }
        let table = if entries == SMALL_TABLE {
            at + 64
        } else {
            let block = self.blocks.allocate(&mut self.memory, entries * 16);
            self.memory.zero(block.start, entries * 16);
            self.objects[object.0].blocks.push(block);
            block.start
        };
        self.memory.put_words(at + 16, &[used + 1, used, entries - 1, table, u64::MAX, 0]);
        // `dummy`: a static object, marked by the hash that no key has.
        self.memory.put_words(table, &[self.address(self.none), u64::MAX]);
        for index in 1..=used {
            let place = table + index * 16;
            self.memory.put_word(place + 8, index.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            self.add_place(object, place, Label::At(EdgeKind::Key, index), Sight::Visible);
        }
        object
    }

    pub(crate) fn cell(&mut self, contents: Obj) -> Obj {
        let object = self.empty_cell();
        self.put(object, 0, contents);
        object
    }

    pub(crate) fn empty_cell(&mut self) -> Obj {
        let object = self.object(self.core.cell, 24);
        let label = Label::attribute("cell_contents");
        self.add_place(object, self.address(object) + 16, label, Sight::Visible);
        object
    }

    /// A bound method.
    pub(crate) fn method(&mut self, function: Obj, instance: Obj) -> Obj {
        let object = self.object(self.core.method, 48);
        let fields = [(16, "__func__", function), (24, "__self__", instance)];
        self.attributes(object, Sight::Visible, &fields);
        object
    }

    pub(crate) fn weakref(&mut self, referent: Obj) -> Obj {
        let object = self.object(self.core.weakref, self.numbers.weakref_size);
        let label = Label::Named(EdgeKind::Weak, "__referent__".to_string());
        let at = self.address(object) + 16;
        self.refer(object, at, label, Sight::Visible, referent);
        object
    }
}
