//! The numbers of the fake interpreters, copied from the headers of CPython.
//!
//! One row a number, one column a version: 3.10.13, 3.11.7, 3.12.1, 3.13.0, 3.14.8, 3.15.0 (x86-64,
//! with the GIL). Nothing here comes from the reader's own tables, so both cannot be wrong together.

/// The versions a fake interpreter can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Python {
    V3_10,
    V3_11,
    V3_12,
    V3_13,
    V3_14,
    V3_15,
}

impl Python {
    pub(crate) const ALL: [Python; 6] = {
        use Python::*;
        [V3_10, V3_11, V3_12, V3_13, V3_14, V3_15]
    };

    /// `PY_VERSION_HEX`.
    pub(crate) fn hex(self) -> u64 {
        [0x030a_0df0, 0x030b_07f0, 0x030c_01f0, 0x030d_00f0, 0x030e_08f0, 0x030f_00f0]
            [self as usize]
    }

    /// `PY_VERSION`.
    pub(crate) fn text(self) -> &'static str {
        ["3.10.13", "3.11.7", "3.12.1", "3.13.0", "3.14.8", "3.15.0"][self as usize]
    }
}

/// A field that a version does not have.
pub(crate) const NONE: u64 = u64::MAX;

macro_rules! numbers {
    ($($(#[$doc:meta])* $name:ident: $row:expr,)+) => {
        /// One column of the table.
        #[derive(Clone, Debug)]
        pub(crate) struct Numbers { $($(#[$doc])* pub(crate) $name: u64),+ }

        impl Numbers {
            pub(crate) fn of(python: Python) -> Numbers {
                Numbers { $($name: $row[python as usize]),+ }
            }
        }
    };
}

numbers! {
    /// `_PyRuntimeState` (`internal/pycore_runtime.h`).
    runtime_size: [672, 166_688, 459_944, 283_320, 316_616, 346_568],
    runtime_head: [32, 40, 40, 632, 808, 936],

    /// `PyInterpreterState` (`internal/pycore_interp.h`, 3.14: `pycore_interp_structs.h`).
    interpreter_size: [113_528, 107_752, 383_552, 194_968, 225_864, 226_240],
    interpreter_next: [0, 0, 0, 7264, 7272, 7264],
    interpreter_id: [24, 48, 8, 7272, 7280, 7272],
    interpreter_threads: [8, 16, 72, 7344, 7344, 7336],
    interpreter_gc: [616, 648, 112, 7400, 7408, 7400],
    interpreter_modules: [856, 888, 944, 7656, 7688, 7592],
    interpreter_importlib: [888, 920, 960, 7672, 7704, 7608],
    interpreter_sysdict: [872, 904, 352, 7640, 7672, 7576],
    interpreter_builtins: [880, 912, 360, 7648, 7680, 7584],
    interpreter_dict: [1344, 1400, 1720, 8448, 8496, 8448],
    interpreter_search_path: [912, 936, 1248, 7960, 8000, 7952],
    /// `cached_objects.interned_strings`.
    interpreter_interned: [NONE, NONE, 382_936, 194_328, 224_624, 224_896],
    /// `small_ints[262]`; later versions have them in `_PyRuntime`.
    interpreter_small_ints: [3512, NONE, NONE, NONE, NONE, NONE],
    /// `struct _obmalloc_state obmalloc`, from 3.13 on a pointer to it.
    interpreter_obmalloc: [NONE, NONE, 3960, 10_800, 10_904, 10_880],
    /// `types.builtins`: the rows of static builtin types.
    interpreter_static_types: [NONE, NONE, 373_704, 182_968, 180_240, 180_264],
    static_type_size: [NONE, NONE, 40, 48, 48, 48],
    static_type_dict: [NONE, NONE, 16, 24, 24, 24],

    /// `struct _gc_runtime_state` (`internal/pycore_gc.h`).
    gc_size: [240, 240, 240, 240, 264, 176],
    gc_generations: [24, 24, 24, 24, 24, 8],
    gc_generation0: [96, 96, 96, 96, 256, 168],
    gc_permanent: [104, 104, 104, 104, 96, 80],
    gc_collecting: [200, 200, 200, 200, 192, 112],
    gc_garbage: [208, 208, 208, 208, 200, 128],

    /// `PyThreadState` (cpython/pystate.h).
    thread_size: [280, 360, 288, 304, 832, 888],
    thread_next: [8, 8, 8, 8, 8, 8],
    thread_id: [176, 152, 136, 152, 152, 176],
    thread_native_id: [NONE, 160, 144, 160, 160, 184],
    /// The frame (3.10), the C frame (3.11, 3.12), the current frame.
    thread_frame: [24, 56, 56, 72, 72, 72],
    thread_root_cframe: [NONE, 336, 272, NONE, NONE, NONE],
    /// `current_frame` in the C frame.
    cframe_frame: [NONE, 8, 0, NONE, NONE, NONE],
    thread_dict: [152, 128, 112, 128, 128, 152],
    /// `current_exception`, before 3.12 `curexc_value`.
    thread_exception: [96, 104, 96, 112, 112, 136],
    thread_exc_info: [144, 120, 104, 120, 120, 144],
    thread_exc_state: [112, 320, 256, 256, 256, 288],
    /// `exc_value` and `previous_item` in `_PyErr_StackItem`.
    exc_value: [8, 0, 0, 0, 0, 0],
    thread_data_stack: [NONE, 296, 232, 232, 232, 256],
    thread_context: [240, 224, 208, 208, 208, 232],

    /// `PyTypeObject` (cpython/object.h) up to `tp_subclasses` is the same everywhere.
    type_size: [408, 408, 416, 416, 416, 424],
    /// `PyHeapTypeObject`.
    heap_type_size: [888, 904, 920, 928, 936, 944],
    heap_type_name: [848, 848, 856, 856, 856, 864],
    heap_type_slots: [856, 856, 864, 864, 864, 872],
    heap_type_qualname: [864, 864, 872, 872, 872, 880],
    heap_type_keys: [872, 872, 880, 880, 880, 888],

    /// `ob_item` of `PyTupleObject`: 3.14 put a hash in front.
    tuple_items: [24, 24, 24, 24, 32, 32],
    /// `PyASCIIObject`, `PyCompactUnicodeObject`, `PyUnicodeObject` (cpython/unicodeobject.h).
    str_ascii: [48, 48, 40, 40, 40, 40],
    str_compact: [72, 72, 56, 56, 56, 56],
    str_legacy: [80, 80, 64, 64, 64, 64],
    str_utf8_length: [48, 48, 40, 40, 40, 40],
    str_utf8: [56, 56, 48, 48, 48, 48],
    str_data: [72, 72, 56, 56, 56, 56],
    /// `PyFunctionObject` (cpython/funcobject.h).
    function_size: [128, 136, 144, 144, 152, 152],
    /// `PyModuleObject` (`internal/pycore_moduleobject.h`).
    module_size: [56, 56, 56, 56, 56, 104],
    module_def: [24, 24, 24, 24, 24, NONE],
    module_state: [32, 32, 32, 32, 32, 24],
    module_state_size: [NONE, NONE, NONE, NONE, NONE, 56],
    module_weaklist: [40, 40, 40, 40, 40, 32],
    module_name: [48, 48, 48, 48, 48, 40],
    /// `PyWeakReference` (cpython/weakrefobject.h).
    weakref_size: [56, 64, 64, 64, 64, 64],

    /// `PyCodeObject` (cpython/code.h): the struct up to the bytecode, or all of it (3.10).
    code_size: [176, 184, 192, 200, 208, 208],
    code_stack_size: [32, 68, 64, 64, 64, 64],
    code_first_line: [40, 72, 68, 68, 68, 68],
    /// `co_nlocalsplus`; 3.10: `co_nlocals`.
    code_locals: [28, 76, 72, 72, 72, 72],
    code_free: [NONE, 92, 88, 88, 88, 88],
    code_consts: [56, 24, 24, 24, 24, 24],
    code_names: [64, 32, 32, 32, 32, 32],
    code_exception_table: [NONE, 40, 40, 40, 40, 40],
    /// `co_localsplusnames`; 3.10: `co_varnames`.
    code_local_names: [72, 96, 96, 96, 96, 96],
    code_local_kinds: [NONE, 104, 104, 104, 104, 104],
    code_filename: [104, 112, 112, 112, 112, 112],
    code_name: [112, 120, 120, 120, 120, 120],
    code_qualname: [NONE, 128, 128, 128, 128, 128],
    code_line_table: [120, 136, 136, 136, 136, 136],

    /// `_PyInterpreterFrame` (`internal/pycore_frame.h`, 3.14: `pycore_interpframe_structs.h`).
    frame_code: [NONE, 32, 0, 0, 0, 0],
    frame_function: [NONE, 0, 16, 16, 16, 16],
    frame_previous: [NONE, 48, 8, 8, 8, 8],
    frame_globals: [NONE, 8, 24, 24, 24, 24],
    frame_builtins: [NONE, 16, 32, 32, 32, 32],
    frame_instruction: [NONE, 56, 56, 56, 56, 56],
    /// `stacktop` (an int), from 3.14 on `stackpointer`.
    frame_stack: [NONE, 64, 64, 64, 64, 64],
    frame_owner: [NONE, 69, 70, 70, 74, 74],
    frame_locals_plus: [NONE, 72, 72, 72, 80, 80],
    /// `PyFrameObject` (`internal/pycore_frame.h`): `_f_frame_data`; 3.10: `f_localsplus`.
    frame_object_data: [352, 48, 48, 64, 72, 72],
    frame_object_back: [24, 16, 16, 16, 16, 16],

    /// `PyGenObject` (cpython/genobject.h): `gi_iframe`; 3.10: `gi_frame`.
    generator_frame: [16, 80, 72, 72, 72, 72],
    generator_code: [24, 16, NONE, NONE, NONE, NONE],
    generator_name: [40, 32, 24, 24, 24, 24],
    generator_qualname: [48, 40, 32, 32, 32, 32],
    generator_state: [NONE, 75, 67, 67, 67, 67],
    generator_size: [88, 152, 144, 144, 152, 152],
    /// `FRAME_SUSPENDED` and `FRAME_CLEARED` (`internal/pycore_frame.h`), as bytes.
    generator_suspended: [NONE, 0xff, 0xff, 0xfe, 0xfe, 1],
    generator_cleared: [NONE, 4, 4, 4, 4, 5],
}
