"""A part of benches/caches.py, in the interpreter that is measured. Prints a line of JSON.

    PYTHON benches/caches_target.py memory CACHE ENTRIES
    PYTHON benches/caches_target.py speed ENTRIES ROUNDS

Memory is of a process of its own, in which keys and values are there before. Of speed, all caches are in one
process and run in turn; the least of the rounds counts, less what an empty loop takes.
"""

from __future__ import annotations

import functools
import gc
import importlib
import json
import random
import sys
import time
import weakref
from collections.abc import Callable, Iterable
from typing import Any

import deadweight as dw


class Value:
    """Takes a weak reference."""

    __slots__ = ("__weakref__", "number")

    def __init__(self, number: int) -> None:
        self.number = number


def peer(module: str, make: Callable[[Any, int], Any]) -> Callable[[int], Any]:
    """A cache of another library, if it is there."""
    return lambda entries: make(importlib.import_module(module), entries)


MAPPINGS: dict[str, Callable[[int], Any]] = {
    "dict": lambda entries: {},
    "Cache": lambda entries: dw.Cache(maxsize=entries),
    "Cache, weigher": lambda entries: dw.Cache(maxsize=entries, weigher=lambda key, value: 1),
    "Cache, max_bytes": lambda entries: dw.Cache(maxsize=entries, max_bytes="1 TB"),
    "WeakCache": lambda entries: dw.WeakCache(hot=1000),
    "WeakValueDictionary": lambda entries: weakref.WeakValueDictionary(),
    "cachebox": peer("cachebox", lambda it, entries: it.LRUCache(entries)),
    "cachetools": peer("cachetools", lambda it, entries: it.LRUCache(entries)),
    "theine": peer("theine", lambda it, entries: it.Cache(entries)),
    "moka-py": peer("moka_py", lambda it, entries: it.Moka(entries, policy="lru")),
}
"""Those that are used as mappings, or have `get` and `set`."""
FUNCTIONS = {"cached": dw.cached, "lru_cache": functools.lru_cache}
WITHOUT_BOUND = ("dict", "WeakCache", "WeakValueDictionary")


def doors(cache: Any) -> tuple[Callable[[Any], Any], Callable[[Any, Any], Any]]:
    """How a value is read, and how one is put in."""
    if hasattr(cache, "__setitem__"):
        return cache.__getitem__, cache.__setitem__
    return cache.get, cache.set


def spent(call: Callable[..., Any], calls: Iterable[tuple[Any, ...]]) -> float:
    """CPU seconds of all calls together."""
    start = time.process_time()
    for arguments in calls:
        call(*arguments)
    return time.process_time() - start


def resident() -> int:
    """Bytes that this process has in memory."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * 4096


def memory(name: str, entries: int) -> float:
    """Bytes that a cache takes for an entry, beside key and value."""
    pairs = [(f"key-{number}", Value(number)) for number in range(entries)]
    found = dict(pairs)
    gc.collect()
    if name in FUNCTIONS:
        kept = FUNCTIONS[name](entries)(found.__getitem__)
        before = resident()
        for key, _ in pairs:
            kept(key)
    else:
        cache = MAPPINGS[name](entries)
        _, put = doors(cache)
        before = resident()
        for key, value in pairs:
            put(key, value)
    return (resident() - before) / entries


def speed(entries: int, rounds: int) -> dict[str, dict[str, float]]:
    """Nanoseconds of each step of each cache."""
    pairs = [(f"key-{number}", Value(number)) for number in range(2 * entries)]
    first, later = pairs[:entries], pairs[entries:]
    hits = [(key,) for key, _ in random.Random(3).choices(first, k=entries)]
    found: dict[str, dict[str, float]] = {}

    def note(name: str, step: str, seconds: float) -> None:
        steps = found.setdefault(name, {})
        steps[step] = min(steps.get(step, 1e9), seconds / entries * 1e9)

    gc.collect()
    gc.disable()
    for _ in range(rounds):
        note("empty", "put", spent(lambda key, value: None, first))
        note("empty", "get", spent(lambda key: None, hits))
        for name, make in MAPPINGS.items():
            try:
                get, put = doors(make(entries))
            except ImportError:
                continue
            note(name, "put", spent(put, first))
            note(name, "get", spent(get, hits))
            if name not in WITHOUT_BOUND:
                note(name, "evict", spent(put, later))
        values = dict(pairs)
        for name, decorate in FUNCTIONS.items():
            kept = decorate(entries)(values.__getitem__)
            note(name, "put", spent(kept, [(key,) for key, _ in first]))
            note(name, "get", spent(kept, hits))
            note(name, "evict", spent(kept, [(key,) for key, _ in later]))
    empty = found.pop("empty")
    for steps in found.values():
        for step in steps:
            steps[step] -= empty["get" if step == "get" else "put"]
    found["weighing"] = weighing(rounds)
    return found


def weighing(rounds: int) -> dict[str, float]:
    """Nanoseconds more of an entry that is one object and of one of 1,000 objects, and then of each object."""
    few = [bytes(100) for _ in range(2000)]
    many = [[float(number) for number in range(999)] for _ in range(50)]
    found = {"few": 1e9, "many": 1e9}
    for _ in range(rounds):
        for name, values in (("few", few), ("many", many)):
            pairs = [(number, value) for number, value in enumerate(values)]
            plain, weighed = dw.Cache(), dw.Cache(max_bytes="1 TB")
            more = spent(weighed.__setitem__, pairs) - spent(plain.__setitem__, pairs)
            found[name] = min(found[name], more / len(pairs) * 1e9)
    return {"entry": found["few"], "object": (found["many"] - found["few"]) / 999}


def main() -> None:
    """Measures one part."""
    part, *more = sys.argv[1:]
    if part == "memory":
        name, entries = more
        try:
            print(json.dumps(memory(name, int(entries))))
        except ImportError:
            print(json.dumps(None))
    else:
        print(json.dumps(speed(int(more[0]), int(more[1]))))


if __name__ == "__main__":
    main()
