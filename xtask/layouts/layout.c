/* Prints the numbers of one CPython build that deadweight reads memory with, as `section.field value`
 * lines. `cargo xtask layouts` compiles it against an interpreter's installed headers (the internal
 * ones included) and turns the lines into crates/cpython/src/layout/v3_N.rs.
 *
 * Offsets and sizes come from offsetof and sizeof; bit-fields by setting the field in a zeroed struct.
 * The few numbers no installed header has say which source file they come from. */
#define Py_BUILD_CORE 1
#include <Python.h>
#include <frameobject.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#if PY_VERSION_HEX >= 0x030B0000
#include <structmember.h>
#endif
#include "internal/pycore_gc.h"
#include "internal/pycore_interp.h"
#include "internal/pycore_runtime.h"
#include "internal/pycore_code.h"
#include "internal/pycore_moduleobject.h"
#if PY_VERSION_HEX >= 0x030B0000
#include "internal/pycore_dict.h"
#include "internal/pycore_frame.h"
#endif
#if PY_VERSION_HEX >= 0x030C0000
#include "internal/pycore_obmalloc.h"
#endif
#if PY_VERSION_HEX >= 0x030D0000
#include "internal/pycore_tstate.h"
#endif
#if PY_VERSION_HEX >= 0x030E0000
#include "internal/pycore_interpframe_structs.h"
#include "internal/pycore_genobject.h"
#endif

#define V(major, minor) (PY_VERSION_HEX >= ((major) << 24 | (minor) << 16))
#define NUM(section, field, value) printf("%s.%s %zu\n", #section, #field, (size_t)(value))
#define SOME(section, field, value) printf("%s.%s Some(%zu)\n", #section, #field, (size_t)(value))
#define NONE(section, field) printf("%s.%s None\n", #section, #field)
#define OFF(section, field, type, member) NUM(section, field, offsetof(type, member))
#define OPT(section, field, type, member) SOME(section, field, offsetof(type, member))

/* The 32-bit mask of a bit-field inside the word at the start of `whole.part`. */
#define MASK(section, field, type, part, bits)                       \
    do {                                                             \
        static type whole;                                           \
        unsigned int word;                                           \
        memset(&whole, 0, sizeof whole);                             \
        whole.part.bits = ~0u;                                       \
        memcpy(&word, &whole.part, sizeof word);                     \
        NUM(section, field, word);                                   \
    } while (0)

