"""Whether a callback keeps an object alive."""

from __future__ import annotations

import functools
import gc
import sys
from types import BuiltinMethodType, FunctionType, MethodType, ModuleType
from typing import Any

MOST_OBJECTS = 10_000
"""How many objects are looked at: a callback that leads to more leads to half the program."""


def way_to(sought: object, callback: object, args: tuple[object, ...], kwargs: dict[str, object]) -> str | None:
    """By which part of a call it leads to an object, in words; None if it does not.

    Modules, classes and the global variables of functions are not followed: what they hold is alive without the
    callback.
    """
    if isinstance(callback, MethodType | BuiltinMethodType) and callback.__self__ is sought:
        return "it is a method of that very object"
    parts: list[tuple[str, object]] = [("the callback", callback)]
    parts += [(f"argument {number}", arg) for number, arg in enumerate(args, 1)]
    parts += [(f"argument {name!r}", arg) for name, arg in kwargs.items()]
    for name, part in parts:
        if part is sought:
            return f"{name} is that very object"
    for name, part in parts:
        if _leads_to(part, sought):
            return f"{name} leads to it"
    return None


def _leads_to(start: object, sought: object) -> bool:
    pending, seen = [start], {id(start): start}
    while pending and len(seen) < MOST_OBJECTS:
        for target in _referents(pending.pop()):
            if target is sought:
                return True
            if id(target) not in seen and not isinstance(target, type | ModuleType):
                seen[id(target)] = target
                pending.append(target)
    return False


def _referents(holder: Any) -> list[Any]:
    numpy: Any = sys.modules.get("numpy")
    if numpy is not None and isinstance(holder, numpy.ndarray) and holder.dtype == object:
        # The collector is not shown what an array of objects holds.
        return [*holder.flat[:MOST_OBJECTS], holder.base]
    if not isinstance(holder, FunctionType):
        return gc.get_referents(holder)
    held = [holder.__defaults__, holder.__kwdefaults__, holder.__closure__, holder.__dict__]
    return [part for part in held if part is not None]


def name_of(callback: object) -> str:
    """What people call it."""
    while isinstance(callback, functools.partial):
        callback = callback.func
    name: str = getattr(callback, "__qualname__", None) or type(callback).__qualname__
    return name
