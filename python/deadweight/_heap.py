"""Whole heaps: of this process, of another one, of a file."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from operator import index
from typing import Any, TypeAlias, overload

from deadweight import _core
from deadweight._answers import TOP, Census, CensusRow, Change, Diff, HeldPath, Step, Tree, TreeRow, Why
from deadweight._names import full_name
from deadweight._table import Table
from deadweight._text import counted, escaped, size

Query: TypeAlias = "str | int | type"
"""A class, or the name of one; a path; an address, as a number or as ``0xADDRESS``."""


@dataclass(frozen=True, slots=True)
class Node:
    """One object of a heap."""

    address: int
    type: str
    held: int
    _heap: _core.Heap = field(repr=False, compare=False)
    _number: int = field(repr=False, compare=False)

    @property
    def retained(self) -> int:
        """Bytes that would go with it."""
        return self._heap.retained(self._number)

    @property
    def path(self) -> str:
        """The best path to it; empty if nothing leads there."""
        return self._heap.path(self._number)

    def object(self) -> Any:
        """The live object itself, if its path still leads there; else None.

        Its path is walked again, reference by reference, from the module it begins at, and must end
        at the same address and type. An object of the same type that was made later, at the same address
        and in the same place of the program, cannot be told from it. Paths that do not begin at a module
        give None.
        """
        return self._heap.object(self._number, sys.modules)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as ``json`` takes it."""
        return {
            "address": f"{self.address:#x}",
            "type": self.type,
            "held_bytes": self.held,
            "retained_bytes": self.retained,
            "path": self.path,
        }

    def __str__(self) -> str:
        return f"{self.type} at {self.address:#x}: {size(self.held)} held, {size(self.retained)} retained"


