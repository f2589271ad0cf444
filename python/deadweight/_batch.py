"""Collections for a program that loads what stays: samples, until they are garbage."""

from __future__ import annotations

import gc
import resource
import time
from typing import Literal

from deadweight import _thresholds
from deadweight._paused import ITS_OWN

RARELY = 1_000_000_000

USUAL = (2_000, 10, 10)
"""Those of 3.13 and later, for who had set them to 0."""


class Batch:
    """Takes over when collections look at something.

    An automatic collection of the young calls `gc.callbacks` before it begins. `gc.freeze` and `gc.unfreeze`
    then link all the young into the oldest generation, and the collection finds nothing to look at.

    Invariant: until `end`, the first garbage or the program's own `gc.freeze` no collection but those of the young
    begins by itself.
    """

    SHARE = 0.05
    """Of the program's processor time, for samples."""

    LEAST, MOST = 2_000, 20_000
    """Objects of a sample: what waits unseen is about as much."""

    GARBAGE = 0.1
    """Of a sample: a program that makes cycles."""

    GROWTH = 1.25
    """Of the peak of resident memory, after which a sample is taken whatever it costs."""

    def __init__(self, thresholds: tuple[int, int, int]) -> None:
        self._thresholds = thresholds if thresholds[0] else USUAL
        self._state: Literal["sampling", "catching up", "over"] = "sampling"
        self._size = self.LEAST
        self._skipped = False
        self._looking = False
        self.begin_clock()
        # A full collection that is due waits until what is new is a quarter of what survived the last one
        # (gc_collect_generations in Modules/gcmodule.c, from 3.13 on gc_select_generation in Python/gc.c). Where
        # nothing survived, it does not wait.
        gc.freeze()
        gc.collect()
        gc.unfreeze()
        _thresholds.change(thresholds=(self._size, RARELY, RARELY))
        # Each time that it is taken, a bound method is another object.
        self._callback = self._called
        gc.callbacks.append(self._callback)

    def begin_clock(self) -> None:
        """Begins to count what samples cost, as in a forked child, whose processor time begins at 0."""
        # The first few cost next to nothing, and say at once if there is garbage.
        self._due = 3
        self._looked = 0.0
        self._begun = self._start = time.process_time()
        self._peak = _peak()

    def end(self) -> None:
        """Leaves the collector alone from now on."""
        self._state = "over"
        # Somebody may have cleared the list, and others in it may compare as they like.
        for place, callback in enumerate(gc.callbacks):
            if callback is self._callback:
                del gc.callbacks[place]
                break

    def _called(self, phase: str, info: dict[str, int]) -> None:
        generation = info["generation"]
        if self._state == "sampling" and generation == 0:
            if phase == "start":
                self._before()
            elif self._looking:
                self._after(info["collected"])
        elif self._state == "catching up" and generation == 2 and phase == "stop":
            self._state = "over"
            _thresholds.change(thresholds=self._thresholds)

    def _before(self) -> None:
        if gc.get_freeze_count() >= ITS_OWN:
            # The program has frozen objects meanwhile: `gc.unfreeze` would give back those too.
            self._state = "over"
            _thresholds.change(thresholds=self._thresholds)
            return
        self._start = time.process_time()
        grown = _peak() > self._peak * self.GROWTH
        affordable = self._looked <= self.SHARE * (self._start - self._begun)
        self._looking = self._due > 0 or grown or affordable
        if not self._looking:
            self._skipped = True
            gc.freeze()
            gc.unfreeze()

    def _after(self, collected: int) -> None:
        self._looked += time.process_time() - self._start
        self._due -= 1
        self._peak = _peak()
        if collected < self._size * self.GARBAGE:
            self._size = min(2 * self._size, self.MOST)
            _thresholds.change(thresholds=(self._size, RARELY, RARELY))
        elif self._skipped:
            # The next collection is a full one: no count is below -1.
            self._state = "catching up"
            youngest, middle, _ = self._thresholds
            _thresholds.change(thresholds=(youngest, middle, -1))
        else:
            self._state = "over"
            _thresholds.change(thresholds=self._thresholds)


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
