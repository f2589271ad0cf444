//! `dict` and its keys tables (Objects/dictobject.c): one of its own, or one shared by instances.

use deadweight_heap::EdgeKind;

use super::Image;
use super::blocks::Block;
use super::model::{Label, Obj, Sight};
use super::numbers::Python;

/// `dk_kind` (`internal/pycore_dict.h`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    General = 0,
    Text = 1,
    Split = 2,
}

/// A keys table that was written.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    pub(crate) block: Block,
    /// The first entry, the bytes of an entry, and where in it the key stands.
    entries: u64,
    entry_size: u64,
    key_at: u64,
    /// How many values an instance has room for: `dk_usable` and `dk_nentries` together.
    pub(crate) room: u64,
    pub(crate) names: Vec<Obj>,
    users: u64,
}

/// A keys table, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeysId(pub(crate) usize);

impl Image {
    pub(crate) fn dict(&mut self, entries: &[(Obj, Obj)]) -> Obj {
        let keys: Vec<Option<Obj>> = entries.iter().map(|&(key, _)| Some(key)).collect();
        let object = self.dict_of(&keys);
        for (place, &(_, value)) in entries.iter().enumerate() {
            self.put(object, place, value);
        }
        object
    }

    /// A dict whose keys are names: of a module, a type, a function's globals, a thread.
    pub(crate) fn namespace(&mut self, entries: &[(&str, Obj)]) -> Obj {
        let named: Vec<(Obj, Obj)> =
            entries.iter().map(|&(name, value)| (self.name(name), value)).collect();
        let object = self.dict(&named);
        self.objects[object.0].namespace = true;
        object
    }

    /// A dict of these keys with a place for each value; `None` where an entry was deleted.
    pub(crate) fn dict_of(&mut self, keys: &[Option<Obj>]) -> Obj {
        let object = self.object(self.core.dict, 48);
        self.fill_dict(object, keys);
        object
    }

    /// The table behind a dict, also one of a derived class.
    pub(crate) fn fill_dict(&mut self, object: Obj, keys: &[Option<Obj>]) {
        let is_text = |key: &Obj| self.objects[key.0].type_of == self.core.str;
        let text = keys.iter().flatten().all(is_text);
        let kind = if text { Kind::Text } else { Kind::General };
        let table = self.write_keys(kind, keys.len() as u64);
        let sight = if text { Sight::Hidden } else { Sight::Visible };
        for (index, key) in (0..).zip(keys) {
            let Some(key) = *key else { continue };
            let at = table.entries + index * table.entry_size + table.key_at;
            self.refer(object, at, Label::At(EdgeKind::Key, index), sight, key);
            self.add_place(object, at + 8, Label::Value { index, key }, Sight::Visible);
        }
        let used = keys.iter().flatten().count() as u64;
        let at = self.address(object);
        self.memory.put_words(at + 16, &[used, 0, table.block.start, 0]);
        self.objects[object.0].blocks.push(table.block);
    }

    /// A table that instances of a class share. Its names belong to whoever keeps it.
    pub(crate) fn shared_keys(&mut self, names: &[&str]) -> KeysId {
        let mut keys = self.write_keys(Kind::Split, names.len() as u64);
        for (index, name) in (0..).zip(names) {
            let name = self.name(name);
            let at = keys.entries + index * keys.entry_size + keys.key_at;
            self.memory.put_word(at, self.address(name));
            keys.names.push(name);
        }
        self.keys.push(keys);
        KeysId(self.keys.len() - 1)
    }

    /// Makes an object the owner of a shared table and its names.
    pub(crate) fn own_keys(&mut self, owner: Obj, id: KeysId) {
        let keys = self.keys[id.0].clone();
        self.objects[owner.0].blocks.push(keys.block);
        for (index, &name) in (0..).zip(&keys.names) {
            let at = keys.entries + index * keys.entry_size + keys.key_at;
            let label = Label::At(EdgeKind::Key, index);
            self.refer(owner, at, label, Sight::Hidden, name);
        }
        self.use_keys(id);
    }

    /// One more reference to a shared table.
    fn use_keys(&mut self, id: KeysId) {
        let keys = &mut self.keys[id.0];
        keys.users += 1;
        self.memory.put_word(keys.block.start, keys.users);
    }

    /// A block of values for a shared table, with places in `owner`; returns where the values begin.
    pub(crate) fn values_block(&mut self, owner: Obj, id: KeysId) -> u64 {
        let room = self.keys[id.0].room;
        let (block, values) = if self.since(Python::V3_13) {
            let size = Image::values_size(room);
            let block = self.blocks.allocate(&mut self.memory, size);
            self.memory.put(block.start, &[room as u8, self.used(id), 0, 1]);
            (block, block.start + 8)
        } else if self.since(Python::V3_11) {
            // `new_values`: a prefix with the order of insertion, how many, and its own length.
            let prefix = (room + 2).next_multiple_of(8);
            let block = self.blocks.allocate(&mut self.memory, prefix + room * 8);
            let values = block.start + prefix;
            self.memory.put(values - 2, &[self.used(id), prefix as u8]);
            (block, values)
        } else {
            let block = self.blocks.allocate(&mut self.memory, room * 8);
            (block, block.start)
        };
        self.objects[owner.0].blocks.push(block);
        self.value_places(owner, id, values);
        values
    }

