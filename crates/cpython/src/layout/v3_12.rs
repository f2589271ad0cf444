//! CPython 3.12: made by cargo xtask layouts from the headers of `3.12.1`. Not to be edited.

#[allow(clippy::wildcard_imports, reason = "a table names every section")]
use super::*;

pub(super) const LAYOUT: Layout = Layout {
    minor: 12,
    made_from: "3.12.1",
    object: ObjectLayout {
        refcount: Refcount::ImmortalLow32, // object.refcount
        stack_refs_tagged: false, // object.stack_refs_tagged
    },
    runtime: RuntimeLayout {
        interpreters_head: 40, // runtime.interpreters_head
        size: 459_944, // runtime.size
    },
    interpreter: InterpreterLayout {
        next: 0, // interpreter.next
        id: 8, // interpreter.id
        threads_head: 72, // interpreter.threads_head
        gc: 112, // interpreter.gc
        modules: 944, // interpreter.modules
        importlib: 960, // interpreter.importlib
        sysdict: 352, // interpreter.sysdict
        builtins: 360, // interpreter.builtins
        dict: 1720, // interpreter.dict
        codec_search_path: 1248, // interpreter.codec_search_path
        codec_search_cache: 1256, // interpreter.codec_search_cache
        codec_error_registry: 1264, // interpreter.codec_error_registry
        before_forkers: 3872, // interpreter.before_forkers
        after_forkers_parent: 3880, // interpreter.after_forkers_parent
        after_forkers_child: 3888, // interpreter.after_forkers_child
        size: 383_552, // interpreter.size
        interned_strings: Some(382_936), // interpreter.interned_strings
        small_ints: None, // interpreter.small_ints
        obmalloc: Obmalloc::Embedded(3960), // interpreter.obmalloc
        arenas: Some(512), // interpreter.arenas
        max_arenas: Some(520), // interpreter.max_arenas
    },
    static_types: StaticTypesLayout {
        rows: Some(373_704), // static_types.rows
        extension_rows: None, // static_types.extension_rows
        stride: Some(40), // static_types.stride
        type_: Some(0), // static_types.type_
        dict: Some(16), // static_types.dict
        subclasses: Some(24), // static_types.subclasses
        count: Some(200), // static_types.count
    },
    gc: GcLayout {
        enabled: 12, // gc.enabled
        generations: 24, // gc.generations
        generation_size: 24, // gc.generation_size
        generation_threshold: 16, // gc.generation_threshold
        generation_count: 20, // gc.generation_count
        generation0: 96, // gc.generation0
        permanent: 104, // gc.permanent
        collecting: 200, // gc.collecting
        garbage: 208, // gc.garbage
        callbacks: 216, // gc.callbacks
        long_lived_total: 224, // gc.long_lived_total
        long_lived_pending: 232, // gc.long_lived_pending
        stats: CollectorStats::Embedded(128), // gc.stats
        stats_size: 24, // gc.stats_size
        stats_collections: 0, // gc.stats_collections
        stats_collected: 8, // gc.stats_collected
        stats_uncollectable: 16, // gc.stats_uncollectable
        size: 240, // gc.size
    },
    thread: ThreadLayout {
        next: 8, // thread.next
        thread_id: 136, // thread.thread_id
        native_thread_id: Some(144), // thread.native_thread_id
        datastack_chunk: Some(232), // thread.datastack_chunk
        frame: CurrentFrame::ThroughCframe { cframe: 56, current_frame: 0 }, // thread.frame
        current_exception: 96, // thread.current_exception
        exc_info: 104, // thread.exc_info
        exc_state: 256, // thread.exc_state
        dict: 112, // thread.dict
        context: 208, // thread.context
        async_exc: 128, // thread.async_exc
        profile_object: 80, // thread.profile_object
        trace_object: 88, // thread.trace_object
        async_gen_firstiter: 192, // thread.async_gen_firstiter
        async_gen_finalizer: 200, // thread.async_gen_finalizer
        size: 288, // thread.size
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
        size: 920, // heap_type.size
    },
    list: ListLayout {
        items: 24, // list.items
        allocated: 32, // list.allocated
    },
    tuple: TupleLayout {
        items: 24, // tuple.items
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
        items: 0, // values.items
        capacity: None, // values.capacity
        embedded: None, // values.embedded
        valid: None, // values.valid
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
        typeparams: Some(120), // function.typeparams
        annotate: None, // function.annotate
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
        extra: 184, // code.extra
        stack_size: 64, // code.stack_size
        exception_table: Some(40), // code.exception_table
        qualname: Some(128), // code.qualname
        locals_count: 72, // code.locals_count
        local_names: 96, // code.local_names
        local_kinds: Some(104), // code.local_kinds
        free_count: 88, // code.free_count
        bytecode: 192, // code.bytecode
        cell_names: None, // code.cell_names
        free_names: None, // code.free_names
        cell_to_argument: None, // code.cell_to_argument
        opcache_map: None, // code.opcache_map
        opcache: None, // code.opcache
        opcache_size: None, // code.opcache_size
        cached: Some(152), // code.cached
        cached_bytecode: None, // code.cached_bytecode
        cached_code: Some(0), // code.cached_code
        cached_varnames: Some(8), // code.cached_varnames
        cached_cellvars: Some(16), // code.cached_cellvars
        cached_freevars: Some(24), // code.cached_freevars
        executors: None, // code.executors
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
        owner: 70, // frame.owner
        stack_end: StackEnd::Index(64), // frame.stack_end
        local_values: 72, // frame.local_values
        owned_by_thread: Some(0), // frame.owned_by_thread
        owned_by_generator: Some(1), // frame.owned_by_generator
    },
    frame_object: FrameObjectLayout {
        back: 16, // frame_object.back
        trace: 32, // frame_object.trace
        frame: Some(24), // frame_object.frame
        embedded: Some(48), // frame_object.embedded
        extra_locals: None, // frame_object.extra_locals
        locals_cache: None, // frame_object.locals_cache
        overwritten_locals: None, // frame_object.overwritten_locals
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
        runtime_size: None, // debug_offsets.runtime_size
        runtime_interpreters_head: None, // debug_offsets.runtime_interpreters_head
        interpreter_size: None, // debug_offsets.interpreter_size
        interpreter_next: None, // debug_offsets.interpreter_next
        interpreter_id: None, // debug_offsets.interpreter_id
        interpreter_threads_head: None, // debug_offsets.interpreter_threads_head
        interpreter_gc: None, // debug_offsets.interpreter_gc
        interpreter_modules: None, // debug_offsets.interpreter_modules
        interpreter_sysdict: None, // debug_offsets.interpreter_sysdict
        interpreter_builtins: None, // debug_offsets.interpreter_builtins
        gc_size: None, // debug_offsets.gc_size
        gc_collecting: None, // debug_offsets.gc_collecting
        thread_size: None, // debug_offsets.thread_size
        thread_next: None, // debug_offsets.thread_next
        thread_current_frame: None, // debug_offsets.thread_current_frame
        thread_thread_id: None, // debug_offsets.thread_thread_id
        thread_native_thread_id: None, // debug_offsets.thread_native_thread_id
        thread_datastack_chunk: None, // debug_offsets.thread_datastack_chunk
        thread_current_exception: None, // debug_offsets.thread_current_exception
        thread_exc_state: None, // debug_offsets.thread_exc_state
        type_name: None, // debug_offsets.type_name
        type_flags: None, // debug_offsets.type_flags
        type_basic_size: None, // debug_offsets.type_basic_size
        type_dict_offset: None, // debug_offsets.type_dict_offset
        heap_type_cached_keys: None, // debug_offsets.heap_type_cached_keys
        heap_type_size: None, // debug_offsets.heap_type_size
        list_items: None, // debug_offsets.list_items
        tuple_items: None, // debug_offsets.tuple_items
        set_used: None, // debug_offsets.set_used
        set_table: None, // debug_offsets.set_table
        set_mask: None, // debug_offsets.set_mask
        dict_keys: None, // debug_offsets.dict_keys
        dict_values: None, // debug_offsets.dict_values
        int_digits: None, // debug_offsets.int_digits
        bytes_data: None, // debug_offsets.bytes_data
        str_state: None, // debug_offsets.str_state
        str_length: None, // debug_offsets.str_length
        str_ascii_size: None, // debug_offsets.str_ascii_size
        str_compact_size: None, // debug_offsets.str_compact_size
        code_filename: None, // debug_offsets.code_filename
        code_name: None, // debug_offsets.code_name
        code_qualname: None, // debug_offsets.code_qualname
        code_line_table: None, // debug_offsets.code_line_table
        code_first_line: None, // debug_offsets.code_first_line
        code_local_names: None, // debug_offsets.code_local_names
        code_local_kinds: None, // debug_offsets.code_local_kinds
        code_bytecode: None, // debug_offsets.code_bytecode
        frame_previous: None, // debug_offsets.frame_previous
        frame_code: None, // debug_offsets.frame_code
        frame_instruction: None, // debug_offsets.frame_instruction
        frame_local_values: None, // debug_offsets.frame_local_values
        frame_owner: None, // debug_offsets.frame_owner
        frame_stack_pointer: None, // debug_offsets.frame_stack_pointer
        generator_name: None, // debug_offsets.generator_name
        generator_frame: None, // debug_offsets.generator_frame
        generator_frame_state: None, // debug_offsets.generator_frame_state
    },
};
