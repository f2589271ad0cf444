"""Whole heaps: of this process, of another one, of a file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any, overload

from deadweight import _core, _picture
from deadweight._table import Table, html_table
from deadweight._text import size, table

_TOP = 30


@dataclass(frozen=True, slots=True)
class CensusRow:
    """The objects of one type, or of the types of one module."""

    name: str
    count: int
    held: int
    """Bytes that they hold by themselves."""
    retained: int
    """Bytes that would go with them."""
    getsizeof: int
    """What ``sys.getsizeof`` would have said."""
    trust: str


@dataclass(frozen=True, slots=True)
class Census(Table):
    """What there is, by type or by module."""

    _columns = (
        ("name", str, "type"),
        ("count", int, "objects"),
        ("held", int, "bytes:held"),
        ("retained", int, "bytes:retained"),
        ("getsizeof", int, "bytes:getsizeof"),
        ("trust", str, "trust"),
    )

    objects: int
    tracked: int
    references: int
    held: int
    getsizeof: int
    rows: tuple[CensusRow, ...]
    _document: dict[str, Any] = field(repr=False, compare=False)
    _text: str = field(repr=False, compare=False)

    def __iter__(self) -> Iterator[CensusRow]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, name: str) -> CensusRow:
        for row in self.rows:
            if row.name == name:
                return row
        raise _core.NotThere(f"the census has no row {name!r}")

    def to_dict(self) -> dict[str, Any]:
        """The document that ``deadweight census --json`` writes."""
        return self._document

    def _rows(self) -> Sequence[CensusRow]:
        return self.rows

    def _title(self) -> str:
        return f"{self.objects:,} objects, {size(self.held)} held"

    def __str__(self) -> str:
        return self._text.rstrip()


@dataclass(frozen=True, slots=True)
class Step:
    """One reference of a path."""

    edge: str
    type: str
    address: int | None
    conservative: bool
    """Found by scanning, not by a known layout."""


@dataclass(frozen=True, slots=True)
class HeldPath:
    """A path by which some of the objects are held."""

    path: str
    count: int
    retained: int
    example: int
    """The address of the heaviest object at its end."""
    trust: str
    """``measured``, or ``modelled`` where a size follows a rule."""
    shortened: bool
    """Whether there may be more steps before the last."""
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Why(Table):
    """What holds some objects, by name, heaviest path first."""

    _columns = (
        ("path", str, "path"),
        ("count", int, "objects"),
        ("retained", int, "bytes:retained"),
        ("example", int, "example"),
        ("trust", str, "trust"),
    )

    query: str
    count: int
    held: int
    retained: int
    paths: tuple[HeldPath, ...]
    _document: dict[str, Any] = field(repr=False, compare=False)
    _text: str = field(repr=False, compare=False)

    def to_dict(self) -> dict[str, Any]:
        """The document that ``deadweight why --json`` writes."""
        return self._document

    def to_svg(self, *, most: int = 40) -> str:
        """A picture: the heaviest ``most`` paths, merged where they begin alike, the others counted."""
        return _picture.to_svg(self, most)

    def to_dot(self, *, most: int = 40) -> str:
        """The same picture for graphviz."""
        return _picture.to_dot(self, most)

    def _repr_svg_(self) -> str:
        return self.to_svg()

    def _repr_html_(self) -> str:
        return f'<div style="overflow:auto;max-height:40em">{self.to_svg()}</div>'

    def _title(self) -> str:
        return _picture.head(self)

    def _rows(self) -> Sequence[HeldPath]:
        return self.paths

    def __str__(self) -> str:
        return self._text.rstrip()


@dataclass(frozen=True, slots=True)
class TreeRow:
    """Alike objects that are dominated by the row above with less depth."""

    depth: int
    count: int
    held: int
    retained: int
    type: str | None
    edge: str | None
    path: str | None
    example: int | None
    rows_left_out: int


@dataclass(frozen=True, slots=True)
class Tree(Table):
    """What keeps what alive, heaviest first."""

    _columns = (
        ("depth", int, "depth"),
        ("path", str, "path"),
        ("edge", str, "edge"),
        ("type", str, "type"),
        ("count", int, "objects"),
        ("held", int, "bytes:held"),
        ("retained", int, "bytes:retained"),
        ("example", int, "example"),
        ("rows_left_out", int, "rows left out"),
    )

    retained: int
    rows: tuple[TreeRow, ...]
    _document: dict[str, Any] = field(repr=False, compare=False)
    _text: str = field(repr=False, compare=False)

    def to_dict(self) -> dict[str, Any]:
        """The document that ``deadweight tree --json`` writes."""
        return self._document

    def _rows(self) -> Sequence[TreeRow]:
        return self.rows

    def _title(self) -> str:
        return f"{size(self.retained)} retained"

    def _repr_html_(self) -> str:
        heads = ["", "objects", "held", "retained"]
        rows = [
            ["   " * row.depth + _tree_label(row), f"{row.count:,}", size(row.held), size(row.retained)]
            for row in self.rows
        ]
        return html_table(self._title(), heads, rows, {1, 2, 3})

    def __str__(self) -> str:
        return self._text.rstrip()


@dataclass(frozen=True, slots=True)
class Change:
    """How the objects of one type differ between two heaps."""

    name: str
    count: int
    held: int


@dataclass(frozen=True, slots=True)
class Diff(Table):
    """What a heap has more than an older one, by type, largest growth first."""

    _columns = (("name", str, "type"), ("count", int, "objects"), ("held", int, "bytes:held"))

    rows: tuple[Change, ...]

    @property
    def count(self) -> int:
        """Objects more."""
        return sum(row.count for row in self.rows)

    @property
    def held(self) -> int:
        """Bytes more."""
        return sum(row.held for row in self.rows)

    def __iter__(self) -> Iterator[Change]:
        return iter(self.rows)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as ``json`` takes it."""
        return {"count": self.count, "held": self.held, "rows": [asdict(row) for row in self.rows]}

    def _rows(self) -> Sequence[Change]:
        return self.rows

    def _title(self) -> str:
        return f"{self.count:+,} objects, {_signed(self.held)}"

    def __str__(self) -> str:
        rows = [(f"  {row.name}", f"{row.count:+,}", _signed(row.held)) for row in self.rows[:_TOP]]
        return "\n".join([self._title(), table(rows, {1, 2})]).rstrip()


