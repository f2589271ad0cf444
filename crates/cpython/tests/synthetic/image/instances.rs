//! Instances of classes, wherever a version keeps their attributes.
//!
//! 3.10: a dict behind a pointer in the object. 3.11: values behind a pointer in front of it. 3.12: the
//! same, the pointer tagged. 3.13: values in the object's own block. From 3.11 on a dict is made only
//! when somebody asks for it.

use deadweight_heap::EdgeKind;

use super::Image;
use super::dicts::KeysId;
use super::model::{Label, Obj, Sight};
use super::numbers::Python;
use super::types::flag;

impl Image {
    /// An instance of a class, with some of the attributes the class knows.
    pub(crate) fn instance(&mut self, class: Obj, attributes: &[(&str, Obj)]) -> Obj {
        let (object, holder) = self.blank_instance(class);
        self.set_attributes(holder, attributes);
        object
    }

    /// An instance whose attributes are places to be filled, and who has the places: itself, or its
    /// dict.
    pub(crate) fn blank_instance(&mut self, class: Obj) -> (Obj, Obj) {
        let object = self.bare_instance(class);
        let holder = self.attach_values(object, class);
        (object, holder)
    }

    /// An instance somebody asked for its `__dict__`: the values are the dict's, wherever they lie.
    pub(crate) fn instance_with_dict(&mut self, class: Obj, attributes: &[(&str, Obj)]) -> Obj {
        let object = self.bare_instance(class);
        let keys = self.keys_of(class);
        let inline = self.types[&class].has(flag::INLINE_VALUES);
        let values = inline.then(|| self.live_values(object, class));
        let dict = self.split_dict(keys, values);
        if let Some(values) = values {
            self.value_places(dict, keys, values);
        }
        self.point_to_dict(object, class, dict);
        self.set_attributes(dict, attributes);
        object
    }

    /// An instance whose attributes outgrew the class's table: a dict of its own.
    pub(crate) fn instance_with_own_dict(&mut self, class: Obj, attributes: &[(&str, Obj)]) -> Obj {
        let object = self.bare_instance(class);
        let dict = self.namespace(attributes);
        self.point_to_dict(object, class, dict);
        object
    }

    /// An instance of a class with `__slots__`.
    pub(crate) fn slotted_instance(&mut self, class: Obj, slots: &[(&str, Option<Obj>)]) -> Obj {
        let object = self.object(class, self.types[&class].basic);
        let at = self.address(object);
        for (place, &(name, target)) in slots.iter().enumerate() {
            let at = at + 16 + place as u64 * 8;
            self.add_place(object, at, Label::attribute(name), Sight::Visible);
            if let Some(target) = target {
                self.put(object, place, target);
            }
        }
        object
    }

    /// An instance of a class over `list`, `tuple`, `dict` or `set`: the caller fills the C part.
    pub(crate) fn derived_instance(&mut self, class: Obj, items: usize) -> Obj {
        let info = &self.types[&class];
        let (basic, item) = (info.basic, info.item);
        // `PyType_GenericAlloc`: one item more than asked for where there are items.
        let body =
            if item == 0 { basic } else { (basic + (items as u64 + 1) * item).next_multiple_of(8) };
        let object = self.object(class, body);
        if item != 0 {
            self.memory.put_word(self.address(object) + 16, items as u64);
        }
        object
    }

    /// An instance of a C type: words that hold references, by offset. What the type's members do not
    /// name can only be guessed.
    pub(crate) fn native_instance(&mut self, class: Obj, fields: &[(u64, Obj)]) -> Obj {
        let info = self.types[&class].clone();
        let object = self.object(class, info.basic);
        let at = self.address(object);
        let sight = if info.has_gc() { Sight::Visible } else { Sight::Hidden };
        for &(offset, target) in fields {
            let member = info.members.iter().find(|(_, member)| *member == offset);
            let (label, sight) = match member {
                Some((name, _)) => (Label::attribute(name), sight),
                None => (Label::At(EdgeKind::Field, offset), Sight::Guessed),
            };
            self.refer(object, at + offset, label, sight, target);
        }
        object
    }

    /// Gives an object its `__dict__`.
    pub(crate) fn point_to_dict(&mut self, object: Obj, class: Obj, dict: Obj) {
        let info = self.types[&class].clone();
        let at = self.address(object);
        let place = match self.python {
            Python::V3_10 if info.dict_offset > 0 => at + info.dict_offset.cast_unsigned(),
            Python::V3_10 => {
                // `_PyObject_GetDictPtr`: from the end of the object with its items.
                let length = self.memory.word(at + 16).cast_signed().unsigned_abs();
                let size = (info.basic + length * info.item).next_multiple_of(8);
                (at + size).wrapping_add_signed(info.dict_offset)
            }
            _ => at - 24,
        };
        self.refer(object, place, Label::attribute("__dict__"), Sight::Visible, dict);
    }

    fn keys_of(&self, class: Obj) -> KeysId {
        self.types[&class].keys.expect("a class with a dict has a table of keys")
    }

    /// The block alone: no dict, and inline values, if there are any, dead.
    fn bare_instance(&mut self, class: Obj) -> Obj {
        let info = self.types[&class].clone();
        let mut body = info.basic;
        let mut room = None;
        if info.has(flag::INLINE_VALUES) {
            let values = self.keys[self.keys_of(class).0].room;
            body += Image::values_size(values);
            room = Some(values);
        }
        let object = self.object(class, body);
        if let Some(room) = room {
            let head = self.address(object) + info.basic;
            // capacity, size, embedded, valid.
            self.memory.put(head, &[room as u8, 0, 1, 0]);
        }
        object
    }

    /// Places for the attributes, without a dict where the version can do without one.
    fn attach_values(&mut self, object: Obj, class: Obj) -> Obj {
        let keys = self.keys_of(class);
        let at = self.address(object);
        match self.python {
            Python::V3_10 => {
                let dict = self.split_dict(keys, None);
                self.point_to_dict(object, class, dict);
                return dict;
            }
            Python::V3_11 => {
                let values = self.values_block(object, keys);
                self.memory.put_word(at - 32, values);
            }
            Python::V3_12 => {
                let values = self.values_block(object, keys);
                // pycore_object.h, `_PyDictOrValues_SetValues`.
                self.memory.put_word(at - 24, values - 1);
            }
            _ => {
                self.inline_values(object, class);
            }
        }
        object
    }

    /// Makes the values in an instance's own block live, with places; returns where they begin.
    fn inline_values(&mut self, object: Obj, class: Obj) -> u64 {
        let at = self.live_values(object, class);
        self.value_places(object, self.keys_of(class), at);
        at
    }

    /// Makes the values in an instance's own block live; returns where they begin.
    fn live_values(&mut self, object: Obj, class: Obj) -> u64 {
        let head = self.address(object) + self.types[&class].basic;
        let used = self.keys[self.keys_of(class).0].names.len() as u8;
        self.memory.put(head + 1, &[used, 1, 1]);
        head + 8
    }

    fn set_attributes(&mut self, holder: Obj, attributes: &[(&str, Obj)]) {
        for &(name, target) in attributes {
            let wanted = Label::attribute(name);
            let row = &self.objects[holder.0];
            let slot = row.slots.iter().position(|slot| slot.label == wanted);
            let slot = slot.unwrap_or_else(|| panic!("the class knows no attribute {name}"));
            self.fill(holder, slot, target);
        }
    }
}
