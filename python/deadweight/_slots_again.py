"""What runs a second time when a class is made anew, and what keeps the first."""

from __future__ import annotations

import gc
import sys
import weakref
from abc import ABCMeta
from collections import deque
from collections.abc import Iterator
from types import CodeType, FunctionType, ModuleType
from typing import Any

_HARMLESS = ("abc", "builtins", "functools", "typing", "typing_extensions")


def runs_again(cls: type) -> Iterator[str]:
    """What runs when a class is made, and so runs again: a sentence each."""
    for kind in cls.__mro__[1:]:
        if "__init_subclass__" in vars(kind) and kind.__module__ not in _HARMLESS:
            note = f"{kind.__qualname__}.__init_subclass__ runs again, for the class with slots"
            if _takes_arguments(vars(kind)["__init_subclass__"]):
                note += " and without arguments of the class statement"
            yield note
    for name, member in vars(cls).items():
        yield from _named_again(name, member)
    if type(cls) not in (type, ABCMeta) and type(cls).__module__ not in _HARMLESS:
        yield f"the metaclass {type(cls).__qualname__} makes the class again"


def _takes_arguments(member: object) -> bool:
    code = getattr(getattr(member, "__func__", None), "__code__", None)
    return isinstance(code, CodeType) and code.co_argcount + code.co_kwonlyargcount > 1


def _named_again(name: str, member: object) -> Iterator[str]:
    kind = type(member)
    if hasattr(kind, "__set_name__") and kind.__module__ not in _HARMLESS:
        yield f"{kind.__qualname__}.__set_name__ runs again, for {name}"


def keeps_the_first(cls: type) -> Iterator[str]:
    """Where the class is registered: there the one without slots would stay. A sentence each."""
    # Instances of a container's subclass have their class too, without being a registry.
    holders: list[object] = [
        holder for holder in gc.get_referrers(cls) if isinstance(holder, (dict, deque, list, set))
    ]
    held = {id(holder) for holder in holders if not isinstance(holder, cls)}
    for name, thing in _named(cls):
        if id(thing) in held:
            yield f"{name} has the class: one that is made anew is not the same"
    if any(isinstance(reference.__callback__, FunctionType) for reference in weakref.getweakrefs(cls)):
        yield "a weak dict or set has the class: one that is made anew is not the same"


def _named(cls: type) -> Iterator[tuple[str, Any]]:
    """What is in variables of modules, and of the class's bases and metaclass."""
    for name, module in list(sys.modules.items()):
        if type(module) is ModuleType:
            yield from [(f"{name}.{variable}", thing) for variable, thing in list(vars(module).items())]
    metaclass: type = type(cls)
    for kind in (*cls.__mro__[1:], *metaclass.__mro__):
        yield from [(f"{kind.__qualname__}.{name}", member) for name, member in vars(kind).items()]
