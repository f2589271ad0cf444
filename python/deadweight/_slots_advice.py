"""What slots would do for a class: whether it can have them, and what that would save."""

from __future__ import annotations

import gc
import inspect
import weakref
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from deadweight import _core
from deadweight._cached_method import PLACE
from deadweight._heap import Heap
from deadweight._sizes import deepsizeof, layout
from deadweight._slots_again import keeps_the_first, runs_again
from deadweight._slots_members import methods
from deadweight._slots_plan import Blocker, Plan, plan
from deadweight._slots_refused import is_by_statement, refused
from deadweight._slots_state import slot_values, slots_of
from deadweight._text import size

_WORTH = 100_000
"""Bytes saved below which a class is better left as it is."""
_ORDER = "order of attributes"
"""What `layout` has before the values that an instance has without a dict."""
_LOOKED_AT = 1000
"""How many instances are asked for their attributes' names."""


@dataclass(frozen=True, slots=True)
class SlotsAdvice:
    """Whether a class can have slots, and what they would save. Sizes are bytes."""

    type: str
    slots: tuple[str, ...]
    """The attributes that would have one."""
    decorator: str
    """What to write above the class; empty if it is refused whatever it has."""
    blockers: tuple[Blocker, ...]
    """Why it cannot be, as the class is now."""
    notes: tuple[str, ...]
    """What would be different with the class made anew."""
    before: int
    """What an instance holds now, with its dict and without its values: those alive on average, else a stand-in
    with all these attributes. 0 if it can have none whatever it has."""
    after: int
    """What a stand-in with these slots holds."""
    count: int
    """Instances: in the heap if one was given, else alive in this process."""
    trust: str
    """``modelled``: what is measured are instances and stand-ins, not each instance as it would be."""

    @property
    def possible(self) -> bool:
        """Whether nothing stands in the way."""
        return not self.blockers

    @property
    def saving(self) -> int:
        """What all the instances would hold less."""
        return self.count * max(self.before - self.after, 0)

    @property
    def worth_it(self) -> bool:
        """Whether it is possible and saves 100 kB or more."""
        return self.possible and self.saving >= _WORTH

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as ``json`` takes it."""
        return {**asdict(self), "possible": self.possible, "saving": self.saving, "worth_it": self.worth_it}

    def __str__(self) -> str:
        lines = [f"{self.type}: ~{self.before:,} B an instance, ~{self.after:,} B with slots"]
        advice = "leave it" if self.saving < _WORTH else f"write {self.decorator} above it"
        if self.blockers:
            lines.append("  cannot have slots as it is:")
            lines += [f"    {blocker}" for blocker in self.blockers]
            advice = "if it could"
        lines += [f"  {note}" for note in self.notes]
        if not self.before:
            return "\n".join([self.type, *lines[1:]])
        noun = "instance" if self.count == 1 else "instances"
        return "\n".join([*lines, f"  {self.count:,} {noun}: ~{size(self.saving)}, {advice}"])


def explain_slots(cls: type, heap: Heap | None = None) -> SlotsAdvice:
    """Whether a class can have slots, what stands in the way, and what they would save here.

    Instances are counted in ``heap``, or among what is alive in this process; those alive are asked, without
    any change to them, for attributes that the class's code does not set. The class is left as it is::

        >>> import deadweight as dw
        >>> class Point:
        ...     def __init__(self, x, y):
        ...         self.x = x
        ...         self.y = y
        >>> points = [Point(1, 2) for _ in range(12)]
        >>> print(dw.explain_slots(Point))
        deadweight._slots_advice.Point: ~... B an instance, ~48 B with slots
          12 instances: ~... B, leave it
    """
    if not inspect.isclass(cls):
        raise TypeError(f"explain_slots takes a class, not {cls!r}")
    live: list[Any] = [thing for thing in gc.get_objects() if type(thing) is cls]
    name = cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"
    count = len(live) if heap is None else _count(heap, name)
    reason = refused(cls)
    if reason:
        blockers = (Blocker(cls.__qualname__, reason, ""),)
        return SlotsAdvice(name, (), "", blockers, (), before=0, after=0, count=count, trust="modelled")
    some = live[:_LOOKED_AT]
    planned, extra = _planned(cls, some)
    wants_weakref = planned.makes_weakref or planned.has_cached_methods
    wants_weakref = wants_weakref or any(weakref.getweakrefcount(thing) for thing in some)
    wants_weakref = wants_weakref and not _takes_weakrefs(cls)
    arguments = ["weakref=True"] * wants_weakref + [f"extra={extra!r}"] * bool(extra)
    varies = bool(cls.__itemsize__ and planned.names)
    before, after = (0, 0) if varies else _weighed(cls, planned.names, wants_weakref)
    return SlotsAdvice(
        type=name,
        slots=tuple(planned.names),
        decorator="@dw.slots" + (f"({', '.join(arguments)})" if arguments else ""),
        blockers=(*planned.blockers, *_conflicts(cls, planned), *_bereft(cls, planned)),
        notes=(*_notes(cls, tuple([name for name in extra if name != PLACE])),),
        before=_weighed_alive(some) if some and before else before,
        after=after,
        count=count,
        trust="modelled",
    )


def _planned(cls: type, live: list[Any]) -> tuple[Plan, tuple[str, ...]]:
    """The plan, and the names that the decorator is to be told: instances have them, the code does not say so."""
    planned = plan(cls, weakref=True, extra=None)
    seen = dict.fromkeys([name for thing in live for name in _attributes(thing)])
    if planned.has_cached_methods:
        seen[PLACE] = None
    known = {*planned.names, *planned.clashing, *[name for name, _ in slots_of(cls)]}
    odd = [name for name in seen if not name.isidentifier()]
    extra = tuple([name for name in seen if name not in known and name not in odd])
    clashing = [name for name in seen if name in planned.clashing]
    planned = plan(cls, weakref=True, extra=None, seen=(*extra, *clashing))
    if odd:
        reason = f"instances have attributes whose names cannot be those of slots: {', '.join(map(repr, odd))}"
        planned.blockers.append(Blocker(cls.__qualname__, reason, ""))
    return planned, extra


def _takes_weakrefs(cls: type) -> bool:
    """Whether a base gives instances room for weak references, and will when it has slots itself."""
    return any(
        "__weakref__" in vars(kind) and "__dict__" not in vars(kind)
        if is_by_statement(kind)
        else kind.__weakrefoffset__
        for kind in cls.__mro__[1:]
    )


def _attributes(thing: object) -> list[str]:
    """The names of what an instance has in its dict, or beside its header (3.11 and later)."""
    own = _dict_of(thing)
    return _beside(thing) if own is None else [name for name in own if isinstance(name, str)]


def _dict_of(thing: object) -> dict[Any, Any] | None:
    """The dict of an instance, if it has one by now. A look at ``__dict__`` would make one."""
    referents: list[Any] = gc.get_referents(thing)
    if type(thing) not in referents or any(block.name == "values" for block in layout(thing).blocks):
        return None
    # `subtype_traverse` (Objects/typeobject.c) visits slots, then the dict or else what is kept without one, and
    # then the type.
    slots = {id(value) for value in slot_values(thing).values()}
    rest = [held for held in referents[: referents.index(type(thing))] if id(held) not in slots]
    if [type(held) for held in rest] == [dict] and rest[0].keys() >= set(_beside(thing)):
        own: dict[Any, Any] = rest[0]
        return own
    return None


def _beside(thing: object) -> list[str]:
    """The attributes that an instance has without a dict and without slots."""
    for block in layout(thing).blocks:
        names = [part.name for part in block.parts]
        if _ORDER in names:
            # What is before are fields of a type in C.
            return [part.name for part in block.parts[names.index(_ORDER) :] if part.kind == "field"]
    return []


def _weighed_alive(live: list[Any]) -> int:
    """What instances hold, each with its dict, on average."""
    dicts = [own for own in map(_dict_of, live) if own is not None]
    return sum(_core.sizeof(thing) for thing in [*live, *dicts]) // len(live)


def _weighed(cls: type, names: list[str], weakref: bool) -> tuple[int, int]:
    """What an instance holds with a dict, and with slots: measured on stand-ins of the same layout."""
    root = next(kind for kind in cls.__mro__ if not is_by_statement(kind))
    root = root if _can_be_stood_in_for(root) else object
    # By other names: `__doc__` for one is in every class.
    inherited = [f"inherited_{place}" for place, _ in enumerate(slots_of(cls))]
    base = type("base", (root,), {"__slots__": inherited})
    # 3.13 and later make room beside the header for what the compiler saw being set.
    seen = {name: member for name, member in vars(cls).items() if name == "__static_attributes__"}
    plain = type("plain", (base,), seen)
    slotted = type("slotted", (base,), {"__slots__": [*names, *["__weakref__"] * weakref]})
    return _held(plain, [*inherited, *names]), _held(slotted, [*inherited, *names])


def _can_be_stood_in_for(kind: Any) -> bool:
    try:
        made: Any = type("made", (kind,), {"__slots__": ()})
        made.__new__(made)
    except (AttributeError, TypeError):
        # It wants arguments, or its metaclass (as in ctypes) more of a class than that.
        return False
    return True


def _held(kind: type, names: list[str]) -> int:
    # Instances share their keys once a few were made and filled, one after the other.
    for _ in range(50):
        _filled(kind, names)
    # A large dict has a table of its own, with the names that the class's code has too.
    return deepsizeof(_filled(kind, names), stop=(str, type)).total


def _filled(kind: Any, names: list[str]) -> object:
    thing = kind.__new__(kind)
    for name in names:
        # It belongs to nobody, and so weighs nothing.
        setattr(thing, name, None)
    return thing


def _conflicts(cls: type, planned: Plan) -> Iterator[Blocker]:
    """Subclasses that could not be made any more: Python lays out the fields of one line of bases only."""
    for kind in _subclasses(cls) if planned.names else ():
        for other in kind.__mro__[:-1]:
            if not issubclass(other, cls) and not issubclass(cls, other) and _has_fields(other):
                yield Blocker(
                    kind.__qualname__,
                    f"both its bases {cls.__qualname__} and {other.__qualname__} would have fields of their own, "
                    "and Python lays out those of one only",
                    "leave one of the two without slots",
                )


def _bereft(cls: type, planned: Plan) -> Iterator[Blocker]:
    """Subclasses whose own ``__slots__`` are not all they set: the rest is in the dict that the class gives."""
    for kind in _subclasses(cls):
        others = [base for base in kind.__mro__ if base is not cls and "__dict__" in vars(base)]
        if "__slots__" in vars(kind) and not others:
            known = {*planned.names, *[name for name, _ in slots_of(kind)]}
            names = dict.fromkeys([name for method in methods(kind) for name in method.use.names])
            missing = [name for name in names if name not in known and not hasattr(kind, name)]
            if missing:
                reason = f"it sets {', '.join(missing)}, which only the dict of {cls.__qualname__} has a place for"
                yield Blocker(kind.__qualname__, reason, "name it in its __slots__")


def _has_fields(kind: type) -> bool:
    if is_by_statement(kind):
        return any(vars(kind).get("__slots__", ()))
    return kind.__basicsize__ > object.__basicsize__


def _subclasses(cls: type) -> Iterator[type]:
    for kind in type.__subclasses__(cls):
        yield kind
        yield from _subclasses(kind)


def _notes(cls: type, extra: tuple[str, ...]) -> Iterator[str]:
    if extra:
        yield f"set from outside the class, as seen on instances: {', '.join(extra)}"
    plain = [kind.__qualname__ for kind in type.__subclasses__(cls) if "__slots__" not in vars(kind)]
    if plain:
        yield f"instances of subclasses have a dict until those have slots too: {', '.join(plain)}"
    yield from runs_again(cls)
    yield from keeps_the_first(cls)


def _count(heap: Heap, name: str) -> int:
    try:
        return len(heap[name])
    except _core.NotThere:
        return 0
