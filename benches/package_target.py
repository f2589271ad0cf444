"""One part of benches/package.py, run in the interpreter that is measured: prints its figures."""

from __future__ import annotations

import gc
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any


class Record:
    """What programs are full of."""

    def __init__(self, number: int) -> None:
        self.number = number + 1000
        self.name = f"record {number}"
        self.tags = [number + 10_000_000, number + 20_000_000]
        self.more = {"weight": number + 0.5}


def records(objects: int) -> list[Record]:
    """Records with what hangs from them: so many objects."""
    return [Record(number) for number in range(objects // 9)]


def cpu(run: Callable[[], Any], times: int) -> float:
    """The least of several runs."""
    least = float("inf")
    for _ in range(times):
        gc.collect()
        began = time.process_time()
        run()
        least = min(least, time.process_time() - began)
    return least


def measure_deepsizeof(objects: int) -> dict[str, float]:
    """The same structure by three tools, ours first and last."""
    import deadweight as dw
    import objsize
    from pympler import asizeof

    data = records(objects)
    ours = cpu(lambda: dw.deepsizeof(data), 5)
    count = dw.deepsizeof(data).count
    theirs = cpu(lambda: objsize.get_deep_size(data), 1)
    slowest = cpu(lambda: asizeof.asizeof(data), 1)
    ours = min(ours, cpu(lambda: dw.deepsizeof(data), 5))
    return {"deadweight": ours, "objsize": theirs, "asizeof": slowest, "objects": count}


def measure_snapshot(objects: int) -> dict[str, float]:
    """How long the program stands still."""
    import deadweight as dw

    kept = [records(objects), bytearray(b"x") * 500_000_000]
    pauses = [dw.snapshot().pause.total_seconds() for _ in range(5)]
    with open("/proc/self/statm", encoding="ascii") as file:
        resident = int(file.read().split()[1]) * 4096
    del kept
    return {"pause": min(pauses), "median": statistics.median(pauses), "resident": resident}


def measure_peak(objects: int) -> dict[str, float]:
    """Code that does little but allocate, with and without, in turn: the median ratio of pairs."""
    import deadweight as dw

    text = json.dumps([{"id": number, "name": f"name {number}", "tags": [1, 2]} for number in range(3000)])

    def parse() -> None:
        for _ in range(3):
            json.loads(text)

    def build() -> None:
        for _ in range(3):
            [Record(number) for number in range(5000)]

    def fill() -> None:
        for _ in range(5):
            {number: [] for number in range(20_000)}

    def large() -> None:
        for size in range(10_000):
            bytearray(size)

    figures = {}
    works = {"json.loads": parse, "instances": build, "lists in dicts": fill, "bytearrays": large}
    for name, work in works.items():
        work()
        ratios = []
        for _ in range(31):
            began = time.process_time()
            work()
            plain = time.process_time() - began
            with dw.peak():
                began = time.process_time()
                work()
                counted = time.process_time() - began
            ratios.append(counted / plain)
        figures[name] = statistics.median(ratios)
    return figures


def measure_growth(objects: int) -> dict[str, float]:
    """What a look costs, beside so many objects that stay as they are."""
    import deadweight as dw

    kept = records(objects)
    growth = dw.growth(warmup=0)
    gc.collect()
    least = float("inf")
    began = time.process_time()
    for _ in growth.rounds(4):
        least = min(least, time.process_time() - began)
        began = time.process_time()
    growth.assert_none()
    del kept
    return {"round": least}


def measure_import(_: int) -> dict[str, float]:
    """The import alone: the least of twenty fresh interpreters."""
    program = "import time; b = time.perf_counter(); import deadweight; print(time.perf_counter() - b)"
    runs = [
        float(subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout)
        for _ in range(20)
    ]
    return {"seconds": min(runs)}


PARTS = {
    "deepsizeof": measure_deepsizeof,
    "snapshot": measure_snapshot,
    "peak": measure_peak,
    "growth": measure_growth,
    "import": measure_import,
}

if __name__ == "__main__":
    part, objects = sys.argv[1:]
    print(json.dumps(PARTS[part](int(objects))))
