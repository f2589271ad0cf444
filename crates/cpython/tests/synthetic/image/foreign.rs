//! Objects of C types with contents that nobody vouches for: for tests that only ask that a reader
//! survives them.

use super::Image;
use super::model::Obj;
use super::types::{Spec, flag};

/// C types whose structs a reader of heaps may know, with about the size of their structs.
const TYPES: [(&str, u64); 43] = [
    ("collections.deque", 232),
    ("collections.OrderedDict", 112),
    ("collections.defaultdict", 56),
    ("array.array", 64),
    ("bytearray", 56),
    ("memoryview", 144),
    ("numpy.ndarray", 96),
    ("numpy.void", 64),
    ("decimal.Decimal", 104),
    ("datetime.datetime", 48),
    ("datetime.time", 40),
    ("functools._lru_cache_wrapper", 176),
    ("functools.partial", 64),
    ("itertools._tee_dataobject", 496),
    ("itertools.combinations", 56),
    ("itertools.permutations", 64),
    ("itertools.product", 48),
    ("_io.BufferedReader", 168),
    ("_io.BytesIO", 72),
    ("_io.StringIO", 136),
    ("_io.TextIOWrapper", 208),
    ("_struct.Struct", 64),
    ("_pickle.Pickler", 144),
    ("_pickle.Unpickler", 304),
    ("xml.etree.ElementTree.Element", 56),
    ("_queue.SimpleQueue", 72),
    ("StgDict", 240),
    ("_ctypes.CType_Type", 1104),
    ("hamt_bitmap_node", 32),
    ("hamt_array_node", 272),
    ("hamt_collision_node", 32),
    ("coroutine", 160),
    ("async_generator", 160),
    ("frame", 160),
    ("code", 216),
    ("type", 944),
    ("OSError", 112),
    ("super", 40),
    ("_asyncio.Task", 200),
    ("re.Match", 64),
    ("Context", 64),
    ("property", 72),
    ("builtin_function_or_method", 64),
];

impl Image {
    /// An object of a C type by its name, every word of which is `word`; items of `item` bytes.
    pub(crate) fn foreign(&mut self, spec: Spec<'_>, word: u64) -> Obj {
        let class = self.native_type(spec, &[]);
        let object = self.object(class, spec.basic.max(32));
        let at = self.address(object);
        for offset in (16..spec.basic.max(32)).step_by(8) {
            self.memory.put_word(at + offset, word);
        }
        object
    }

    /// Two blocks, all words of which lead to each other, so many bytes into them: a ring for whoever
    /// follows links.
    pub(crate) fn ring(&mut self, offset: u64) -> u64 {
        let (first, second) = (self.native_block(&[0; 62]), self.native_block(&[0; 62]));
        self.memory.put_words(first, &[second + offset; 62]);
        self.memory.put_words(second, &[first + offset; 62]);
        first + offset
    }

    /// One object of every C type, filled with the same word; half of them are held by native code
    /// only.
    pub(crate) fn zoo(&mut self, word: u64, basic: Option<u64>) -> Vec<Obj> {
        let mut named = Vec::new();
        for (number, (name, size)) in TYPES.into_iter().enumerate() {
            let flags = if number % 3 == 0 { 0 } else { flag::GC };
            let item = if number % 5 == 0 { 8 } else { 0 };
            let spec = Spec { name, basic: basic.unwrap_or(size), item, flags, ..Spec::default() };
            let object = self.foreign(spec, word);
            if number % 2 == 0 {
                named.push(object);
            } else {
                self.hold_outside(object);
            }
        }
        named
    }
}
