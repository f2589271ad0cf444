"""Which slots a class would have, and what stands in the way."""

from __future__ import annotations

import dataclasses
import functools
import re
import sys
from array import array
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, field
from types import FunctionType, MethodDescriptorType
from typing import Any, ClassVar, Final, Generic, get_origin

from deadweight._cached_method import PLACE
from deadweight._slots_members import Method, cached_methods, methods
from deadweight._slots_refused import is_by_statement, refused

_NOT_OF_INSTANCES = re.compile(r"(?:^|[.\s])(?:ClassVar|InitVar|KW_ONLY)\b")
_MISSING = object()
_SET = "set it in __init__ and take it out of the class"
_OF_DATACLASS = "of a dataclass, put @dw.slots above @dataclass"
_ANNOTATED = f"annotate it as ClassVar if it is the class's own; {_OF_DATACLASS}"


@dataclass(frozen=True, slots=True)
class Blocker:
    """Why a class cannot have slots as it is."""

    where: str
    """The class, base, member or attribute."""
    reason: str
    remedy: str
    """What would do; empty if nothing would."""

    def __str__(self) -> str:
        return f"{self.where}: {self.reason}" + (f"; {self.remedy}" if self.remedy else "")


@dataclass(slots=True)
class Plan:
    """The slots of a class to be made."""

    names: list[str] = field(default_factory=list[str])
    cached: dict[str, functools.cached_property[Any]] = field(
        default_factory=dict[str, functools.cached_property[Any]]
    )
    """Slots that are cached properties."""
    dropped: set[str] = field(default_factory=set[str])
    """What leaves the class: defaults of fields, which the generated ``__init__`` has too."""
    defaults: dict[str, Any] = field(default_factory=dict[str, Any])
    """Slots of fields that ``__init__`` does not set, and the default that instances had from the class."""
    makes_weakref: bool = False
    """Whether the class's own code makes weak references to instances."""
    has_cached_methods: bool = False
    """Whether ``cached_method`` keeps results with instances: in a slot of theirs, by a weak reference."""
    of_bases: dict[str, None] = field(default_factory=dict[str, None])
    """What bases that have no slots yet would have one for."""
    clashing: set[str] = field(default_factory=set[str])
    """Attributes of instances that the class has a value for."""
    blockers: list[Blocker] = field(default_factory=list[Blocker])


def plan(cls: type, *, weakref: bool, extra: Iterable[str] | None, seen: Iterable[str] = ()) -> Plan:
    """The slots of a class. ``extra`` are names that its code does not say; None if nobody was asked. ``seen`` are
    names that instances have."""
    made = Plan()
    reason = refused(cls)
    if reason:
        made.blockers.append(Blocker(cls.__qualname__, reason, ""))
        return made
    if "__slots__" in vars(cls):
        made.blockers.append(Blocker(cls.__qualname__, "it has __slots__ already", ""))
    made.blockers += _bases_with_dict(cls)
    for base in cls.__bases__:
        if base.__dictoffset__:
            made.of_bases |= dict.fromkeys(plan(base, weakref=True, extra=None).names)
    made.cached = {name: own for name, own in vars(cls).items() if type(own) is functools.cached_property}
    found = list(_all_methods(cls))
    made.makes_weakref = any(method.use.makes_weakref for method in found)
    weakref = weakref or any(base.__weakrefoffset__ for base in cls.__bases__)
    made.blockers += _blocked_by_code(found, weakref, extra)
    if sys.version_info >= (3, 11) and not any("__getstate__" in vars(base) for base in cls.__mro__[1:-1]):
        reason = "it asks object for a state, which is a dict only where there are no slots"
        asking = [name for name, use in found if use.asks_for_state]
        made.blockers += [Blocker(name, reason, "name the attributes instead") for name in asking]
    assigned = dict.fromkeys([name for method in found for name in method.use.names])
    assigned |= dict.fromkeys([_mangled(cls, name) for name in (*(extra or ()), *seen)])
    if "__dataclass_fields__" in vars(cls):
        _add_fields(made, cls)
    else:
        _add_annotated(made, cls, assigned)
    for name in assigned:
        _add(made, cls, name, _SET)
    _ask_for_room(made, cls, weakref, tuple(extra or ()))
    made.names += [name for name in (*made.cached, *made.of_bases) if name not in made.names]
    if made.names and cls.__itemsize__:
        reason = "its instances vary in size, as those of int, tuple and bytes: slots have no place in them"
        made.blockers.append(Blocker(cls.__qualname__, reason, ""))
    if made.names:
        made.blockers += _loses_state(cls)
    is_generic = Generic in cls.__mro__ and vars(cls).get("__parameters__")
    if is_generic and not cls.__itemsize__ and not any(_loses_state(cls)):
        # `typing` sets it on what `Box[int](1)` makes, and leaves it where there is no place for it.
        _add(made, cls, "__orig_class__", _SET)
    made.blockers = list(dict.fromkeys(made.blockers))
    return made


