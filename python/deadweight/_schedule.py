"""``collector.schedule``: full collections when an asyncio loop has nothing else to do."""

from __future__ import annotations

import gc
import inspect
import os
import sys
import time
import weakref
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from deadweight import _paused, _thresholds
from deadweight._durations import duration, parse_seconds
from deadweight._table import Printed
from deadweight._text import counted
from deadweight._thresholds import GUARD, Wish

if TYPE_CHECKING:
    # It takes longer to import than all the rest; where a loop runs it is there.
    import asyncio

_NAPS = 3
_NAP = 0.001
_AWAKE = 0.0003
"""Processor seconds that the loop's thread uses at most in each of so many naps of a loop that has nothing to do.

Turns in a row tell nothing: what is ready may be as short as they are. But a loop waits in its selector only if
nothing is ready, and who waits uses no processor. A thread that got no processor looks the same for a nap, not for
several in a row: once it runs, it runs for longer than this.
"""
_TURNS = 5
_QUIET = 0.0005
"""Seconds that so many turns of a loop take at most if nothing that waits by itself, as for a file, is between."""
_AGAIN = 0.05
"""Seconds to the next look at a loop that is busy."""
_LATEST = 4
"""Times ``every``."""

# gc.c of 3.14.0 to 3.14.4 has increments instead of generations, and other counts.
_COUNTS = not (3, 14, 0) <= sys.version_info[:3] <= (3, 14, 4)

_entered: weakref.WeakSet[schedule] = weakref.WeakSet()


