//! The shape of a layout table: one struct a section, one field a number.
//!
//! A version is a value of [`Layout`], not a set of generated structs: decoders are written once and
//! read the same field at whichever offset the table gives. All numbers are bytes.

/// How a reference count reads (refcount.h).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refcount {
    /// 64 bits, nothing immortal (3.10, 3.11).
    Plain,
    /// 64 bits of which the low 32 carry the sign bit when immortal (3.12, 3.13).
    ImmortalLow32,
    /// 32 bits, then 16 of overflow and 16 of flags (3.14+).
    Low32,
}

/// Where the small-block allocator keeps its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Obmalloc {
    /// In static variables of Objects/obmalloc.c (3.10, 3.11).
    Static,
    /// In the interpreter state, from this offset on (3.12).
    Embedded(u64),
    /// Behind a pointer at this offset of the interpreter state (3.13+).
    Pointer(u64),
}

/// Where the collector keeps its statistics of each generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CollectorStats {
    /// In its state, one row a generation (3.10–3.14).
    Embedded(u64),
    /// Behind a pointer, the last few rows of each generation in a ring with an index of one byte
    /// (3.15).
    Rings { pointer: u64, starts: [u64; 3], indexes: [u64; 3], rows: [u64; 2] },
}

/// Where a thread keeps the frame it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CurrentFrame {
    /// A frame object (3.10).
    Object(u64),
    /// Behind the C frame (3.11, 3.12).
    ThroughCframe { cframe: u64, current_frame: u64 },
    /// A pointer of the thread state (3.13+).
    Direct(u64),
}

/// Where a frame's value stack ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StackEnd {
    /// `f_valuestack` and `f_stackdepth` (3.10).
    Depth { stack: u64, depth: u64 },
    /// An index into the local values; negative while the frame runs (3.11–3.13).
    Index(u64),
    /// A pointer; null while the frame runs (3.14+).
    Pointer(u64),
}

/// How a dict's keys table says its size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeysSize {
    /// `dk_size` slots and a look-up function (3.10).
    Slots { size: u64, lookup: u64 },
    /// Base-2 logarithms and a kind (3.11+).
    Log2 { log2_size: u64, log2_index_bytes: u64, kind: u64 },
}

/// How an int says how many digits it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IntSize {
    /// `ob_size`, negative for negative ints (3.10, 3.11).
    VarSize,
    /// `lv_tag` shifted (3.12+).
    Tag { shift: u64 },
}

/// The numbers of one minor version.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    /// 10 for 3.10.
    pub(crate) minor: u32,
    /// The patch release whose headers gave the numbers.
    pub(crate) made_from: &'static str,
    pub(crate) object: ObjectLayout,
    pub(crate) runtime: RuntimeLayout,
    pub(crate) interpreter: InterpreterLayout,
    pub(crate) static_types: StaticTypesLayout,
    pub(crate) gc: GcLayout,
    pub(crate) thread: ThreadLayout,
    pub(crate) exception_stack: ExceptionStackLayout,
    pub(crate) type_: TypeLayout,
    pub(crate) heap_type: HeapTypeLayout,
    pub(crate) list: ListLayout,
    pub(crate) tuple: TupleLayout,
    pub(crate) set: SetLayout,
    pub(crate) dict: DictLayout,
    pub(crate) keys: KeysLayout,
    pub(crate) values: ValuesLayout,
    pub(crate) str: StrLayout,
    pub(crate) bytes: BytesLayout,
    pub(crate) bytearray: BytearrayLayout,
    pub(crate) int: IntLayout,
    pub(crate) function: FunctionLayout,
    pub(crate) method: MethodLayout,
    pub(crate) module: ModuleLayout,
    pub(crate) code: CodeLayout,
    pub(crate) frame: FrameLayout,
    pub(crate) frame_object: FrameObjectLayout,
    pub(crate) generator: GeneratorLayout,
    pub(crate) debug_offsets: DebugOffsetsLayout,
}

/// Facts of the object header.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ObjectLayout {
    pub(crate) refcount: Refcount,
    pub(crate) stack_refs_tagged: bool,
}

/// `_PyRuntimeState` (`pycore_runtime.h`).
#[derive(Clone, Copy, Debug)]
pub(crate) struct RuntimeLayout {
    pub(crate) interpreters_head: u64,
    pub(crate) size: u64,
}