static void runtime_and_interpreter(void)
{
    OFF(runtime, interpreters_head, _PyRuntimeState, interpreters.head);
    NUM(runtime, size, sizeof(_PyRuntimeState));

    OFF(interpreter, next, PyInterpreterState, next);
    OFF(interpreter, id, PyInterpreterState, id);
#if V(3, 11)
    OFF(interpreter, threads_head, PyInterpreterState, threads.head);
#else
    OFF(interpreter, threads_head, PyInterpreterState, tstate_head);
#endif
    OFF(interpreter, gc, PyInterpreterState, gc);
#if V(3, 12)
    OFF(interpreter, modules, PyInterpreterState, imports.modules);
    OFF(interpreter, importlib, PyInterpreterState, imports.importlib);
#else
    OFF(interpreter, modules, PyInterpreterState, modules);
    OFF(interpreter, importlib, PyInterpreterState, importlib);
#endif
    OFF(interpreter, sysdict, PyInterpreterState, sysdict);
    OFF(interpreter, builtins, PyInterpreterState, builtins);
    OFF(interpreter, dict, PyInterpreterState, dict);
#if V(3, 13)
    OFF(interpreter, codec_search_path, PyInterpreterState, codecs.search_path);
    OFF(interpreter, codec_search_cache, PyInterpreterState, codecs.search_cache);
    OFF(interpreter, codec_error_registry, PyInterpreterState, codecs.error_registry);
#else
    OFF(interpreter, codec_search_path, PyInterpreterState, codec_search_path);
    OFF(interpreter, codec_search_cache, PyInterpreterState, codec_search_cache);
    OFF(interpreter, codec_error_registry, PyInterpreterState, codec_error_registry);
#endif
    OFF(interpreter, before_forkers, PyInterpreterState, before_forkers);
    OFF(interpreter, after_forkers_parent, PyInterpreterState, after_forkers_parent);
    OFF(interpreter, after_forkers_child, PyInterpreterState, after_forkers_child);
    NUM(interpreter, size, sizeof(PyInterpreterState));
#if V(3, 12)
    OPT(interpreter, interned_strings, PyInterpreterState, cached_objects.interned_strings);
#else
    NONE(interpreter, interned_strings);
#endif
    /* 3.10 keeps the cached ints as objects of their own; later versions keep them in static data. */
#if V(3, 11)
    NONE(interpreter, small_ints);
#else
    OPT(interpreter, small_ints, PyInterpreterState, small_ints);
#endif
    /* 3.12 has the allocator's state inside the interpreter, 3.13+ a pointer to it. */
#if V(3, 13)
    printf("interpreter.obmalloc Obmalloc::Pointer(%zu)\n", offsetof(PyInterpreterState, obmalloc));
    OPT(interpreter, arenas, struct _obmalloc_state, mgmt.arenas);
    OPT(interpreter, max_arenas, struct _obmalloc_state, mgmt.maxarenas);
#elif V(3, 12)
    printf("interpreter.obmalloc Obmalloc::Embedded(%zu)\n", offsetof(PyInterpreterState, obmalloc));
    OPT(interpreter, arenas, struct _obmalloc_state, mgmt.arenas);
    OPT(interpreter, max_arenas, struct _obmalloc_state, mgmt.maxarenas);
#else
    printf("interpreter.obmalloc Obmalloc::Static\n");
    NONE(interpreter, arenas);
    NONE(interpreter, max_arenas);
#endif
}

static void static_types(void)
{
    /* From 3.12 on the dict, subclasses and weak references of a static builtin type are kept per
     * interpreter, in a row whose number (plus one) stands in tp_subclasses. From 3.13 on those of some
     * extension modules are too, in rows of their own that are numbered from the start again. */
#if V(3, 13)
    OPT(static_types, rows, PyInterpreterState, types.builtins.initialized);
    OPT(static_types, extension_rows, PyInterpreterState, types.for_extensions.initialized);
    SOME(static_types, stride, sizeof(managed_static_type_state));
    OPT(static_types, type_, managed_static_type_state, type);
    OPT(static_types, dict, managed_static_type_state, tp_dict);
    OPT(static_types, subclasses, managed_static_type_state, tp_subclasses);
    SOME(static_types, count, sizeof(((PyInterpreterState *)0)->types.builtins.initialized)
                                  / sizeof(managed_static_type_state));
#elif V(3, 12)
    OPT(static_types, rows, PyInterpreterState, types.builtins);
    NONE(static_types, extension_rows);
    SOME(static_types, stride, sizeof(static_builtin_state));
    OPT(static_types, type_, static_builtin_state, type);
    OPT(static_types, dict, static_builtin_state, tp_dict);
    OPT(static_types, subclasses, static_builtin_state, tp_subclasses);
    SOME(static_types, count, sizeof(((PyInterpreterState *)0)->types.builtins)
                                  / sizeof(static_builtin_state));
#else
    NONE(static_types, rows);
    NONE(static_types, extension_rows);
    NONE(static_types, stride);
    NONE(static_types, type_);
    NONE(static_types, dict);
    NONE(static_types, subclasses);
    NONE(static_types, count);
#endif
}

