"""Pauses over a limit: kept, and told to who wants to know, once the collection is over."""

from __future__ import annotations

import _thread
import sys
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from deadweight import _core
from deadweight._durations import duration
from deadweight._text import counted

_KEPT = 100


@dataclass(frozen=True, slots=True)
class Pause:
    """One collection that was over the limit."""

    generation: int
    """0 is the youngest, 2 the oldest and with it all; of 3.14.0 to 3.14.4, 1 is an increment."""
    duration: float
    """Seconds."""
    collected: int
    """Objects that were freed."""
    uncollectable: int
    """Objects that were found, and could not be freed."""
    thread: int
    """Which thread ran it, as `threading.get_ident` has it."""
    when: float
    """Seconds since 1970, at its end."""

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as ``json`` takes it."""
        return asdict(self)

    def __str__(self) -> str:
        freed = counted(self.collected, "object")
        return f"collection of generation {self.generation}: {duration(self.duration)}, {freed} freed"


class SlowPauses:
    """Pauses over the limit, and who is to be told.

    It is told in a thread of its own, which ends when there is no more to tell: the thread that ran the collection
    may hold any lock, and was in the midst of anything. It refers to nothing that measures, or that would be in a
    cycle.
    """

    __slots__ = ("_due", "_on_slow", "_teller", "_telling", "count", "failed", "kept")

    def __init__(self, on_slow: Callable[[Pause], object] | None) -> None:
        self._on_slow = on_slow
        self.clear()

    def clear(self) -> None:
        """Begins anew, as in a forked child, where the thread that told is no more."""
        self._due: deque[Pause] = deque()
        # Who holds it tells all that is due; a collection cannot wait for it.
        self._telling = _thread.allocate_lock()
        self._teller = 0
        self.kept: deque[Pause] = deque(maxlen=_KEPT)
        self.count = 0
        self.failed = 0

    def __call__(self, generation: int, length: int, collected: int, uncollectable: int, thread: int) -> None:
        """Called by the collector, before it lets go: no lock is waited for here."""
        pause = Pause(generation, length / 1e9, collected, uncollectable, thread, time.time())
        self.kept.append(pause)
        self.count += 1
        # What it does itself would be told for ever.
        if self._on_slow is None or thread == self._teller:
            return
        self._due.append(pause)
        if self._telling.acquire(blocking=False):
            try:
                _thread.start_new_thread(self._tell_and_release, ())
            except Exception:
                # No thread or no memory is to be had, or the interpreter ends: `finish` tells it.
                self._telling.release()

    def finish(self) -> None:
        """Comes back when all that is due was told."""
        if self._on_slow is not None and self._teller != _thread.get_ident():
            # As the interpreter ends, no other thread gives it back any more.
            if not self._telling.acquire(blocking=not sys.is_finalizing()):
                return
            self._tell_and_release()

    def _tell_and_release(self) -> None:
        try:
            self._tell()
        finally:
            self._telling.release()
        # One may have become due after the last look, by a thread that found us still telling.
        while self._due and self._telling.acquire(blocking=False):
            try:
                self._tell()
            finally:
                self._telling.release()

    def _tell(self) -> None:
        self._teller = _thread.get_ident()
        try:
            while self._on_slow is not None and self._due:
                self._call(self._on_slow, self._due.popleft())
        finally:
            self._teller = 0

    def _call(self, on_slow: Callable[[Pause], object], pause: Pause) -> None:
        # Not from Rust: as the interpreter ends, up to 3.13, it unwinds the stacks of other threads, which aborts
        # where that meets Rust (`PyThread_exit_thread` in Python/thread_pthread.h).
        try:
            on_slow(pause)
        except Exception as error:
            self.failed += 1
            _core.unraisable(error, on_slow)
