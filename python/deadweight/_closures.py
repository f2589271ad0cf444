"""Functions that keep objects: in the cells of their closures, or as defaults."""

from __future__ import annotations

import gc
import sys
import weakref
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from types import CellType, FunctionType, ModuleType
from typing import Any

from deadweight._answers import TOP
from deadweight._names import full_name
from deadweight._sizes import deepsizeof
from deadweight._table import Table
from deadweight._text import size, table

# How to go through a container without a look at what a subclass says of itself: by these methods of its own.
_ITEMS: dict[type, tuple[str, ...]] = {
    list: ("__iter__",),
    tuple: ("__iter__",),
    dict: ("keys", "values"),
    set: ("__iter__",),
    frozenset: ("__iter__",),
    deque: ("__iter__",),
}
_mro = type.__dict__["__mro__"].__get__
# By `vars`: type checkers take `ModuleType.__dict__` for the names of a module, not for those of the class.
_names_of_module = vars(ModuleType)["__dict__"].__get__


class _OfFunction:
    # No field: data frames make a column of each.
    __slots__ = ("_function",)
    _function: weakref.ref[FunctionType]


@dataclass(frozen=True, slots=True)
class Closure(_OfFunction):
    """A function that keeps objects of the type that was asked for, by one of its variables."""

    function: str
    """Its module and qualified name."""
    where: str
    """The file and the line where it begins."""
    variable: str
    """The variable of the closure, or the parameter with the default."""
    kind: str
    """``cell`` or ``default``."""
    count: int
    """How many such objects are in the variable, or in containers in it."""
    held: int
    """What the variable's object holds, with all it leads to."""

    @property
    def object(self) -> FunctionType | None:
        """The function itself; None if it is gone."""
        return self._function()

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as ``json`` takes it."""
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.function} ({self.where}), {self.kind} {self.variable}: {self.count:,}, {size(self.held)}"


@dataclass(frozen=True, slots=True, repr=False)
class Closures(Table):
    """Functions that keep objects of a type, heaviest first."""

    _columns = (
        ("function", str, "function"),
        ("where", str, "where"),
        ("kind", str, "kept as"),
        ("variable", str, "variable"),
        ("count", int, "objects"),
        ("held", int, "bytes:held"),
    )

    holding: str
    rows: tuple[Closure, ...]

    def __iter__(self) -> Iterator[Closure]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> Closure:
        return self.rows[index]

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as ``json`` takes it."""
        return {"holding": self.holding, "rows": [row.to_dict() for row in self.rows]}

    def _rows(self) -> Sequence[Closure]:
        return self.rows

    def _title(self) -> str:
        return f"functions that keep {self.holding}" if self.rows else f"no function keeps {self.holding}"

    def __str__(self) -> str:
        if not self.rows:
            return self._title()
        alike = Counter((row.function, row.where, row.kind, row.variable) for row in self.rows)
        heaviest = {(row.function, row.where, row.kind, row.variable): row for row in reversed(self.rows)}
        cells = [("  function", "alike", "where", "kept as", "count", "held")]
        cells += [
            (
                f"  {row.function}",
                f"{alike[key]:,}",
                row.where,
                f"{row.kind} {row.variable}",
                f"{row.count:,}",
                size(row.held),
            )
            for key, row in sorted(heaviest.items(), key=lambda item: -item[1].held)[:TOP]
        ]
        more = len(heaviest) - TOP
        tail = [f"  and {more:,} more"] if more > 0 else []
        one_of = ", one of each kind" if len(heaviest) < len(self.rows) else ""
        return "\n".join([f"{self._title()}{one_of}:", table(cells, {1, 4, 5}), *tail])


def closures(*, holding: type) -> Closures:
    """Functions whose closures or defaults keep objects of a type, heaviest first.

    An object is kept if a cell or default is one, or a list, tuple, dict, set or deque that has one,
    however deep. Of other objects the attributes are not looked through. Instances of subclasses
    count; no object is asked what it is.
    """
    if not _is_a(type(holding), type):
        raise TypeError(f"holding takes a class, not {holding!r:.80}")
    rows = [row for function in _functions() for row in _rows(function, holding)]
    rows.sort(key=lambda row: (-row.held, row.function, row.variable))
    return Closures(holding=full_name(holding), rows=tuple(rows))


def _functions() -> list[FunctionType]:
    found = [thing for thing in gc.get_objects() if type(thing) is FunctionType]
    if gc.get_freeze_count():
        # What is frozen is in no list that we are given: it is found by references from modules.
        seen = {id(function) for function in found}
        pending: list[Any] = list(sys.modules.values())
        # What this itself keeps leads nowhere new, and grows as it is looked at.
        met = {id(found), id(seen), id(pending), *map(id, pending)}
        met.add(id(met))
        while pending:
            thing = pending.pop()
            if type(thing) is FunctionType and id(thing) not in seen:
                seen.add(id(thing))
                found.append(thing)
            for other in _referents(thing):
                if id(other) not in met:
                    met.add(id(other))
                    pending.append(other)
    return found


def _referents(thing: Any) -> list[Any]:
    """Of a module its names only: that of asyncio shows iterators that are free for use again, too, which must
    not be touched (3.12.1: ``module_traverse`` in Modules/_asynciomodule.c)."""
    return [_names_of_module(thing)] if issubclass(type(thing), ModuleType) else gc.get_referents(thing)


def _rows(function: FunctionType, holding: type) -> Iterator[Closure]:
    for kind, variable, value in _kept(function):
        count = _count(value, holding)
        if count:
            row = Closure(
                function=f"{_text(function.__module__)}.{function.__qualname__}",
                where=f"{function.__code__.co_filename}:{function.__code__.co_firstlineno}",
                variable=variable,
                kind=kind,
                count=count,
                held=deepsizeof(value).total,
            )
            object.__setattr__(row, "_function", weakref.ref(function))
            yield row


def _text(name: object) -> str:
    # A module's name can be set to anything.
    return name if type(name) is str else "?"


def _kept(function: FunctionType) -> Iterator[tuple[str, str, Any]]:
    code = function.__code__
    for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=False):
        contents = _contents(cell)
        if contents:
            yield "cell", name, contents[0]
    if function.__defaults__:
        positional = code.co_varnames[: code.co_argcount]
        names = positional[len(positional) - len(function.__defaults__) :]
        for name, value in zip(names, function.__defaults__, strict=False):
            yield "default", name, value
    for name, value in (function.__kwdefaults__ or {}).items():
        yield "default", name, value


def _contents(cell: CellType) -> tuple[Any, ...]:
    try:
        return (cell.cell_contents,)
    except ValueError:
        return ()


def _count(value: Any, holding: type) -> int:
    """How many objects of the type there are in something and the containers in it."""
    count = 0
    seen: set[int] = set()
    # By address: a metaclass may have its own idea of what is equal.
    known: dict[int, tuple[bool, tuple[Any, ...]]] = {}
    pending: list[object] = [value]
    while pending:
        thing = pending.pop()
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        kind = known.get(id(type(thing)))
        if kind is None:
            kind = known[id(type(thing))] = _is_a(type(thing), holding), _ways(type(thing))
        is_one, ways = kind
        count += is_one
        for way in ways:
            # A list at once: nothing else runs meanwhile, and so nothing changes it.
            pending += list(way(thing))
    return count


def _is_a(kind: type, other: type) -> bool:
    return any(base is other for base in _mro(kind))


def _ways(kind: type) -> tuple[Any, ...]:
    for base in _mro(kind):
        for container, names in _ITEMS.items():
            if base is container:
                return tuple(container.__dict__[name] for name in names)
    return ()