static void collector(void)
{
    OFF(gc, enabled, struct _gc_runtime_state, enabled);
    OFF(gc, generations, struct _gc_runtime_state, generations);
    NUM(gc, generation_size, sizeof(struct gc_generation));
    OFF(gc, generation_threshold, struct gc_generation, threshold);
    OFF(gc, generation_count, struct gc_generation, count);
    OFF(gc, generation0, struct _gc_runtime_state, generation0);
    OFF(gc, permanent, struct _gc_runtime_state, permanent_generation);
    OFF(gc, collecting, struct _gc_runtime_state, collecting);
    OFF(gc, garbage, struct _gc_runtime_state, garbage);
    OFF(gc, callbacks, struct _gc_runtime_state, callbacks);
    OFF(gc, long_lived_total, struct _gc_runtime_state, long_lived_total);
    OFF(gc, long_lived_pending, struct _gc_runtime_state, long_lived_pending);
    /* 3.15 keeps the last few collections of each generation in rings behind a pointer. */
#if V(3, 15)
    printf("gc.stats CollectorStats::Rings { pointer: %zu, starts: [%zu, %zu, %zu], "
           "indexes: [%zu, %zu, %zu], rows: [%zu, %zu] }\n",
           offsetof(struct _gc_runtime_state, generation_stats),
           offsetof(struct gc_stats, young.items), offsetof(struct gc_stats, old[0].items),
           offsetof(struct gc_stats, old[1].items), offsetof(struct gc_stats, young.index),
           offsetof(struct gc_stats, old[0].index), offsetof(struct gc_stats, old[1].index),
           (size_t)GC_YOUNG_STATS_SIZE, (size_t)GC_OLD_STATS_SIZE);
#else
    printf("gc.stats CollectorStats::Embedded(%zu)\n",
           offsetof(struct _gc_runtime_state, generation_stats));
#endif
    NUM(gc, stats_size, sizeof(struct gc_generation_stats));
    OFF(gc, stats_collections, struct gc_generation_stats, collections);
    OFF(gc, stats_collected, struct gc_generation_stats, collected);
    OFF(gc, stats_uncollectable, struct gc_generation_stats, uncollectable);
    NUM(gc, size, sizeof(struct _gc_runtime_state));
}

static void thread(void)
{
    OFF(thread, next, PyThreadState, next);
    OFF(thread, thread_id, PyThreadState, thread_id);
#if V(3, 11)
    OPT(thread, native_thread_id, PyThreadState, native_thread_id);
    OPT(thread, datastack_chunk, PyThreadState, datastack_chunk);
#else
    NONE(thread, native_thread_id);
    NONE(thread, datastack_chunk);
#endif
#if V(3, 13)
    printf("thread.frame CurrentFrame::Direct(%zu)\n", offsetof(PyThreadState, current_frame));
#elif V(3, 11)
    printf("thread.frame CurrentFrame::ThroughCframe { cframe: %zu, current_frame: %zu }\n",
           offsetof(PyThreadState, cframe), offsetof(_PyCFrame, current_frame));
#else
    printf("thread.frame CurrentFrame::Object(%zu)\n", offsetof(PyThreadState, frame));
#endif
#if V(3, 12)
    OFF(thread, current_exception, PyThreadState, current_exception);
#else
    OFF(thread, current_exception, PyThreadState, curexc_value);
#endif
    OFF(thread, exc_info, PyThreadState, exc_info);
    OFF(thread, exc_state, PyThreadState, exc_state);
    OFF(thread, dict, PyThreadState, dict);
    OFF(thread, context, PyThreadState, context);
    OFF(thread, async_exc, PyThreadState, async_exc);
    OFF(thread, profile_object, PyThreadState, c_profileobj);
    OFF(thread, trace_object, PyThreadState, c_traceobj);
    OFF(thread, async_gen_firstiter, PyThreadState, async_gen_firstiter);
    OFF(thread, async_gen_finalizer, PyThreadState, async_gen_finalizer);
    NUM(thread, size, sizeof(PyThreadState));
    OFF(exception_stack, value, _PyErr_StackItem, exc_value);
    OFF(exception_stack, previous, _PyErr_StackItem, previous_item);
#if V(3, 11)
    NONE(exception_stack, type_);
    NONE(exception_stack, traceback);
#else
    OPT(exception_stack, type_, _PyErr_StackItem, exc_type);
    OPT(exception_stack, traceback, _PyErr_StackItem, exc_traceback);
#endif
}

