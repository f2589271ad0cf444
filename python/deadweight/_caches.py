"""Caches of the interpreter and its library, by where they are: they grow, and are meant to."""

from __future__ import annotations

_CACHES = {
    "abc": "implementation of abstract classes",
    "ast": "nodes of ast",
    "copyreg": "registry of copyreg",
    "ctypes._c_functype_cache": "function types of ctypes",
    "ctypes._pointer_type_cache": "pointer types of ctypes",
    "ctypes._win_functype_cache": "function types of ctypes",
    "dis": "tables of dis",
    "encodings._cache": "codecs by name",
    "fnmatch": "patterns of fnmatch",
    "functools": "caches of functools",
    "gettext._translations": "catalogues of gettext",
    "inspect._filesbymodname": "files of inspect",
    "inspect.modulesbyfile": "files of inspect",
    "interpreter.codec_search_cache": "codecs by name",
    "interpreter.interned": "interned strings",
    "linecache.cache": "source lines of linecache",
    "locale._strcoll": "locale",
    "mimetypes": "types of mimetypes",
    "re._cache": "compiled patterns of re",
    "re._cache2": "compiled patterns of re",
    "re._compile_template": "templates of re",
    "re._compile_repl": "templates of re",
    "sre_compile": "compiled patterns of re",
    "struct._cache": "formats of struct",
    "sys.path_importer_cache": "finders of import",
    "tokenize._compile": "patterns of tokenize",
    "typing._caches": "generic types of typing",
    "typing._cleanups": "generic types of typing",
    "urllib.parse._parse_cache": "parsed URLs of urllib",
    "warnings.filters": "filters of warnings",
    "warnings.onceregistry": "warnings that were shown",
    "_strptime._regex_cache": "patterns of strptime",
    "_strptime._TimeRE_cache": "patterns of strptime",
}
"""Path: what it is a cache of."""


def cache_at(path: str) -> str | None:
    """What the holder at a path is, if it is a known cache or belongs to one."""
    while path:
        if known := _CACHES.get(path):
            return known
        path = path[: max(path.rfind("."), path.rfind("["), 0)]
    return None
