"""What rows took as objects, before they were packed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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
    """What would be freed if the list went with all that only it holds."""
    after: int
    """What the columns take."""
    trust: str
    """Of ``before``: ``measured``; ``modelled``, where sizes follow rules; ``estimated``, from a thousand rows."""

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
    some = held if count <= _WEIGHED else [held[at * count // _WEIGHED] for at in range(_WEIGHED)]
    weighed = deepsizeof(*some)
    kinds = {type(row).__name__ for row in some}
    return PackedFrom(
        type=kinds.pop() if len(kinds) == 1 else "object",
        rows=count,
        before=weighed.exclusive * count // len(some) + _core.sizeof(held),
        after=after,
        trust=weighed.trust if count == len(some) else "estimated",
    )