class schedule(Printed):
    """Within it full collections are put off, and one is run when the loop has nothing else to do.

    Young generations are collected as ever. ``every`` so many seconds the loop is watched until it has slept: for
    three times 1 ms its thread used less than 0.3 ms of processor time each, and then five turns of it took less
    than 0.5 ms together. Then there is a collection, in the loop's thread. If there is no such moment for
    ``latest``, it is run all the same. It is left out if nothing has grown old since the last, as while the
    collector is disabled: leave it on. After ``guard`` objects more than were freed, and once these are a
    quarter of what is old, one happens at once, as without it: a loop that makes cycles and is never quiet does
    not use up the memory. While something is `paused`, none is run.

    It may be entered within another and in several loops. What was set before is set again after.

    Args:
        every: seconds, ``"30 s"`` or a ``timedelta``.
        when: ``"idle"``, or a function without arguments that is asked as well once the loop is idle, and says
            whether the moment is good: no request is being answered, say.
        latest: the longest that it is waited for a moment, as ``every``; four times that, if None.
        guard: objects; None for no such limit.

    Raises:
        RuntimeError: no asyncio loop runs here, or it is entered already.
        ValueError: an argument is none of that.
        TypeError: ``when`` is an ``async`` function.

    >>> import asyncio
    >>> import deadweight as dw
    >>> async def main():
    ...     async with dw.collector.schedule(every=30) as collections:
    ...         await asyncio.sleep(0.01)
    ...     return collections.run
    >>> asyncio.run(main())
    0
    """

    __slots__ = (
        "__weakref__",
        "_began",
        "_due",
        "_every",
        "_handle",
        "_latest",
        "_left",
        "_loop",
        "_naps",
        "_turns",
        "_used",
        "_when",
        "_wish",
        "late",
        "left_out",
        "longest",
        "run",
        "total",
    )

    run: int
    """Collections that were run."""
    late: int
    """Those of them for which there was no quiet moment."""
    left_out: int
    """Those that were not run, since nothing had grown old."""
    longest: float
    """Seconds of the longest."""
    total: float
    """Seconds of all."""

    def __init__(
        self,
        every: str | float | timedelta = 30,
        when: Literal["idle"] | Callable[[], object] = "idle",
        *,
        latest: str | float | timedelta | None = None,
        guard: int | None = GUARD,
    ) -> None:
        if when != "idle" and not callable(when):
            raise ValueError(f'when is "idle" or a function, not {when!r}')
        if inspect.iscoroutinefunction(when):
            raise TypeError(f"when is asked between turns of the loop, which wait for nothing: {when!r} is async")
        _thresholds.check_guard(guard)
        self._every = parse_seconds(every)
        self._latest = _LATEST * self._every if latest is None else parse_seconds(latest)
        self._when = when if callable(when) else None
        self._wish = Wish(False, guard)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._handle: asyncio.Handle | None = None
        self._due = self._began = self._used = 0.0
        self._naps = self._turns = 0
        self._left = False
        self.run = self.late = self.left_out = 0
        self.longest = self.total = 0.0

    async def __aenter__(self) -> schedule:
        from asyncio import get_running_loop

        try:
            loop = get_running_loop()
        except RuntimeError:
            raise RuntimeError("schedule needs asyncio: use it in a coroutine that an asyncio loop runs") from None
        if self._loop is not None:
            raise RuntimeError("this schedule is entered already: use another one")
        self._loop, self._left = loop, False
        _entered.add(self)
        _thresholds.want(self._wish)
        self._wait()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._leave()

    def _leave(self) -> None:
        _entered.discard(self)
        if self._handle is not None:
            self._handle.cancel()
        if self._loop is not None:
            _thresholds.want_no_more(self._wish)
        self._loop = self._handle = None
        self._left = True

    def _wait(self) -> None:
        """For the next that is due."""
        if self._loop is not None:
            self._handle = self._loop.call_later(self._every, self._begin)

    def _begin(self) -> None:
        # Collections of the middle generation since the last full one: by them objects grow old, or by `paused`.
        if _COUNTS and not gc.get_count()[2] and not _paused.unseen():
            self.left_out += 1
            self._wait()
            return
        self._due = time.monotonic() + self._latest
        self._look()

    def _look(self) -> None:
        """Begins to watch the loop."""
        self._naps, self._turns = _NAPS, _TURNS
        self._nap()

    def _nap(self) -> None:
        if self._loop is not None:
            self._began, self._used = time.perf_counter(), time.thread_time()
            self._handle = self._loop.call_later(_NAP, self._woken)

    def _woken(self) -> None:
        self._naps -= 1
        # A loop whose clock has whole milliseconds, as uvloop's, wakes up to one too early.
        napped = time.perf_counter() - self._began > _NAP / 2
        if self._may_go_on(napped and time.thread_time() - self._used <= _AWAKE):
            if self._naps:
                self._nap()
            else:
                self._began = time.perf_counter()
                self._turn_again()

    def _turn_again(self) -> None:
        if self._loop is not None:
            self._handle = self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        self._turns -= 1
        if self._may_go_on(time.perf_counter() - self._began <= _QUIET):
            if self._turns:
                self._turn_again()
            elif self._good():
                self._collect(late=False)
            else:
                self._later()

    def _may_go_on(self, quiet: bool) -> bool:
        """Whether to watch on. If not, it is late, and there is a collection now, or it is watched anew."""
        if self._loop is None:
            return False
        pausing = _thresholds.pausing()
        if not pausing and time.monotonic() >= self._due:
            self._collect(late=True)
            return False
        if pausing or not quiet:
            self._later()
            return False
        return True

    def _later(self) -> None:
        if self._loop is not None:
            self._handle = self._loop.call_later(_AGAIN, self._look)

    def _good(self) -> bool:
        """What the user says of the moment. It is not, if that fails: the loop's handler is told."""
        if self._when is None or self._loop is None:
            return True
        try:
            return bool(self._when())
        except Exception as error:
            self._loop.call_exception_handler(
                {"message": "deadweight's schedule cannot tell whether the moment is good", "exception": error}
            )
            return False

    def _collect(self, late: bool) -> None:
        began = time.perf_counter()
        try:
            gc.collect()
        finally:
            took = time.perf_counter() - began
            self.run += 1
            self.late += late
            self.total += took
            self.longest = max(self.longest, took)
            self._wait()

    def __str__(self) -> str:
        state = "" if self._loop is not None else ", ended" if self._left else ", not entered"
        return (
            f"full collections every {duration(self._every)}{state}: {counted(self.run, 'collection')}, "
            f"{self.late:,} of them late, longest {duration(self.longest)}; {self.left_out:,} left out"
        )


def _after_fork() -> None:
    # The loop is the parent's. Without it nothing would collect what is put off.
    for entered in list(_entered):
        entered._leave()  # pyright: ignore[reportPrivateUsage]


os.register_at_fork(after_in_child=_after_fork)
