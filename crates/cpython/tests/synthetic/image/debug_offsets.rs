//! What a fake interpreter says of itself: `_Py_DebugOffsets`, the first member of `_PyRuntime` since
//! 3.13 (`internal/pycore_runtime.h`; from 3.14 on `pycore_debug_offsets.h`). One line a struct.

use super::Image;
use super::numbers::{Numbers, Python};

/// Fields that no fake interpreter has; a reader must not need them.
const ABSENT: u64 = 0;

impl Image {
    pub(super) fn write_debug_offsets(&mut self) {
        let words = match self.python {
            Python::V3_13 => of_3_13(&self.numbers),
            Python::V3_14 => of_3_14(&self.numbers),
            Python::V3_15 => of_3_15(&self.numbers),
            Python::V3_10 | Python::V3_11 | Python::V3_12 => return,
        };
        let head = [u64::from_le_bytes(*b"xdebugpy"), self.python.hex(), 0];
        self.memory.put_words(self.runtime, &head);
        self.memory.put_words(self.runtime + 24, &words.concat());
    }
}

/// Offsets that did not change: `ob_type`, `tp_name`, `tp_repr`, `tp_flags`, `ob_size`.
const OBJECT: [u64; 2] = [16, 8];
const LIST: [u64; 3] = [40, 24, 16];
const SET: [u64; 4] = [200, 24, 40, 32];
const DICT: [u64; 3] = [48, 32, 40];
const FLOAT: [u64; 2] = [24, 16];
const INT: [u64; 3] = [32, 16, 24];
const BYTES: [u64; 3] = [40, 16, 32];

fn runtime(n: &Numbers) -> Vec<u64> {
    vec![n.runtime_size, ABSENT, n.runtime_head]
}

fn code(n: &Numbers) -> Vec<u64> {
    let (kinds, arguments) = (n.code_local_kinds, ABSENT);
    vec![
        n.code_size + 8,
        n.code_filename,
        n.code_name,
        n.code_qualname,
        n.code_line_table,
        n.code_first_line,
        arguments,
        n.code_local_names,
        kinds,
        n.code_size,
    ]
}

fn tuple(n: &Numbers) -> Vec<u64> {
    vec![n.tuple_items + 8, n.tuple_items, 16]
}

fn str(n: &Numbers) -> Vec<u64> {
    vec![n.str_legacy, 32, 16, n.str_ascii]
}

/// `size` to `builtins`, without and with `threads_main`, and the eval loop's lock.
fn interpreter(n: &Numbers, threads_main: bool) -> Vec<u64> {
    let mut words =
        vec![n.interpreter_size, n.interpreter_id, n.interpreter_next, n.interpreter_threads];
    if threads_main {
        words.push(n.interpreter_threads + 8);
    }
    words.extend([n.interpreter_gc, n.interpreter_modules]);
    words.extend([n.interpreter_sysdict, n.interpreter_builtins]);
    words.extend([ABSENT; 5]);
    words
}

fn of_3_13(n: &Numbers) -> Vec<Vec<u64>> {
    vec![
        runtime(n),
        interpreter(n, false),
        // prev, next, interp, current_frame, thread_id, native_thread_id, datastack_chunk, status.
        vec![n.thread_size, 0, n.thread_next, 16, n.thread_frame],
        vec![n.thread_id, n.thread_native_id, n.thread_data_stack, 32],
        // size, previous, executable, instr_ptr, localsplus, owner.
        vec![n.frame_locals_plus + 8, n.frame_previous, n.frame_code, n.frame_instruction],
        vec![n.frame_locals_plus, n.frame_owner],
        code(n),
        OBJECT.to_vec(),
        vec![n.type_size, 24, 88, 168],
        tuple(n),
        LIST.to_vec(),
        DICT.to_vec(),
        FLOAT.to_vec(),
        INT.to_vec(),
        BYTES.to_vec(),
        str(n),
        vec![n.gc_size, n.gc_collecting],
    ]
}

fn of_3_14(n: &Numbers) -> Vec<Vec<u64>> {
    vec![
        runtime(n),
        interpreter(n, true),
        // code_object_generation, tlbc_generation.
        vec![ABSENT; 2],
        vec![n.thread_size, 0, n.thread_next, 16, n.thread_frame],
        vec![n.thread_id, n.thread_native_id, n.thread_data_stack, 32],
        vec![n.frame_locals_plus + 8, n.frame_previous, n.frame_code, n.frame_instruction],
        vec![n.frame_locals_plus, n.frame_owner, n.frame_stack, ABSENT],
        code(n),
        // co_tlbc.
        vec![ABSENT],
        OBJECT.to_vec(),
        vec![n.type_size, 24, 88, 168],
        tuple(n),
        LIST.to_vec(),
        SET.to_vec(),
        DICT.to_vec(),
        FLOAT.to_vec(),
        INT.to_vec(),
        BYTES.to_vec(),
        str(n),
        vec![n.gc_size, n.gc_collecting],
        vec![160, n.generator_name, n.generator_frame, n.generator_state],
        // llist_node, debugger_support.
        vec![0, 8],
        vec![ABSENT; 6],
    ]
}

fn of_3_15(n: &Numbers) -> Vec<Vec<u64>> {
    vec![
        runtime(n),
        interpreter(n, true),
        vec![ABSENT; 2],
        // As in 3.14, with base_frame and last_profiled_frame(_seq) in between, and what follows status.
        vec![n.thread_size, 0, n.thread_next, 16, n.thread_frame, 80, 88, 96],
        vec![n.thread_id, n.thread_native_id, n.thread_data_stack, 864, 36, 40],
        vec![n.thread_exception, n.thread_exc_state],
        // err_stackitem.exc_value.
        vec![n.exc_value],
        vec![n.frame_locals_plus + 8, n.frame_previous, n.frame_code, n.frame_instruction],
        vec![n.frame_locals_plus, n.frame_owner, n.frame_stack, ABSENT],
        code(n),
        vec![ABSENT],
        OBJECT.to_vec(),
        // size, tp_name, tp_repr, tp_flags, tp_basicsize, tp_dictoffset; then the heap type.
        vec![n.type_size, 24, 88, 168, 32, 288],
        vec![n.heap_type_size, n.heap_type_keys],
        tuple(n),
        LIST.to_vec(),
        SET.to_vec(),
        DICT.to_vec(),
        FLOAT.to_vec(),
        INT.to_vec(),
        BYTES.to_vec(),
        str(n),
        vec![n.str_compact],
        // size, collecting, frame, generation_stats_size, generation_stats.
        vec![n.gc_size, n.gc_collecting, 120, ABSENT, 104],
        vec![160, n.generator_name, n.generator_frame, n.generator_state],
        vec![0, 8],
        vec![ABSENT; 6],
    ]
}
