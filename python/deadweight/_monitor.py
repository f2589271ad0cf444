"""``collector.monitor``: how long the collector makes a program wait, and for what."""

from __future__ import annotations

import gc
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from deadweight import _core
from deadweight._durations import duration, parse_seconds
from deadweight._slow_pauses import Pause, SlowPauses
from deadweight._table import Table
from deadweight._text import counted, table

BOUNDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""Seconds, of the histogram."""

_NANOSECONDS = [round(bound * 1e9) for bound in BOUNDS]

# A collection may run code that starts or stops one.
_lock = threading.RLock()
_started: set[monitor] = set()
_fork_watched = False


@dataclass(frozen=True, slots=True)
class GenerationPauses:
    """Collections of one generation. Times are seconds."""

    generation: int
    """0 is the youngest, 2 the oldest and with it all; of 3.14.0 to 3.14.4, 1 is an increment."""
    count: int
    p50: float
    """Half of the pauses were no longer, within 1 %."""
    p99: float
    """99 of 100 were no longer, within 1 %."""
    longest: float
    total: float
    collected: int
    """Objects that were freed."""
    uncollectable: int
    """Objects that were found, and could not be freed."""
    buckets: tuple[int, ...]
    """How many were no longer than each of ``monitor.bounds`` and longer than the one before; the last, longer
    than all. Lengths are within 1 %."""

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as ``json`` takes it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class ThreadPauses:
    """Collections that one thread ran; all threads waited for them. Times are seconds."""

    thread: int
    """As `threading.get_ident` has it, which gives the number of a thread that has ended to another."""
    name: str | None
    """None if no such thread runs that Python knows of."""
    count: int
    total: float
    longest: float

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as ``json`` takes it."""
        return asdict(self)


