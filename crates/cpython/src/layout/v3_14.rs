//! CPython 3.14: made by cargo xtask layouts from the headers of `3.14.8`. Not to be edited.

#[allow(clippy::wildcard_imports, reason = "a table names every section")]
use super::*;

pub(super) const LAYOUT: Layout = Layout {
    minor: 14,
    made_from: "3.14.8",
    object: ObjectLayout {
        refcount: Refcount::Low32, // object.refcount
        stack_refs_tagged: true, // object.stack_refs_tagged
    },
    runtime: RuntimeLayout {
        interpreters_head: 808, // runtime.interpreters_head
        size: 316_616, // runtime.size
    },
    interpreter: InterpreterLayout {
        next: 7272, // interpreter.next
        id: 7280, // interpreter.id
        threads_head: 7344, // interpreter.threads_head
        gc: 7408, // interpreter.gc
        modules: 7688, // interpreter.modules
        importlib: 7704, // interpreter.importlib
        sysdict: 7672, // interpreter.sysdict
        builtins: 7680, // interpreter.builtins
        dict: 8496, // interpreter.dict
        codec_search_path: 8000, // interpreter.codec_search_path
        codec_search_cache: 8008, // interpreter.codec_search_cache
        codec_error_registry: 8016, // interpreter.codec_error_registry
        before_forkers: 10696, // interpreter.before_forkers
        after_forkers_parent: 10704, // interpreter.after_forkers_parent
        after_forkers_child: 10712, // interpreter.after_forkers_child
        size: 225_864, // interpreter.size
        interned_strings: Some(224_624), // interpreter.interned_strings
        small_ints: None, // interpreter.small_ints
        obmalloc: Obmalloc::Pointer(10904), // interpreter.obmalloc
        arenas: Some(512), // interpreter.arenas
        max_arenas: Some(520), // interpreter.max_arenas
    },
    static_types: StaticTypesLayout {
        rows: Some(180_240), // static_types.rows
        extension_rows: Some(189_856), // static_types.extension_rows
        stride: Some(48), // static_types.stride
        type_: Some(0), // static_types.type_
        dict: Some(24), // static_types.dict
        subclasses: Some(32), // static_types.subclasses
        count: Some(200), // static_types.count
    },
    gc: GcLayout {
        enabled: 12, // gc.enabled
        generations: 24, // gc.generations
        generation_size: 24, // gc.generation_size
        generation_threshold: 16, // gc.generation_threshold
        generation_count: 20, // gc.generation_count
        generation0: 256, // gc.generation0
        permanent: 96, // gc.permanent
        collecting: 192, // gc.collecting
        garbage: 200, // gc.garbage
        callbacks: 208, // gc.callbacks
        long_lived_total: 240, // gc.long_lived_total
        long_lived_pending: 248, // gc.long_lived_pending
        stats: CollectorStats::Embedded(120), // gc.stats
        stats_size: 24, // gc.stats_size
        stats_collections: 0, // gc.stats_collections
        stats_collected: 8, // gc.stats_collected
        stats_uncollectable: 16, // gc.stats_uncollectable
        size: 264, // gc.size
    },
    thread: ThreadLayout {
        next: 8, // thread.next
        thread_id: 152, // thread.thread_id
        native_thread_id: Some(160), // thread.native_thread_id
        datastack_chunk: Some(232), // thread.datastack_chunk
        frame: CurrentFrame::Direct(72), // thread.frame
        current_exception: 112, // thread.current_exception
        exc_info: 120, // thread.exc_info
        exc_state: 256, // thread.exc_state
        dict: 128, // thread.dict
        context: 208, // thread.context
        async_exc: 144, // thread.async_exc
        profile_object: 96, // thread.profile_object
        trace_object: 104, // thread.trace_object
        async_gen_firstiter: 192, // thread.async_gen_firstiter
        async_gen_finalizer: 200, // thread.async_gen_finalizer
        size: 832, // thread.size
    },
    exception_stack: ExceptionStackLayout {
        value: 0, // exception_stack.value
        previous: 8, // exception_stack.previous
        type_: None, // exception_stack.type_
        traceback: None, // exception_stack.traceback
    },
    type_: TypeLayout {
        name: 24, // type_.name
        basic_size: 32, // type_.basic_size
        item_size: 40, // type_.item_size
        flags: 168, // type_.flags
        weaklist_offset: 208, // type_.weaklist_offset
        doc: 176, // type_.doc
        members: 240, // type_.members
        base: 256, // type_.base
        dict: 264, // type_.dict
        dict_offset: 288, // type_.dict_offset
        bases: 336, // type_.bases
        mro: 344, // type_.mro
        cache: 352, // type_.cache
        subclasses: 360, // type_.subclasses
        size: 416, // type_.size
    },
    heap_type: HeapTypeLayout {
        name: 856, // heap_type.name
        slots: 864, // heap_type.slots
        qualname: 872, // heap_type.qualname
        cached_keys: 880, // heap_type.cached_keys
        module: 888, // heap_type.module
        size: 936, // heap_type.size
    },
    list: ListLayout {
        items: 24, // list.items
        allocated: 32, // list.allocated
    },
    tuple: TupleLayout {
        items: 32, // tuple.items
    },
    set: SetLayout {
        used: 24, // set.used
        mask: 32, // set.mask
        table: 40, // set.table
        small_table: 64, // set.small_table
    },
    dict: DictLayout {
        keys: 32, // dict.keys
        values: 40, // dict.values
    },
    keys: KeysLayout {
        size: KeysSize::Log2 { log2_size: 8, log2_index_bytes: 9, kind: 10 }, // keys.size
        refcount: 0, // keys.refcount
        usable: 16, // keys.usable
        entries: 24, // keys.entries
        indices: 32, // keys.indices
    },
    values: ValuesLayout {
        items: 8, // values.items
        capacity: Some(0), // values.capacity
        embedded: Some(2), // values.embedded
        valid: Some(3), // values.valid
    },
    str: StrLayout {
        length: 16, // str.length
        state: 32, // str.state
        kind_mask: 28, // str.kind_mask
        compact_mask: 32, // str.compact_mask
        ascii_mask: 64, // str.ascii_mask
        ascii_size: 40, // str.ascii_size
        compact_size: 56, // str.compact_size
        legacy_size: 64, // str.legacy_size
        utf8_length: 40, // str.utf8_length
        utf8: 48, // str.utf8
        data: 56, // str.data
        wstr: None, // str.wstr
        wstr_length: None, // str.wstr_length
    },
    bytes: BytesLayout {
        data: 32, // bytes.data
    },
    bytearray: BytearrayLayout {
        allocated: 24, // bytearray.allocated
        buffer: 32, // bytearray.buffer
        bytes_object: None, // bytearray.bytes_object
    },
    int: IntLayout {
        digits: 24, // int.digits
        size: IntSize::Tag { shift: 3 }, // int.size
    },
    function: FunctionLayout {
        globals: 16, // function.globals
        builtins: 24, // function.builtins
        name: 32, // function.name
        qualname: 40, // function.qualname
        code: 48, // function.code
        defaults: 56, // function.defaults
        kwdefaults: 64, // function.kwdefaults
        closure: 72, // function.closure
        doc: 80, // function.doc
        module: 104, // function.module
        annotations: 112, // function.annotations
        typeparams: Some(128), // function.typeparams
        annotate: Some(120), // function.annotate
    },
    method: MethodLayout {
        function: 16, // method.function
        instance: 24, // method.instance
    },
    module: ModuleLayout {
        state: 32, // module.state
        name: 48, // module.name
        def: Some(24), // module.def
        state_size: None, // module.state_size
        def_size: 56, // module.def_size
    },
    code: CodeLayout {
        consts: 24, // code.consts
        names: 32, // code.names
        filename: 112, // code.filename
        name: 120, // code.name
        line_table: 136, // code.line_table
        first_line: 68, // code.first_line
        extra: 200, // code.extra
        stack_size: 64, // code.stack_size
        exception_table: Some(40), // code.exception_table
        qualname: Some(128), // code.qualname
        locals_count: 72, // code.locals_count
        local_names: 96, // code.local_names
        local_kinds: Some(104), // code.local_kinds
        free_count: 88, // code.free_count
        bytecode: 208, // code.bytecode
        cell_names: None, // code.cell_names
        free_names: None, // code.free_names
        cell_to_argument: None, // code.cell_to_argument
        opcache_map: None, // code.opcache_map
        opcache: None, // code.opcache
        opcache_size: None, // code.opcache_size
        cached: Some(160), // code.cached
        cached_bytecode: None, // code.cached_bytecode
        cached_code: Some(0), // code.cached_code
        cached_varnames: Some(8), // code.cached_varnames
        cached_cellvars: Some(16), // code.cached_cellvars
        cached_freevars: Some(24), // code.cached_freevars
        executors: Some(152), // code.executors
    },
    frame: FrameLayout {
        code: 0, // frame.code
        function: 16, // frame.function
        instruction: 56, // frame.instruction
        previous: 8, // frame.previous
        globals: 24, // frame.globals
        builtins: 32, // frame.builtins
        locals: 40, // frame.locals
        object: 48, // frame.object
        owner: 74, // frame.owner
        stack_end: StackEnd::Pointer(64), // frame.stack_end
        local_values: 80, // frame.local_values
        owned_by_thread: Some(0), // frame.owned_by_thread
        owned_by_generator: Some(1), // frame.owned_by_generator
    },
    frame_object: FrameObjectLayout {
        back: 16, // frame_object.back
        trace: 32, // frame_object.trace
        frame: Some(24), // frame_object.frame
        embedded: Some(72), // frame_object.embedded
        extra_locals: Some(48), // frame_object.extra_locals
        locals_cache: Some(56), // frame_object.locals_cache
        overwritten_locals: Some(64), // frame_object.overwritten_locals
    },
    generator: GeneratorLayout {
        name: 24, // generator.name
        qualname: 32, // generator.qualname
        exception: 40, // generator.exception
        origin_or_finalizer: Some(56), // generator.origin_or_finalizer
        frame_state: Some(67), // generator.frame_state
        frame: 72, // generator.frame
        cleared: 4, // generator.cleared
        code: None, // generator.code
    },
    debug_offsets: DebugOffsetsLayout {
        runtime_size: Some(24), // debug_offsets.runtime_size
        runtime_interpreters_head: Some(40), // debug_offsets.runtime_interpreters_head
        interpreter_size: Some(48), // debug_offsets.interpreter_size
        interpreter_next: Some(64), // debug_offsets.interpreter_next
        interpreter_id: Some(56), // debug_offsets.interpreter_id
        interpreter_threads_head: Some(72), // debug_offsets.interpreter_threads_head
        interpreter_gc: Some(88), // debug_offsets.interpreter_gc
        interpreter_modules: Some(96), // debug_offsets.interpreter_modules
        interpreter_sysdict: Some(104), // debug_offsets.interpreter_sysdict
        interpreter_builtins: Some(112), // debug_offsets.interpreter_builtins
        gc_size: Some(648), // debug_offsets.gc_size
        gc_collecting: Some(656), // debug_offsets.gc_collecting
        thread_size: Some(176), // debug_offsets.thread_size
        thread_next: Some(192), // debug_offsets.thread_next
        thread_current_frame: Some(208), // debug_offsets.thread_current_frame
        thread_thread_id: Some(216), // debug_offsets.thread_thread_id
        thread_native_thread_id: Some(224), // debug_offsets.thread_native_thread_id
        thread_datastack_chunk: Some(232), // debug_offsets.thread_datastack_chunk
        thread_current_exception: None, // debug_offsets.thread_current_exception
        thread_exc_state: None, // debug_offsets.thread_exc_state
        type_name: Some(424), // debug_offsets.type_name
        type_flags: Some(440), // debug_offsets.type_flags
        type_basic_size: None, // debug_offsets.type_basic_size
        type_dict_offset: None, // debug_offsets.type_dict_offset
        heap_type_cached_keys: None, // debug_offsets.heap_type_cached_keys
        heap_type_size: None, // debug_offsets.heap_type_size
        list_items: Some(480), // debug_offsets.list_items
        tuple_items: Some(456), // debug_offsets.tuple_items
        set_used: Some(504), // debug_offsets.set_used
        set_table: Some(512), // debug_offsets.set_table
        set_mask: Some(520), // debug_offsets.set_mask
        dict_keys: Some(536), // debug_offsets.dict_keys
        dict_values: Some(544), // debug_offsets.dict_values
        int_digits: Some(584), // debug_offsets.int_digits
        bytes_data: Some(608), // debug_offsets.bytes_data
        str_state: Some(624), // debug_offsets.str_state
        str_length: Some(632), // debug_offsets.str_length
        str_ascii_size: Some(640), // debug_offsets.str_ascii_size
        str_compact_size: None, // debug_offsets.str_compact_size
        code_filename: Some(320), // debug_offsets.code_filename
        code_name: Some(328), // debug_offsets.code_name
        code_qualname: Some(336), // debug_offsets.code_qualname
        code_line_table: Some(344), // debug_offsets.code_line_table
        code_first_line: Some(352), // debug_offsets.code_first_line
        code_local_names: Some(368), // debug_offsets.code_local_names
        code_local_kinds: Some(376), // debug_offsets.code_local_kinds
        code_bytecode: Some(384), // debug_offsets.code_bytecode
        frame_previous: Some(256), // debug_offsets.frame_previous
        frame_code: Some(264), // debug_offsets.frame_code
        frame_instruction: Some(272), // debug_offsets.frame_instruction
        frame_local_values: Some(280), // debug_offsets.frame_local_values
        frame_owner: Some(288), // debug_offsets.frame_owner
        frame_stack_pointer: Some(296), // debug_offsets.frame_stack_pointer
        generator_name: Some(672), // debug_offsets.generator_name
        generator_frame: Some(680), // debug_offsets.generator_frame
        generator_frame_state: Some(688), // debug_offsets.generator_frame_state
    },
};