class Nodes(Table, Sequence[Node]):
    """The objects that a type name, a path or an address leads to, by rising address."""

    _columns = (("address", int, "address"), ("type", str, "type"), ("held", int, "bytes:held"))
    __slots__ = ("_heap", "_numbers", "query")

    def __init__(self, heap: _core.Heap, query: str, numbers: list[int]) -> None:
        self._heap = heap
        self._numbers = numbers
        self.query = query

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, index: int, /) -> Node: ...
    @overload
    def __getitem__(self, index: slice, /) -> Nodes: ...
    def __getitem__(self, index: int | slice, /) -> Node | Nodes:
        if isinstance(index, slice):
            return Nodes(self._heap, self.query, self._numbers[index])
        number = self._numbers[index]
        address, kind, held = self._heap.describe(number)
        return Node(address=address, type=kind, held=held, _heap=self._heap, _number=number)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as ``json`` takes it."""
        return {"query": self.query, "nodes": [node.to_dict() for node in self]}

    def _rows(self) -> Sequence[Node]:
        return self

    def _title(self) -> str:
        return f"{counted(len(self), 'object')}: {self.query}"

    def __repr__(self) -> str:
        return f"<{self._title()}>"


class Heap:
    """A heap as it was at one moment. It is asked of a class, a name, a path or an address."""

    __slots__ = ("_core",)
    # It takes numbers, and is no sequence for all that.
    __iter__ = None

    def __init__(self, core: _core.Heap) -> None:
        self._core = core

    @property
    def pid(self) -> int:
        """The process it is of."""
        return self._core.pid

    @property
    def python(self) -> str:
        """The version of its interpreter."""
        return self._core.python

    @property
    def pause(self) -> timedelta:
        """How long the process stood still."""
        return timedelta(microseconds=self._core.pause_micros)

    @property
    def method(self) -> str | None:
        """How this very process was read: ``clone``, or ``in place`` and why. Else None."""
        return self._core.method

    @property
    def gaps(self) -> list[str]:
        """What could not be read or is not certain, one sentence each."""
        return self._core.gaps

    def __len__(self) -> int:
        return len(self._core)

    def __getitem__(self, query: Query) -> Nodes:
        """The objects of a class or of a name of one, at a path, or at an address."""
        text = _text_of(query)
        return Nodes(self._core, text, self._core.find(text))

    def __contains__(self, query: Query) -> bool:
        try:
            return bool(self._core.find(_text_of(query)))
        except _core.NotThere:
            return False

    def census(self, *, by: str = "type", sort: str = "retained", top: int = TOP) -> Census:
        """What there is, by ``type`` or by ``module``; ``top`` is how many rows the text shows."""
        answer, text = self._core.census(by, sort, _amount("top", top))
        document = json.loads(answer)
        rows = (
            CensusRow(
                name=row["name"],
                count=row["count"],
                held=row["shallow_bytes"],
                retained=row["retained_bytes"],
                getsizeof=row["getsizeof_bytes"],
                trust=row["trust"],
            )
            for row in document["types"]
        )
        return Census(
            objects=document["objects"],
            tracked=document["tracked"],
            references=document["references"],
            held=document["shallow_bytes"],
            getsizeof=document["getsizeof_bytes"],
            rows=tuple(rows),
            _json=answer,
            _text=_in_python(text),
        )

    def tree(self, start: Query | None = None, *, depth: int = 6, top: int = 8, least: float = 1.0) -> Tree:
        """What keeps what alive, below ``start`` (what leads to one object) or from the roots.

        Of a module it is what its names keep alive. Rows that retain less than ``least`` percent of
        what ``start`` does are added up.
        """
        below = None if start is None else _text_of(start)
        answer, text = self._core.tree(below, _amount("depth", depth), _amount("top", top), least)
        document = json.loads(answer)
        rows = (
            TreeRow(
                depth=row["depth"],
                count=row["count"],
                held=row["held_bytes"],
                retained=row["retained_bytes"],
                type=row["type"],
                edge=row["edge"],
                path=row["path"],
                example=_address(row["example"]),
                rows_left_out=row["rows_left_out"],
            )
            for row in document["rows"]
        )
        return Tree(
            retained=document["rows"][0]["retained_bytes"],
            rows=tuple(rows),
            _json=answer,
            _text=_in_python(text),
        )

    def why(self, query: Query, *, top: int = 10) -> Why:
        """What holds the objects of a class or of a name of one, at a path, or at an address."""
        answer, text = self._core.why(_text_of(query), _amount("top", top))
        document = json.loads(answer)
        paths = (
            HeldPath(
                path=path["path"] if path["count"] > 1 else self[path["example"]][0].path,
                count=path["count"],
                retained=path["retained_bytes"],
                example=int(path["example"], 16),
                trust=path["trust"],
                shortened=path["shortened"],
                steps=tuple(
                    Step(
                        edge=step["edge"],
                        type=step["type"],
                        address=_address(step["address"]),
                        conservative=step["conservative"],
                    )
                    for step in path["steps"]
                ),
            )
            for path in document["paths"]
        )
        return Why(
            query=document["query"],
            count=document["count"],
            held=document["held_bytes"],
            retained=document["retained_bytes"],
            paths=tuple(paths),
            _json=answer,
            _text=_in_python(text),
        )

    def diff(self, older: Heap) -> Diff:
        """What this heap has more than an older one, by type."""
        if not isinstance(older, Heap):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f"diff takes a heap; of a file it is deadweight.load(path), not {older!r:.80}")
        now, before = self.census(), older.census()
        known = {row.name: row for row in before}
        changes = [
            Change(row.name, row.count - old.count, row.held - old.held)
            if (old := known.pop(row.name, None))
            else Change(row.name, row.count, row.held)
            for row in now
        ]
        changes += [Change(row.name, -row.count, -row.held) for row in known.values()]
        changed = (row for row in changes if row.count or row.held)
        return Diff(tuple(sorted(changed, key=lambda row: (-row.held, -row.count, row.name))))

    def save(self, path: str | os.PathLike[str]) -> int:
        """Writes the snapshot, readable by its owner only; an older file is replaced when the new one
        is whole. Gives the size of the file."""
        return self._core.save(path)

    def to_dict(self) -> dict[str, Any]:
        """The document that ``deadweight weigh --json`` writes."""
        document: dict[str, Any] = json.loads(self._core.weigh(10)[0])
        return document

    def __str__(self) -> str:
        text = self._core.weigh(10)[1]
        return text.rstrip()

    def _repr_html_(self) -> str:
        lines = "\n".join(escaped(line) for line in str(self).splitlines())
        return f"<pre>{lines}</pre>"

    def __repr__(self) -> str:
        return f"<deadweight.Heap of process {self.pid}: {len(self):,} objects, Python {self.python}>"


def snapshot(
    *,
    pid: int | None = None,
    values: bool = False,
    max_pause: timedelta | None = None,
) -> Heap:
    """A heap: of this process, or of another one by its number.

    This process is read from a clone of it that stands still, and goes on meanwhile; where the system
    allows no clone it is copied in place, with the interpreter's lock held. ``values`` keeps short
    ``str`` keys of dicts as names; ``max_pause``, a ``timedelta``, limits how long another process may
    stand still: it is let go on then, and ``PauseTooLong`` raised.
    """
    if max_pause is not None and not isinstance(max_pause, timedelta):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"max_pause takes a timedelta, such as timedelta(milliseconds=500), not {max_pause!r:.80}")
    if pid is None or (pid := _process(pid)) == os.getpid():
        if max_pause is not None:
            raise ValueError("max_pause is for other processes: this one is cloned, and goes on meanwhile")
        return Heap(_core.snapshot(values))
    return Heap(_core.snapshot_of(pid, values, max_pause))


def load(path: str | os.PathLike[str]) -> Heap:
    """A heap that was saved."""
    return Heap(_core.load(path))


def _text_of(query: Query) -> str:
    if isinstance(query, str):
        return query
    if isinstance(query, int):
        return hex(query)
    if isinstance(query, type):  # pyright: ignore[reportUnnecessaryIsInstance]
        return full_name(query)
    raise TypeError(f"a heap is asked of a class, a name, a path or an address, not of {query!r:.80}")


def _amount(name: str, number: int) -> int:
    """A number of rows or levels, if it is one."""
    try:
        number = index(number)
    except TypeError:
        raise TypeError(f"{name} takes a whole number, not {number!r:.80}") from None
    if number < 0:
        raise ValueError(f"{name} must be 0 or more, not {number}")
    return number


def _process(pid: int) -> int:
    try:
        number = index(pid)
    except TypeError:
        number = None
    # True is an int, and would be process 1.
    if number is None or isinstance(pid, bool):
        raise TypeError(f"pid takes the number of a process, not {pid!r:.80}")
    if not 0 < number < 1 << 31:
        raise ValueError(f"no process has the number {number}: they are 1 and more")
    return number


def _address(text: str | None) -> int | None:
    return None if text is None else int(text, 16)


# What texts say of the command's options, and how the same is asked for here.
_OPTIONS = {
    r": --top N shows more$": ": top=N shows more",
    r": --json lists (.+)$": r": .to_dict() lists \1",
    r" \(--(least|top|depth)\)": r" (\1=)",
}


def _in_python(text: str) -> str:
    for option, argument in _OPTIONS.items():
        text = re.sub(option, argument, text, flags=re.MULTILINE)
    return text


def why_object(core: _core.Heap, query: str, text: str | None) -> Why:
    """What ``why`` answers, which is compiled code: no frame of ours may hold the object. ``text`` is what
    the object says, if it is a text: that may name what was meant."""
    heap = Heap(core)
    answer = heap.why(query)
    if text is None or text not in heap:
        return answer
    hint = f"This is of the text itself. Of what it names: deadweight.snapshot().why({text!r})"
    return replace(answer, _text=f"{answer}\n\n{hint}")
