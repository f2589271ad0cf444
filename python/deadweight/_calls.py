"""What functions that keep their results have in common."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from deadweight import _core
from deadweight._cache import WHAT_COUNTS, Cache, CacheStats, CacheWarning, at_most, bytes_at_most
from deadweight._weak_cache import WeakCache

if TYPE_CHECKING:
    from typing_extensions import Self


class _Counts(NamedTuple):
    hits: int
    misses: int
    maxsize: int | None
    currsize: int


class CacheInfo(_Counts):
    """What `functools.lru_cache` tells of itself. Equal to its tuple of four, in which ``refused`` is not."""

    refused: int = 0
    """Results that were not kept, since one alone weighed more than ``max_bytes``, or ``maxsize`` is 0."""

    def __new__(cls, hits: int, misses: int, maxsize: int | None, currsize: int, refused: int = 0) -> Self:
        self = super().__new__(cls, hits, misses, maxsize, currsize)
        self.refused = refused
        return self

    def _replace(self, **changes: Any) -> Self:  # pyright: ignore[reportIncompatibleMethodOverride]
        refused = changes.pop("refused", self.refused)
        other = super()._replace(**changes)
        other.refused = refused
        return other

    # That of `copy.replace`.
    __replace__ = _replace

    def __repr__(self) -> str:
        four = super().__repr__()
        return f"{four[:-1]}, refused={self.refused})" if self.refused else four


def info_of(cache: Cache[Any, Any] | WeakCache[Any, Any]) -> CacheInfo:
    """How often a result was there, and how many are."""
    stats = cache.stats()
    if isinstance(stats, CacheStats):
        return CacheInfo(
            stats.hits, stats.misses, cast("Cache[Any, Any]", cache).maxsize, stats.entries, stats.refused
        )
    return CacheInfo(stats.hits, stats.misses, None, stats.entries)


def cache_for(
    function: Any, maxsize: int | None, max_bytes: int | str | None, weigher: Callable[[Any, Any], int] | None
) -> Callable[[], Cache[Any, Any]]:
    """Makes caches for results of a function, and warns once of those that are too heavy for one."""
    told = False
    why = f" {WHAT_COUNTS}." if weigher is None else ""
    # Not the function itself: what it leads to is not for the hook of a cache to keep.
    name = getattr(function, "__qualname__", None) or f"a {type(function).__qualname__}"
    place = _written(function) if is_async(function) else None

    def refused(weight: int, most: int) -> None:
        nonlocal told
        if told:
            return
        told = True
        text = (
            f"a result of {name} was not kept: with its arguments it weighs {weight:,} bytes, and the whole cache "
            f"has max_bytes={most:,}.{why} cache_info().refused counts them"
        )
        if place is None:
            warnings.warn(text, CacheWarning, stacklevel=3)
        else:
            warnings.warn_explicit(text, CacheWarning, *place)

    bounds = at_most(maxsize), bytes_at_most(max_bytes)
    kind: type[Cache[Any, Any]] = Cache

    def make() -> Cache[Any, Any]:
        return _core.Cache.__new__(kind, *bounds, weigher, None, refused)

    return make


def _written(function: Any) -> tuple[str, int, str | None] | None:
    """File, line and module of an async function: it is not run by who called it, but by the loop."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    return code and (code.co_filename, code.co_firstlineno, getattr(function, "__module__", None))


def check_function(function: Any, name: str) -> None:
    """Raises TypeError for what has no results to keep."""
    if not callable(function):
        raise TypeError(f"{name} takes a function, not {type(function).__name__}")
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        called = getattr(function, "__name__", repr(function))
        raise TypeError(f"{name}: {called} is a generator function: what it gives can be gone through once")


def is_async(function: Any) -> bool:
    """Whether a call gives a coroutine: of a function, or of an object whose class says how it is called."""
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__)
