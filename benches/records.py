"""Figures of records, beside other ways to keep a million rows.

    PYTHON benches/records.py [--rows 1000000] [--rounds 5]

PYTHON has the package installed, built in release mode; of the peers (NumPy, PyArrow, Polars, pandas, msgspec,
recordclass), what it has not is left out and named. Memory is what the process grew by in a child of its own,
where the rows come from a generator; the peak is the kernel's (VmHWM). Times are CPU seconds of one process
in which all are run in turn, the least of the rounds.
"""

from __future__ import annotations

import argparse
import collections
import gc
import importlib
import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import deadweight as dw

FIELDS = ("user_id", "score", "name", "country", "joined")
Named = collections.namedtuple("Named", FIELDS)
Row = tuple[int, float, str, str, int]


class User(dw.Record):
    user_id: dw.u4
    score: float
    name: str
    country: dw.category
    joined: int


@dataclass(slots=True)
class Slots:
    user_id: int
    score: float
    name: str
    country: str
    joined: int


COUNTRIES = [f"c{number}" for number in range(50)]


def rows(count: int) -> Iterator[Row]:
    for number in range(count):
        country = COUNTRIES[number % 50]
        yield 10_000_000 + number, number / 2, f"user number {number:08}", country, 1_700_000_000_000 + number


def dicts(count: int) -> Iterator[dict[str, Any]]:
    return (dict(zip(FIELDS, row, strict=True)) for row in rows(count))


def of_records(count: int) -> Any:
    users = dw.Records(User, rows(count))
    users.shrink_to_fit()
    return users


def of_numpy(count: int) -> Any:
    dtype = [("user_id", "u4"), ("score", "f8"), ("name", "U20"), ("country", "U3"), ("joined", "i8")]
    return importlib.import_module("numpy").fromiter(rows(count), dtype, count)


def of_msgspec(count: int) -> Any:
    made = importlib.import_module("msgspec").defstruct("Struct", FIELDS, gc=False)
    return [made(*row) for row in rows(count)]


def of_recordclass(count: int) -> Any:
    made = importlib.import_module("recordclass").make_dataclass("Data", FIELDS)
    return [made(*row) for row in rows(count)]


KEPT: dict[str, Callable[[int], Any]] = {
    "records": of_records,
    "records, by pack": lambda count: dw.pack(dicts(count)),
    "dicts": lambda count: list(dicts(count)),
    "slots dataclass": lambda count: [Slots(*row) for row in rows(count)],
    "namedtuple": lambda count: [Named(*row) for row in rows(count)],
    "msgspec, gc=False": of_msgspec,
    "recordclass": of_recordclass,
    "NumPy structured": of_numpy,
    "PyArrow from_pylist": lambda count: importlib.import_module("pyarrow").Table.from_pylist(list(dicts(count))),
    "Polars": lambda count: importlib.import_module("polars").DataFrame(list(rows(count)), FIELDS, orient="row"),
    "pandas": lambda count: importlib.import_module("pandas").DataFrame.from_records(list(dicts(count))),
}


def resident(field: str) -> int:
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith(field))


def weigh(tool: str, count: int) -> tuple[float, float] | None:
    """Bytes a row that a process grows by, and at its peak."""
    command = [sys.executable, __file__, "--one", tool, "--rows", str(count)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "ModuleNotFoundError" in done.stderr:
        return None
    if done.returncode:
        sys.exit(done.stderr)
    after, peak = json.loads(done.stdout)
    return after / count, peak / count


def one(tool: str, count: int) -> None:
    KEPT[tool](10)
    gc.collect()
    before = resident("VmRSS")
    kept = KEPT[tool](count)
    gc.collect()
    print(json.dumps([resident("VmRSS") - before, resident("VmHWM") - before]))
    assert len(kept) == count


def loop(kept: Any, order: list[int]) -> float:
    total = 0.0
    for index in order:
        total += kept[index].score
    return total


def timed(works: dict[str, Callable[[], Any]], rounds: int) -> dict[str, float]:
    """CPU seconds of each, run in turn."""
    least: dict[str, float] = {}
    for _ in range(rounds):
        for name, work in works.items():
            begin = time.process_time()
            work()
            least[name] = min(time.process_time() - begin, least.get(name, float("inf")))
    return least


def speeds(count: int, rounds: int) -> dict[str, float]:
    plain, named = list(rows(count)), list(dicts(count))
    users, slots = dw.Records(User, plain), [Slots(*row) for row in plain]
    order = random.Random(1).sample(range(count), count)
    works: dict[str, Callable[[], Any]] = {
        "users[i].score, records": lambda: loop(users, order),
        "users[i].score, slots": lambda: loop(slots, order),
        "extend(tuples)": lambda: dw.Records(User, plain),
        "list(tuples)": lambda: list(plain),
        "pack(dicts)": lambda: dw.pack(named),
    }
    for name, module in {"pyarrow": "pyarrow", "pandas": "pandas"}.items():
        try:
            peer = importlib.import_module(module)
        except ModuleNotFoundError:
            print(f"{name}: not installed, left out")
            continue
        make = peer.Table.from_pylist if module == "pyarrow" else peer.DataFrame.from_records
        works[f"{name} of dicts"] = lambda make=make: make(named)
    return timed(works, rounds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--one", choices=KEPT, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        one(options.one, options.rows)
        return
    print("| kept as | bytes a row | at the peak |\n|---|---|---|")
    for tool in KEPT:
        weighed = weigh(tool, options.rows)
        print(
            f"| {tool} | "
            + ("not installed |  |" if weighed is None else f"{weighed[0]:.1f} | {weighed[1]:.1f} |")
        )
    print("\n| | µs a row |\n|---|---|")
    for name, seconds in speeds(options.rows, options.rounds).items():
        print(f"| {name} | {seconds / options.rows * 1e6:.3f} |")


if __name__ == "__main__":
    main()