static void types(void)
{
    OFF(type_, name, PyTypeObject, tp_name);
    OFF(type_, basic_size, PyTypeObject, tp_basicsize);
    OFF(type_, item_size, PyTypeObject, tp_itemsize);
    OFF(type_, flags, PyTypeObject, tp_flags);
    OFF(type_, weaklist_offset, PyTypeObject, tp_weaklistoffset);
    OFF(type_, doc, PyTypeObject, tp_doc);
    OFF(type_, members, PyTypeObject, tp_members);
    OFF(type_, base, PyTypeObject, tp_base);
    OFF(type_, dict, PyTypeObject, tp_dict);
    OFF(type_, dict_offset, PyTypeObject, tp_dictoffset);
    OFF(type_, bases, PyTypeObject, tp_bases);
    OFF(type_, mro, PyTypeObject, tp_mro);
    OFF(type_, cache, PyTypeObject, tp_cache);
    OFF(type_, subclasses, PyTypeObject, tp_subclasses);
    NUM(type_, size, sizeof(PyTypeObject));
    OFF(heap_type, name, PyHeapTypeObject, ht_name);
    OFF(heap_type, slots, PyHeapTypeObject, ht_slots);
    OFF(heap_type, qualname, PyHeapTypeObject, ht_qualname);
    OFF(heap_type, cached_keys, PyHeapTypeObject, ht_cached_keys);
    OFF(heap_type, module, PyHeapTypeObject, ht_module);
    NUM(heap_type, size, sizeof(PyHeapTypeObject));
}

static void containers(void)
{
    OFF(list, items, PyListObject, ob_item);
    OFF(list, allocated, PyListObject, allocated);
    OFF(tuple, items, PyTupleObject, ob_item);
    OFF(set, used, PySetObject, used);
    OFF(set, mask, PySetObject, mask);
    OFF(set, table, PySetObject, table);
    OFF(set, small_table, PySetObject, smalltable);
    OFF(dict, keys, PyDictObject, ma_keys);
    OFF(dict, values, PyDictObject, ma_values);
#if V(3, 11)
    printf("keys.size KeysSize::Log2 { log2_size: %zu, log2_index_bytes: %zu, kind: %zu }\n",
           offsetof(struct _dictkeysobject, dk_log2_size),
           offsetof(struct _dictkeysobject, dk_log2_index_bytes),
           offsetof(struct _dictkeysobject, dk_kind));
    OFF(keys, refcount, struct _dictkeysobject, dk_refcnt);
    OFF(keys, usable, struct _dictkeysobject, dk_usable);
    OFF(keys, entries, struct _dictkeysobject, dk_nentries);
    OFF(keys, indices, struct _dictkeysobject, dk_indices);
    OFF(values, items, PyDictValues, values);
#else
    /* Objects/dict-common.h of 3.10, which is not installed. */
    printf("keys.size KeysSize::Slots { size: 8, lookup: 16 }\n");
    NUM(keys, refcount, 0);
    NUM(keys, usable, 24);
    NUM(keys, entries, 32);
    NUM(keys, indices, 40);
    NUM(values, items, 0);
#endif
#if V(3, 13)
    OPT(values, capacity, PyDictValues, capacity);
    OPT(values, embedded, PyDictValues, embedded);
    OPT(values, valid, PyDictValues, valid);
#else
    NONE(values, capacity);
    NONE(values, embedded);
    NONE(values, valid);
#endif
}

