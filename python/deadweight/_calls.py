"""What functions that keep their results have in common."""

from __future__ import annotations

import inspect
from typing import Any, NamedTuple

from deadweight._cache import Cache
from deadweight._weak_cache import WeakCache


class CacheInfo(NamedTuple):
    """What `functools.lru_cache` tells of itself."""

    hits: int
    misses: int
    maxsize: int | None
    currsize: int


def info_of(cache: Cache[Any, Any] | WeakCache[Any, Any]) -> CacheInfo:
    """How often a result was there, and how many are."""
    stats = cache.stats()
    return CacheInfo(stats.hits, stats.misses, cache.maxsize if isinstance(cache, Cache) else None, stats.entries)


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
