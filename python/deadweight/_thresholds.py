"""What the collector is set to while several want something of it: in any order, and in any thread.

What was set before the first is set again after the last.
"""

from __future__ import annotations

import gc
import os
import threading
from typing import NamedTuple

GUARD = 10_000_000
"""Objects: at some 100 bytes each, a gigabyte."""

_MOST = (1 << 31) - 1


class Wish(NamedTuple):
    """What one of them wants."""

    pauses: bool
    """No collections at all; else none of the oldest generation."""
    guard: int | None
    """After so many objects more than were freed they happen nevertheless."""


# A collection may run code that wants something too, in the midst of this.
lock = threading.RLock()
# Each with the thread that had it.
_wishes: list[tuple[int, Wish]] = []
_before: tuple[bool, tuple[int, int, int]] = (True, (0, 0, 0))


def check_guard(guard: int | None) -> None:
    """Raises ValueError unless it is one."""
    if guard is not None and not 0 < guard <= _MOST:
        raise ValueError(f"guard is a number of objects below 2**31, or None, not {guard!r}")


def want(wish: Wish) -> None:
    """Has it from now on."""
    global _before
    with lock:
        if not _wishes:
            _before = gc.isenabled(), gc.get_threshold()
        _wishes.append((threading.get_ident(), wish))
        _set()


def want_no_more(wish: Wish) -> None:
    """Takes one such back, in whichever thread; in a forked child it may be gone already."""
    with lock:
        alike = [had for had in _wishes if had[1] == wish]
        if alike:
            mine = threading.get_ident(), wish
            _wishes.remove(mine if mine in alike else alike[0])
            _set()


def pausing() -> int:
    """How many want no collections at all."""
    return sum(wish.pauses for _, wish in _wishes)


def settings() -> tuple[bool, tuple[int, int, int]]:
    """Whether it is enabled, and its thresholds: without what is wanted at the moment."""
    return _before if _wishes else (gc.isenabled(), gc.get_threshold())


def change(*, enabled: bool | None = None, thresholds: tuple[int, int, int] | None = None) -> None:
    """Sets it for good: what is wanted at the moment still holds."""
    global _before
    with lock:
        was_enabled, was = settings()
        _before = was_enabled if enabled is None else enabled, thresholds or was
        _set()


def _set() -> None:
    enabled, (youngest, middle, oldest) = _before
    put_off = [_MOST if wish.guard is None else wish.guard for _, wish in _wishes if not wish.pauses]
    if put_off:
        # Objects that each step of the oldest generation's count stands for: 3.10 to 3.13 and from 3.14.5 on. In
        # between (gc.c of 3.14.0 has increments) nobody looks at it, and a full collection is never automatic.
        step = max(1, youngest) * max(1, middle)
        oldest = max(oldest, min(put_off) // step)
    if pausing():
        # A threshold of 0 is a collector that is off.
        guards = [wish.guard for _, wish in _wishes if wish.pauses and wish.guard is not None]
        enabled = enabled and youngest > 0 and bool(guards)
        youngest = min(guards, default=youngest)
    gc.set_threshold(youngest, middle, oldest)
    if enabled:
        gc.enable()
    else:
        gc.disable()


def _after_fork() -> None:
    global lock
    # Another thread may have held it, which is no more.
    lock = threading.RLock()
    # Nobody will take back what another one wants.
    left = [had for had in _wishes if had[0] == threading.get_ident()]
    if len(left) < len(_wishes):
        _wishes[:] = left
        _set()


os.register_at_fork(after_in_child=_after_fork)
