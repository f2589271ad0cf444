//! Objects without references: `None`, `int`, `float`, `str`, `bytes`.

use super::Image;
use super::model::Obj;
use super::numbers::Python;

/// How a `str` stores its characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum StrKind {
    Ascii,
    Latin1,
    Ucs2,
    Ucs4,
}

impl StrKind {
    fn of(text: &str) -> StrKind {
        match text.chars().max().map_or(0, u32::from) {
            0..0x80 => StrKind::Ascii,
            0x80..0x100 => StrKind::Latin1,
            0x100..0x1_0000 => StrKind::Ucs2,
            _ => StrKind::Ucs4,
        }
    }

    /// `PyUnicode_1BYTE_KIND` and so on.
    fn width(self) -> u64 {
        match self {
            StrKind::Ascii | StrKind::Latin1 => 1,
            StrKind::Ucs2 => 2,
            StrKind::Ucs4 => 4,
        }
    }
}

impl Image {
    pub(crate) fn none(&self) -> Obj {
        self.none
    }

    /// An int of at most two digits. -5 to 256 are the interpreter's own.
    pub(crate) fn int(&mut self, value: i64) -> Obj {
        if let Some(&known) = self.ints.get(&value) {
            return known;
        }
        let magnitude = value.unsigned_abs();
        assert!(magnitude < 1 << 60, "two digits of 30 bits");
        let digits: Vec<u32> = match magnitude {
            0 => vec![],
            1..0x4000_0000 => vec![magnitude as u32],
            _ => vec![magnitude as u32 & 0x3fff_ffff, (magnitude >> 30) as u32],
        };
        let cached = (-5..=256).contains(&value);
        let object = self.int_of(&digits, value < 0, cached && self.since(Python::V3_11));
        if cached {
            self.ints.insert(value, object);
            if self.python == Python::V3_10 {
                self.cache_int(value, object);
            }
        }
        object
    }

    /// An int of many digits.
    pub(crate) fn big_int(&mut self, digits: usize) -> Obj {
        self.int_of(&vec![0x3fff_ffff; digits], false, false)
    }

    fn int_of(&mut self, digits: &[u32], negative: bool, is_static: bool) -> Obj {
        let count = digits.len() as u64;
        // From 3.11 on there is room for one digit at least, and then for the struct's padding, as
        // tracemalloc records it.
        let small = self.since(Python::V3_11) && count <= 1;
        let size = if small { 32 } else { 24 + 4 * count };
        let int = self.core.int;
        let object = if is_static { self.static_object(int, size) } else { self.object(int, size) };
        let at = self.address(object);
        let word = if self.since(Python::V3_12) {
            // longintrepr.h: `lv_tag`, the sign in its low two bits.
            let sign = if count == 0 { 1 } else { u64::from(negative) * 2 };
            count << 3 | sign
        } else if negative {
            count.wrapping_neg()
        } else {
            count
        };
        self.memory.put_word(at + 16, word);
        for (index, &digit) in (0..).zip(digits) {
            self.memory.put_int(at + 24 + index * 4, digit);
        }
        object
    }

    pub(crate) fn float(&mut self, value: f64) -> Obj {
        let object = self.object(self.core.float, 24);
        self.memory.put_word(self.address(object) + 16, value.to_bits());
        object
    }

    /// Text that is used as a name: made once.
    pub(crate) fn name(&mut self, text: &str) -> Obj {
        if let Some(&known) = self.names.get(text) {
            return known;
        }
        let object = self.str(text);
        self.names.insert(text.to_string(), object);
        object
    }

    pub(crate) fn str(&mut self, text: &str) -> Obj {
        let kind = StrKind::of(text);
        let length = text.chars().count() as u64;
        let header =
            if kind == StrKind::Ascii { self.numbers.str_ascii } else { self.numbers.str_compact };
        let object = self.object(self.core.str, header + (length + 1) * kind.width());
        let at = self.address(object);
        self.write_str_head(object, length, kind, true);
        self.write_characters(at + header, text, kind);
        self.objects[object.0].text = Some(text.to_string());
        object
    }

    /// A `str` that keeps its UTF-8 form too, once somebody asked for it.
    pub(crate) fn str_with_utf8(&mut self, text: &str) -> Obj {
        assert!(!text.is_ascii(), "ASCII is its own UTF-8");
        let object = self.str(text);
        let bytes = self.blocks.allocate(&mut self.memory, text.len() as u64 + 1);
        self.memory.put(bytes.start, text.as_bytes());
        let at = self.address(object);
        self.memory.put_word(at + self.numbers.str_utf8, bytes.start);
        self.memory.put_word(at + self.numbers.str_utf8_length, text.len() as u64);
        self.objects[object.0].blocks.push(bytes);
        object
    }

    /// A `str` of a class derived from it: the characters lie apart (`unicode_subtype_new`).
    pub(crate) fn str_apart(&mut self, class: Obj, text: &str) -> Obj {
        let kind = StrKind::of(text);
        let length = text.chars().count() as u64;
        let object = self.object(class, self.types[&class].basic);
        self.write_str_head(object, length, kind, false);
        let data = self.blocks.allocate(&mut self.memory, (length + 1) * kind.width());
        self.write_characters(data.start, text, kind);
        let at = self.address(object);
        self.memory.put_word(at + self.numbers.str_data, data.start);
        if kind == StrKind::Ascii {
            // The UTF-8 form is the characters themselves.
            self.memory.put_word(at + self.numbers.str_utf8, data.start);
            self.memory.put_word(at + self.numbers.str_utf8_length, length);
        }
        let row = &mut self.objects[object.0];
        row.blocks.push(data);
        row.text = Some(text.to_string());
        object
    }

    fn write_str_head(&mut self, object: Obj, length: u64, kind: StrKind, compact: bool) {
        let at = self.address(object);
        // unicodeobject.h: interned:2, kind:3, compact:1, ascii:1, before 3.12 ready:1.
        let mut state = kind.width() << 2 | u64::from(compact) << 5;
        state |= u64::from(kind == StrKind::Ascii) << 6;
        if !self.since(Python::V3_12) {
            state |= 1 << 7;
        }
        self.memory.put_words(at + 16, &[length, u64::MAX]);
        self.memory.put_int(at + 32, state as u32);
    }

    fn write_characters(&mut self, at: u64, text: &str, kind: StrKind) {
        let width = kind.width() as usize;
        let bytes: Vec<u8> = text
            .chars()
            .flat_map(|character| u32::from(character).to_le_bytes().into_iter().take(width))
            .collect();
        self.memory.put(at, &bytes);
    }

    pub(crate) fn bytes(&mut self, contents: &[u8]) -> Obj {
        // `PyBytesObject_SIZE`: up to the first byte, and a terminator.
        let object = self.object(self.core.bytes, 33 + contents.len() as u64);
        let at = self.address(object);
        self.memory.put_words(at + 16, &[contents.len() as u64, u64::MAX]);
        self.memory.put(at + 32, contents);
        object
    }
}
