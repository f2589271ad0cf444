"""What heaps answer: the rows of a census or tree, the paths that hold something, a difference."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from deadweight import _core, _picture
from deadweight._names import full_name
from deadweight._table import Table, html_table
from deadweight._text import size, table

TOP = 30
"""Rows that a text shows, unless more are asked for."""

_DEEPEST = 40
"""Rows of a tree further down are indented no further, as in the text."""


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


@dataclass(frozen=True, slots=True, repr=False)
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
    _json: str = field(repr=False, compare=False)
    _text: str = field(repr=False, compare=False)

    def __iter__(self) -> Iterator[CensusRow]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str | type) and len(self._called(name)) == 1

    def __getitem__(self, name: str | type) -> CensusRow:
        """The row of a class, or of a name: in full, or without its module where one row ends so."""
        rows = self._called(name)
        if len(rows) == 1:
            return rows[0]
        from difflib import get_close_matches

        text = name if isinstance(name, str) else full_name(name)
        near = [row.name for row in rows] or get_close_matches(text, [row.name for row in self.rows])
        hint = f"; nearest: {', '.join(near)}" if near else ""
        raise _core.NotThere(f"the census has no row {text!r}{hint}")

    def _called(self, name: str | type) -> list[CensusRow]:
        text = name if isinstance(name, str) else full_name(name)
        exact = [row for row in self.rows if row.name == text]
        return exact or [row for row in self.rows if row.name.endswith(f".{text}")]

    def to_dict(self) -> dict[str, Any]:
        """The document that ``deadweight census --json`` writes."""
        document: dict[str, Any] = json.loads(self._json)
        return document

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


@dataclass(frozen=True, slots=True, repr=False)
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
    _json: str = field(repr=False, compare=False)
    _text: str = field(repr=False, compare=False)

    def to_dict(self) -> dict[str, Any]:
        """The document that ``deadweight why --json`` writes."""
        document: dict[str, Any] = json.loads(self._json)
        return document

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


@dataclass(frozen=True, slots=True, repr=False)
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
    """What the first row does: the object that was asked about, or everything."""
    rows: tuple[TreeRow, ...]
    _json: str = field(repr=False, compare=False)
    _text: str = field(repr=False, compare=False)

    def to_dict(self) -> dict[str, Any]:
        """The document that ``deadweight tree --json`` writes."""
        document: dict[str, Any] = json.loads(self._json)
        return document

    def _rows(self) -> Sequence[TreeRow]:
        return self.rows

    def _title(self) -> str:
        return f"{size(self.retained)} retained"

    def _repr_html_(self) -> str:
        heads = ["", "objects", "held", "retained"]
        rows = [
            [_indent(row.depth) + _tree_label(row), f"{row.count:,}", size(row.held), size(row.retained)]
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


@dataclass(frozen=True, slots=True, repr=False)
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
        rows = [(f"  {row.name}", f"{row.count:+,}", _signed(row.held)) for row in self.rows[:TOP]]
        return "\n".join([self._title(), table(rows, {1, 2})]).rstrip()


def _indent(depth: int) -> str:
    return "   " * min(depth, _DEEPEST) + (f"level {depth:,}: " if depth > _DEEPEST else "")


def _tree_label(row: TreeRow) -> str:
    """As the text has it: what refers to it and its type, or how many rows are added up here."""
    if row.type is None:
        return f"{row.rows_left_out:,} more"
    return " ".join(part for part in (row.path or row.edge or "", row.type) if part)


def _signed(count: int) -> str:
    return ("+" if count >= 0 else "") + size(count)
