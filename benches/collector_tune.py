#!/usr/bin/env python3
"""What `dw.collector.tune` costs and saves: run it with an interpreter that has deadweight.

    python benches/collector_tune.py [OBJECTS]     default 5,000,000

Processor seconds of a load of so many tracked objects that stay, with the collector off, tuned, and on, each in a
process of its own, five times in turn: the least of each. Then the most resident memory while a loop drops cycles
worth 1 GB, by what was resident before the loop: of 100 and of 10,000 bytes each, in an empty program and in one
that has loaded. And what memory of its own a child of a fifth of that load has after a full collection, with and
without tune("fork").
"""

import gc
import os
import subprocess
import sys
import time


class Record:
    __slots__ = ("number", "tags")

    def __init__(self, number):
        self.number = number
        self.tags = [number]


class Node:
    __slots__ = ("data", "other")


def load(objects):
    return [Record(number) for number in range(objects // 2)]


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def seconds(how, objects):
    if how == "off":
        gc.disable()
    elif how == "tuned":
        import deadweight as dw

        dw.collector.tune("batch")
    start = time.process_time()
    load(objects)
    return time.process_time() - start


def cycles(size, objects):
    import deadweight as dw

    dw.collector.tune("batch")
    kept = load(objects)
    before = most = resident()
    made = 0
    for number in range(sys.maxsize):
        if made > 1_000_000_000:
            break
        one, other = Node(), Node()
        one.other, other.other, one.data = other, one, bytes(size)
        made += sys.getsizeof(one) + sys.getsizeof(other) + sys.getsizeof(one.data)
        if number % 500 == 0:
            most = max(most, resident())
    assert kept is not None
    return most / before


def child(how, objects):
    """Megabytes of its own that a forked child has after a full collection."""
    kept = load(objects)
    if how == "tuned":
        import deadweight as dw

        dw.collector.tune("fork")
    reading, writing = os.pipe()
    if not os.fork():
        gc.collect()
        with open("/proc/self/smaps_rollup") as file:
            own = sum(int(line.split()[1]) for line in file if line.startswith("Private"))
        os.write(writing, f"{own / 1000:.1f}".encode())
        os._exit(0)
    os.wait()
    assert kept is not None
    return float(os.read(reading, 100))


def ask(*arguments):
    command = [sys.executable, __file__, "--one", *map(str, arguments)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def main(objects):
    times = {how: [] for how in ("off", "tuned", "on")}
    for _ in range(5):
        for how, all_of_them in times.items():
            all_of_them.append(ask("load", how, objects))
    least = {how: min(all_of_them) for how, all_of_them in times.items()}
    ratios = [ask("cycles", size, loaded) for loaded in (0, objects // 5) for size in (100, 10_000)]
    children = [ask("child", how, objects // 5) for how in ("on", "tuned")]
    version = ".".join(map(str, sys.version_info[:3]))
    cells = [f"{least[how]:.2f}" for how in times] + [f"{least['tuned'] / least['off']:.2f}"]
    print(
        f"| {version} | "
        + " | ".join(cells + [f"{ratio:.2f}" for ratio in ratios] + [f"{own:.0f}" for own in children])
        + " |",
        flush=True,
    )


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--one", "load", how, objects]:
            print(seconds(how, int(objects)))
        case ["--one", "child", how, objects]:
            print(child(how, int(objects)))
        case ["--one", "cycles", size, objects]:
            print(cycles(int(size), int(objects)))
        case [*objects]:
            main(int(objects[0]) if objects else 5_000_000)