/// `PyInterpreterState` (`pycore_interp.h`).
#[derive(Clone, Copy, Debug)]
pub(crate) struct InterpreterLayout {
    pub(crate) next: u64,
    pub(crate) id: u64,
    pub(crate) threads_head: u64,
    pub(crate) gc: u64,
    pub(crate) modules: u64,
    pub(crate) importlib: u64,
    pub(crate) sysdict: u64,
    pub(crate) builtins: u64,
    pub(crate) dict: u64,
    pub(crate) codec_search_path: u64,
    pub(crate) codec_search_cache: u64,
    pub(crate) codec_error_registry: u64,
    pub(crate) before_forkers: u64,
    pub(crate) after_forkers_parent: u64,
    pub(crate) after_forkers_child: u64,
    pub(crate) size: u64,
    pub(crate) interned_strings: Option<u64>,
    pub(crate) small_ints: Option<u64>,
    pub(crate) obmalloc: Obmalloc,
    pub(crate) arenas: Option<u64>,
    pub(crate) max_arenas: Option<u64>,
}

/// Where 3.12+ keeps what a static builtin type has per interpreter (`pycore_typeobject.h`), and 3.13+
/// those of extension modules that are made alike.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StaticTypesLayout {
    pub(crate) rows: Option<u64>,
    pub(crate) extension_rows: Option<u64>,
    pub(crate) stride: Option<u64>,
    pub(crate) type_: Option<u64>,
    pub(crate) dict: Option<u64>,
    pub(crate) subclasses: Option<u64>,
    pub(crate) count: Option<u64>,
}

/// `struct _gc_runtime_state` (`pycore_gc.h`). `generations` is only a fallback: see `runtime.rs`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GcLayout {
    pub(crate) enabled: u64,
    pub(crate) generations: u64,
    pub(crate) generation_size: u64,
    pub(crate) generation_threshold: u64,
    pub(crate) generation_count: u64,
    pub(crate) generation0: u64,
    pub(crate) permanent: u64,
    pub(crate) collecting: u64,
    pub(crate) garbage: u64,
    pub(crate) callbacks: u64,
    pub(crate) long_lived_total: u64,
    pub(crate) long_lived_pending: u64,
    pub(crate) stats: CollectorStats,
    pub(crate) stats_size: u64,
    pub(crate) stats_collections: u64,
    pub(crate) stats_collected: u64,
    pub(crate) stats_uncollectable: u64,
    pub(crate) size: u64,
}

/// `PyThreadState` (cpython/pystate.h).
#[derive(Clone, Copy, Debug)]
pub(crate) struct ThreadLayout {
    pub(crate) next: u64,
    pub(crate) thread_id: u64,
    pub(crate) native_thread_id: Option<u64>,
    pub(crate) datastack_chunk: Option<u64>,
    pub(crate) frame: CurrentFrame,
    pub(crate) current_exception: u64,
    pub(crate) exc_info: u64,
    pub(crate) exc_state: u64,
    pub(crate) dict: u64,
    pub(crate) context: u64,
    pub(crate) async_exc: u64,
    pub(crate) profile_object: u64,
    pub(crate) trace_object: u64,
    pub(crate) async_gen_firstiter: u64,
    pub(crate) async_gen_finalizer: u64,
    pub(crate) size: u64,
}

/// `_PyErr_StackItem`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ExceptionStackLayout {
    pub(crate) value: u64,
    pub(crate) previous: u64,
    pub(crate) type_: Option<u64>,
    pub(crate) traceback: Option<u64>,
}

/// `PyTypeObject`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TypeLayout {
    pub(crate) name: u64,
    pub(crate) basic_size: u64,
    pub(crate) item_size: u64,
    pub(crate) flags: u64,
    pub(crate) weaklist_offset: u64,
    pub(crate) doc: u64,
    pub(crate) members: u64,
    pub(crate) base: u64,
    pub(crate) dict: u64,
    pub(crate) dict_offset: u64,
    pub(crate) bases: u64,
    pub(crate) mro: u64,
    pub(crate) cache: u64,
    pub(crate) subclasses: u64,
    pub(crate) size: u64,
}

/// `PyHeapTypeObject`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HeapTypeLayout {
    pub(crate) name: u64,
    pub(crate) slots: u64,
    pub(crate) qualname: u64,
    pub(crate) cached_keys: u64,
    pub(crate) module: u64,
    pub(crate) size: u64,
}

/// `PyListObject`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ListLayout {
    pub(crate) items: u64,
    pub(crate) allocated: u64,
}

/// `PyTupleObject`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TupleLayout {
    pub(crate) items: u64,
}

