//! What the running interpreter says of itself: `_Py_DebugOffsets`, the first member of
//! `_PyRuntime` since 3.13 (`Include/internal/pycore_debug_offsets.h`).

use deadweight_heap::Addr;

use super::table::{CurrentFrame, Layout, StackEnd};
use crate::memory::Memory;

/// The eight bytes it begins with.
const COOKIE: [u8; 8] = *b"xdebugpy";

/// No offset or size in an interpreter is larger; a word that says so is not believed.
const LARGEST: u64 = 1 << 24;

/// What the words in front of the offsets say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DebugOffsets {
    /// `PY_VERSION_HEX` of the running interpreter.
    pub(crate) version: u32,
    /// Built without the GIL.
    pub(crate) free_threaded: bool,
}

/// The head of the debug offsets, if the runtime begins with them.
pub(crate) fn read<M: Memory>(memory: &M, runtime: Addr) -> Option<DebugOffsets> {
    let mut scratch = Vec::new();
    if memory.bytes(runtime, COOKIE.len(), &mut scratch)? != COOKIE {
        return None;
    }
    let version = memory.word(runtime + 8)?;
    let free_threaded = memory.word(runtime + 16)? != 0;
    Some(DebugOffsets { version: u32::try_from(version).ok()?, free_threaded })
}

/// Puts the running interpreter's own numbers into a table, and says which of them differed.
pub(crate) fn apply<M: Memory>(
    layout: &mut Layout,
    memory: &M,
    runtime: Addr,
) -> Vec<&'static str> {
    let told = layout.debug_offsets;
    let word = |at: Option<u64>| {
        let value = memory.word(runtime + at?)?;
        (value <= LARGEST).then_some(value)
    };
    let mut differing = Vec::new();
    let mut set = |name: &'static str, at: Option<u64>, field: &mut u64| {
        if let Some(value) = word(at)
            && value != *field
        {
            *field = value;
            differing.push(name);
        }
    };
    macro_rules! numbers {
        ($($told:ident => $section:ident.$field:ident),+ $(,)?) => {
            $(set(stringify!($told), told.$told, &mut layout.$section.$field);)+
        };
    }
    macro_rules! options {
        ($($told:ident => $section:ident.$field:ident),+ $(,)?) => {
            $(if let Some(field) = &mut layout.$section.$field {
                set(stringify!($told), told.$told, field);
            })+
        };
    }
    numbers! {
        runtime_size => runtime.size,
        runtime_interpreters_head => runtime.interpreters_head,
        interpreter_size => interpreter.size,
        interpreter_next => interpreter.next,
        interpreter_id => interpreter.id,
        interpreter_threads_head => interpreter.threads_head,
        interpreter_gc => interpreter.gc,
        interpreter_modules => interpreter.modules,
        interpreter_sysdict => interpreter.sysdict,
        interpreter_builtins => interpreter.builtins,
        gc_size => gc.size,
        gc_collecting => gc.collecting,
        thread_size => thread.size,
        thread_next => thread.next,
        thread_thread_id => thread.thread_id,
        thread_current_exception => thread.current_exception,
        thread_exc_state => thread.exc_state,
        type_name => type_.name,
        type_flags => type_.flags,
        type_basic_size => type_.basic_size,
        type_dict_offset => type_.dict_offset,
        heap_type_cached_keys => heap_type.cached_keys,
        heap_type_size => heap_type.size,
        list_items => list.items,
        tuple_items => tuple.items,
        set_used => set.used,
        set_table => set.table,
        set_mask => set.mask,
        dict_keys => dict.keys,
        dict_values => dict.values,
        int_digits => int.digits,
        bytes_data => bytes.data,
        str_state => str.state,
        str_length => str.length,
        str_ascii_size => str.ascii_size,
        str_compact_size => str.compact_size,
        code_filename => code.filename,
        code_name => code.name,
        code_line_table => code.line_table,
        code_first_line => code.first_line,
        code_local_names => code.local_names,
        code_bytecode => code.bytecode,
        frame_previous => frame.previous,
        frame_code => frame.code,
        frame_instruction => frame.instruction,
        frame_local_values => frame.local_values,
        frame_owner => frame.owner,
        generator_name => generator.name,
        generator_frame => generator.frame,
    }
    options! {
        thread_native_thread_id => thread.native_thread_id,
        thread_datastack_chunk => thread.datastack_chunk,
        code_qualname => code.qualname,
        code_local_kinds => code.local_kinds,
        generator_frame_state => generator.frame_state,
    }
    if let CurrentFrame::Direct(offset) = &mut layout.thread.frame {
        set("thread_current_frame", told.thread_current_frame, offset);
    }
    if let StackEnd::Pointer(offset) = &mut layout.frame.stack_end {
        set("frame_stack_pointer", told.frame_stack_pointer, offset);
    }
    differing
}
