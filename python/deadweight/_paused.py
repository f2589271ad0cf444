"""``collector.paused``: no collections while much is made that stays."""

from __future__ import annotations

import functools
import gc
import inspect
from collections.abc import Callable
from typing import Any, Literal, ParamSpec, TypeVar

from deadweight import _thresholds
from deadweight._thresholds import GUARD, Wish

P = ParamSpec("P")
R = TypeVar("R")

ITS_OWN = 1000
"""3.12 freezes a few hundred objects of its own as it starts; a program that freezes has thousands."""


# Objects that were moved to the oldest generation without a look, since so many full collections.
_unseen = 0
_full = 0


def unseen() -> int:
    """How many objects were moved to the oldest generation without a look since the last full collection."""
    global _unseen, _full
    full = gc.get_stats()[2]["collections"]
    with _thresholds.lock:
        if full != _full:
            _unseen, _full = 0, full
        return _unseen


def _what(given: object) -> str:
    return f"the class {given.__qualname__}" if isinstance(given, type) else type(given).__name__


class paused:
    """Within it the collector does not run by itself; what was set before is set again after.

    For code that makes many objects that stay, such as loading: a program that allocates makes the collector look
    through them again and again, and it finds nothing.

    It may be entered within another and in several threads: it lasts until the last is left. As a decorator it
    holds for every call of a function.

    Args:
        collect: ``"never"``: what was made meanwhile is moved to the oldest generation without a look, unless some
            objects are frozen (`gc.freeze`): then the next collection looks through it. ``"after"``: a full
            collection when it is left, unless something is still paused then.
        guard: after so many objects more than were freed, collections happen nevertheless, so that code which
            makes cycles does not use up the memory; None for no such limit. The lowest of all that are entered
            holds. Once so many were moved without a look, in one or in many, there is a full collection.

    Raises:
        ValueError: ``collect`` or ``guard`` is none of that.
        TypeError: what it decorates is no function, or one whose calls end before its work begins: an ``async``
            or a generator function.

    >>> import gc
    >>> import deadweight as dw
    >>> with dw.collector.paused():
    ...     table = [{"number": number} for number in range(100_000)]
    >>> gc.isenabled()
    True
    >>> @dw.collector.paused("after")
    ... def load():
    ...     return [{"number": number} for number in range(1_000)]
    >>> len(load())
    1000
    """

    __slots__ = ("_collect", "_wish")

    def __init__(self, collect: Literal["never", "after"] = "never", *, guard: int | None = GUARD) -> None:
        if collect not in ("never", "after"):
            raise ValueError(f'collect is "never" or "after", not {collect!r}')
        _thresholds.check_guard(guard)
        self._collect = collect
        self._wish = Wish(True, guard)

    def __enter__(self) -> None:
        _thresholds.want(self._wish)

    def __exit__(self, *_: object) -> None:
        with _thresholds.lock:
            last = _thresholds.pausing() == 1
            full = last and (self._collect == "after" or self._moved_enough())
            _thresholds.want_no_more(self._wish)
        if full:
            gc.collect()

    def __call__(self, function: Callable[P, R], /) -> Callable[P, R]:
        if not callable(function) or isinstance(function, type):
            raise TypeError(f"paused() decorates a function, not {_what(function)}")
        # A static method is none of these, whatever it is around.
        inside: Any = getattr(function, "__func__", function)
        for lasting in (inspect.iscoroutinefunction, inspect.isgeneratorfunction, inspect.isasyncgenfunction):
            if lasting(inside) or lasting(type(inside).__call__):
                name = getattr(function, "__qualname__", repr(function))
                raise TypeError(
                    f"paused() would be over before {name} begins, which runs when it is waited for or gone "
                    f"through: use `with dw.collector.paused():` in it"
                )

        @functools.wraps(function)
        def without_collections(*args: P.args, **kwargs: P.kwargs) -> R:
            with self:
                return function(*args, **kwargs)

        return without_collections

    def _moved_enough(self) -> bool:
        """Moves what was made to the oldest generation, and says whether that has to be looked at."""
        global _unseen
        enabled, (youngest, *_) = _thresholds.settings()
        if not enabled or youngest == 0 or gc.get_freeze_count() >= ITS_OWN:
            return False
        _unseen = unseen() + gc.get_count()[0]
        # Both only link lists together. What is collected next is then what is made from now on.
        gc.freeze()
        gc.unfreeze()
        return self._wish.guard is not None and _unseen >= self._wish.guard