/// `PySetObject`; an entry is a key and a hash.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SetLayout {
    pub(crate) used: u64,
    pub(crate) mask: u64,
    pub(crate) table: u64,
    pub(crate) small_table: u64,
}

/// `PyDictObject`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DictLayout {
    pub(crate) keys: u64,
    pub(crate) values: u64,
}

/// `PyDictKeysObject` (`pycore_dict.h`; 3.10: Objects/dict-common.h).
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeysLayout {
    pub(crate) size: KeysSize,
    pub(crate) refcount: u64,
    pub(crate) usable: u64,
    pub(crate) entries: u64,
    pub(crate) indices: u64,
}

/// `PyDictValues`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ValuesLayout {
    pub(crate) items: u64,
    pub(crate) capacity: Option<u64>,
    pub(crate) embedded: Option<u64>,
    pub(crate) valid: Option<u64>,
}

/// `PyASCIIObject`, `PyCompactUnicodeObject`, `PyUnicodeObject`; masks are of the state word.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StrLayout {
    pub(crate) length: u64,
    pub(crate) state: u64,
    pub(crate) kind_mask: u64,
    pub(crate) compact_mask: u64,
    pub(crate) ascii_mask: u64,
    pub(crate) ascii_size: u64,
    pub(crate) compact_size: u64,
    pub(crate) legacy_size: u64,
    pub(crate) utf8_length: u64,
    pub(crate) utf8: u64,
    pub(crate) data: u64,
    pub(crate) wstr: Option<u64>,
    pub(crate) wstr_length: Option<u64>,
}

/// `PyBytesObject`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BytesLayout {
    pub(crate) data: u64,
}

/// `PyByteArrayObject`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BytearrayLayout {
    pub(crate) allocated: u64,
    pub(crate) buffer: u64,
    pub(crate) bytes_object: Option<u64>,
}

/// `PyLongObject`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct IntLayout {
    pub(crate) digits: u64,
    pub(crate) size: IntSize,
}

/// `PyFunctionObject`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FunctionLayout {
    pub(crate) globals: u64,
    pub(crate) builtins: u64,
    pub(crate) name: u64,
    pub(crate) qualname: u64,
    pub(crate) code: u64,
    pub(crate) defaults: u64,
    pub(crate) kwdefaults: u64,
    pub(crate) closure: u64,
    pub(crate) doc: u64,
    pub(crate) module: u64,
    pub(crate) annotations: u64,
    pub(crate) typeparams: Option<u64>,
    pub(crate) annotate: Option<u64>,
}

/// `PyMethodObject`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MethodLayout {
    pub(crate) function: u64,
    pub(crate) instance: u64,
}

/// `PyModuleObject` and the size in its `PyModuleDef`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ModuleLayout {
    pub(crate) state: u64,
    pub(crate) name: u64,
    pub(crate) def: Option<u64>,
    pub(crate) state_size: Option<u64>,
    pub(crate) def_size: u64,
}

/// `PyCodeObject`. Before 3.11 `locals_count` and `local_names` are the plain locals alone.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CodeLayout {
    pub(crate) consts: u64,
    pub(crate) names: u64,
    pub(crate) filename: u64,
    pub(crate) name: u64,
    pub(crate) line_table: u64,
    pub(crate) first_line: u64,
    pub(crate) extra: u64,
    pub(crate) stack_size: u64,
    pub(crate) exception_table: Option<u64>,
    pub(crate) qualname: Option<u64>,
    pub(crate) locals_count: u64,
    pub(crate) local_names: u64,
    pub(crate) local_kinds: Option<u64>,
    pub(crate) bytecode: u64,
    pub(crate) free_count: u64,
    pub(crate) cell_names: Option<u64>,
    pub(crate) free_names: Option<u64>,
    pub(crate) cell_to_argument: Option<u64>,
    pub(crate) opcache_map: Option<u64>,
    pub(crate) opcache: Option<u64>,
    pub(crate) opcache_size: Option<u64>,
    pub(crate) cached: Option<u64>,
    pub(crate) cached_code: Option<u64>,
    pub(crate) cached_varnames: Option<u64>,
    pub(crate) cached_cellvars: Option<u64>,
    pub(crate) cached_freevars: Option<u64>,
    pub(crate) cached_bytecode: Option<u64>,
    pub(crate) executors: Option<u64>,
}