def _all_methods(cls: type) -> Iterator[Method]:
    for kind in cls.__mro__[:-1]:
        yield from methods(kind)


def _bases_with_dict(cls: type) -> Iterator[Blocker]:
    for kind in cls.__mro__[1:]:
        if "__dict__" in vars(kind):
            name = kind.__qualname__
            is_own = is_by_statement(kind) and kind.__module__.partition(".")[0] not in sys.stdlib_module_names
            remedy = f"put @dw.slots on {name} first" if is_own else ""
            if vars(kind).get("_is_protocol"):
                remedy = f"put __slots__ = () into {name}"
            yield Blocker(name, "a base without __slots__, so each instance has a dict all the same", remedy)


def _blocked_by_code(found: list[Method], weakref: bool, extra: Iterable[str] | None) -> Iterator[Blocker]:
    for name, use in found:
        if use.reads_dict:
            yield Blocker(name, "it uses the instance's __dict__", "name the attributes instead")
        if use.sets_class:
            yield Blocker(name, "it sets the instance's __class__, which needs the same slots in both", "")
        if use.unknown and extra is None:
            yield Blocker(
                name,
                "it sets attributes by names that are made at run time",
                'say which: @dw.slots(extra=("name", ...)), or extra=() if the others are all',
            )
        if use.makes_weakref and not weakref:
            yield Blocker(name, "it makes a weak reference to the instance", "@dw.slots(weakref=True)")


def _loses_state(cls: type) -> Iterator[Blocker]:
    # What C types reduce to has a dict in it and no slots (`set_reduce` in Objects/setobject.c up to 3.10,
    # `array_array___reduce_ex___impl` in Modules/arraymodule.c still).
    for reduces in (cls.__reduce__, cls.__reduce_ex__):
        if isinstance(reduces, MethodDescriptorType) and reduces.__objclass__ is not object:
            kind = reduces.__objclass__
            before = "" if kind is array else " before Python 3.11"
            if not before or sys.version_info < (3, 11):
                reason = "its copies and pickles take a dict along but no slots{}, as {}.{} makes them"
                said = reason.format(before, kind.__qualname__, reduces.__name__)
                yield Blocker(cls.__qualname__, said, "")


def _add_fields(made: Plan, cls: type) -> None:
    """The fields of a dataclass. Their defaults leave the class; those that only it had are kept aside."""
    init = vars(cls).get("__init__")
    # The one that Lib/dataclasses.py makes is of no file. One of the class's own goes before it, and may leave a
    # field as the class has it.
    inits = isinstance(init, FunctionType) and init.__code__.co_filename == "<string>"
    for item in dataclasses.fields(cls):
        if vars(cls).get(item.name, _MISSING) is item.default and not _is_served(item.default):
            made.dropped.add(item.name)
            if not (inits and item.init):
                made.defaults[item.name] = item.default
                made.names.append(item.name)
        _add(made, cls, item.name, _SET)


