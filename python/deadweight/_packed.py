"""What rows took as objects, before they were packed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import ModuleType
from typing import Any, cast

from deadweight import _core
from deadweight._sizes import deepsizeof
from deadweight._text import size

# So many rows are weighed; of more, as many from all over. They take about a millisecond.
_WEIGHED = 1000


@dataclass(frozen=True, slots=True)
class PackedFrom:
    """The rows that :func:`pack` was given, and what became of them. Sizes are bytes."""

    type: str
    """What one of them is: the name of its class."""
    rows: int
    before: int
    """What would be freed if the list went with all that only it holds: no rows that something else holds too."""
    after: int
    """What the columns take."""
    trust: str
    """Of ``before``: ``measured``; ``modelled``, where sizes follow rules; ``estimated``, from a thousand
    rows, drawn by lot."""

    def __str__(self) -> str:
        mark = {"modelled": "~", "estimated": "≈"}.get(self.trust, "")
        less = self.before - self.after
        change = f"{mark}{size(abs(less))} {'less' if less >= 0 else 'more'}"
        before, after = (f"{amount / self.rows:,.0f} B" for amount in (self.before, self.after))
        return f"{mark}{before} a row as {self.type} → {after}: {change}"


def packed_from(rows: Any, after: int) -> PackedFrom | None:
    """Of a list or a tuple. What is gone once it was gone through has left nothing to be weighed."""
    if not isinstance(rows, (list, tuple)):
        return None
    held = cast("Sequence[object]", rows)
    count = len(held)
    if not count:
        return None
    if count <= _WEIGHED:
        some, weighed = held, deepsizeof(held)
        before, trust = weighed.exclusive, weighed.trust
    else:
        some, trust = _drawn(held), "estimated"
        before = _exclusive(some) * count // _WEIGHED + _core.sizeof(held)
    kinds = {type(row).__name__ for row in some}
    name = kinds.pop() if len(kinds) == 1 else "object"
    return PackedFrom(type=name, rows=count, before=before, after=after, trust=trust)


def _drawn(held: Sequence[object]) -> tuple[object, ...]:
    """Rows from all over, the same at each call. By lot: what every so many rows have may go with a stride."""
    from random import Random

    draw = Random(0).randrange
    starts = [at * len(held) // _WEIGHED for at in range(_WEIGHED + 1)]
    return tuple([held[draw(start, end)] for start, end in pairwise(starts)])


def _exclusive(drawn: tuple[object, ...]) -> int:
    """What would be freed if these rows went, each of which the list holds too."""
    total, _, shared, *_ = _core.deepsizeof((drawn,), (type, ModuleType), True, drawn)
    return total - shared - _core.sizeof(drawn)
