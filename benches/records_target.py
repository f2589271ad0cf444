"""A part of benches/records.py, in the interpreter that is measured. Prints a line of JSON.

    PYTHON benches/records_target.py memory TOOL ROWS
    PYTHON benches/records_target.py speed ROWS ROUNDS

Memory is of a process of its own, in which the rows come from a generator where the tool can take one. Of speed,
all tools are in one process and run in turn; the least of the rounds counts.
"""

from __future__ import annotations

import collections
import gc
import importlib
import json
import random
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import deadweight as dw

FIELDS = ("user_id", "name", "email", "score", "active")
Row = tuple[int, str, str, float, bool]


class User(dw.Record):
    user_id: dw.u4
    name: str
    email: str
    score: float
    active: bool


class Wide(dw.Record):
    user_id: int
    name: str
    email: str
    score: float
    active: bool


@dataclass(slots=True)
class Slots:
    user_id: int
    name: str
    email: str
    score: float
    active: bool


Named = collections.namedtuple("Named", FIELDS)


def rows(count: int) -> Iterator[Row]:
    for number in range(count):
        yield number, f"user{number}", f"user{number}@example.com", number + 0.5, number % 2 == 0


def dicts(count: int) -> Iterator[dict[str, Any]]:
    return (dict(zip(FIELDS, row, strict=True)) for row in rows(count))


def payload(count: int) -> float:
    """Bytes of the values of a row, with an id of four bytes."""
    text = sum(len(name) + len(email) for _, name, email, _, _ in rows(count))
    return 4 + 8 + 1 / 8 + text / count


def of_records(record: type[dw.Record]) -> Callable[[int], Any]:
    def build(count: int) -> Any:
        users = dw.Records(record, rows(count))
        users.shrink_to_fit()
        return users

    return build


def of_numpy(count: int) -> Any:
    dtype = [("user_id", "u4"), ("name", "U12"), ("email", "U24"), ("score", "f8"), ("active", "?")]
    return importlib.import_module("numpy").fromiter(rows(count), dtype, count)


def of_msgspec(count: int) -> Any:
    made = importlib.import_module("msgspec").defstruct("Struct", FIELDS, gc=False)
    return [made(*row) for row in rows(count)]


def of_recordclass(count: int) -> Any:
    made = importlib.import_module("recordclass").make_dataclass("Data", FIELDS)
    return [made(*row) for row in rows(count)]


BUILD: dict[str, Callable[[int], Any]] = {
    "Records": of_records(User),
    "Records, id of 8 bytes": of_records(Wide),
    "Records, by pack": lambda count: dw.pack(dicts(count)),
    "dicts": lambda count: list(dicts(count)),
    "dataclass with slots": lambda count: [Slots(*row) for row in rows(count)],
    "named tuples": lambda count: [Named(*row) for row in rows(count)],
    "msgspec, gc=False": of_msgspec,
    "recordclass": of_recordclass,
    "NumPy structured": of_numpy,
    "pandas": lambda count: importlib.import_module("pandas").DataFrame(list(dicts(count))),
    "PyArrow": lambda count: importlib.import_module("pyarrow").Table.from_pylist(list(dicts(count))),
    "Polars": lambda count: importlib.import_module("polars").DataFrame(list(rows(count)), FIELDS, orient="row"),
}


def resident(field: str) -> int:
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith(field))


def collect() -> float:
    begin = time.process_time()
    gc.collect()
    return time.process_time() - begin


def memory(tool: str, count: int) -> dict[str, float]:
    """Bytes that the process grew by, and at the most; objects that the collector has more, and what it takes."""
    few = BUILD[tool](10)
    collect()
    with open("/proc/self/clear_refs", "w") as clear:
        clear.write("5")  # the peak begins anew
    idle, tracked, before = collect(), len(gc.get_objects()), resident("VmRSS")
    kept = BUILD[tool](count)
    seconds = collect()
    more = len(gc.get_objects()) - tracked
    assert (len(kept), len(few)) == (count, 10)
    return {
        "grown": (resident("VmRSS") - before) / count,
        "peak": (resident("VmHWM") - before) / count,
        "tracked": more,
        "collection": seconds - idle,
        "payload": payload(count),
    }


