"""Which variables of a function have an instance of a class, as far as its bytecode says so."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Step = tuple[str, Any]
"""What an instruction does, and the name or value it does it with."""

_COPIES = ("copy", "deepcopy")
# Steps that make no value of others; those that change their order are among them, where there are three.
_PLAIN = frozenset(("load", "constant", "exchange"))
_ORDER = (("other", "SWAP"), ("other", "ROT_THREE"))


@dataclass(slots=True)
class Known:
    """What is known when a function has run."""

    instances: set[str]
    """Variables that have an instance."""
    classes: set[Step]
    """What loads the class: a variable, or the name that it has."""
    kept: set[tuple[Step, str]] = field(default_factory=set[tuple[Step, str]])
    """Attributes of the class that have an instance, as that of a singleton."""

    def is_on_instance(self, before: list[Step]) -> bool:
        """Whether what was done last has put an instance on top."""
        if not before:
            return False
        if before[-1][0] == "store":
            # `(thing := self).name = 1` stores a copy of what is on top.
            return before[-2:-1] == [("copy", None)] and before[-1][1] in self.instances
        if before[-1][0] == "attribute":
            return any((step, before[-1][1]) in self.kept for step in before[-2:-1])
        return self._is_loaded(before[-1])

    def _is_loaded(self, step: Step) -> bool:
        return step[0] == "load" and step[1] in self.instances

    def is_class(self, expression: list[Step]) -> bool:
        """Whether it is the class: ``type(self)``, ``self.__class__``, or what has it already."""
        if len(expression) <= 1:
            return self.classes.issuperset(expression) and bool(expression)
        if expression[1:] == [("attribute", "__class__")]:
            return self._is_loaded(expression[0])
        is_type = [expression[0], *expression[2:]] == [("global", "type"), ("call", None)]
        return is_type and self._is_loaded(expression[1])

    def is_instance(self, expression: list[Step]) -> bool:
        """Whether it is an instance: another variable's, a copy, what the class makes, or some ``__new__``."""
        if not expression or self._is_loaded(expression[-1]):
            return bool(expression)
        if is_plain(expression):
            # Values that go to as many variables.
            return any(self._is_loaded(step) for step in expression)
        if expression[-1][0] != "call":
            return False
        if ("attribute", "__new__") in expression:
            return True
        for length in (1, 2, 3):
            called = expression[length : length + 1]
            if called and called[0][0] != "attribute" and self.is_class(expression[:length]):
                return True
        function = [step for step in expression[:2] if step[0] in ("global", "attribute")]
        given = expression[len(function) : -1]
        is_copy = bool(function) and function[-1][1] in _COPIES and all(step[0] == "load" for step in given)
        return is_copy and bool(given) and self._is_loaded(given[0])


def known_in(steps: list[Step], instances: set[str], classes: set[Step], arguments: str | None) -> Known:
    """What a function's steps say of its variables. ``arguments`` is the one of ``*args`` that comes first."""
    known = Known(set(instances), set(classes))
    begin = 0
    expression: list[Step] = []
    # What is left of `or` and `if … else` on one way, where the other begins.
    either: list[Step] = []
    also: list[Step] = []
    for place, (kind, value) in enumerate(steps):
        if kind in ("store", "set"):
            # What is unpacked, or assigned in a chain, goes to many places, and any may be the one.
            if fresh := _without_copy(steps[begin : place - (kind == "set")]):
                expression, also, either = fresh, either, []
            # The first of `*args` is what `self` would be.
            is_instance = known.is_instance(expression) or expression[:1] == [("load", arguments)]
            is_instance |= kind == "store" and is_plain(expression) and known.is_instance(also)
            if kind == "set" and is_instance and known.is_class(steps[place - 1 : place]):
                known.kept.add((steps[place - 1], value))
            elif kind == "store" and is_instance:
                known.instances.add(value)
            elif kind == "store" and known.is_class(expression):
                known.classes.add(("load", value))
        elif kind == "end":
            expression = []
            if begin < place:
                either = _left(steps[begin:place], value)
        if kind in ("store", "set", "end"):
            begin = place + 1
    return known


def is_plain(expression: list[Step]) -> bool:
    """Whether it only loads values."""
    return all(step[0] in _PLAIN or step in _ORDER for step in expression)


def _left(expression: list[Step], jump: str) -> list[Step]:
    """What a jump leaves on top: up to 3.11 one that says so, from 3.12 on the copy of what is asked."""
    if jump in ("JUMP_FORWARD", "JUMP_IF_TRUE_OR_POP", "JUMP_IF_FALSE_OR_POP"):
        return expression
    asked = expression[:-1] if expression[-1:] == [("other", "TO_BOOL")] else expression
    is_kept = jump.startswith("POP_JUMP") and asked[-1:] == [("copy", None)]
    return asked[:-1] if is_kept else []


def _without_copy(expression: list[Step]) -> list[Step]:
    """Without the copy that is made where a value goes to more than one place."""
    return expression[:-1] if expression[-1:] == [("copy", None)] else expression
