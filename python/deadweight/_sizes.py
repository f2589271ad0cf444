"""Single objects: what they hold by themselves and together, byte by byte."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from types import ModuleType
from typing import Any, NamedTuple

from deadweight import _core
from deadweight._names import full_name
from deadweight._table import Table, html_table
from deadweight._text import counted, size, table


@dataclass(frozen=True, slots=True)
class TypeSize:
    """The objects of one type among what was weighed."""

    type: str
    count: int
    held: int
    requested: int


@dataclass(frozen=True, slots=True, repr=False)
class DeepSize(Table):
    """What objects hold together. Sizes are bytes."""

    _columns = (
        ("type", str, "type"),
        ("count", int, "objects"),
        ("held", int, "bytes:held"),
        ("requested", int, "bytes:requested"),
    )

    total: int
    """Really held: every block as its allocator rounds it."""
    requested: int
    """Asked of the allocators."""
    shared: int
    """Of the total, what something else holds too: it would stay if these objects went."""
    count: int
    """How many objects."""
    by_type: tuple[TypeSize, ...]
    """By type, heaviest first."""
    trust: str
    """Of what was weighed: ``measured``, or ``modelled`` where a size follows a rule instead of an
    allocator's header. Native memory that is not weighed is not marked."""

    @property
    def exclusive(self) -> int:
        """What would be freed if these objects went."""
        return self.total - self.shared

    def __int__(self) -> int:
        return self.total

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as ``json`` takes it."""
        return asdict(self)

    def _rows(self) -> tuple[TypeSize, ...]:
        return self.by_type

    def _title(self) -> str:
        mark = "~" if self.trust == "modelled" else ""
        return f"{mark}{size(self.total)} in {counted(self.count, 'object')}, {size(self.shared)} of it shared"

    def __str__(self) -> str:
        rows = [(f"  {row.type}", f"{row.count:,}", size(row.held)) for row in self.by_type[:10]]
        more = len(self.by_type) - len(rows)
        tail = [f"  and {more} more types"] if more > 0 else []
        return "\n".join([self._title(), table(rows, {1, 2}), *tail]).rstrip()


@dataclass(frozen=True, slots=True)
class Part:
    """Some bytes of a block."""

    offset: int
    """From the first byte of the block."""
    size: int
    kind: str
    """``pre-header``, ``gc head``, ``header``, ``field``, ``struct``, ``items``, ``spare``, ``rounding``."""
    name: str


@dataclass(frozen=True, slots=True)
class Block:
    """A block of memory that an object is, or owns."""

    name: str
    address: int
    requested: int
    held: int
    trust: str
    parts: tuple[Part, ...]


class _PartOfBlock(NamedTuple):
    block: str
    address: int
    offset: int
    size: int
    kind: str
    name: str


@dataclass(frozen=True, slots=True, repr=False)
class Layout(Table):
    """An object byte by byte: itself first, then its buffers."""

    _columns = (
        ("block", str, "block"),
        ("address", int, "address"),
        ("offset", int, "offset"),
        ("size", int, "bytes"),
        ("kind", str, "kind"),
        ("name", str, "name"),
    )

    type: str
    blocks: tuple[Block, ...]

    @property
    def requested(self) -> int:
        """Bytes asked of the allocators."""
        return sum(block.requested for block in self.blocks)

    @property
    def held(self) -> int:
        """Bytes really held: each block as its allocator rounds it."""
        return sum(block.held for block in self.blocks)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as ``json`` takes it."""
        return {**asdict(self), "requested": self.requested, "held": self.held}

    def _rows(self) -> list[_PartOfBlock]:
        return [
            _PartOfBlock(block.name, block.address, part.offset, part.size, part.kind, part.name)
            for block in self.blocks
            for part in block.parts
        ]

    def _title(self) -> str:
        return f"{self.type}: {self.held:,} B held, {self.requested:,} B requested"

    def _repr_html_(self) -> str:
        rows = [[row.block, f"{row.offset:,}", f"{row.size:,}", row.kind, row.name] for row in self._rows()]
        return html_table(self._title(), ["block", "offset", "bytes", "kind", "name"], rows, {1, 2})

    def __str__(self) -> str:
        lines = [self._title()]
        for block in self.blocks:
            mark = "~" if block.trust == "modelled" else ""
            lines.append(f"  {block.name} at {block.address:#x}: {mark}{block.held:,} B")
            rows = [(f"    {part.offset}", f"{part.size}", part.kind, part.name) for part in block.parts]
            lines.append(table(rows, {1}))
        return "\n".join(lines)


def deepsizeof(*objects: object, stop: type | Iterable[type] = (type, ModuleType)) -> DeepSize:
    """What objects hold together: they and everything they lead to, each object and buffer once.

    Instances of the class or classes in ``stop`` are left out, with what only they lead to; where
    modules are left out, functions do not lead to their module either. The interpreter's own objects
    (immortal, cached, static) are left out unless they are among ``objects``. Weak references are not
    followed.

    Native memory is weighed where the type is known, such as NumPy's arrays. That of others is not seen:
    columns of Arrow and Polars, strings of pandas 3 and of NumPy's ``StringDType``, ``zlib``, ``mmap``.
    """
    classes = _classes(stop)
    total, requested, shared, count, modelled, rows = _core.deepsizeof(
        objects, classes, not any(item is ModuleType or item is object for item in classes)
    )
    return DeepSize(
        total=total,
        requested=requested,
        shared=shared,
        count=count,
        by_type=tuple([TypeSize(*row) for row in rows]),
        trust=_trust(modelled),
    )


def _classes(stop: type | Iterable[type]) -> tuple[type, ...]:
    # A class may be iterable too: those of enums are.
    classes = (stop,) if isinstance(stop, type) else tuple(stop) if isinstance(stop, Iterable) else None  # pyright: ignore[reportUnnecessaryIsInstance]
    if classes is None or not all(isinstance(item, type) for item in classes):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"stop takes a class, or several, not {stop!r:.80}")
    return classes


def layout(obj: object, /) -> Layout:
    """An object byte by byte: what is in each of its blocks, requested and held."""
    # Tuples of lists, not of generators: those would leave a block behind in the free list of tuples.
    blocks = [
        Block(
            name=name,
            address=address,
            requested=requested,
            held=held,
            trust=_trust(modelled),
            parts=tuple([Part(*part) for part in parts]),
        )
        for name, address, requested, held, modelled, parts in _core.layout(obj)
    ]
    return Layout(type=full_name(type(obj)), blocks=tuple(blocks))


def _trust(modelled: bool) -> str:
    return "modelled" if modelled else "measured"
