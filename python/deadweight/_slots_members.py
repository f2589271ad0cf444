"""The functions that a class is made of, however they are wrapped."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from types import CellType, FunctionType, MappingProxyType
from typing import Any, NamedTuple, cast

from deadweight._cached_method import keeps_with_object
from deadweight._slots_code import Use, use_of
from deadweight._slots_kept import KeptInSlot
from deadweight._slots_state import get_state, set_state

_WRAPPERS: dict[type, tuple[str, ...]] = {
    property: ("fget", "fset", "fdel"),
    classmethod: ("__func__",),
    staticmethod: ("__func__",),
    functools.partial: ("func",),
    functools.partialmethod: ("func",),
    functools.cached_property: ("func",),
    functools.singledispatchmethod: ("func", "dispatcher"),
}
"""Where what wraps a function has it."""
_OURS = (get_state, set_state)
"""What bases with slots have from us."""


class Method(NamedTuple):
    """A function of a class, by the names of both, and what it does with the attributes of an instance."""

    name: str
    use: Use


def methods(cls: type) -> Iterator[Method]:
    """What the functions in a class's own body do with the attributes of an instance."""
    for name, member in vars(cls).items():
        where = f"{cls.__qualname__}.{name}"
        for function, is_direct in _functions(member):
            # What a decorator keeps beside a method is not the class's.
            if (is_direct or _is_in_body(function, cls)) and function not in _OURS:
                yield Method(where, _use(function, name, member, cls.__name__))
        yield from [Method(where, use) for use in _described(member)]


def cached_methods(cls: type) -> Iterator[str]:
    """The methods in a class's own body whose results ``cached_method`` keeps with instances."""
    for name, member in vars(cls).items():
        # Of a class method the class has the results, of a static one its first argument.
        if not isinstance(member, classmethod | staticmethod) and any(
            is_direct and keeps_with_object(function) for function, is_direct in _functions(member)
        ):
            yield f"{cls.__qualname__}.{name}"


def _described(member: object) -> Iterator[Use]:
    """What a descriptor of other people's does with the instance it is given."""
    if type(member) is functools.cached_property or isinstance(member, KeptInSlot):
        return
    for kind in type(member).__mro__:
        if kind.__module__ != "builtins":
            for name in ("__get__", "__set__", "__delete__"):
                function = vars(kind).get(name)
                if isinstance(function, FunctionType):
                    yield use_of(function.__code__, _parameter(function, 1))


def class_cells(cls: type) -> list[CellType]:
    """The cells by which methods know their class: what ``super()`` and ``__class__`` take it from.

    Up to 3.13.0 the ``__setattr__`` and ``__delattr__`` of frozen dataclasses have it in a variable named ``cls``
    (``_frozen_get_del_attr`` in Lib/dataclasses.py).
    """
    cells: list[CellType] = []
    for member in vars(cls).values():
        for function, _ in _functions(member):
            names = {"__class__", "cls"} if function.__name__ in ("__setattr__", "__delattr__") else {"__class__"}
            for made in (function, getattr(function, "__annotate__", None)):
                if isinstance(made, FunctionType):
                    variables = zip(made.__code__.co_freevars, made.__closure__ or (), strict=True)
                    cells += [cell for name, cell in variables if name in names]
    return [cell for cell in cells if any(content is cls for content in _content(cell))]


def _use(function: FunctionType, name: str, member: object, kind: str) -> Use:
    first = _parameter(function, 0)
    if name == "__new__" or isinstance(member, classmethod):
        return use_of(function.__code__, None, maker=first, name=kind)
    return use_of(function.__code__, None if isinstance(member, staticmethod) else first, name=kind)


def _parameter(function: FunctionType, place: int) -> str | None:
    code = function.__code__
    return code.co_varnames[place] if place < code.co_argcount else None


def _is_in_body(function: FunctionType, cls: type) -> bool:
    return function.__qualname__.rpartition(".")[0] == cls.__qualname__


def _functions(member: object) -> Iterator[tuple[FunctionType, bool]]:
    """The functions behind a member, and whether each was reached without a look into a closure."""
    pending = [(member, True)]
    seen: set[int] = set()
    while pending:
        thing, is_direct = pending.pop()
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        pending += [(inner, is_direct) for inner in _wrapped(thing)]
        if isinstance(thing, FunctionType):
            yield thing, is_direct
            pending += [(content, False) for cell in thing.__closure__ or () for content in _content(cell)]


def _wrapped(thing: object) -> list[Any]:
    """What is wrapped in a property, a class method, a decorated function and the like."""
    if isinstance(thing, type):
        return []
    for kind, names in _WRAPPERS.items():
        if isinstance(thing, kind):
            return [getattr(thing, name) for name in names]
    if isinstance(thing, MappingProxyType):
        # What functions of single dispatch choose from.
        return list(cast("Mapping[Any, Any]", thing).values())
    if isinstance(thing, FunctionType) or hasattr(type(thing), "__get__"):
        # `__wrapped__`, and what descriptors of other people's keep. Not by `getattr`: it may run code.
        try:
            return list(object.__getattribute__(thing, "__dict__").values())
        except AttributeError:
            return []
    return []


def _content(cell: CellType) -> tuple[Any, ...]:
    try:
        return (cell.cell_contents,)
    except ValueError:
        return ()
