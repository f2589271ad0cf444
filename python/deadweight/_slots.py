"""``@dw.slots``: a class made anew without a dict in each instance."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable
from typing import Any, TypeVar, overload

from deadweight._slots_kept import CachedSlot, DefaultSlot
from deadweight._slots_members import class_cells
from deadweight._slots_plan import Blocker, Plan, plan
from deadweight._slots_state import REMEMBERED, get_state, set_state

_T = TypeVar("_T")


class CannotSlot(TypeError):
    """A class cannot have slots as it is. ``blockers`` says why."""

    # The name by which it is caught.
    __module__ = "deadweight"

    def __init__(self, message: str, blockers: tuple[Blocker, ...] = ()) -> None:
        super().__init__(message)
        self.blockers = blockers


@overload
def slots(cls: type[_T], /) -> type[_T]: ...
@overload
def slots(*, weakref: bool = False, extra: Iterable[str] | None = None) -> Callable[[type[_T]], type[_T]]: ...
def slots(
    cls: Any = None, /, *, weakref: bool = False, extra: Iterable[str] | None = None
) -> type[Any] | Callable[[type[Any]], type[Any]]:
    """A class like ``cls`` whose instances have slots and no dict: 30 to 50 % less for each.

    The attributes are those that its methods set, that it annotates, and those in ``extra``. Raises
    ``CannotSlot``, a ``TypeError``, where that would change what the class does, or cannot be known::

        >>> import deadweight as dw
        >>> @dw.slots
        ... class Point:
        ...     def __init__(self, x, y):
        ...         self.x = x
        ...         self.y = y
        >>> Point.__slots__
        ('x', 'y')
        >>> Point(1, 2).z = 3
        Traceback (most recent call last):
            ...
        AttributeError: 'Point' object has no attribute 'z'...

    ``weakref`` lets weak references be made to instances. Above ``@dataclass``, not below. The class is
    made a second time: ``__init_subclass__`` and ``__set_name__`` run again, and whatever registered the
    class before has the one without slots. ``explain_slots`` says so beforehand.
    """
    if isinstance(extra, str):
        raise TypeError("extra takes a list of names, not one")
    names = None if extra is None else tuple(extra)
    for name in names or ():
        if not isinstance(name, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f"extra takes names, not {name!r}")
    if names and not {"__dict__", "__weakref__"}.isdisjoint(names):
        raise TypeError("extra takes names of attributes; for weak references there is weakref=True")

    def decorate(kind: type[Any]) -> type[Any]:
        return _slotted(kind, weakref, names)

    return decorate if cls is None else decorate(cls)


def _slotted(cls: type[Any], weakref: bool, extra: tuple[str, ...] | None) -> type[Any]:
    if not inspect.isclass(cls):
        raise TypeError(f"slots takes a class, not {type(cls).__name__}")
    planned = plan(cls, weakref=weakref, extra=extra)
    blockers = [*planned.blockers, *_subclassed(cls)]
    if blockers:
        lines = "".join(f"\n  {blocker}" for blocker in blockers)
        text = f" {blockers[0]}" if len(blockers) == 1 else lines
        raise CannotSlot(f"{cls.__qualname__} cannot have slots as it is:{text}", tuple(blockers))
    has_weakref = any(base.__weakrefoffset__ for base in cls.__bases__)
    try:
        made = _made(cls, planned, weakref and not has_weakref)
    except Exception as error:
        # An `__init_subclass__` that wants the keyword arguments of the class statement, or has the name already.
        raise CannotSlot(f"{cls.__qualname__} cannot be made again: {error}") from error
    for name, found in planned.cached.items():
        type.__setattr__(made, name, CachedSlot(found, vars(made)[name]))
    for name, default in planned.defaults.items():
        type.__setattr__(made, name, DefaultSlot(default, vars(made)[name]))
    for cell in class_cells(cls):
        cell.cell_contents = made
    # Nothing leads to the old class any more, but in 3.14 its annotations do, by these (Lib/dataclasses.py).
    clear = getattr(sys, "_clear_type_descriptors", None)
    if clear:
        clear(cls)
    return made


def _made(cls: type[Any], planned: Plan, weakref: bool) -> type[Any]:
    # `__dict__` and `__weakref__` are what the old class reads its instances' by.
    gone = {"__dict__", "__weakref__", *REMEMBERED, *planned.cached, *planned.dropped}
    namespace = {name: member for name, member in vars(cls).items() if name not in gone}
    namespace["__qualname__"] = cls.__qualname__
    namespace["__slots__"] = (*planned.names, *(["__weakref__"] if weakref else []))
    for name, function in (("__getstate__", get_state), ("__setstate__", set_state)):
        if not any(name in vars(kind) for kind in cls.__mro__[:-1]):
            namespace[name] = function
    metaclass: Any = type(cls)
    made: type[Any] = metaclass(cls.__name__, cls.__bases__, namespace)
    return made


def _subclassed(cls: type[Any]) -> list[Blocker]:
    names = [kind.__qualname__ for kind in type.__subclasses__(cls)]
    if not names:
        return []
    remedy = "put @dw.slots on the class where it is made"
    return [Blocker(cls.__qualname__, f"subclasses exist already: {', '.join(names)}", remedy)]