static void scalars(void)
{
    OFF(str, length, PyASCIIObject, length);
    OFF(str, state, PyASCIIObject, state);
    MASK(str, kind_mask, PyASCIIObject, state, kind);
    MASK(str, compact_mask, PyASCIIObject, state, compact);
    MASK(str, ascii_mask, PyASCIIObject, state, ascii);
    NUM(str, ascii_size, sizeof(PyASCIIObject));
    NUM(str, compact_size, sizeof(PyCompactUnicodeObject));
    NUM(str, legacy_size, sizeof(PyUnicodeObject));
    OFF(str, utf8_length, PyCompactUnicodeObject, utf8_length);
    OFF(str, utf8, PyCompactUnicodeObject, utf8);
    OFF(str, data, PyUnicodeObject, data);
#if V(3, 12)
    NONE(str, wstr);
    NONE(str, wstr_length);
#else
    OPT(str, wstr, PyASCIIObject, wstr);
    OPT(str, wstr_length, PyCompactUnicodeObject, wstr_length);
#endif
    OFF(bytes, data, PyBytesObject, ob_sval);
    OFF(bytearray, allocated, PyByteArrayObject, ob_alloc);
    OFF(bytearray, buffer, PyByteArrayObject, ob_bytes);
#if V(3, 15)
    OPT(bytearray, bytes_object, PyByteArrayObject, ob_bytes_object);
#else
    NONE(bytearray, bytes_object);
#endif
#if V(3, 12)
    OFF(int, digits, PyLongObject, long_value.ob_digit);
    printf("int.size IntSize::Tag { shift: %d }\n", _PyLong_NON_SIZE_BITS);
#else
    OFF(int, digits, PyLongObject, ob_digit);
    printf("int.size IntSize::VarSize\n");
#endif
}

