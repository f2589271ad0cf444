"""Caches of the interpreter and its library, by where they are: they grow, and are meant to."""

from __future__ import annotations

_CACHES = {
    "_ctypes._pointer_type_cache": "pointer types of ctypes",
    "_struct.<state 0>": "formats of struct",
    "fnmatch._compile_pattern": "patterns of fnmatch",
    "linecache.cache": "source lines of linecache",
    "re._cache": "compiled patterns of re",
    "re._cache2": "compiled patterns of re",
    "sys.path_importer_cache": "finders of import",
    "typing._caches": "generic types of typing",
    "typing._cleanups": "generic types of typing",
    "urllib.parse._parse_cache": "parsed URLs of urllib",
    "urllib.parse.urlsplit": "parsed URLs of urllib",
}
"""Path: what it is a cache of."""
_WARNINGS = ".__warningregistry__"


def cache_at(path: str) -> str | None:
    """What the holder at a path is, if it is a known cache or belongs to one."""
    if path.endswith(_WARNINGS):
        return "warnings that were shown"
    while path:
        if known := _CACHES.get(path):
            return known
        path = path[: max(path.rfind("."), path.rfind("["), 0)]
    return None
