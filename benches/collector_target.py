"""What benches/collector.py measures, in the interpreter that is measured: prints it as JSON. Seconds."""

from __future__ import annotations

import contextlib
import gc
import json
import sys
import time
from collections.abc import Iterator

import deadweight as dw

COLLECTIONS = 20_000
ROUNDS = 7


class Record:
    """One of two objects that the collector sees."""

    __slots__ = ("number", "tags")

    def __init__(self, number: int) -> None:
        self.number = number
        self.tags = [number]


@contextlib.contextmanager
def callback() -> Iterator[None]:
    """The least that a callback can do."""

    def nothing(phase: str, info: dict[str, int]) -> None:
        pass

    gc.callbacks.append(nothing)
    try:
        yield
    finally:
        gc.callbacks.remove(nothing)


@contextlib.contextmanager
def off() -> Iterator[None]:
    """No collections at all."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def main() -> None:
    """In turn, so that what disturbs one disturbs all."""
    objects = int(sys.argv[1])
    watched = {"none": contextlib.nullcontext, "monitor": dw.collector.monitor, "callback": callback}
    loading = {"off": off, "as it is": contextlib.nullcontext, "paused": dw.collector.paused}
    least = dict.fromkeys((*watched, *loading), float("inf"))
    for _ in range(ROUNDS):
        for name, way in watched.items():
            with way():
                began = time.thread_time()
                for _ in range(COLLECTIONS):
                    # There is nothing in it.
                    gc.collect(0)
                least[name] = min(least[name], (time.thread_time() - began) / COLLECTIONS)
    for _ in range(3):
        for name, way in loading.items():
            gc.collect()
            began = time.thread_time()
            with way():
                kept = [Record(number) for number in range(objects // 2)]
            least[name] = min(least[name], time.thread_time() - began)
            del kept
    none = least.pop("none")
    print(json.dumps(least | {name: least[name] - none for name in ("monitor", "callback")}))


if __name__ == "__main__":
    main()
