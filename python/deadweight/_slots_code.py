"""What functions do with the attributes of one of their variables, by their bytecode."""

from __future__ import annotations

import dis
import inspect
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import CodeType
from typing import Any

from deadweight._slots_instances import Step, known_in

# What says nothing of values: fillers, and what only prepares a call or a frame.
_SILENT = frozenset(
    ("CACHE", "COPY_FREE_VARS", "EXTENDED_ARG", "MAKE_CELL", "NOP", "NOT_TAKEN", "PRECALL", "PUSH_NULL", "RESUME")
)
_ATTRIBUTE = frozenset(("LOAD_ATTR", "LOAD_METHOD", "LOAD_SUPER_ATTR"))
_GLOBAL = frozenset(("LOAD_GLOBAL", "LOAD_NAME"))
_VARIABLE = frozenset(("LOAD_DEREF", "LOAD_CLASSDEREF", "LOAD_FROM_DICT_OR_DEREF"))
# A copy of what is on top, and the exchange that brings it back: what `thing.name += 1` is made of.
_COPY = (("DUP_TOP", None), ("COPY", 1))
_EXCHANGE = (("ROT_TWO", None), ("SWAP", 2))
_WEAKREF = frozenset(("ref", "proxy", "finalize", "WeakMethod"))


@dataclass(slots=True)
class Use:
    """What code does with the attributes of an instance."""

    names: dict[str, None] = field(default_factory=dict[str, None])
    """Those it sets, in order."""
    unknown: bool = False
    """Whether it sets attributes whose names are made at run time."""
    reads_dict: bool = False
    """Whether it asks for the instance's dict."""
    asks_for_state: bool = False
    """Whether it asks `object` or a base for the instance's state."""
    sets_class: bool = False
    makes_weakref: bool = False


def use_of(code: CodeType, instance: str | None, maker: str | None = None, name: str | None = None) -> Use:
    """What code, with the functions inside it, does with the attributes of its variable ``instance``.

    Its other variables count where they are given an instance, as far as :class:`Known` sees it. ``maker`` is
    the variable that the class is in, ``name`` its own name.
    """
    use = Use()
    classes = {step for step in (("load", maker), ("load", "__class__"), ("global", name)) if step[1]}
    _follow(code, {instance} if instance else set(), classes, use)
    return use


def _follow(code: CodeType, instances: set[str], classes: set[Step], use: Use) -> None:
    steps = list(_steps(code))
    known = known_in(steps, instances, classes, _arguments(code))
    instances = known.instances
    setters = _setters(steps)
    copied: list[tuple[bool, Any]] = []
    for place, (kind, value) in enumerate(steps):
        before = steps[place - 1] if place else ("", None)
        after = [*steps[place + 1 : place + 3], ("", None), ("", None)]
        on_instance = known.is_on_instance(steps[:place])
        if kind == "copy" and after[0][0] == "attribute":
            copied.append((on_instance, after[0][1]))
        elif kind == "set":
            if before[0] == "exchange" and copied and copied[-1][1] == value:
                on_instance = copied.pop()[0]
            if on_instance:
                _note_set(use, value)
        elif kind == "attribute" and value == "__dict__":
            use.reads_dict |= on_instance
        elif kind == "attribute" and value == "__getstate__":
            use.asks_for_state |= before == ("global", "object") or ("global", "super") in steps[:place][-4:]
        elif kind == "attribute" and value == "__orig_class__" and on_instance:
            # Set by `typing` from outside, and not missed by it where there is no place for it.
            _note_set(use, value)
        elif kind == "attribute" and value == "__setattr__" and (on_instance or _is_super(steps[:place])):
            _note_call(code, after[0], use)
        elif (kind == "global" and value == "setattr") or (kind, value) in setters:
            if after[0][0] == "load" and after[0][1] in instances:
                _note_call(code, after[1], use)
        elif after[0][0] == "load" and after[0][1] in instances:
            use.reads_dict |= (kind, value) == ("global", "vars")
            use.reads_dict |= (kind, value) == ("global", "getattr") and after[1] == ("constant", "__dict__")
            # Of a module: an attribute of an instance may have such a name as well.
            is_global = kind == "global" or (kind == "attribute" and before[0] == "global")
            use.reads_dict |= is_global and value == "update_wrapper"
            use.makes_weakref |= is_global and value in _WEAKREF
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            inner = set(constant.co_freevars)
            named = {step for step in known.classes if step[0] == "global" or step[1] in inner}
            _follow(constant, instances & inner, named, use)


def _note_set(use: Use, name: str) -> None:
    if name == "__dict__":
        use.reads_dict = True
    elif name == "__class__":
        use.sets_class = True
    else:
        use.names[name] = None


def _note_call(code: CodeType, name: Step, use: Use) -> None:
    """A call that sets the attribute that `name` says."""
    if name[0] == "constant" and isinstance(name[1], str):
        _note_set(use, name[1])
    elif not (code.co_name == "__setattr__" and name == ("load", _parameter(code, 1))):
        # What `__setattr__` passes on was somebody else's to name.
        use.unknown = True


def _parameter(code: CodeType, place: int) -> str | None:
    return code.co_varnames[place] if place < code.co_argcount else None


def _is_super(steps: list[Step]) -> bool:
    """Whether a call of `super` was last. From 3.12 on the instance is what is last before its attribute."""
    return steps[-1:] == [("call", None)] and ("global", "super") in steps[-4:]


def _setters(steps: list[Step]) -> set[Step]:
    """`object.__setattr__`, and the variables it was put into, as steps that load it."""
    found: set[Step] = set()
    for place, (kind, value) in enumerate(steps[:-1]):
        if kind == "attribute" and value == "__setattr__" and steps[place - 1][0] == "global":
            following = steps[place + 1]
            found.add(("load", following[1]) if following[0] == "store" else (kind, value))
    return found


def _arguments(code: CodeType) -> str | None:
    """The variable of `*args`, if there is no parameter before it."""
    has_only = code.co_flags & inspect.CO_VARARGS and not code.co_argcount
    return code.co_varnames[code.co_kwonlyargcount] if has_only else None


def _steps(code: CodeType) -> Iterator[Step]:
    # Instructions that do two things (LOAD_FAST_LOAD_FAST and others, from 3.12 on) have a pair for argument.
    for instruction in dis.get_instructions(code):
        name, value = instruction.opname, instruction.argval
        if name in _SILENT:
            continue
        if name.startswith(("LOAD_FAST", "STORE_FAST")):
            does = ["load" if word == "LOAD" else "store" for word in name.split("_") if word in ("LOAD", "STORE")]
            yield from zip(does, value if len(does) > 1 else (value,), strict=True)
        elif name in _VARIABLE:
            yield "load", value
        elif name == "STORE_DEREF":
            yield "store", value
        elif name in _ATTRIBUTE:
            yield "attribute", value
        elif name in _GLOBAL:
            yield "global", value
        elif name == "STORE_ATTR":
            yield "set", value
        elif name in ("LOAD_CONST", "LOAD_SMALL_INT", "LOAD_COMMON_CONSTANT"):
            yield "constant", value
        elif (name, instruction.arg) in _COPY:
            yield "copy", None
        elif (name, instruction.arg) in _EXCHANGE:
            yield "exchange", None
        elif name.startswith("CALL"):
            yield "call", None
        elif name.startswith(("POP_", "STORE_", "JUMP", "RETURN")):
            yield "end", name
        else:
            yield "other", name
