"""Objects of libraries, weighed from inside: what deadweight says was requested, and what was recorded.

Prints a line of JSON for each kind: library, kind, bytes an object by deadweight, by tracemalloc and by
Arrow's pool, which tracemalloc does not see, and how many of the objects are ints.
"""

import gc
import importlib.metadata
import json
import platform
import sys
import tracemalloc
from types import CodeType, ModuleType

import attrs
import deadweight as dw
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pydantic

COUNT = 300
# CPython 3.10 allocates a cache for code that was run 1024 times (ceval.c, `OPCACHE_MIN_RUNS`).
WARM = 1100
NUMBERS = tuple(number + 0.5 for number in range(1000))
WORDS = tuple(f"word number {number}" for number in range(1000))


@attrs.define
class Slotted:
    number: float
    word: str


@attrs.frozen
class Frozen:
    number: float
    word: str


@attrs.define(slots=False)
class Unslotted:
    number: float
    word: str


class Model(pydantic.BaseModel):
    number: float
    word: str


class Nested(pydantic.BaseModel):
    inside: Model
    items: list[float]


class Loose(pydantic.BaseModel, extra="allow"):
    number: float


class Private(pydantic.BaseModel):
    number: float
    _seen: list = pydantic.PrivateAttr(default_factory=list)


@pydantic.dataclasses.dataclass
class Checked:
    number: float
    word: str


def lent(owner):
    """What has lent its buffer keeps shape and format of that."""
    memoryview(owner)
    return owner


F8 = np.array(NUMBERS)
N, W = NUMBERS[0], WORDS[0]

# What the objects share is made before: it is not counted by either.
KINDS = {
    "attrs": {
        "define": lambda: Slotted(N, W),
        "frozen": lambda: Frozen(N, W),
        "define(slots=False)": lambda: Unslotted(N, W),
    },
    "pydantic": {
        "BaseModel": lambda: Model(number=N, word=W),
        "of a dict": lambda: Model.model_validate({"number": N, "word": W}),
        "nested": lambda: Nested(inside=Model(number=N, word=W), items=[N, N, N]),
        "extra fields": lambda: Loose(number=N, other=W),
        "private attributes": lambda: Private(number=N),
        "dataclass": lambda: Checked(N, W),
        "model_copy": lambda: COPIED.model_copy(),
    },
    "numpy": {
        "float64 array": lambda: np.array(NUMBERS),
        "int8 array": lambda: np.zeros(1000, "i1"),
        "two dimensions": lambda: np.ones((30, 40)),
        "no items": lambda: np.empty(0),
        "no dimensions": lambda: np.array(1.5),
        "copy of a slice": lambda: F8[10:500:3].copy(),
        "view": lambda: F8[10:500:3],
        "lent out": lambda: lent(np.ones((3, 4))),
        "structured, lent out": lambda: lent(np.zeros(5, NAMED)),
        "structured scalar, lent out": lambda: lent(NAMED_RECORDS[3]),
        "structured": lambda: np.zeros(100, STRUCTURED),
        "object array": lambda: np.array(WORDS, dtype=object),
        "fixed strings": lambda: np.array(WORDS[:100]),
        "float64 scalar": lambda: F8[7],
        "datetime64 scalar": lambda: np.datetime64("2026-01-01"),
        "structured scalar": lambda: RECORDS[3],
        "masked array": lambda: np.ma.masked_less(F8, 10),
        "datetime array": lambda: DAYS.copy(),
        "datetime dtype": lambda: np.dtype("M8[7D]"),
        "dtype with a subarray": lambda: np.dtype(("f8", (3, 4))),
        "structured dtype": lambda: np.dtype([("a", "f8"), ("b", "M8[us]")]),
        "Fortran order": lambda: np.asfortranarray(TWO),
    },
    "pandas": {
        "Series": lambda: pd.Series(F8.copy()),
        "DataFrame": lambda: pd.DataFrame({"a": NUMBERS, "b": NUMBERS}),
        "two blocks": lambda: pd.DataFrame({"a": F8, "b": np.arange(1000)}),
        "object column": lambda: pd.Series(WORDS, dtype=object),
        "Index": lambda: pd.Index(F8.copy()),
        "RangeIndex": lambda: pd.RangeIndex(10),
        "Categorical": lambda: pd.Categorical.from_codes([0, 1] * 500, categories=CATEGORIES),
        "DatetimeIndex": lambda: pd.DatetimeIndex(DAYS),
        "Timestamp": lambda: pd.Timestamp(2026, 1, 1, 12),
        "Timedelta": lambda: pd.Timedelta(days=1),
        "str column": lambda: pd.Series(WORDS, dtype="str"),
    },
    "pyarrow": {
        "array": lambda: pa.array(F8, pa.float64()),
        "strings": lambda: pa.array(WORDS),
        "from NumPy, zero copies": lambda: pa.array(F8),
        "table": lambda: pa.table({"a": NUMBERS, "b": WORDS}),
        "chunked array": lambda: pa.chunked_array([NUMBERS, NUMBERS]),
        "buffer of bytes": lambda: pa.py_buffer(BYTES),
        "buffer": lambda: pa.allocate_buffer(10_000),
        "scalar": lambda: ARROW[3],
    },
    "polars": {
        "Series": lambda: pl.Series(NUMBERS),
        "strings": lambda: pl.Series(WORDS),
        "DataFrame": lambda: pl.DataFrame({"a": NUMBERS, "b": NUMBERS}),
        "LazyFrame": lambda: FRAME.lazy(),
    },
}
COPIED = Model(number=N, word=W)
STRUCTURED = np.dtype([("a", "f8"), ("b", "i4")])
RECORDS = np.zeros(10, STRUCTURED)
NAMED = np.dtype([("some number", "f8"), ("another one", "<i4"), ("a third, which is long", "S7")])
NAMED_RECORDS = np.zeros(10, NAMED)
TWO = np.ones((30, 40))
CATEGORIES = pd.Index(["a", "b"])
DAYS = np.arange(1000).astype("M8[ns]")
BYTES = bytes(1000)
ARROW = pa.array(NUMBERS)
FRAME = pl.DataFrame({"a": NUMBERS})


