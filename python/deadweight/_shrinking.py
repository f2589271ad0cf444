"""Caches that give way when memory runs out."""

from __future__ import annotations

import weakref
from collections.abc import Iterable
from typing import Protocol

_TO = "50%"


class Shrinks(Protocol):
    """A cache, or whatever can hold less."""

    def shrink(self, to: str, /) -> object:
        """Holds only so much of what it holds, such as ``"50%"``. May give how many went."""
        ...


def weakly(caches: Iterable[Shrinks]) -> list[weakref.ref[Shrinks]]:
    """References that keep none of them.

    Raises:
        TypeError: one of them cannot be shrunk, or takes no weak reference.
    """
    if callable(getattr(caches, "shrink", None)):
        # Gone through, it would give its keys.
        raise TypeError("shrink takes any number of caches: write shrink=[cache]")
    given = list(caches)
    for cache in given:
        if not callable(getattr(cache, "shrink", None)):
            raise TypeError(
                f"shrink takes caches, such as dw.Cache or the .cache of a dw.cached function, not "
                f"{type(cache).__name__}"
            )
    return [weakref.ref(cache) for cache in given]


def shrink_all(caches: list[weakref.ref[Shrinks]]) -> tuple[int, list[BaseException]]:
    """Halves those that are still there. How many entries went, of those that say it, and what went wrong."""
    gone, failed = 0, list[BaseException]()
    for ref in caches:
        cache = ref()
        if cache is None:
            continue
        try:
            count: object = cache.shrink(_TO)
            gone += count if isinstance(count, int) else 0
        except BaseException as error:
            # `sys.exit` in a callback would end the thread that calls this, and nothing else.
            failed.append(error)
    return gone, failed