class monitor(Table):
    """Measures every pause of the collector, by `gc.callbacks`, within its ``with`` or from ``start`` to ``stop``.

    A pause is the time between the two calls that the collector makes of it, and all threads wait for it. Several
    monitors may run at once, and be started and stopped in any thread. In a forked child they go on, and begin
    anew.

    Args:
        over: keep pauses longer than this: seconds, ``"50 ms"`` or a ``timedelta``.
        on_slow: is called with each `Pause` over the limit, in order, after it was measured, in a thread of its
            own that ends when there is no more to tell: it may use any lock and make any object. An `Exception`
            that it raises goes to `sys.unraisablehook` and is counted in ``failed``. ``stop`` waits until all is
            told. Collections that it runs itself are measured and not told.

    Raises:
        ValueError: ``over`` is no length of time, or there is ``on_slow`` without ``over``.
        TypeError: ``on_slow`` cannot be called.

    >>> import gc
    >>> import deadweight as dw
    >>> with dw.collector.monitor(over="50 ms") as pauses:
    ...     _ = gc.collect()
    >>> oldest = pauses.generations[2]
    >>> oldest.count, 0 < oldest.p50 <= oldest.longest <= oldest.total
    (1, True)
    """

    __slots__ = ("__weakref__", "_before", "_over", "_pauses", "_since", "_slow")
    _columns = (
        ("generation", int, "generation"),
        ("count", int, "collections"),
        ("p50", float, "p50"),
        ("p99", float, "p99"),
        ("longest", float, "longest"),
        ("total", float, "total"),
        ("collected", int, "collected"),
        ("uncollectable", int, "uncollectable"),
    )

    bounds = BOUNDS
    """Seconds: where the buckets of the histograms end."""

    def __init__(
        self,
        over: str | float | timedelta | None = None,
        on_slow: Callable[[Pause], object] | None = None,
    ) -> None:
        if on_slow is not None and over is None:
            raise ValueError("on_slow is called of pauses over a limit: give that too, as over='50 ms'")
        if on_slow is not None and not callable(on_slow):
            raise TypeError(f"on_slow takes something that can be called, not {type(on_slow).__name__}")
        self._over = None if over is None else parse_seconds(over)
        self._slow = SlowPauses(on_slow)
        limit = None if self._over is None else round(self._over * 1e9)
        self._pauses = _core.Pauses(_NANOSECONDS, limit, None if limit is None else self._slow)
        self._since: float | None = None
        self._before = 0.0

    def start(self) -> None:
        """Measures from now on, and adds to what was measured before.

        Raises:
            RuntimeError: it runs already.
        """
        global _fork_watched
        with _lock:
            if self in _started:
                raise RuntimeError("this monitor runs already: use another one")
            if not _fork_watched:
                os.register_at_fork(after_in_child=_after_fork)
                _fork_watched = True
            _started.add(self)
            self._since = time.monotonic()
            gc.callbacks.append(self._pauses)

    def stop(self) -> None:
        """Measures no more. Once all is told to ``on_slow``, it comes back; if it did not run, at once."""
        with _lock:
            if self not in _started:
                return
            _started.discard(self)
            # It is not there if somebody has cleared the list.
            self._pauses.take_out_of(gc.callbacks)
            self._before, self._since = self.elapsed, None
        self._slow.finish()

    def __enter__(self) -> monitor:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def running(self) -> bool:
        """Whether it is called of collections: not, if somebody has cleared ``gc.callbacks``."""
        return self._pauses.is_in(gc.callbacks)

    @property
    def elapsed(self) -> float:
        """Seconds from ``start`` to ``stop``, or to now."""
        since = self._since
        return self._before + (0.0 if since is None else time.monotonic() - since)

    @property
    def generations(self) -> tuple[GenerationPauses, ...]:
        """Of each generation, youngest first."""
        rows: list[GenerationPauses] = []
        for count, times, (collected, uncollectable), buckets in self._pauses.generations():
            p50, p99, longest, total = (nanoseconds / 1e9 for nanoseconds in times)
            rows.append(
                GenerationPauses(
                    generation=len(rows),
                    count=count,
                    p50=p50,
                    p99=p99,
                    longest=longest,
                    total=total,
                    collected=collected,
                    uncollectable=uncollectable,
                    buckets=tuple(buckets),
                )
            )
        return tuple(rows)

    @property
    def threads(self) -> tuple[ThreadPauses, ...]:
        """Of each thread that ran collections, the one that took longest first."""
        names = {thread.ident: thread.name for thread in threading.enumerate()}
        rows = [
            ThreadPauses(ident, names.get(ident), count, total / 1e9, longest / 1e9)
            for ident, count, total, longest in self._pauses.threads()
        ]
        return tuple(sorted(rows, key=lambda row: -row.total))

    @property
    def count(self) -> int:
        """Collections so far."""
        return self._pauses.so_far()[0]

    @property
    def total(self) -> float:
        """Seconds of all pauses so far. What it grows by meanwhile is what some work had to wait."""
        return self._pauses.so_far()[1] / 1e9

    @property
    def slow(self) -> tuple[Pause, ...]:
        """The last hundred pauses over the limit, oldest first."""
        # A deque that grows while a tuple is made of it is an error; its copy is made in one go.
        return tuple(self._slow.kept.copy())

    @property
    def slow_count(self) -> int:
        """Pauses over the limit."""
        return self._slow.count

    @property
    def failed(self) -> int:
        """Calls of ``on_slow`` that raised."""
        return self._slow.failed

    def to_dict(self) -> dict[str, Any]:
        """Plain data by OpenTelemetry's names, a point a generation.

        ``cpython.gc.collections``, ``cpython.gc.collected_objects`` and ``cpython.gc.uncollectable_objects`` are
        as its conventions have them. ``cpython.gc.duration``, which they lack, is a histogram in seconds:
        ``bucket_counts`` has one more than ``explicit_bounds``, and none is counted twice.
        """
        rows = self.generations

        def points(field: str) -> list[dict[str, Any]]:
            return [{"cpython.gc.generation": row.generation, "value": getattr(row, field)} for row in rows]

        return {
            "cpython.gc.collections": points("count"),
            "cpython.gc.collected_objects": points("collected"),
            "cpython.gc.uncollectable_objects": points("uncollectable"),
            "cpython.gc.duration": [
                {
                    "cpython.gc.generation": row.generation,
                    "count": row.count,
                    "sum": row.total,
                    "max": row.longest,
                    "p50": row.p50,
                    "p99": row.p99,
                    "explicit_bounds": list(BOUNDS),
                    "bucket_counts": list(row.buckets),
                }
                for row in rows
            ],
        }

    def _forked(self) -> None:
        """What was measured before is the parent's."""
        self._pauses.clear()
        self._slow.clear()
        self._before, self._since = 0.0, time.monotonic()

    def _rows(self) -> Sequence[GenerationPauses]:
        return self.generations

    def _title(self) -> str:
        rows, elapsed = self.generations, self.elapsed
        total = sum(row.total for row in rows)
        share = f" ({100 * total / elapsed:.1f} %)" if elapsed else ""
        collections = counted(sum(row.count for row in rows), "collection")
        title = f"the collector: {collections} in {duration(elapsed)}, {duration(total)} of it{share}"
        if self._over is not None:
            title += f"; {self.slow_count:,} over {duration(self._over)}"
        if self.failed:
            title += f"; on_slow raised {counted(self.failed, 'time')}"
        if self in _started and not self.running:
            title += "; measures no more: somebody has cleared gc.callbacks"
        return title

    def _cells(self) -> list[tuple[str, ...]]:
        """Heads, then a row a generation, as they are shown."""
        rows = [
            (
                str(row.generation),
                f"{row.count:,}",
                *(duration(time) if row.count else "" for time in (row.p50, row.p99, row.longest, row.total)),
                f"{row.collected:,}",
                f"{row.uncollectable:,}",
            )
            for row in self.generations
        ]
        return [tuple(head for _, _, head in self._columns), *rows]

    def __str__(self) -> str:
        return f"{self._title()}\n{table(self._cells(), set(range(8)))}"

    def _repr_html_(self) -> str:
        from deadweight._monitor_picture import to_html

        return to_html(self._title(), self._cells(), self.generations)


def _after_fork() -> None:
    global _lock
    # Another thread may have held it, which is no more.
    _lock = threading.RLock()
    # What it makes may begin a collection, whose finalizers start or stop one.
    for running in list(_started):
        running._forked()  # pyright: ignore[reportPrivateUsage]