def attribute(kept: Any, order: list[int]) -> float:
    total = 0.0
    for row in order:
        total += kept[row].score
    return total


def item(kept: Any, order: list[int]) -> float:
    total = 0.0
    for row in order:
        total += kept[row]["score"]
    return total


def of_frame(kept: Any, order: list[int]) -> float:
    total = 0.0
    for row in order:
        total += kept.iloc[row].score
    return total


def of_column(kept: Any, order: list[int]) -> float:
    total = 0.0
    for row in order:
        total += kept["score"][row].as_py()
    return total


def of_row(kept: Any, order: list[int]) -> float:
    total = 0.0
    for row in order:
        total += kept[row, "score"]
    return total


# How the score of a row is come by, and of how many rows in a loop: of a few where it takes long.
LOOK: dict[str, tuple[Callable[[Any, list[int]], float], int]] = {
    "Records": (attribute, 200_000),
    "dataclass with slots": (attribute, 200_000),
    "named tuples": (attribute, 200_000),
    "msgspec, gc=False": (attribute, 200_000),
    "recordclass": (attribute, 200_000),
    "dicts": (item, 200_000),
    "NumPy structured": (item, 100_000),
    "PyArrow": (of_column, 50_000),
    "Polars": (of_row, 20_000),
    "pandas": (of_frame, 10_000),
}


def hot(row: Any, times: int) -> None:
    for _ in range(times):
        _ = row.score


def empty(row: Any, times: int) -> None:
    for _ in range(times):
        _ = row


def looking(
    kept: Any, look: Callable[[Any, list[int]], float], most: int, order: list[int]
) -> tuple[Callable[[], float], int]:
    some = order[:most]
    return lambda: look(kept, some), len(some)


def timed(works: dict[str, tuple[Callable[[], Any], int]], rounds: int) -> dict[str, float]:
    """Nanoseconds of CPU that each takes a row or a look, run in turn."""
    least: dict[str, float] = {}
    for _ in range(rounds):
        for name, (work, many) in works.items():
            gc.collect()
            begin = time.process_time()
            work()
            spent = (time.process_time() - begin) / many * 1e9
            least[name] = min(spent, least.get(name, spent))
    return least


def there_is(tool: str) -> bool:
    try:
        BUILD[tool](1)
    except ModuleNotFoundError:
        return False
    return True


def speed(count: int, rounds: int) -> dict[str, dict[str, float]]:
    plain, named = list(rows(count)), list(dicts(count))
    kept = {tool: BUILD[tool](count) for tool in LOOK if there_is(tool)}
    # What is built in the rounds is not to be looked at with all this each time the collector runs.
    gc.freeze()
    order = random.Random(1).sample(range(count), min(count, 200_000))
    looks = {tool: looking(held, *LOOK[tool], order) for tool, held in kept.items()}
    row, slots = kept["Records"][0], kept["dataclass with slots"][0]
    times = 1_000_000
    builds: dict[str, tuple[Callable[[], Any], int]] = {
        "list(tuples)": (lambda: list(plain), count),
        "extend(tuples)": (lambda: dw.Records(User, plain), count),
        "pack(dicts)": (lambda: dw.pack(named), count),
    }
    if there_is("pandas"):
        builds["pandas.DataFrame(dicts)"] = lambda: importlib.import_module("pandas").DataFrame(named), count
    if there_is("PyArrow"):
        builds["pyarrow.Table.from_pylist(dicts)"] = (
            lambda: importlib.import_module("pyarrow").Table.from_pylist(named),
            count,
        )
    if there_is("Polars"):
        builds["polars.DataFrame(dicts)"] = lambda: importlib.import_module("polars").DataFrame(named), count
    return {
        "look": timed(looks, rounds),
        "hot": timed(
            {
                "empty": (lambda: empty(row, times), times),
                "Records": (lambda: hot(row, times), times),
                "dataclass with slots": (lambda: hot(slots, times), times),
            },
            rounds,
        ),
        "build": timed(builds, rounds),
    }


def main() -> None:
    part, *arguments = sys.argv[1:]
    if part == "memory":
        tool, count = arguments
        found: Any = memory(tool, int(count)) if there_is(tool) else None
    else:
        found = speed(*map(int, arguments))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
