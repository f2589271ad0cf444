//! C structs that are nothing but a header and fields: which references they hold, and where.
//!
//! From the struct definitions of CPython 3.10–3.15 (the file is named at each group), checked by
//! tests that compare the references of a live specimen of every type with `gc.get_referents`.
//!
//! A name in angle brackets is the C field's, because no attribute shows it. A leading `-` marks a
//! field that the type's `tp_traverse` does not visit, a leading `+` one that it visits in late patch
//! releases only ([`visits_late_fields`]), a leading `~` a weak reference. The attribute
//! dict and the list of weak references are found through `tp_dictoffset` and `tp_weaklistoffset`.

use std::ops::RangeInclusive;

type Row = (&'static str, RangeInclusive<u32>, &'static [(u64, &'static str)]);

/// The references of a C type, or `None` if we have no layout for it.
pub(crate) fn of(type_name: &str, minor: u32) -> Option<&'static [(u64, &'static str)]> {
    ROWS.iter()
        .find(|(name, minors, _)| *name == type_name && minors.contains(&minor))
        .map(|(_, _, fields)| *fields)
}

/// Whether the fields marked `+` are visited: in 3.13.0 they are not, in 3.13.15 they are, and so in
/// every later minor version. 3.12 has none of them in 3.12.1.
pub(crate) fn visits_late_fields(minor: u32, micro: u32) -> bool {
    minor >= 14 || minor == 13 && micro >= 15
}

const ALL: RangeInclusive<u32> = 10..=15;

const ROWS: &[Row] = &[
    // Objects/enumobject.c, iterobject.c, listobject.c, tupleobject.c, rangeobject.c, sliceobject.c
    ("enumerate", ALL, &[(24, "<iterator>"), (32, "<result>"), (40, "<long index>")]),
    ("reversed", ALL, &[(24, "<sequence>")]),
    ("iterator", ALL, &[(24, "<sequence>")]),
    ("callable_iterator", ALL, &[(16, "<callable>"), (24, "<sentinel>")]),
    ("list_iterator", ALL, &[(24, "<sequence>")]),
    ("list_reverseiterator", ALL, &[(24, "<sequence>")]),
    ("tuple_iterator", ALL, &[(24, "<sequence>")]),
    ("str_iterator", ALL, &[(24, "<sequence>")]),
    ("str_ascii_iterator", ALL, &[(24, "<sequence>")]),
    ("bytes_iterator", ALL, &[(24, "<sequence>")]),
    ("bytearray_iterator", ALL, &[(24, "<sequence>")]),
    ("set_iterator", ALL, &[(16, "<set>")]),
    ("range", ALL, &[(16, "start"), (24, "stop"), (32, "step"), (40, "<length>")]),
    (
        "longrange_iterator",
        10..=11,
        &[(16, "<index>"), (24, "<start>"), (32, "<step>"), (40, "<len>")],
    ),
    ("longrange_iterator", 12..=15, &[(16, "<start>"), (24, "<step>"), (32, "<len>")]),
    ("slice", ALL, &[(16, "start"), (24, "stop"), (32, "step")]),
    ("anext_awaitable", ALL, &[(16, "<wrapped>"), (24, "<default>")]),
    // Python/bltinmodule.c
    ("filter", ALL, &[(16, "<function>"), (24, "<iterator>")]),
    ("map", ALL, &[(16, "<iterators>"), (24, "<function>")]),
    ("zip", ALL, &[(24, "<iterators>"), (32, "<result>")]),
    // Objects/dictobject.c, odictobject.c
    ("dict_keys", ALL, &[(16, "mapping")]),
    ("dict_values", ALL, &[(16, "mapping")]),
    ("dict_items", ALL, &[(16, "mapping")]),
    ("odict_keys", ALL, &[(16, "mapping")]),
    ("odict_values", ALL, &[(16, "mapping")]),
    ("odict_items", ALL, &[(16, "mapping")]),
    ("dict_keyiterator", ALL, &[(16, "<dict>"), (40, "<result>")]),
    ("dict_valueiterator", ALL, &[(16, "<dict>"), (40, "<result>")]),
    ("dict_itemiterator", ALL, &[(16, "<dict>"), (40, "<result>")]),
    ("dict_reversekeyiterator", ALL, &[(16, "<dict>"), (40, "<result>")]),
    ("dict_reversevalueiterator", ALL, &[(16, "<dict>"), (40, "<result>")]),
    ("dict_reverseitemiterator", ALL, &[(16, "<dict>"), (40, "<result>")]),
    ("odict_iterator", ALL, &[(24, "<dict>"), (48, "<current>"), (56, "<result>")]),
    // Objects/descrobject.c, funcobject.c, methodobject.c, typeobject.c, classobject.c
    (
        "property",
        ALL,
        &[(16, "fget"), (24, "fset"), (32, "fdel"), (40, "__doc__"), (48, "__name__")],
    ),
    ("classmethod", ALL, &[(16, "__func__")]),
    ("staticmethod", ALL, &[(16, "__func__")]),
    ("super", ALL, &[(16, "__thisclass__"), (24, "__self__"), (32, "__self_class__")]),
    ("instancemethod", ALL, &[(16, "__func__")]),
    ("builtin_function_or_method", ALL, &[(24, "__self__"), (32, "__module__")]),
    ("builtin_method", ALL, &[(24, "__self__"), (32, "__module__"), (56, "<class>")]),
    ("mappingproxy", ALL, &[(16, "<mapping>")]),
    ("method-wrapper", ALL, &[(16, "<descriptor>"), (24, "__self__")]),
    ("member_descriptor", ALL, &[(16, "__objclass__"), (24, "-__name__"), (32, "-__qualname__")]),
    ("method_descriptor", ALL, &[(16, "__objclass__"), (24, "-__name__"), (32, "-__qualname__")]),
    (
        "classmethod_descriptor",
        ALL,
        &[(16, "__objclass__"), (24, "-__name__"), (32, "-__qualname__")],
    ),
    ("getset_descriptor", ALL, &[(16, "__objclass__"), (24, "-__name__"), (32, "-__qualname__")]),
    ("wrapper_descriptor", ALL, &[(16, "__objclass__"), (24, "-__name__"), (32, "-__qualname__")]),
    ("FrameLocalsProxy", 13..=15, &[(16, "<frame>")]),
    // Python/traceback.c, Objects/exceptions.c
    ("traceback", ALL, &[(16, "tb_next"), (24, "tb_frame")]),
    (
        "BaseException",
        10..=10,
        &[(24, "args"), (32, "__traceback__"), (40, "__context__"), (48, "__cause__")],
    ),
    (
        "BaseException",
        11..=15,
        &[
            (24, "args"),
            (32, "__notes__"),
            (40, "__traceback__"),
            (48, "__context__"),
            (56, "__cause__"),
        ],
    ),
    ("StopIteration", 10..=10, &[(64, "value")]),
    ("StopIteration", 11..=15, &[(72, "value")]),
    ("SystemExit", 10..=10, &[(64, "code")]),
    ("SystemExit", 11..=15, &[(72, "code")]),
    ("ImportError", 10..=10, &[(64, "msg"), (72, "name"), (80, "path")]),
    ("ImportError", 11..=11, &[(72, "msg"), (80, "name"), (88, "path")]),
    ("ImportError", 12..=15, &[(72, "msg"), (80, "name"), (88, "path"), (96, "name_from")]),
    ("OSError", 10..=10, &[(64, "errno"), (72, "strerror"), (80, "filename"), (88, "filename2")]),
    ("OSError", 11..=15, &[(72, "errno"), (80, "strerror"), (88, "filename"), (96, "filename2")]),
    (
        "SyntaxError",
        10..=10,
        &[
            (64, "msg"),
            (72, "filename"),
            (80, "lineno"),
            (88, "offset"),
            (96, "end_lineno"),
            (104, "end_offset"),
            (112, "text"),
            (120, "print_file_and_line"),
        ],
    ),
    (
        "SyntaxError",
        11..=13,
        &[
            (72, "msg"),
            (80, "filename"),
            (88, "lineno"),
            (96, "offset"),
            (104, "end_lineno"),
            (112, "end_offset"),
            (120, "text"),
            (128, "print_file_and_line"),
        ],
    ),
    (
        "SyntaxError",
        14..=15,
        &[
            (72, "msg"),
            (80, "filename"),
            (88, "lineno"),
            (96, "offset"),
            (104, "end_lineno"),
            (112, "end_offset"),
            (120, "text"),
            (128, "print_file_and_line"),
            (136, "_metadata"),
        ],
    ),
    ("UnicodeEncodeError", 10..=10, &[(64, "encoding"), (72, "object"), (96, "reason")]),
    ("UnicodeEncodeError", 11..=15, &[(72, "encoding"), (80, "object"), (104, "reason")]),
    ("UnicodeDecodeError", 10..=10, &[(64, "encoding"), (72, "object"), (96, "reason")]),
    ("UnicodeDecodeError", 11..=15, &[(72, "encoding"), (80, "object"), (104, "reason")]),
    ("UnicodeTranslateError", 10..=10, &[(64, "encoding"), (72, "object"), (96, "reason")]),
    ("UnicodeTranslateError", 11..=15, &[(72, "encoding"), (80, "object"), (104, "reason")]),
    ("NameError", 10..=10, &[(64, "name")]),
    ("NameError", 11..=15, &[(72, "name")]),
    ("AttributeError", 10..=10, &[(64, "obj"), (72, "name")]),
    ("AttributeError", 11..=15, &[(72, "obj"), (80, "name")]),
    ("BaseExceptionGroup", 11..=13, &[(72, "message"), (80, "exceptions")]),
    ("BaseExceptionGroup", 14..=15, &[(72, "message"), (80, "exceptions"), (88, "<text>")]),
    // Objects/memoryobject.c, genericaliasobject.c, unionobject.c, namespaceobject.c, cellobject.c
    ("managedbuffer", ALL, &[(40, "obj")]),
    ("cell", ALL, &[(16, "cell_contents")]),
    ("types.GenericAlias", ALL, &[(16, "__origin__"), (24, "__args__"), (32, "__parameters__")]),
    ("types.UnionType", 10..=13, &[(16, "__args__"), (24, "__parameters__")]),
    (
        "typing.Union",
        14..=15,
        &[
            (16, "__args__"),
            (24, "<hashable args>"),
            (32, "<unhashable args>"),
            (40, "__parameters__"),
        ],
    ),
    ("types.SimpleNamespace", ALL, &[]),
    // Objects/weakrefobject.c
    ("weakref", 10..=10, &[(16, "~__referent__"), (24, "__callback__")]),
    ("weakref.ReferenceType", ALL, &[(16, "~__referent__"), (24, "__callback__")]),
    ("weakproxy", 10..=10, &[(16, "~__referent__"), (24, "__callback__")]),
    ("weakref.ProxyType", ALL, &[(16, "~__referent__"), (24, "__callback__")]),
    ("weakcallableproxy", 10..=10, &[(16, "~__referent__"), (24, "__callback__")]),
    ("weakref.CallableProxyType", ALL, &[(16, "~__referent__"), (24, "__callback__")]),
    // Objects/genobject.c
    ("async_generator_asend", ALL, &[(16, "<generator>"), (24, "<value>")]),
    ("async_generator_athrow", 10..=14, &[(16, "<generator>"), (24, "<args>")]),
    (
        "async_generator_athrow",
        15..=15,
        &[(16, "<generator>"), (24, "<type>"), (32, "<traceback>"), (40, "<value>")],
    ),
    ("async_generator_wrapped_value", ALL, &[(16, "<value>")]),
    ("coroutine_wrapper", ALL, &[(16, "<coroutine>")]),
    // Objects/typevarobject.c, templateobject.c, interpolationobject.c
    (
        "typing.TypeVar",
        12..=12,
        &[
            (16, "-__name__"),
            (24, "__bound__"),
            (32, "<evaluate bound>"),
            (40, "__constraints__"),
            (48, "<evaluate constraints>"),
        ],
    ),
    (
        "typing.TypeVar",
        13..=15,
        &[
            (16, "+__name__"),
            (24, "__bound__"),
            (32, "<evaluate bound>"),
            (40, "__constraints__"),
            (48, "<evaluate constraints>"),
            (56, "__default__"),
            (64, "<evaluate default>"),
        ],
    ),
    ("typing.ParamSpec", 12..=12, &[(16, "-__name__"), (24, "__bound__")]),
    (
        "typing.ParamSpec",
        13..=15,
        &[(16, "+__name__"), (24, "__bound__"), (32, "__default__"), (40, "<evaluate default>")],
    ),
    ("typing.ParamSpecArgs", 12..=15, &[(16, "__origin__")]),
    ("typing.ParamSpecKwargs", 12..=15, &[(16, "__origin__")]),
    (
        "typing.TypeAliasType",
        12..=14,
        &[
            (16, "+__name__"),
            (24, "__type_params__"),
            (32, "<compute value>"),
            (40, "__value__"),
            (48, "__module__"),
        ],
    ),
    (
        "typing.TypeAliasType",
        15..=15,
        &[
            (16, "__name__"),
            (24, "__qualname__"),
            (32, "__type_params__"),
            (40, "<compute value>"),
            (48, "__value__"),
            (56, "__module__"),
        ],
    ),
    ("typing.TypeVarTuple", 12..=12, &[(16, "-__name__")]),
    (
        "typing.TypeVarTuple",
        13..=14,
        &[(16, "+__name__"), (24, "__default__"), (32, "<evaluate default>")],
    ),
    (
        "typing.TypeVarTuple",
        15..=15,
        &[(16, "__name__"), (24, "__bound__"), (32, "__default__"), (40, "<evaluate default>")],
    ),
    ("string.templatelib.Template", 14..=15, &[(16, "strings"), (24, "interpolations")]),
    (
        "string.templatelib.Interpolation",
        14..=15,
        &[(16, "value"), (24, "expression"), (32, "conversion"), (40, "format_spec")],
    ),
    ("string.templatelib.TemplateIter", 14..=15, &[(16, "<strings>"), (24, "<interpolations>")]),
    ("sentinel", 15..=15, &[(16, "__name__"), (24, "__module__"), (32, "<repr>")]),
    ("lazy_import", 15..=15, &[(16, "<builtins>"), (24, "<from>"), (32, "<attr>"), (40, "<code>")]),
    ("formatteriterator", ALL, &[(16, "<str>")]),
    ("fieldnameiterator", ALL, &[(16, "<str>")]),
    // Python/context.c, hamt.c
    ("_contextvars.Context", ALL, &[(16, "<previous>"), (24, "<vars>")]),
    ("_contextvars.ContextVar", ALL, &[(16, "name"), (24, "<default>")]),
    ("_contextvars.Token", ALL, &[(16, "<context>"), (24, "var"), (32, "old_value")]),
    ("hamt", ALL, &[(16, "<root>")]),
    // Modules/_functoolsmodule.c
    ("functools.partial", 10..=13, &[(16, "func"), (24, "args"), (32, "keywords")]),
    (
        "functools.partial",
        14..=15,
        &[(16, "func"), (24, "args"), (32, "keywords"), (56, "-<placeholder>")],
    ),
    ("functools.KeyWrapper", ALL, &[(16, "<cmp>"), (24, "obj")]),
    ("functools._lru_list_elem", ALL, &[(40, "<key>"), (48, "<result>")]),
    // Modules/itertoolsmodule.c
    (
        "itertools.accumulate",
        ALL,
        &[(16, "<total>"), (24, "<iterator>"), (32, "<function>"), (40, "<initial>")],
    ),
    ("itertools.chain", ALL, &[(16, "<source>"), (24, "<active>")]),
    ("itertools.compress", ALL, &[(16, "<data>"), (24, "<selectors>")]),
    ("itertools.count", ALL, &[(24, "<count>"), (32, "<step>")]),
    ("itertools.cycle", ALL, &[(16, "<iterator>"), (24, "<saved>")]),
    ("itertools.dropwhile", ALL, &[(16, "<function>"), (24, "<iterator>")]),
    ("itertools.takewhile", ALL, &[(16, "<function>"), (24, "<iterator>")]),
    ("itertools.filterfalse", ALL, &[(16, "<function>"), (24, "<iterator>")]),
    (
        "itertools.groupby",
        ALL,
        &[
            (16, "<iterator>"),
            (24, "<key function>"),
            (32, "<target key>"),
            (40, "<current key>"),
            (48, "<current value>"),
        ],
    ),
    ("itertools._grouper", ALL, &[(16, "<parent>"), (24, "<target key>")]),
    ("itertools.islice", ALL, &[(16, "<iterator>")]),
    ("itertools.starmap", ALL, &[(16, "<function>"), (24, "<iterator>")]),
    ("itertools._tee", ALL, &[(16, "<data>")]),
    ("itertools.pairwise", 10..=12, &[(16, "<iterator>"), (24, "<old>")]),
    ("itertools.pairwise", 13..=15, &[(16, "<iterator>"), (24, "<old>"), (32, "<result>")]),
    ("itertools.zip_longest", ALL, &[(32, "<iterators>"), (40, "<result>"), (48, "<fill value>")]),
    ("itertools.repeat", ALL, &[(16, "<element>")]),
    ("itertools.batched", 12..=15, &[(16, "<iterator>")]),
    // Modules/_collectionsmodule.c
    ("collections.defaultdict", ALL, &[(48, "default_factory")]),
    ("collections._deque_iterator", ALL, &[(32, "<deque>")]),
    ("_collections._deque_iterator", ALL, &[(32, "<deque>")]),
    ("_collections._deque_reverse_iterator", ALL, &[(32, "<deque>")]),
    ("collections._tuplegetter", ALL, &[(24, "__doc__")]),
    // Modules/_operator.c
    ("operator.itemgetter", ALL, &[(24, "<item>")]),
    ("operator.attrgetter", ALL, &[(24, "<attr>")]),
    // 3.13 leaves the names of a call's keywords uninitialised until the first call.
    ("operator.methodcaller", 10..=13, &[(16, "<name>"), (24, "<args>"), (32, "<kwds>")]),
    (
        "operator.methodcaller",
        14..=15,
        &[(16, "<name>"), (24, "<args>"), (32, "<kwds>"), (40, "<vector>"), (48, "<kwnames>")],
    ),
    // Modules/_asynciomodule.c
    (
        "_asyncio.Future",
        10..=10,
        &[
            (16, "_loop"),
            (24, "<callback>"),
            (32, "<context>"),
            (40, "_callbacks"),
            (48, "_exception"),
            (56, "<exception traceback>"),
            (64, "_result"),
            (72, "_source_traceback"),
            (80, "_cancel_message"),
            (120, "<cancelled exception type>"),
            (128, "<cancelled exception>"),
            (136, "<cancelled traceback>"),
        ],
    ),
    (
        "_asyncio.Future",
        11..=12,
        &[
            (16, "_loop"),
            (24, "<callback>"),
            (32, "<context>"),
            (40, "_callbacks"),
            (48, "_exception"),
            (56, "<exception traceback>"),
            (64, "_result"),
            (72, "_source_traceback"),
            (80, "_cancel_message"),
            (120, "<cancelled exception>"),
        ],
    ),
    (
        "_asyncio.Future",
        13..=13,
        &[
            (16, "_loop"),
            (24, "<callback>"),
            (32, "<context>"),
            (40, "_callbacks"),
            (48, "_exception"),
            (56, "<exception traceback>"),
            (64, "_result"),
            (72, "_source_traceback"),
            (80, "_cancel_message"),
            (88, "<cancelled exception>"),
        ],
    ),
    (
        "_asyncio.Future",
        14..=15,
        &[
            (16, "_loop"),
            (24, "<callback>"),
            (32, "<context>"),
            (40, "_callbacks"),
            (48, "_exception"),
            (56, "<exception traceback>"),
            (64, "_result"),
            (72, "_source_traceback"),
            (80, "_cancel_message"),
            (88, "<cancelled exception>"),
            (96, "_asyncio_awaited_by"),
        ],
    ),
    (
        "_asyncio.Task",
        10..=10,
        &[(152, "_fut_waiter"), (160, "_coro"), (168, "<name>"), (176, "_context")],
    ),
    (
        "_asyncio.Task",
        11..=12,
        &[(128, "_fut_waiter"), (136, "_coro"), (144, "<name>"), (152, "_context")],
    ),
    (
        "_asyncio.Task",
        13..=13,
        &[(112, "_fut_waiter"), (120, "_coro"), (128, "<name>"), (136, "_context")],
    ),
    (
        "_asyncio.Task",
        14..=15,
        &[(120, "_fut_waiter"), (128, "_coro"), (136, "<name>"), (144, "_context")],
    ),
    ("_asyncio.FutureIter", ALL, &[(16, "<future>")]),
    ("TaskStepMethWrapper", ALL, &[(16, "<task>"), (24, "<argument>")]),
    ("_asyncio.TaskStepMethWrapper", ALL, &[(16, "<task>"), (24, "<argument>")]),
    // Modules/_datetimemodule.c; tzinfo is tested for apart, because the struct ends before it without one
    ("datetime.timezone", ALL, &[(16, "<offset>"), (24, "<name>")]),
    ("datetime.tzinfo", ALL, &[]),
    // Modules/_io
    ("_io._BytesIOBuffer", ALL, &[(16, "<source>")]),
    ("_io._IOBase", ALL, &[]),
    ("_io._RawIOBase", ALL, &[]),
    ("_io._BufferedIOBase", ALL, &[]),
    ("_io._TextIOBase", ALL, &[]),
    ("_io.FileIO", ALL, &[]),
    ("_io.BufferedRWPair", 10..=11, &[(16, "-<reader>"), (24, "-<writer>")]),
    ("_io.BufferedRWPair", 12..=15, &[(16, "<reader>"), (24, "<writer>")]),
    (
        "_io.TextIOWrapper",
        ALL,
        &[
            (32, "buffer"),
            (40, "encoding"),
            (48, "<encoder>"),
            (56, "<decoder>"),
            (64, "<read newline>"),
            (72, "errors"),
            (120, "<decoded>"),
            (136, "<pending>"),
            (152, "<snapshot>"),
            (168, "<raw>"),
        ],
    ),
    ("_io.IncrementalNewlineDecoder", ALL, &[(16, "<decoder>"), (24, "errors")]),
    // Modules/_decimal/_decimal.c, arraymodule.c, _sre, _struct.c, _queuemodule.c, _threadmodule.c
    ("decimal.Context", ALL, &[(64, "traps"), (72, "flags")]),
    ("decimal.ContextManager", ALL, &[(16, "<local>"), (24, "<global>")]),
    ("array.arrayiterator", ALL, &[(24, "<array>")]),
    ("re.Pattern", ALL, &[(32, "groupindex"), (40, "<index group>"), (48, "pattern")]),
    ("re.Match", ALL, &[(24, "string"), (32, "regs"), (40, "re")]),
    ("_struct.unpack_iterator", ALL, &[(16, "<struct>"), (32, "<buffer>")]),
    // Modules/_ctypes
    (
        "_ctypes.CFuncPtr",
        ALL,
        &[
            (96, "<thunk>"),
            (104, "<callable>"),
            (112, "<converters>"),
            (120, "argtypes"),
            (128, "restype"),
            (136, "<checker>"),
            (144, "errcheck"),
            (152, "<param flags>"),
        ],
    ),
    ("_ctypes.CField", 10..=13, &[(40, "<type>")]),
    ("ctypes.CField", 14..=15, &[(40, "type"), (72, "-name")]),
    ("_ctypes.CThunkObject", ALL, &[(80, "<converters>"), (88, "<callable>"), (96, "<restype>")]),
    ("_ctypes.DictRemover", ALL, &[(16, "<key>"), (24, "<dict>")]),
    // Modules/_sqlite: what a connection knows of exceptions it borrows
    (
        "sqlite3.Connection",
        10..=10,
        &[
            (48, "isolation_level"),
            (80, "<statement cache>"),
            (88, "<statements>"),
            (96, "<cursors>"),
            (112, "row_factory"),
            (120, "text_factory"),
            (128, "<trace callback>"),
            (136, "<progress handler>"),
            (144, "<authorizer>"),
            (152, "<collations>"),
        ],
    ),
    (
        "sqlite3.Connection",
        11..=11,
        &[
            (64, "<statement cache>"),
            (72, "<cursors>"),
            (80, "<blobs>"),
            (96, "row_factory"),
            (104, "text_factory"),
        ],
    ),
    (
        "sqlite3.Connection",
        12..=14,
        &[
            (72, "<statement cache>"),
            (80, "<cursors>"),
            (88, "<blobs>"),
            (104, "row_factory"),
            (112, "text_factory"),
        ],
    ),
    (
        "sqlite3.Connection",
        15..=15,
        &[(72, "<statement cache>"), (80, "<blobs>"), (88, "row_factory"), (96, "text_factory")],
    ),
    (
        "sqlite3.Cursor",
        11..=15,
        &[
            (16, "connection"),
            (24, "description"),
            (32, "<row cast map>"),
            (48, "lastrowid"),
            (64, "row_factory"),
            (72, "<statement>"),
        ],
    ),
    ("sqlite3.Statement", 10..=10, &[(32, "<sql>")]),
    ("sqlite3.Cache", 10..=10, &[(24, "<mapping>"), (40, "<first>"), (48, "<last>")]),
    (
        "sqlite3.Node",
        10..=10,
        &[(16, "<key>"), (24, "<data>"), (40, "-<previous>"), (48, "-<next>")],
    ),
    // Modules/zlibmodule.c, selectmodule.c
    ("zlib.Decompress", ALL, &[(128, "-unused_data"), (136, "-unconsumed_tail"), (152, "<zdict>")]),
    ("select.poll", ALL, &[(16, "<registered>")]),
    // Modules/_abc.c
    ("_abc._abc_data", ALL, &[(16, "<registry>"), (24, "<cache>"), (32, "<negative cache>")]),
    // Modules/_json.c, _csv.c
    (
        "_json.Scanner",
        10..=12,
        &[
            (24, "object_hook"),
            (32, "object_pairs_hook"),
            (40, "parse_float"),
            (48, "parse_int"),
            (56, "parse_constant"),
            (64, "<memo>"),
        ],
    ),
    (
        "_json.Scanner",
        13..=14,
        &[
            (24, "object_hook"),
            (32, "object_pairs_hook"),
            (40, "parse_float"),
            (48, "parse_int"),
            (56, "parse_constant"),
        ],
    ),
    (
        "_json.Scanner",
        15..=15,
        &[
            (24, "object_hook"),
            (32, "object_pairs_hook"),
            (40, "array_hook"),
            (48, "parse_float"),
            (56, "parse_int"),
            (64, "parse_constant"),
        ],
    ),
    (
        "_json.Encoder",
        ALL,
        &[
            (16, "markers"),
            (24, "default"),
            (32, "encoder"),
            (40, "indent"),
            (48, "key_separator"),
            (56, "item_separator"),
        ],
    ),
    ("_csv.reader", ALL, &[(16, "<iterator>"), (24, "dialect"), (32, "<fields>")]),
    ("_csv.writer", ALL, &[(16, "<write>"), (24, "dialect"), (64, "<error>")]),
    ("_csv.Dialect", ALL, &[(40, "lineterminator")]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_type_has_two_rows_for_one_version() {
        for (index, (name, minors, fields)) in ROWS.iter().enumerate() {
            for (other, others, _) in &ROWS[index + 1..] {
                let overlap = minors.clone().any(|minor| others.contains(&minor));
                assert!(!(name == other && overlap), "{name}");
            }
            assert!(fields.is_sorted_by(|a, b| a.0 < b.0), "{name}");
        }
    }

    /// A family's decoder is asked first, so a row here would never be read.
    #[test]
    fn no_type_with_a_decoder_of_its_own_has_a_row() {
        for (name, _, _) in ROWS {
            assert_eq!(crate::family::of_name(name), None, "{name}");
        }
    }
}