static void functions(void)
{
    OFF(function, globals, PyFunctionObject, func_globals);
    OFF(function, builtins, PyFunctionObject, func_builtins);
    OFF(function, name, PyFunctionObject, func_name);
    OFF(function, qualname, PyFunctionObject, func_qualname);
    OFF(function, code, PyFunctionObject, func_code);
    OFF(function, defaults, PyFunctionObject, func_defaults);
    OFF(function, kwdefaults, PyFunctionObject, func_kwdefaults);
    OFF(function, closure, PyFunctionObject, func_closure);
    OFF(function, doc, PyFunctionObject, func_doc);
    OFF(function, module, PyFunctionObject, func_module);
    OFF(function, annotations, PyFunctionObject, func_annotations);
#if V(3, 12)
    OPT(function, typeparams, PyFunctionObject, func_typeparams);
#else
    NONE(function, typeparams);
#endif
#if V(3, 14)
    OPT(function, annotate, PyFunctionObject, func_annotate);
#else
    NONE(function, annotate);
#endif
    OFF(method, function, PyMethodObject, im_func);
    OFF(method, instance, PyMethodObject, im_self);
    OFF(module, state, PyModuleObject, md_state);
    OFF(module, name, PyModuleObject, md_name);
#if V(3, 15)
    NONE(module, def);
    OPT(module, state_size, PyModuleObject, md_state_size);
#else
    OPT(module, def, PyModuleObject, md_def);
    NONE(module, state_size);
#endif
    OFF(module, def_size, PyModuleDef, m_size);

    OFF(code, consts, PyCodeObject, co_consts);
    OFF(code, names, PyCodeObject, co_names);
    OFF(code, filename, PyCodeObject, co_filename);
    OFF(code, name, PyCodeObject, co_name);
    OFF(code, line_table, PyCodeObject, co_linetable);
    OFF(code, first_line, PyCodeObject, co_firstlineno);
    OFF(code, extra, PyCodeObject, co_extra);
    OFF(code, stack_size, PyCodeObject, co_stacksize);
#if V(3, 11)
    OPT(code, exception_table, PyCodeObject, co_exceptiontable);
    OPT(code, qualname, PyCodeObject, co_qualname);
    OFF(code, locals_count, PyCodeObject, co_nlocalsplus);
    OFF(code, local_names, PyCodeObject, co_localsplusnames);
    OPT(code, local_kinds, PyCodeObject, co_localspluskinds);
    OFF(code, free_count, PyCodeObject, co_nfreevars);
    OFF(code, bytecode, PyCodeObject, co_code_adaptive);
    NONE(code, cell_names);
    NONE(code, free_names);
    NONE(code, cell_to_argument);
    NONE(code, opcache_map);
    NONE(code, opcache);
    NONE(code, opcache_size);
#else
    NONE(code, exception_table);
    NONE(code, qualname);
    OFF(code, locals_count, PyCodeObject, co_nlocals);
    OFF(code, local_names, PyCodeObject, co_varnames);
    NONE(code, local_kinds);
    OFF(code, bytecode, PyCodeObject, co_code);
    OFF(code, free_count, PyCodeObject, co_nlocals);
    OPT(code, cell_names, PyCodeObject, co_cellvars);
    OPT(code, free_names, PyCodeObject, co_freevars);
    OPT(code, cell_to_argument, PyCodeObject, co_cell2arg);
    OPT(code, opcache_map, PyCodeObject, co_opcache_map);
    OPT(code, opcache, PyCodeObject, co_opcache);
    OPT(code, opcache_size, PyCodeObject, co_opcache_size);
#endif
#if V(3, 12)
    OPT(code, cached, PyCodeObject, _co_cached);
    NONE(code, cached_bytecode);
    OPT(code, cached_code, _PyCoCached, _co_code);
    OPT(code, cached_varnames, _PyCoCached, _co_varnames);
    OPT(code, cached_cellvars, _PyCoCached, _co_cellvars);
    OPT(code, cached_freevars, _PyCoCached, _co_freevars);
#else
    NONE(code, cached);
    NONE(code, cached_code);
    NONE(code, cached_varnames);
    NONE(code, cached_cellvars);
    NONE(code, cached_freevars);
#if V(3, 11)
    OPT(code, cached_bytecode, PyCodeObject, _co_code);
#else
    NONE(code, cached_bytecode);
#endif
#endif
#if V(3, 13)
    OPT(code, executors, PyCodeObject, co_executors);
#else
    NONE(code, executors);
#endif
}

