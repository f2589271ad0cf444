//! The names decoders give to references, interned once.

use deadweight_heap::{Interner, NameId};

/// The names, and which row each of them has.
#[derive(Debug)]
pub(crate) struct Vocabulary {
    pub(crate) names: Interner,
    pub(crate) words: Words,
}

impl Default for Vocabulary {
    fn default() -> Vocabulary {
        let mut names = Interner::default();
        let words = Words::new(&mut names);
        Vocabulary { names, words }
    }
}

macro_rules! words {
    ($($field:ident = $text:literal),+ $(,)?) => {
        /// One row of the name table each.
        #[derive(Clone, Copy, Debug)]
        pub(crate) struct Words { $(pub(crate) $field: NameId),+ }

        impl Words {
            fn new(names: &mut Interner) -> Words {
                Words { $($field: names.intern($text)),+ }
            }
        }
    };
}

words! {
    args = "args",
    array_base = "base",
    annotate = "__annotate__",
    annotations = "__annotations__",
    attrib = "attrib",
    back = "f_back",
    base = "__base__",
    bases = "__bases__",
    buffer = "buffer",
    builtins = "__builtins__",
    bytecode = "co_code",
    cache = "tp_cache",
    cache_entries = "cache",
    c_base = "_b_base_",
    c_objects = "_objects",
    c_type = "C type",
    callback = "callback",
    cell_names = "co_cellvars",
    closure = "__closure__",
    code = "__code__",
    code_name = "co_name",
    code_qualname = "co_qualname",
    consts = "co_consts",
    decoder = "decoder",
    defaults = "__defaults__",
    descriptor = "dtype",
    dict = "__dict__",
    dicts = "dicts",
    doc = "__doc__",
    dummies = "dummies",
    exception = "handled exception",
    exception_table = "co_exceptiontable",
    extra_locals = "extra locals",
    field_names = "names",
    fields = "fields",
    filename = "co_filename",
    finalizer = "origin or finalizer",
    format = "format",
    frame = "frame",
    frame_object = "frame object",
    free_names = "co_freevars",
    function = "__func__",
    globals = "__globals__",
    gi_code = "gi_code",
    info_type = "cache info type",
    instance = "__self__",
    interned = "interned",
    items = "items",
    key = "key",
    keyword_mark = "keyword mark",
    keywords = "keywords",
    kwdefaults = "__kwdefaults__",
    link_type = "link type",
    line_table = "co_linetable",
    local_kinds = "co_localspluskinds",
    local_names = "co_localsplusnames",
    locals = "f_locals",
    managed_buffer = "managed buffer",
    metadata = "metadata",
    module = "__module__",
    mro = "__mro__",
    name = "__name__",
    names = "co_names",
    newline = "newlines",
    overwritten_locals = "overwritten locals",
    pieces = "pieces",
    pool = "pool",
    qualname = "__qualname__",
    raw = "raw",
    result = "result",
    scalar_type = "type",
    shape = "shape",
    slots = "__slots__",
    subclasses = "subclasses",
    tag = "tag",
    tail = "tail",
    text = "text",
    trace = "f_trace",
    type_params = "__type_params__",
    tzinfo = "tzinfo",
    varnames = "co_varnames",
    watchdogs = "watchdogs",
    wrapped = "__wrapped__",
}