    /// Bytes of values with header and order of insertion (3.13+, `_PyInlineValuesSize`).
    pub(crate) fn values_size(room: u64) -> u64 {
        8 + room * 8 + room.next_multiple_of(8)
    }

    fn used(&self, id: KeysId) -> u8 {
        self.keys[id.0].names.len() as u8
    }

    /// Places for the values of a shared table, wherever they lie.
    pub(crate) fn value_places(&mut self, owner: Obj, id: KeysId, values: u64) {
        let names = self.keys[id.0].names.clone();
        for (index, name) in (0..).zip(names) {
            let name = self.objects[name.0].text.clone().unwrap_or_default();
            let label = Label::attribute(&name);
            self.add_place(owner, values + index * 8, label, Sight::Visible);
        }
    }

    /// A dict over a shared table whose values lie at `values`: its own block, or an instance.
    pub(crate) fn split_dict(&mut self, id: KeysId, values: Option<u64>) -> Obj {
        let object = self.object(self.core.dict, 48);
        let values = match values {
            Some(inside) => inside,
            None => self.values_block(object, id),
        };
        self.use_keys(id);
        let table = self.keys[id.0].block.start;
        // From 3.13 on the pointer leads to the header before the values.
        let pointer = if self.since(Python::V3_13) { values - 8 } else { values };
        let used = u64::from(self.used(id));
        let at = self.address(object);
        self.memory.put_words(at + 16, &[used, 0, table, pointer]);
        self.objects[object.0].namespace = true;
        object
    }

    /// A split dict whose table nobody shares any more: table and names are its own.
    pub(crate) fn orphan_dict(&mut self, entries: &[(&str, Obj)]) -> Obj {
        let names: Vec<&str> = entries.iter().map(|&(name, _)| name).collect();
        let id = self.shared_keys(&names);
        let object = self.split_dict(id, None);
        for (place, &(_, value)) in entries.iter().enumerate() {
            self.put(object, place, value);
        }
        self.keys[id.0].users = 0;
        self.own_keys(object, id);
        object
    }

    /// `new_keys_object`: entries without keys or values.
    fn write_keys(&mut self, kind: Kind, entries: u64) -> Keys {
        let old = !self.since(Python::V3_11);
        let shared = kind == Kind::Split && !old;
        // Eight slots at least, 64 for classes (`NEXT_LOG2_SHARED_KEYS_MAX_SIZE`).
        let mut log2 = if shared { 6 } else { 3 };
        while ((1_u64 << log2) << 1) / 3 < entries {
            log2 += 1;
        }
        let slots = 1_u64 << log2;
        // `USABLE_FRACTION`: two thirds of the slots.
        let fraction = (slots << 1) / 3;
        let room = match (shared, self.since(Python::V3_13)) {
            (false, _) => fraction,
            // `SHARED_KEYS_MAX_SIZE`; 3.13 counts the attributes that methods set, here two more.
            (true, false) => 30,
            (true, true) => entries + 2,
        };
        let index_bytes = match log2 {
            0..8 => 1,
            8..16 => 2,
            _ => 4,
        };
        let (header, entry_size) = match (old, kind) {
            (true, _) => (40, 24),
            (false, Kind::General) => (32, 24),
            (false, Kind::Text | Kind::Split) => (32, 16),
        };
        let indices = slots * index_bytes;
        let size = header + indices + fraction * entry_size;
        let block = self.blocks.allocate(&mut self.memory, size);
        self.memory.zero(block.start, size);
        self.memory.put_word(block.start, 1);
        let usable = room - entries;
        if old {
            let lookup = self.areas[0].range.start + 0x100 * (kind as u64 + 1);
            self.memory.put_words(block.start + 8, &[slots, lookup, usable, entries]);
        } else {
            let log2_index_bytes = log2 + index_bytes.trailing_zeros();
            let bytes = [log2 as u8, log2_index_bytes as u8, kind as u8, 0];
            self.memory.put(block.start + 8, &bytes);
            self.memory.put_words(block.start + 16, &[usable, entries]);
        }
        // `DKIX_EMPTY` everywhere: nobody here looks a key up by its hash.
        self.memory.put(block.start + header, &vec![0xff; indices as usize]);
        let entries_at = block.start + header + indices;
        let (names, key_at) = (Vec::new(), entry_size - 16);
        Keys { block, entries: entries_at, entry_size, key_at, room, names, users: 0 }
    }
}
