"""``collector.paused``: no collections while much is made that stays."""

from __future__ import annotations

import gc
from typing import Literal

from deadweight import _thresholds
from deadweight._thresholds import GUARD, Wish

ITS_OWN = 1000
"""3.12 freezes a few hundred objects of its own as it starts; a program that freezes has thousands."""


class paused:
    """Within it the collector does not run by itself; what was set before is set again after.

    For code that makes many objects that stay, such as loading: a program that allocates makes the collector look
    through them again and again, and it finds nothing.

    It may be entered within another and in several threads: it lasts until the last is left.

    Args:
        collect: ``"never"``: what was made meanwhile is moved to the oldest generation without a look, unless some
            objects are frozen (`gc.freeze`): then the next collection looks through it. ``"after"``: a full
            collection when the last is left.
        guard: after so many objects more than were freed, collections happen nevertheless, so that code which
            makes cycles does not use up the memory; None for no such limit. The lowest of all that are entered
            holds.

    Raises:
        ValueError: ``collect`` or ``guard`` is none of that.

    >>> import gc
    >>> import deadweight as dw
    >>> with dw.collector.paused():
    ...     table = [{"number": number} for number in range(100_000)]
    >>> gc.isenabled()
    True
    """

    __slots__ = ("_collect", "_wish")

    def __init__(self, collect: Literal["never", "after"] = "never", *, guard: int | None = GUARD) -> None:
        if collect not in ("never", "after"):
            raise ValueError(f'collect is "never" or "after", not {collect!r}')
        _thresholds.check_guard(guard)
        self._collect = collect
        self._wish = Wish(True, guard)

    def __enter__(self) -> None:
        _thresholds.want(self._wish)

    def __exit__(self, *_: object) -> None:
        with _thresholds.lock:
            last = _thresholds.pausing() == 1
            never = self._collect == "never" and _thresholds.settings()[0]
            if last and never and gc.get_freeze_count() < ITS_OWN:
                # Both only link lists together. What is collected next is then what is made from now on.
                gc.freeze()
                gc.unfreeze()
            _thresholds.want_no_more(self._wish)
        if last and self._collect == "after":
            gc.collect()
