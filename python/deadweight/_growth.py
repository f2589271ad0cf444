"""What grows round by round: leaks, by their holder."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from operator import index
from typing import Any

from deadweight import _core
from deadweight._caches import cache_at
from deadweight._table import Table, html_table
from deadweight._text import size, table

_HEADS = ("holder", "type", "count", "objects", "bytes a round")


@dataclass(frozen=True, slots=True)
class Leak:
    """What one holder holds more of after every round. All numbers are a round, on average."""

    holder: str
    """The path of what holds it."""
    path: str
    """The path to most of what it holds more of."""
    type: str
    """The type of the objects there; of the holder, if that is what grows."""
    count: float
    """How many more of them there are; 0 if it is one object that grows."""
    objects: float
    """How many more objects there are, those included that only these lead to."""
    bytes: float
    """What all these hold more, and the holder."""
    cache: str | None
    """What it is, if it is a cache of the interpreter or its library."""

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as ``json`` takes it."""
        return asdict(self)

    def __str__(self) -> str:
        what = f"{_number(self.count)} {self.type} more" if self.count else f"the {self.type} is larger"
        also = f", {_number(self.objects)} objects in all" if self.objects > self.count else ""
        note = f" ({self.cache})" if self.cache else ""
        return f"{self.holder}{note}: {what} after every round{also}, {size(round(self.bytes))} a round"


class StillGrowing(AssertionError):
    """A program grows in every round. ``leaks`` is what does."""

    # The name by which it is caught.
    __module__ = "deadweight"

    def __init__(self, message: str, leaks: tuple[Leak, ...] = ()) -> None:
        # Without leaks it is made by `pickle` and `copy`, which set them afterwards.
        super().__init__(message)
        self.leaks = leaks


class Growth(Table):
    """Looks at this program after every round of some work. ``growth`` makes it."""

    __slots__ = ("_leaks", "_values", "_warmup")
    _columns = (
        ("holder", str, "holder"),
        ("path", str, "path"),
        ("type", str, "type"),
        ("count", float, "count"),
        ("objects", float, "objects"),
        ("bytes", float, "bytes a round"),
        ("cache", str, "cache"),
    )

    def __init__(self, warmup: int, values: bool) -> None:
        if index(warmup) < 0:
            raise ValueError(f"warmup must be 0 or more, not {warmup}")
        self._warmup = warmup
        self._values = values
        self._leaks: tuple[Leak, ...] | None = None

    def rounds(self, count: int = 5) -> Iterator[int]:
        """Numbers, one for each time the work is to be done: first those of the warm-up, then ``count``
        rounds, after each of which the program is looked at. Before each look the collector runs, and the
        interpreter's cache of attributes is emptied."""
        if index(count) < 2:
            raise ValueError(f"growth takes two rounds or more to see, not {count}")
        return self._rounds(count)

    def _rounds(self, count: int) -> Iterator[int]:
        self._leaks = None
        core = _core.Growth(self._values)
        for number in range(self._warmup):
            yield number
        _look(core)
        for number in range(self._warmup, self._warmup + count):
            yield number
            _look(core)
        rounds, rows = core.leaks()
        self._leaks = tuple([_leak(rounds, row) for row in rows])

    @property
    def leaks(self) -> tuple[Leak, ...]:
        """What grew in every round, most bytes first. Known caches are among it, and named."""
        if self._leaks is None:
            raise RuntimeError("the rounds are not over: go through growth().rounds(…) to its end first")
        return self._leaks

    def assert_none(self, *, allow: Sequence[str] = ()) -> None:
        """Raises ``StillGrowing``, an ``AssertionError``, if anything grew in every round.

        ``allow`` is what may: paths, with all below them, or full names of types. The message names entries
        that nothing that grew is at: they may be misspelt.
        """
        allowed = paths_of(allow)
        found = tuple([leak for leak in self.leaks if not any(_allows(entry, leak) for entry in allowed)])
        if found:
            lines = [f"  {leak}" for leak in found]
            idle = [entry for entry in allowed if not any(_allows(entry, leak) for leak in self.leaks)]
            if idle:
                lines.append(f"allowed, but nothing there grew: {', '.join(idle)}")
            raise StillGrowing("\n".join(["the program grows in every round:", *lines]), found)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as ``json`` takes it."""
        return {"leaks": [leak.to_dict() for leak in self.leaks]}

    def _rows(self) -> tuple[Leak, ...]:
        return self.leaks

    def _title(self) -> str:
        if self._leaks is None:
            return "the rounds are not over"
        return "grows in every round:" if self._leaks else "nothing grows in every round"

    def _cells(self) -> list[tuple[str, ...]]:
        return [
            (
                leak.holder + (f" ({leak.cache})" if leak.cache else ""),
                leak.type,
                _number(leak.count),
                _number(leak.objects),
                size(round(leak.bytes)),
            )
            for leak in self._leaks or ()
        ]

    def _repr_html_(self) -> str:
        return html_table(self._title(), _HEADS if self._leaks else (), self._cells(), {2, 3, 4})

    def __str__(self) -> str:
        if not self._leaks:
            return self._title()
        rows = [(f"  {holder}", *rest) for holder, *rest in [_HEADS, *self._cells()]]
        return "\n".join([self._title(), table(rows, {2, 3, 4})])


def growth(*, warmup: int = 2, values: bool = False) -> Growth:
    """What grows, round by round.

    The work is done ``warmup`` times before the first look: caches fill, modules are imported. Only what
    grows in every round after that is reported, with what holds it::

        g = dw.growth()
        for _ in g.rounds(5):
            handle_request()
        g.assert_none(allow=["app.cache"])

    ``values`` keeps short ``str`` keys of dicts as names: a path then says ``app.tables['users']`` where it
    would say ``app.tables[*]``, if all that grows there is below that key.
    """
    return Growth(warmup, values)


# The interpreter keeps the names of attributes that were asked for. What it is for: "only to release
# unnecessary references when hunting for leaks" (sys._clear_internal_caches in CPython's documentation; before
# 3.13 the cache of types is all there is).
_clear_caches: Callable[[], None] = (
    getattr(sys, "_clear_internal_caches", None) or sys._clear_type_cache  # pyright: ignore[reportPrivateUsage]
)


def _look(core: _core.Growth) -> None:
    gc.collect()
    _clear_caches()
    core.observe()


def _leak(rounds: int, row: tuple[str, str, str, int, int, int]) -> Leak:
    holder, path, kind, count, objects, held = row
    return Leak(
        holder=holder,
        path=path,
        type=kind,
        count=count / rounds,
        objects=objects / rounds,
        bytes=held / rounds,
        cache=cache_at(holder),
    )


def paths_of(allow: Sequence[str]) -> tuple[str, ...]:
    """What ``allow`` is given, if it is a list of texts."""
    if isinstance(allow, str):
        raise TypeError(f"allow takes a list of paths, not one: [{allow!r}]")
    for entry in allow:
        if not isinstance(entry, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f"allow takes paths and names of types, not {entry!r}")
    return tuple(allow)


def _allows(entry: str, leak: Leak) -> bool:
    return entry == leak.type or is_below(leak.path, entry)


def is_below(path: str, top: str) -> bool:
    """Whether a path is another one or goes on from there."""
    return path == top or (path.startswith(top) and path[len(top)] in ".[ ")


def _number(number: float) -> str:
    return f"{number:,.0f}" if number == round(number) else f"{number:,.1f}"