def _tree_label(row: TreeRow) -> str:
    """As the text has it: what refers to it and its type, or how many rows are added up here."""
    if row.type is None:
        return f"{row.rows_left_out:,} more"
    return " ".join(part for part in (row.path or row.edge or "", row.type) if part)


def _signed(count: int) -> str:
    return ("+" if count >= 0 else "") + size(count)


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
        """The live object itself, if it can be shown to be alive; else None.

        Its path is walked again, reference by reference, from the module it begins at, and must end
        at the same address and type. Paths that do not begin at a module give None.
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


class Nodes(Sequence[Node]):
    """The objects that a type name, a path or an address leads to, by rising address."""

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

    def __repr__(self) -> str:
        return f"<{len(self):,} objects: {self.query}>"


class Heap:
    """A heap as it was at one moment."""

    __slots__ = ("_core",)

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

    def __getitem__(self, query: str) -> Nodes:
        """The objects that a type name, a path or ``0xADDRESS`` leads to."""
        return Nodes(self._core, query, self._core.find(query))

    def census(self, *, by: str = "type", sort: str = "retained", top: int = _TOP) -> Census:
        """What there is, by ``type`` or by ``module``; ``top`` is how many rows the text shows."""
        document, text = _parsed(self._core.census(by, sort, top))
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
            _document=document,
            _text=text,
        )

    def tree(self, start: str | None = None, *, depth: int = 6, top: int = 8, least: float = 1.0) -> Tree:
        """What keeps what alive, below ``start`` (a path to one object) or from the roots.

        Rows that retain less than ``least`` percent of the whole are added up.
        """
        document, text = _parsed(self._core.tree(start, depth, top, least))
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
        return Tree(retained=document["retained_bytes"], rows=tuple(rows), _document=document, _text=text)

    def why(self, query: str, *, top: int = 10) -> Why:
        """What holds the objects that a type name, a path or ``0xADDRESS`` leads to."""
        document, text = _parsed(self._core.why(query, top))
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
            _document=document,
            _text=text,
        )

    def diff(self, older: Heap) -> Diff:
        """What this heap has more than an older one, by type."""
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

    def __str__(self) -> str:
        text = self._core.weigh(10)[1]
        return text.rstrip()

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
    ``str`` keys of dicts as names; ``max_pause`` limits how long another process may stand still.
    """
    if pid is None or pid == os.getpid():
        return Heap(_core.snapshot(values))
    return Heap(_core.snapshot_of(pid, values, max_pause))


def load(path: str | os.PathLike[str]) -> Heap:
    """A heap that was saved."""
    return Heap(_core.load(path))


@dataclass(frozen=True, slots=True)
class SpecimenSize:
    """What one object of a type really costs."""

    type: str
    specimen: str
    held: int
    requested: int
    retained: int
    getsizeof: int


@dataclass(frozen=True, slots=True)
class Sizes:
    """This interpreter's object model."""

    python: str
    cached_ints: tuple[int, int]
    """The smallest and the largest int that it keeps ready."""
    rows: tuple[SpecimenSize, ...]
    _document: dict[str, Any] = field(repr=False, compare=False)

    def to_dict(self) -> dict[str, Any]:
        """The document that ``deadweight sizes --json`` writes."""
        return self._document

    def __str__(self) -> str:
        low, high = self.cached_ints
        head = f"Python {self.python}: ints from {low} to {high} are kept ready"
        rows = [("  type", "specimen", "held", "retained", "getsizeof")]
        rows += [
            (f"  {row.type}", row.specimen, f"{row.held:,}", f"{row.retained:,}", f"{row.getsizeof:,}")
            for row in self.rows
        ]
        return "\n".join([head, table(rows, {2, 3, 4})])


def sizes(*types: str) -> Sizes:
    """What objects of this interpreter really cost: of the usual types, or of those named.

    The specimens are made by a fresh interpreter of the same kind.
    """
    command = [
        sys.executable,
        "-m",
        "deadweight",
        "sizes",
        "--json",
        "-q",
        "--python",
        sys.executable,
        *types,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip() or "the specimens could not be made")
    document = json.loads(done.stdout)
    return Sizes(
        python=document["python"],
        cached_ints=tuple(document["cached_ints"]),
        rows=tuple(
            SpecimenSize(
                type=row["type"],
                specimen=row["specimen"],
                held=row["held_bytes"],
                requested=row["requested_bytes"],
                retained=row["retained_bytes"],
                getsizeof=row["getsizeof_bytes"],
            )
            for row in document["sizes"]
        ),
        _document=document,
    )


def _parsed(answer: tuple[str, str]) -> tuple[dict[str, Any], str]:
    document, text = answer
    return json.loads(document), text


def _address(text: str | None) -> int | None:
    return None if text is None else int(text, 16)


def why_object(heap: _core.Heap, query: str) -> Why:
    """What ``why`` answers, which is compiled code: no frame of ours may hold the object."""
    return Heap(heap).why(query)
