"""``collector.paused``: no collections while much is made that stays."""

from __future__ import annotations

import gc
import threading
from typing import Literal

GUARD = 10_000_000
"""Objects: at some 100 bytes each, a gigabyte."""

ITS_OWN = 1000
"""3.12 freezes a few hundred objects of its own as it starts; a program that freezes has thousands."""

# A collection may run code that pauses it too, in the midst of this.
_lock = threading.RLock()
_depth = 0
_before: tuple[bool, tuple[int, int, int]] = (True, (0, 0, 0))
_guards: list[int | None] = []


class paused:
    """Within it the collector does not run by itself; what was set before is set again after.

    For code that makes many objects that stay, such as loading: a program that allocates makes the collector look
    through them again and again, and it finds nothing.

    It may be entered within another and in several threads: it lasts until the last is left.

    Args:
        collect: ``"never"``: what was made meanwhile is moved to the oldest generation without a look, unless some
            objects are frozen (`gc.freeze`): then the next collection looks through it. ``"after"``: a full
            collection when the last is left.
        guard: after so many objects more than were freed, collections happen nevertheless, so that code which
            makes cycles does not use up the memory; None for no such limit. The lowest of all that are entered
            holds.

    Raises:
        ValueError: ``collect`` or ``guard`` is none of that.

    >>> import gc
    >>> import deadweight as dw
    >>> with dw.collector.paused():
    ...     table = [{"number": number} for number in range(100_000)]
    >>> gc.isenabled()
    True
    """

    __slots__ = ("_collect", "_guard")

    def __init__(self, collect: Literal["never", "after"] = "never", *, guard: int | None = GUARD) -> None:
        if collect not in ("never", "after"):
            raise ValueError(f'collect is "never" or "after", not {collect!r}')
        if guard is not None and not 0 < guard < 1 << 31:
            raise ValueError(f"guard is a number of objects below 2**31, or None, not {guard!r}")
        self._collect = collect
        self._guard = guard

    def __enter__(self) -> None:
        global _depth, _before
        with _lock:
            if not _depth:
                _before = gc.isenabled(), gc.get_threshold()
            _depth += 1
            _guards.append(self._guard)
            _pause()

    def __exit__(self, *_: object) -> None:
        global _depth
        with _lock:
            _guards.remove(self._guard)
            _depth -= 1
            if _depth:
                _pause()
                return
            enabled, thresholds = _before
            if self._collect == "never" and enabled and gc.get_freeze_count() < ITS_OWN:
                # Both only link lists together. What is collected next is then what is made from now on.
                gc.freeze()
                gc.unfreeze()
            gc.set_threshold(*thresholds)
            if enabled:
                gc.enable()
            else:
                gc.disable()
        if self._collect == "after":
            gc.collect()


def _pause() -> None:
    """What all that are entered want."""
    enabled, (_, middle, oldest) = _before
    guards = [guard for guard in _guards if guard is not None]
    if enabled and guards:
        gc.set_threshold(min(guards), middle, oldest)
        gc.enable()
    else:
        gc.disable()
