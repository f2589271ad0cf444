//! Families: the C structs that need more than a list of fields to be read.
//!
//! A type belongs to the family of its nearest ancestor made in C; what a Python class adds to it
//! (slots, a dict) is the same for all families.

/// Which decoder reads the C part of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    /// Nothing but fields at fixed places.
    Plain,
    /// Payload that is no reference and must not be mistaken for one.
    Leaf,
    List,
    Tuple,
    Dict,
    OrderedDict,
    Set,
    Str,
    Bytes,
    ByteArray,
    Int,
    Decimal,
    Type,
    /// Metatypes of ctypes (3.13+).
    CType,
    Function,
    Method,
    Code,
    Frame,
    Generator,
    /// Coroutines and async generators: generators with one reference more.
    Coroutine,
    Module,
    Deque,
    Array,
    NdArray,
    /// `numpy.void`: an item of a structured array, or raw bytes.
    NumPyVoid,
    /// `numpy.dtype` and its subclasses, one a kind of item.
    Dtype,
    LruCache,
    /// `threading.local`, and what keeps one thread's part of it alive before 3.13.
    ThreadLocal,
    ThreadLocalDummy,
    TeeData,
    Combinations,
    Permutations,
    Product,
    MemoryView,
    Buffered,
    BytesIo,
    StringIo,
    Struct,
    Pickler,
    Unpickler,
    Element,
    SimpleQueue,
    /// Locks of threads, which are semaphores up to this minor version.
    Lock(u32),
    /// `StgDict`: the dict of ctypes' types before 3.13.
    CTypesDict,
    /// Instances of ctypes' types: they may own the data they describe.
    CTypesData,
    /// References that follow a fixed part, as many as `ob_size` says; from this offset.
    Items(u64),
    /// A fixed number of references: offset and count.
    Row(u64, u64),
    /// `datetime` and `time`: they end before `tzinfo`, at this offset, if they have none.
    Zoned(u64),
}

impl Family {
    /// Whether the C struct holds no reference at all.
    pub(crate) fn is_payload(self) -> bool {
        matches!(
            self,
            Family::Leaf
                | Family::Str
                | Family::Bytes
                | Family::Int
                | Family::Decimal
                | Family::Lock(_)
        )
    }

    /// Whether instances are types themselves.
    pub(crate) fn is_type(self) -> bool {
        matches!(self, Family::Type | Family::CType)
    }

    /// Whether the family's decoder names the attribute dict itself, wherever `tp_dictoffset` points.
    pub(crate) fn has_own_dict(self) -> bool {
        self.is_type()
    }
}

/// The family of a C type, by its `tp_name`.
pub(crate) fn of_name(name: &str) -> Option<Family> {
    Some(match name {
        "object" => Family::Plain,
        "float"
        | "complex"
        | "NoneType"
        | "ellipsis"
        | "NotImplementedType"
        | "datetime.date"
        | "datetime.timedelta"
        | "PyCapsule"
        | "moduledef"
        | "Token.MISSING"
        | "range_iterator"
        | "_random.Random"
        | "EncodingMap"
        | "_contextvars.Token.MISSING"
        | "hamt_MISSING"
        | "_hashlib.HASH"
        | "_sha2.SHA256Type"
        | "zlib.Compress"
        | "unicodedata.UCD"
        | "select.epoll"
        | "mmap.mmap"
        | "_bz2.BZ2Compressor"
        | "_lzma.LZMACompressor" => Family::Leaf,
        "list" => Family::List,
        "tuple" => Family::Tuple,
        "dict" | "frozendict" => Family::Dict,
        "collections.OrderedDict" => Family::OrderedDict,
        "set" | "frozenset" => Family::Set,
        "str" => Family::Str,
        "bytes" => Family::Bytes,
        "bytearray" => Family::ByteArray,
        "int" => Family::Int,
        "datetime.datetime" => Family::Zoned(40),
        "datetime.time" => Family::Zoned(32),
        "decimal.Decimal" => Family::Decimal,
        "type" => Family::Type,
        "_ctypes.CType_Type" | "_ctypes.PyCPointerType" => Family::CType,
        "function" => Family::Function,
        "method" => Family::Method,
        "code" => Family::Code,
        "frame" => Family::Frame,
        "generator" => Family::Generator,
        "coroutine" | "async_generator" => Family::Coroutine,
        "module" => Family::Module,
        "collections.deque" => Family::Deque,
        "array.array" => Family::Array,
        "numpy.ndarray" => Family::NdArray,
        "numpy.void" => Family::NumPyVoid,
        "numpy.dtype" => Family::Dtype,
        // What it has beyond the rest is a struct of its own, left to be scanned.
        "numpy.dtypes.StringDType" => return None,
        // `numpy.dtype[void]` of NumPy 1, `numpy.dtypes.VoidDType` of NumPy 2.
        name if name.starts_with("numpy.dtype[") || name.starts_with("numpy.dtypes.") => {
            Family::Dtype
        }
        "_thread._local" => Family::ThreadLocal,
        "_thread._localdummy" => Family::ThreadLocalDummy,
        "functools._lru_cache_wrapper" => Family::LruCache,
        "itertools._tee_dataobject" => Family::TeeData,
        "itertools.combinations" | "itertools.combinations_with_replacement" => {
            Family::Combinations
        }
        "itertools.permutations" => Family::Permutations,
        "itertools.product" => Family::Product,
        "memoryview" => Family::MemoryView,
        "_io.BytesIO" => Family::BytesIo,
        "_pickle.Pickler" => Family::Pickler,
        "_pickle.Unpickler" => Family::Unpickler,
        "xml.etree.ElementTree.Element" => Family::Element,
        "_queue.SimpleQueue" => Family::SimpleQueue,
        "_thread.lock" => Family::Lock(12),
        "_thread.RLock" => Family::Lock(13),
        "StgDict" => Family::CTypesDict,
        "_ctypes._CData" => Family::CTypesData,
        "_io.BufferedReader" | "_io.BufferedWriter" | "_io.BufferedRandom" => Family::Buffered,
        "_io.StringIO" => Family::StringIo,
        "_struct.Struct" => Family::Struct,
        // Python/hamt.c: a node array follows the header.
        "hamt_bitmap_node" | "hamt_collision_node" => Family::Items(32),
        "hamt_array_node" => Family::Row(16, 32),
        _ => return None,
    })
}