static void frames(void)
{
#if V(3, 11)
    /* _PyInterpreterFrame: what a running function lives in. */
#if V(3, 13)
    OFF(frame, code, _PyInterpreterFrame, f_executable);
    OFF(frame, function, _PyInterpreterFrame, f_funcobj);
    OFF(frame, instruction, _PyInterpreterFrame, instr_ptr);
#elif V(3, 12)
    OFF(frame, code, _PyInterpreterFrame, f_code);
    OFF(frame, function, _PyInterpreterFrame, f_funcobj);
    OFF(frame, instruction, _PyInterpreterFrame, prev_instr);
#else
    OFF(frame, code, _PyInterpreterFrame, f_code);
    OFF(frame, function, _PyInterpreterFrame, f_func);
    OFF(frame, instruction, _PyInterpreterFrame, prev_instr);
#endif
    OFF(frame, previous, _PyInterpreterFrame, previous);
    OFF(frame, globals, _PyInterpreterFrame, f_globals);
    OFF(frame, builtins, _PyInterpreterFrame, f_builtins);
    OFF(frame, locals, _PyInterpreterFrame, f_locals);
    OFF(frame, object, _PyInterpreterFrame, frame_obj);
    OFF(frame, owner, _PyInterpreterFrame, owner);
#if V(3, 14)
    printf("frame.stack_end StackEnd::Pointer(%zu)\n", offsetof(_PyInterpreterFrame, stackpointer));
#else
    printf("frame.stack_end StackEnd::Index(%zu)\n", offsetof(_PyInterpreterFrame, stacktop));
#endif
    OFF(frame, local_values, _PyInterpreterFrame, localsplus);
    SOME(frame, owned_by_thread, FRAME_OWNED_BY_THREAD);
    SOME(frame, owned_by_generator, FRAME_OWNED_BY_GENERATOR);
#else
    /* PyFrameObject itself: 3.10 has no interpreter frames. */
    OFF(frame, code, PyFrameObject, f_code);
    OFF(frame, function, PyFrameObject, f_code);
    OFF(frame, instruction, PyFrameObject, f_lasti);
    OFF(frame, previous, PyFrameObject, f_back);
    OFF(frame, globals, PyFrameObject, f_globals);
    OFF(frame, builtins, PyFrameObject, f_builtins);
    OFF(frame, locals, PyFrameObject, f_locals);
    OFF(frame, object, PyFrameObject, f_code);
    OFF(frame, owner, PyFrameObject, f_state);
    printf("frame.stack_end StackEnd::Depth { stack: %zu, depth: %zu }\n",
           offsetof(PyFrameObject, f_valuestack), offsetof(PyFrameObject, f_stackdepth));
    OFF(frame, local_values, PyFrameObject, f_localsplus);
    NONE(frame, owned_by_thread);
    NONE(frame, owned_by_generator);
#endif
    OFF(frame_object, back, PyFrameObject, f_back);
    OFF(frame_object, trace, PyFrameObject, f_trace);
#if V(3, 11)
    OPT(frame_object, frame, PyFrameObject, f_frame);
    OPT(frame_object, embedded, PyFrameObject, _f_frame_data);
#else
    NONE(frame_object, frame);
    NONE(frame_object, embedded);
#endif
#if V(3, 13)
    OPT(frame_object, extra_locals, PyFrameObject, f_extra_locals);
    OPT(frame_object, locals_cache, PyFrameObject, f_locals_cache);
#else
    NONE(frame_object, extra_locals);
    NONE(frame_object, locals_cache);
#endif
#if V(3, 14)
    OPT(frame_object, overwritten_locals, PyFrameObject, f_overwritten_fast_locals);
#else
    NONE(frame_object, overwritten_locals);
#endif
    OFF(generator, name, PyGenObject, gi_name);
    OFF(generator, qualname, PyGenObject, gi_qualname);
    OFF(generator, exception, PyGenObject, gi_exc_state.exc_value);
#if V(3, 11)
    OPT(generator, origin_or_finalizer, PyGenObject, gi_origin_or_finalizer);
    OPT(generator, frame_state, PyGenObject, gi_frame_state);
    OFF(generator, frame, PyGenObject, gi_iframe);
    printf("generator.cleared %d\n", FRAME_CLEARED);
#else
    NONE(generator, origin_or_finalizer);
    NONE(generator, frame_state);
    OFF(generator, frame, PyGenObject, gi_frame);
    printf("generator.cleared 4\n");
#endif
#if V(3, 12)
    NONE(generator, code);
#else
    OPT(generator, code, PyGenObject, gi_code);
#endif
}

/* Where _Py_DebugOffsets (3.13+), the first member of _PyRuntime, keeps its own word for a number
 * above. The reader prefers the running interpreter's word to this table wherever there is one. */
#if V(3, 13)
#define TOLD(field, member) OPT(debug_offsets, field, struct _Py_DebugOffsets, member)
#else
#define TOLD(field, member) NONE(debug_offsets, field)
#endif
#if V(3, 14)
#define TOLD14(field, member) TOLD(field, member)
#else
#define TOLD14(field, member) NONE(debug_offsets, field)
#endif
#if V(3, 15)
#define TOLD15(field, member) TOLD(field, member)
#else
#define TOLD15(field, member) NONE(debug_offsets, field)
#endif

