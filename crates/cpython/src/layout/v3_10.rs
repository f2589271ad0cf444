//! CPython 3.10: made by cargo xtask layouts from the headers of `3.10.13`. Not to be edited.

#[allow(clippy::wildcard_imports, reason = "a table names every section")]
use super::*;

pub(super) const LAYOUT: Layout = Layout {
    minor: 10,
    made_from: "3.10.13",
    object: ObjectLayout {
        refcount: Refcount::Plain, // object.refcount
        stack_refs_tagged: false, // object.stack_refs_tagged
    },
    runtime: RuntimeLayout {
        interpreters_head: 32, // runtime.interpreters_head
        size: 672, // runtime.size
    },
    interpreter: InterpreterLayout {
        next: 0, // interpreter.next
        id: 24, // interpreter.id
        threads_head: 8, // interpreter.threads_head
        gc: 616, // interpreter.gc
        modules: 856, // interpreter.modules
        importlib: 888, // interpreter.importlib
        sysdict: 872, // interpreter.sysdict
        builtins: 880, // interpreter.builtins
        dict: 1344, // interpreter.dict
        codec_search_path: 912, // interpreter.codec_search_path
        codec_search_cache: 920, // interpreter.codec_search_cache
        codec_error_registry: 928, // interpreter.codec_error_registry
        before_forkers: 3424, // interpreter.before_forkers
        after_forkers_parent: 3432, // interpreter.after_forkers_parent
        after_forkers_child: 3440, // interpreter.after_forkers_child
        size: 113_528, // interpreter.size
        interned_strings: None, // interpreter.interned_strings
        small_ints: Some(3512), // interpreter.small_ints
        obmalloc: Obmalloc::Static, // interpreter.obmalloc
        arenas: None, // interpreter.arenas
        max_arenas: None, // interpreter.max_arenas
    },
    static_types: StaticTypesLayout {
        rows: None, // static_types.rows
        extension_rows: None, // static_types.extension_rows
        stride: None, // static_types.stride
        type_: None, // static_types.type_
        dict: None, // static_types.dict
        subclasses: None, // static_types.subclasses
        count: None, // static_types.count
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
        thread_id: 176, // thread.thread_id
        native_thread_id: None, // thread.native_thread_id
        datastack_chunk: None, // thread.datastack_chunk
        frame: CurrentFrame::Object(24), // thread.frame
        current_exception: 96, // thread.current_exception
        exc_info: 144, // thread.exc_info
        exc_state: 112, // thread.exc_state
        dict: 152, // thread.dict
        context: 240, // thread.context
        async_exc: 168, // thread.async_exc
        profile_object: 72, // thread.profile_object
        trace_object: 80, // thread.trace_object
        async_gen_firstiter: 224, // thread.async_gen_firstiter
        async_gen_finalizer: 232, // thread.async_gen_finalizer
        size: 280, // thread.size
    },
    exception_stack: ExceptionStackLayout {
        value: 8, // exception_stack.value
        previous: 24, // exception_stack.previous
        type_: Some(0), // exception_stack.type_
        traceback: Some(16), // exception_stack.traceback
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
        size: 408, // type_.size
    },
    heap_type: HeapTypeLayout {
        name: 848, // heap_type.name
        slots: 856, // heap_type.slots
        qualname: 864, // heap_type.qualname
        cached_keys: 872, // heap_type.cached_keys
        module: 880, // heap_type.module
        size: 888, // heap_type.size
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
        size: KeysSize::Slots { size: 8, lookup: 16 }, // keys.size
        refcount: 0, // keys.refcount
        usable: 24, // keys.usable
        entries: 32, // keys.entries
        indices: 40, // keys.indices
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
        ascii_size: 48, // str.ascii_size
        compact_size: 72, // str.compact_size
        legacy_size: 80, // str.legacy_size
        utf8_length: 48, // str.utf8_length
        utf8: 56, // str.utf8
        data: 72, // str.data
        wstr: Some(40), // str.wstr
        wstr_length: Some(64), // str.wstr_length
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
        size: IntSize::VarSize, // int.size
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
        typeparams: None, // function.typeparams
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
        consts: 56, // code.consts
        names: 64, // code.names
        filename: 104, // code.filename
        name: 112, // code.name
        line_table: 120, // code.line_table
        first_line: 40, // code.first_line
        extra: 144, // code.extra
        stack_size: 32, // code.stack_size
        exception_table: None, // code.exception_table
        qualname: None, // code.qualname
        locals_count: 28, // code.locals_count
        local_names: 72, // code.local_names
        local_kinds: None, // code.local_kinds
        bytecode: 48, // code.bytecode
        free_count: 28, // code.free_count
        cell_names: Some(88), // code.cell_names
        free_names: Some(80), // code.free_names
        cell_to_argument: Some(96), // code.cell_to_argument
        opcache_map: Some(152), // code.opcache_map
        opcache: Some(160), // code.opcache
        opcache_size: Some(172), // code.opcache_size
        cached: None, // code.cached
        cached_code: None, // code.cached_code
        cached_varnames: None, // code.cached_varnames
        cached_cellvars: None, // code.cached_cellvars
        cached_freevars: None, // code.cached_freevars
        cached_bytecode: None, // code.cached_bytecode
        executors: None, // code.executors
    },
    frame: FrameLayout {
        code: 32, // frame.code
        function: 32, // frame.function
        instruction: 96, // frame.instruction
        previous: 24, // frame.previous
        globals: 48, // frame.globals
        builtins: 40, // frame.builtins
        locals: 56, // frame.locals
        object: 32, // frame.object
        owner: 108, // frame.owner
        stack_end: StackEnd::Depth { stack: 64, depth: 80 }, // frame.stack_end
        local_values: 352, // frame.local_values
        owned_by_thread: None, // frame.owned_by_thread
        owned_by_generator: None, // frame.owned_by_generator
    },
    frame_object: FrameObjectLayout {
        back: 24, // frame_object.back
        trace: 72, // frame_object.trace
        frame: None, // frame_object.frame
        embedded: None, // frame_object.embedded
        extra_locals: None, // frame_object.extra_locals
        locals_cache: None, // frame_object.locals_cache
        overwritten_locals: None, // frame_object.overwritten_locals
    },
    generator: GeneratorLayout {
        name: 40, // generator.name
        qualname: 48, // generator.qualname
        exception: 64, // generator.exception
        origin_or_finalizer: None, // generator.origin_or_finalizer
        frame_state: None, // generator.frame_state
        frame: 16, // generator.frame
        cleared: 4, // generator.cleared
        code: Some(24), // generator.code
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
