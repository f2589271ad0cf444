"""The state of an instance with slots, as pickle and copy take and give it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import MemberDescriptorType
from typing import Any

from deadweight._slots_kept import KeptInSlot

_SLOTS = "__deadweight_slots__"
REMEMBERED = ("__slotnames__", _SLOTS)
"""Where a class has its slots once an instance was pickled or copied: by `copyreg`, and by us."""


def slots_of(cls: type) -> Iterator[tuple[str, MemberDescriptorType]]:
    """The slots that instances of a class have, its bases' first, by name. Private names are mangled."""
    for kind in reversed(cls.__mro__):
        if "__slots__" in vars(kind):
            for name, member in vars(kind).items():
                slot = member.slot if isinstance(member, KeptInSlot) else member
                if isinstance(slot, MemberDescriptorType):
                    yield name, slot


def slot_values(thing: object) -> dict[str, Any]:
    """What is in an instance's slots. Nothing of the class's runs."""
    return _values(thing, slots_of(type(thing)))


def _values(thing: object, slots: Iterable[tuple[str, MemberDescriptorType]]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, slot in slots:
        try:
            values[name] = slot.__get__(thing)
        except AttributeError:
            continue
    return values


def get_state(self: object) -> dict[str, Any]:
    """All attributes that are set, as the dict that the instance would have without slots.

    So old pickles can be read with slots and new ones without, and protocols 0 and 1 work.
    """
    kind = type(self)
    slots = vars(kind).get(_SLOTS)
    if slots is None:
        # To look through all that a class has costs more than the rest of a pickle.
        slots = tuple(slots_of(kind))
        type.__setattr__(kind, _SLOTS, slots)
    state = _values(self, slots)
    if kind.__dictoffset__:
        # Of a subclass without slots.
        state.update(object.__getattribute__(self, "__dict__"))
    return state


def set_state(self: Any, state: Any) -> None:
    """Takes a dict, or the pair of a dict and of slots that Python makes of instances that have some."""
    parts = (state,) if hasattr(state, "items") else state
    for part in filter(None, parts):
        for name, value in part.items():
            # Past a `__setattr__` of the class, as frozen dataclasses have: it was there when this was pickled.
            object.__setattr__(self, name, value)
