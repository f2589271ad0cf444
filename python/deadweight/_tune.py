"""``collector.tune``: settings of the collector for what a program is for, with the reasons."""

from __future__ import annotations

import gc
import os
import sys
import sysconfig
import threading
import time
from typing import Any, Literal, NamedTuple

from deadweight import _paused, _thresholds
from deadweight._batch import Batch

Goal = Literal["web", "batch", "fork"]

WEB = (10_000, 20, 20)
"""A collection of 10,000 young objects takes a millisecond or two.

The first threshold is of those made less those that went (PyObject_GC_Del in Modules/gcmodule.c, from 3.13 on in
Python/gc.c): where old ones go meanwhile, the young are more.
"""

_lock = threading.RLock()
_now: Tuned | None = None
_enable_in_child = False


class Change(NamedTuple):
    """One thing that `tune` did, and why."""

    what: str
    why: str


class Tuned:
    """What `tune` did. It lasts until `undo`, or as a context manager until its end.

    What was frozen before a fork stays so in the child, whatever is undone or tuned there.

    Attributes:
        goal: What for.
        changes: What was done, each with `what` and `why`.
        why: The reasons alone.
        pause_before: Processor time of a full collection that frees nothing, in seconds, measured before.
        pause_predicted: What it was expected to take after: in proportion to the objects that are left.
        pause_after: The same, measured after. None for "batch", which changes when, and not what, is collected.
    """

    def __init__(self, goal: Goal) -> None:
        self.goal = goal
        self.changes: list[Change] = []
        self.pause_before: float | None = None
        self.pause_predicted: float | None = None
        self.pause_after: float | None = None
        self._enabled, self._thresholds = _thresholds.settings()
        self._had_frozen = gc.get_freeze_count() >= _paused.ITS_OWN
        self._froze = False
        self._batch: Batch | None = None
        if goal == "web":
            self._freeze("no collection looks at what stays")
            self._set_thresholds(WEB, "fewer collections of the young, and far fewer full ones")
            self._enable("no cycle would be freed")
        elif goal == "fork":
            self._freeze(
                "a collection writes into every object it looks at, which takes the page from what is shared"
            )
            _thresholds.change(enabled=False)
            self._did("gc.disable() until a child enables it", "the parent would write into shared pages")
        else:
            self._batch = Batch(self._thresholds)
            self._did(
                f"of new objects samples are looked at (at most {Batch.SHARE:.0%} of the processor time)",
                "a program that loads what stays makes the collector look again and again, and it finds nothing",
            )
            self._did(
                f"thresholds {self._thresholds} again, and a full collection, once a tenth of one is garbage",
                "a program that makes cycles needs the collector",
            )
            self._enable("no sample would be looked at")

    @property
    def why(self) -> list[str]:
        return [change.why for change in self.changes]

    def undo(self) -> None:
        """Sets the collector as it was before. Once it is undone, or something else was tuned, nothing happens."""
        global _now, _enable_in_child
        with _lock:
            if _now is not self:
                return
            _now, _enable_in_child = None, False
            if self._batch is not None:
                self._batch.end()
            if self._froze and not self._had_frozen:
                gc.unfreeze()
            _thresholds.change(enabled=self._enabled, thresholds=self._thresholds)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as ``json`` takes it. Pauses are seconds."""
        return {
            "goal": self.goal,
            "changes": [change._asdict() for change in self.changes],
            "pause_before": self.pause_before,
            "pause_predicted": self.pause_predicted,
            "pause_after": self.pause_after,
        }

    def __enter__(self) -> Tuned:
        return self

    def __exit__(self, *_: object) -> None:
        self.undo()

    def __str__(self) -> str:
        lines = [f'the collector of CPython {_version()}, tuned for "{self.goal}":']
        lines += [f"- {what}: {why}" for what, why in self.changes]
        if self.pause_before is not None and self.pause_after is not None:
            lines.append(
                f"a full collection took {self.pause_before * 1e3:.1f} ms of processor time before; "
                f"~{(self.pause_predicted or 0) * 1e3:.1f} ms were expected after, "
                f"{self.pause_after * 1e3:.1f} ms measured"
            )
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<Tuned {self.goal!r}: {len(self.changes)} changes>"

    def _did(self, what: str, why: str) -> None:
        self.changes.append(Change(what, why))

    def _enable(self, why: str) -> None:
        if not self._enabled:
            self._did("gc.enable()", f"the collector was off: {why}")
        _thresholds.change(enabled=True)

    def _forked(self) -> None:
        # Unfrozen, it would be written into by the next collection, and its pages shared no more.
        self._froze = False
        if self._batch is not None:
            self._batch.begin_clock()

    def _leaves_frozen(self) -> bool:
        """Whether objects are frozen when it is undone."""
        return self._had_frozen if self._froze else gc.get_freeze_count() >= _paused.ITS_OWN

    def _set_thresholds(self, thresholds: tuple[int, int, int], why: str) -> None:
        _thresholds.change(thresholds=thresholds)
        self._did(f"thresholds {self._thresholds} → {thresholds}", why)

    def _freeze(self, why: str) -> None:
        gc.collect()
        self.pause_before = _pause()
        before = gc.get_freeze_count()
        gc.freeze()
        self._froze = True
        frozen = gc.get_freeze_count() - before
        self._did(f"collected, then gc.freeze() of {frozen:,} objects", why)
        left = len(gc.get_objects())
        self.pause_predicted = self.pause_before * left / max(frozen + left, 1)
        self.pause_after = _pause()


def tune(goal: Goal) -> Tuned:
    """Sets the collector for what a program is for, as it is right for this release of Python.

    Call it once the program has loaded what stays; for "batch" before. If something is tuned already, that is
    undone first: what `Tuned.undo` then sets again is what was before both.

    Args:
        goal: ``"web"``: short pauses. What is there is frozen, so that no collection looks at it, and collections
            of the young are rarer. ``"batch"``: little processor time. Of what is made only samples are looked at,
            until they hold cycles that nothing refers to, or the program calls `gc.freeze`; from then on the
            collector runs as before. ``"fork"``: pages that stay shared. To be called in the parent, shortly
            before it forks: what is there is frozen, and the collector is off in the parent and on in its
            children.

    Returns:
        What was changed and why, and how to undo it.

    Raises:
        ValueError: There is no such goal.
        RuntimeError: It is not known what is right for this Python: another one than CPython 3.10 to 3.15 with
            the GIL, or 3.14.0 to 3.14.4. Or `paused` is in force; or, for "batch", the program has frozen objects
            itself.

    >>> import deadweight as dw
    >>> with dw.collector.tune("web") as tuned:
    ...     tuned.changes[1].what.endswith("→ (10000, 20, 20)")
    True
    """
    global _now, _enable_in_child
    if goal not in ("web", "batch", "fork"):
        raise ValueError(f'the goal is "web", "batch" or "fork", not {goal!r}')
    _refuse_unknown(sys.implementation.name, sys.version_info[:3])
    with _lock:
        if _thresholds.pausing():
            raise RuntimeError("within collector.paused() nothing can be tuned: it would be undone when that ends")
        if goal == "batch":
            _refuse_frozen()
        if _now is not None:
            _now.undo()
        _now = Tuned(goal)
        _enable_in_child = goal == "fork"
        return _now


def _refuse_unknown(implementation: str, version: tuple[int, ...]) -> None:
    shown = ".".join(map(str, version))
    if implementation != "cpython":
        raise RuntimeError(f"tune knows the collector of CPython, not that of {implementation}")
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        raise RuntimeError("free-threaded builds have another collector, for which tune has no rules")
    if not (3, 10) <= version[:2] <= (3, 15):
        raise RuntimeError(
            f"tune has rules for the collectors of CPython 3.10 to 3.15; that of {shown} may be another"
        )
    if (3, 14, 0) <= version < (3, 14, 5):
        raise RuntimeError(
            f"CPython {shown} has the incremental collector, whose thresholds mean something else, and which "
            "3.14.5 took out again for the memory it needs: update"
        )


def _refuse_frozen() -> None:
    left = gc.get_freeze_count() >= _paused.ITS_OWN
    if _now is not None:
        left = _now._leaves_frozen()  # pyright: ignore[reportPrivateUsage]
    if left:
        raise RuntimeError(
            f'"batch" links objects by gc.freeze and gc.unfreeze, and {gc.get_freeze_count():,} are frozen '
            "already: call gc.unfreeze() first"
        )


def _version() -> str:
    return ".".join(map(str, sys.version_info[:3]))


def _pause() -> float:
    start = time.thread_time()
    gc.collect()
    return time.thread_time() - start


def _after_fork_in_child() -> None:
    global _lock
    # Another thread may have held it, which is no more.
    _lock = threading.RLock()
    if _enable_in_child:
        _thresholds.change(enabled=True)
    if _now is not None:
        _now._forked()  # pyright: ignore[reportPrivateUsage]


os.register_at_fork(after_in_child=_after_fork_in_child)
