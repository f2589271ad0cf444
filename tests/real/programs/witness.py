"""Lets a program say what its own collector sees: the truth that a reading from outside is held against."""

import collections
import gc
import json
import os
import threading


def _name(cls: type) -> str:
    return cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"


def _answer() -> None:
    # Not sys.stdin: while it waits, its buffer lends itself as a memoryview, two tracked objects more.
    while os.read(0, 64):
        gc.collect()
        gc.disable()
        # Types made at run time: their instances are tracked from their making on.
        counts = collections.Counter(
            _name(type(each)) for each in gc.get_objects() if type(each).__flags__ & (1 << 9)
        )
        text = json.dumps(counts)
        del counts
        gc.collect()
        tracked = len(gc.get_objects())
        print(f'{{"tracked": {tracked}, "permanent": {gc.get_freeze_count()}, "types": {text}}}', flush=True)
        del text


def start() -> None:
    threading.Thread(target=_answer, name="witness", daemon=True).start()