/// `_PyInterpreterFrame` (3.11+), `PyFrameObject` (3.10).
#[derive(Clone, Copy, Debug)]
pub(crate) struct FrameLayout {
    pub(crate) code: u64,
    pub(crate) function: u64,
    pub(crate) instruction: u64,
    pub(crate) previous: u64,
    pub(crate) globals: u64,
    pub(crate) builtins: u64,
    pub(crate) locals: u64,
    pub(crate) object: u64,
    pub(crate) owner: u64,
    pub(crate) stack_end: StackEnd,
    pub(crate) local_values: u64,
    pub(crate) owned_by_thread: Option<u64>,
    pub(crate) owned_by_generator: Option<u64>,
}

/// `PyFrameObject`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FrameObjectLayout {
    pub(crate) back: u64,
    pub(crate) trace: u64,
    pub(crate) frame: Option<u64>,
    pub(crate) embedded: Option<u64>,
    pub(crate) extra_locals: Option<u64>,
    pub(crate) locals_cache: Option<u64>,
    pub(crate) overwritten_locals: Option<u64>,
}

/// `PyGenObject`, also of coroutines and async generators.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GeneratorLayout {
    pub(crate) name: u64,
    pub(crate) qualname: u64,
    pub(crate) exception: u64,
    pub(crate) origin_or_finalizer: Option<u64>,
    pub(crate) frame_state: Option<u64>,
    pub(crate) frame: u64,
    pub(crate) cleared: u64,
    pub(crate) code: Option<u64>,
}

/// Where `_Py_DebugOffsets` (`pycore_debug_offsets.h`, 3.13+) keeps its word for a field of another section.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DebugOffsetsLayout {
    pub(crate) runtime_size: Option<u64>,
    pub(crate) runtime_interpreters_head: Option<u64>,
    pub(crate) interpreter_size: Option<u64>,
    pub(crate) interpreter_next: Option<u64>,
    pub(crate) interpreter_id: Option<u64>,
    pub(crate) interpreter_threads_head: Option<u64>,
    pub(crate) interpreter_gc: Option<u64>,
    pub(crate) interpreter_modules: Option<u64>,
    pub(crate) interpreter_sysdict: Option<u64>,
    pub(crate) interpreter_builtins: Option<u64>,
    pub(crate) gc_size: Option<u64>,
    pub(crate) gc_collecting: Option<u64>,
    pub(crate) thread_size: Option<u64>,
    pub(crate) thread_next: Option<u64>,
    pub(crate) thread_current_frame: Option<u64>,
    pub(crate) thread_thread_id: Option<u64>,
    pub(crate) thread_native_thread_id: Option<u64>,
    pub(crate) thread_datastack_chunk: Option<u64>,
    pub(crate) thread_current_exception: Option<u64>,
    pub(crate) thread_exc_state: Option<u64>,
    pub(crate) type_name: Option<u64>,
    pub(crate) type_flags: Option<u64>,
    pub(crate) type_basic_size: Option<u64>,
    pub(crate) type_dict_offset: Option<u64>,
    pub(crate) heap_type_cached_keys: Option<u64>,
    pub(crate) heap_type_size: Option<u64>,
    pub(crate) list_items: Option<u64>,
    pub(crate) tuple_items: Option<u64>,
    pub(crate) set_used: Option<u64>,
    pub(crate) set_table: Option<u64>,
    pub(crate) set_mask: Option<u64>,
    pub(crate) dict_keys: Option<u64>,
    pub(crate) dict_values: Option<u64>,
    pub(crate) int_digits: Option<u64>,
    pub(crate) bytes_data: Option<u64>,
    pub(crate) str_state: Option<u64>,
    pub(crate) str_length: Option<u64>,
    pub(crate) str_ascii_size: Option<u64>,
    pub(crate) str_compact_size: Option<u64>,
    pub(crate) code_filename: Option<u64>,
    pub(crate) code_name: Option<u64>,
    pub(crate) code_qualname: Option<u64>,
    pub(crate) code_line_table: Option<u64>,
    pub(crate) code_first_line: Option<u64>,
    pub(crate) code_local_names: Option<u64>,
    pub(crate) code_local_kinds: Option<u64>,
    pub(crate) code_bytecode: Option<u64>,
    pub(crate) frame_previous: Option<u64>,
    pub(crate) frame_code: Option<u64>,
    pub(crate) frame_instruction: Option<u64>,
    pub(crate) frame_local_values: Option<u64>,
    pub(crate) frame_owner: Option<u64>,
    pub(crate) frame_stack_pointer: Option<u64>,
    pub(crate) generator_name: Option<u64>,
    pub(crate) generator_frame: Option<u64>,
    pub(crate) generator_frame_state: Option<u64>,
}