static void debug_offsets(void)
{
    TOLD(runtime_size, runtime_state.size);
    TOLD(runtime_interpreters_head, runtime_state.interpreters_head);
    TOLD(interpreter_size, interpreter_state.size);
    TOLD(interpreter_next, interpreter_state.next);
    TOLD(interpreter_id, interpreter_state.id);
    TOLD(interpreter_threads_head, interpreter_state.threads_head);
    TOLD(interpreter_gc, interpreter_state.gc);
    TOLD(interpreter_modules, interpreter_state.imports_modules);
    TOLD(interpreter_sysdict, interpreter_state.sysdict);
    TOLD(interpreter_builtins, interpreter_state.builtins);
    TOLD(gc_size, gc.size);
    TOLD(gc_collecting, gc.collecting);
    TOLD(thread_size, thread_state.size);
    TOLD(thread_next, thread_state.next);
    TOLD(thread_current_frame, thread_state.current_frame);
    TOLD(thread_thread_id, thread_state.thread_id);
    TOLD(thread_native_thread_id, thread_state.native_thread_id);
    TOLD(thread_datastack_chunk, thread_state.datastack_chunk);
    TOLD15(thread_current_exception, thread_state.current_exception);
    TOLD15(thread_exc_state, thread_state.exc_state);
    TOLD(type_name, type_object.tp_name);
    TOLD(type_flags, type_object.tp_flags);
    TOLD15(type_basic_size, type_object.tp_basicsize);
    TOLD15(type_dict_offset, type_object.tp_dictoffset);
    TOLD15(heap_type_cached_keys, heap_type_object.ht_cached_keys);
    TOLD15(heap_type_size, heap_type_object.size);
    TOLD(list_items, list_object.ob_item);
    TOLD(tuple_items, tuple_object.ob_item);
    TOLD14(set_used, set_object.used);
    TOLD14(set_table, set_object.table);
    TOLD14(set_mask, set_object.mask);
    TOLD(dict_keys, dict_object.ma_keys);
    TOLD(dict_values, dict_object.ma_values);
    TOLD(int_digits, long_object.ob_digit);
    TOLD(bytes_data, bytes_object.ob_sval);
    TOLD(str_state, unicode_object.state);
    TOLD(str_length, unicode_object.length);
    TOLD(str_ascii_size, unicode_object.asciiobject_size);
    TOLD15(str_compact_size, unicode_object.compactunicodeobject_size);
    TOLD(code_filename, code_object.filename);
    TOLD(code_name, code_object.name);
    TOLD(code_qualname, code_object.qualname);
    TOLD(code_line_table, code_object.linetable);
    TOLD(code_first_line, code_object.firstlineno);
    TOLD(code_local_names, code_object.localsplusnames);
    TOLD(code_local_kinds, code_object.localspluskinds);
    TOLD(code_bytecode, code_object.co_code_adaptive);
    TOLD(frame_previous, interpreter_frame.previous);
    TOLD(frame_code, interpreter_frame.executable);
    TOLD(frame_instruction, interpreter_frame.instr_ptr);
    TOLD(frame_local_values, interpreter_frame.localsplus);
    TOLD(frame_owner, interpreter_frame.owner);
    TOLD14(frame_stack_pointer, interpreter_frame.stackpointer);
    TOLD14(generator_name, gen_object.gi_name);
    TOLD14(generator_frame, gen_object.gi_iframe);
    TOLD14(generator_frame_state, gen_object.gi_frame_state);
}

int main(void)
{
#if V(3, 14)
    printf("object.refcount Refcount::Low32\n");
#elif V(3, 12)
    printf("object.refcount Refcount::ImmortalLow32\n");
#else
    printf("object.refcount Refcount::Plain\n");
#endif
#if V(3, 14)
    printf("object.stack_refs_tagged true\n");
#else
    printf("object.stack_refs_tagged false\n");
#endif
    runtime_and_interpreter();
    static_types();
    collector();
    thread();
    types();
    containers();
    scalars();
    functions();
    frames();
    debug_offsets();
    return 0;
}
