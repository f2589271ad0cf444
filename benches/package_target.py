"""One part of benches/package.py, run in the interpreter that is measured: prints its figures."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

PEAK_ROUNDS = 41


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


def jump_hooks() -> ctypes.PyDLL:
    """Hooks that count nothing, compiled here."""
    with tempfile.TemporaryDirectory() as directory:
        library = f"{directory}/jump.so"
        source = Path(__file__).with_name("jump.c")
        subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", library, source], check=True)
        return ctypes.PyDLL(library)


@contextlib.contextmanager
def hooked(hooks: ctypes.PyDLL) -> Iterator[None]:
    """With hooks that count nothing."""
    hooks.hook()
    try:
        yield
    finally:
        hooks.unhook()


def measure_peak(objects: int) -> dict[str, dict[str, float]]:
    """Code that does little but allocate, by itself, with hooks that only jump, and with `peak`, in turn: median
    ratios."""
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

    def timed(under: contextlib.AbstractContextManager[object]) -> float:
        # Else a full collection, due after so many objects, falls upon the same one of the three each time.
        gc.collect()
        with under:
            began = time.process_time()
            work()
            return time.process_time() - began

    hooks = jump_hooks()
    figures: dict[str, dict[str, float]] = {"peak": {}, "jump": {}}
    works = {"json.loads": parse, "instances": build, "lists in dicts": fill, "bytearrays": large}
    for name, work in works.items():
        work()
        rounds = [
            (timed(contextlib.nullcontext()), timed(hooked(hooks)), timed(dw.peak())) for _ in range(PEAK_ROUNDS)
        ]
        figures["jump"][name] = statistics.median(jump / plain for plain, jump, _ in rounds)
        figures["peak"][name] = statistics.median(peak / plain for plain, _, peak in rounds)
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