def _ask_for_room(made: Plan, cls: type, weakref: bool, extra: tuple[str, ...]) -> None:
    """For what `cached_method` keeps. Each instance is larger by that, and so it is not taken unasked."""
    where = next((name for kind in cls.__mro__[:-1] for name in cached_methods(kind)), None)
    made.has_cached_methods = where is not None
    has_room = PLACE in made.names or _is_served(_inherited(cls, PLACE))
    if where is not None and not (has_room and weakref):
        asked = tuple(dict.fromkeys((*extra, PLACE)))
        reason = "cached_method keeps results with the instance: in a slot of their own, and by a weak reference"
        made.blockers.append(Blocker(where, reason, f"@dw.slots(weakref=True, extra={asked!r})"))


def _add_annotated(made: Plan, cls: type, assigned: Container[str]) -> None:
    for name, annotation in _annotations(cls).items():
        own = vars(cls).get(name, _MISSING)
        if isinstance(own, dataclasses.Field):
            made.blockers.append(
                Blocker(
                    f"{cls.__qualname__}.{name}",
                    "a field of a dataclass that is not made yet",
                    "put @dw.slots above @dataclass",
                )
            )
        elif not _is_of_class(annotation, own is not _MISSING):
            remedy = f"{_SET}; {_OF_DATACLASS}" if name in assigned else _ANNOTATED
            _add(made, cls, name, remedy)


def _add(made: Plan, cls: type, name: str, remedy: str) -> None:
    """A slot, unless something in the class takes care of the attribute."""
    if name in made.names or name in made.cached or name in made.clashing:
        return
    own = _MISSING if name in made.dropped else vars(cls).get(name, _MISSING)
    member = _inherited(cls, name) if own is _MISSING else own
    if member is _MISSING or (own is _MISSING and name in made.of_bases):
        made.names.append(name)
    elif not _is_served(member):
        holder = "the class" if own is not _MISSING else "a base"
        reason = f"an attribute of instances, and {holder} has a value of that name"
        made.clashing.add(name)
        made.blockers.append(Blocker(f"{cls.__qualname__}.{name}", reason, remedy))


def _is_served(member: object) -> bool:
    """Whether a member takes what is assigned to its name: a slot, a property, another descriptor."""
    return hasattr(type(member), "__set__") or hasattr(type(member), "__delete__")


def _mangled(cls: type, name: str) -> str:
    """A name as the class's own code has it."""
    is_private = name.startswith("__") and not name.endswith("__")
    return f"_{cls.__name__.lstrip('_')}{name}" if is_private else name


def _inherited(cls: type, name: str) -> Any:
    return next((vars(kind)[name] for kind in cls.__mro__[1:] if name in vars(kind)), _MISSING)


def _is_of_class(annotation: Any, has_value: bool) -> bool:
    """Whether an annotation is of something that instances do not have."""
    if isinstance(annotation, str):
        return bool(_NOT_OF_INSTANCES.search(annotation)) or (has_value and "Final" in annotation)
    kind = get_origin(annotation) or annotation
    if kind is Final:
        return has_value
    return kind in (ClassVar, dataclasses.InitVar, dataclasses.KW_ONLY) or isinstance(kind, dataclasses.InitVar)


def _annotations(cls: type) -> dict[str, Any]:
    """As far as they can be evaluated yet. Nothing is left behind in the class: asking it would."""
    if sys.version_info >= (3, 14):
        import annotationlib

        annotate = annotationlib.get_annotate_from_class_namespace(vars(cls))
        if annotate:
            return annotationlib.call_annotate_function(annotate, annotationlib.Format.FORWARDREF, owner=cls)
    found: dict[str, Any] = vars(cls).get("__annotations__", {})
    return found