def recorded(make):
    """Objects weighed by deadweight; what tracemalloc saw being allocated while they were made; what it saw
    being freed when they went; what went back to Arrow's pool.

    What was made includes what caches took meanwhile; what was freed leaves out what free lists kept.
    """
    things = [None] * COUNT
    gc.collect()
    # By then free lists are used up, instances share their keys, and code has been made faster.
    for _ in range(WARM):
        make()
    shared = [*SHARED, *(make() for _ in range(COUNT))]
    numbers = list(range(COUNT))
    marks, pools = [0, 0], [0, 0]
    gc.disable()
    tracemalloc.start()
    for index in numbers:
        things[index] = make()
    made = tracemalloc.get_traced_memory()[0]
    found = weighed([*shared, *things]), weighed(shared)
    for mark in (0, 1):
        gc.collect()
        marks[mark], pools[mark] = tracemalloc.get_traced_memory()[0], pa.total_allocated_bytes()
        for index in numbers:
            things[index] = None
    tracemalloc.stop()
    gc.enable()
    return found, made, marks[0] - marks[1], pools[0] - pools[1]


def weighed(things):
    # No code is made here, but memory that a library never cleared may lead to some (docs/accuracy.md).
    deep = dw.deepsizeof(*things, stop=(type, ModuleType, CodeType))
    return deep.requested, sum(row.count for row in deep.by_type if row.type == "int")


def row(library, kind):
    ((full, ints), (base, base_ints)), made, freed, pool = recorded(KINDS[library][kind])
    return {
        "python": platform.python_version(),
        "library": library,
        "version": importlib.metadata.version(library),
        "kind": kind,
        "found": (full - base) / COUNT,
        "made": made / COUNT,
        "freed": freed / COUNT,
        "ints": (ints - base_ints) / COUNT,
        "pool": pool / COUNT,
    }


# What the objects share is among these, or goes with three objects of the kind that stay: neither counts it.
SHARED = [FRAME, ARROW, COPIED, F8, TWO, RECORDS, STRUCTURED, NAMED, NAMED_RECORDS, CATEGORIES, DAYS, BYTES]
SHARED += [NUMBERS, WORDS]


def main():
    for library in sys.argv[1:] or KINDS:
        for kind in KINDS[library]:
            print(json.dumps(row(library, kind)), flush=True)


if __name__ == "__main__":
    main()
