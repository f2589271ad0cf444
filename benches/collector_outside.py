#!/usr/bin/env python3
"""How well `deadweight gc` foretells the processor time of a full collection.

    benches/collector_outside.py              ten programs, on every interpreter that scripts/pythons lists
    benches/collector_outside.py --calibrate  other programs; prints what the constants of
                                              crates/heap/src/full_collection.rs should be (needs NumPy)
    --minors                                  with either: the newest of each minor version only

Each program makes its objects, collects, and says the least processor time of three more calls of
`gc.collect()`, which find nothing. Then deadweight looks at it from outside and says what it expects.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
DEADWEIGHT = os.environ.get("DEADWEIGHT", str(ROOT / "target/release/deadweight"))

SEED = "import random\nrandom.seed(1)\n"

ASK = """
import gc, sys, time
gc.collect()
def one():
    start = time.process_time()
    gc.collect()
    return time.process_time() - start
print(min(one() for _ in range(3)), flush=True)
sys.stdin.read()
"""

CALIBRATE = {
    "lists of one": "kept = [[number] for number in range(SIZE)]",
    "lists of ten": "kept = [[number] * 10 for number in range(SIZE // 4)]",
    "dicts": "kept = [dict(a=number, b=[]) for number in range(SIZE // 2)]",
    "plain instances": """
class A:
    def __init__(self, a):
        self.a, self.b, self.c = a, str(a), None
kept = [A(number) for number in range(SIZE)]
""",
    "slots": """
class A:
    __slots__ = "a", "b"
    def __init__(self, a):
        self.a, self.b = a, [a]
kept = [A(number) for number in range(SIZE // 2)]
""",
    "tuples in shuffled order": """
kept = [([number],) for number in range(SIZE // 2)]
random.shuffle(kept)
more = [[one] for one in kept]
""",
    "linked list": """
class N:
    __slots__ = "next", "value"
kept = None
for number in range(SIZE):
    one = N()
    one.next, one.value, kept = kept, number, one
""",
    "random graph": """
kept = [[] for _ in range(SIZE // 2)]
for one in kept:
    one.extend(random.choices(kept, k=4))
""",
}

PROGRAMS = {
    "user records": """
class User:
    def __init__(self, number):
        self.id, self.name, self.tags = number, "user %d" % number, ["a", "b"]
kept = {number: User(number) for number in range(300_000)}
""",
    "parsed JSON": """
import json
rows = [{"id": n, "at": [n, n + 1], "who": {"name": str(n)}} for n in range(100_000)]
text = json.dumps(rows)
del rows
kept = json.loads(text)
""",
    "records with slots": """
class P:
    __slots__ = ("x", "y", "z")
    def __init__(self, x, y, z):
        self.x, self.y, self.z = x, y, z
kept = [P(1.0 * n, 2.0 * n, [n]) for n in range(250_000)]
""",
    "binary tree": """
class T:
    def __init__(self, depth):
        self.left = T(depth - 1) if depth else None
        self.right = T(depth - 1) if depth else None
kept = T(17)
""",
    "syntax trees": """
import argparse, ast, inspect, tarfile, typing
kept = [ast.parse(inspect.getsource(module)) for module in (argparse, tarfile, typing) for _ in range(4)]
""",
    "index of words": """
kept = {}
for n in range(600_000):
    kept.setdefault("w%d" % random.randrange(150_000), []).append(n)
""",
    "closures": """
def make(n):
    state = [n]
    def get():
        return state
    return get
kept = [make(n) for n in range(150_000)]
""",
    "ordered dicts": """
import collections
kept = [collections.OrderedDict(a=[n], b=(n, [n])) for n in range(60_000)]
""",
    "shuffled table": """
class R:
    __slots__ = ("a", "b")
    def __init__(self):
        self.a, self.b = [], {}
kept = [R() for _ in range(250_000)]
random.shuffle(kept)
by = [(r, r.a) for r in kept]
""",
    "sets and tuples": "kept = [({n, n + 1}, frozenset([n]), [n]) for n in range(150_000)]",
}


def pythons():
    listed = subprocess.run(
        [ROOT / "scripts/pythons", *[word for word in sys.argv[1:] if word == "--minors"]],
        capture_output=True,
        text=True,
        check=True,
    )
    return [line.split("\t") for line in listed.stdout.splitlines()]


def look(python, script):
    """The processor time that the program measured, and what deadweight says, in milliseconds."""
    with subprocess.Popen(
        [python, "-I", "-c", SEED + script + ASK], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as program:
        measured = float(program.stdout.readline()) * 1000
        said = subprocess.run(
            [DEADWEIGHT, "-q", "gc", "--json", str(program.pid)], capture_output=True, text=True, check=True
        )
        program.stdin.close()
    return measured, json.loads(said.stdout)["full_collection"]


def calibrate():
    import numpy

    rows, times = [], []
    for version, python in pythons():
        for name, script in CALIBRATE.items():
            for size in (100_000, 500_000):
                measured, said = look(python, script.replace("SIZE", str(size)))
                row = [said[key] for key in ("objects", "references", "near_misses", "far_misses")]
                print(
                    version, name, size, f"{measured:.2f} ms", row, f"{said['cpu_ms'] / measured:.2f}", flush=True
                )
                rows.append(row)
                times.append(measured * 1e6)
    # The logarithm of predicted / measured is made small, by Gauss and Newton; no constant is below 0.
    matrix, wanted, best = numpy.array(rows), numpy.array(times), numpy.full(4, 10.0)
    for _ in range(500):
        predicted = matrix @ best
        step = numpy.linalg.lstsq(matrix / predicted[:, None], numpy.log(wanted / predicted), rcond=None)[0]
        best = numpy.maximum(best + 0.2 * step, 0.1)
    print("nanoseconds an object, a reference, a near miss, a far miss:", best.round(1))
    print("predicted / measured:", numpy.percentile(matrix @ best / wanted, [0, 10, 50, 90, 100]).round(2))


def table():
    names = list(PROGRAMS)
    print("| program | " + " | ".join(version for version, _ in pythons()) + " |")
    print("|---|" + "---:|" * len(pythons()))
    within = dict.fromkeys((version for version, _ in pythons()), 0)
    for name in names:
        cells = []
        for version, python in pythons():
            measured, said = look(python, PROGRAMS[name])
            ratio = said["cpu_ms"] / measured
            within[version] += 0.7 <= ratio <= 1.3
            cells.append(f"{said['cpu_ms']:.0f} / {measured:.0f}")
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)
    print("| within ± 30 % | " + " | ".join(f"{count} of {len(names)}" for count in within.values()) + " |")


if __name__ == "__main__":
    calibrate() if "--calibrate" in sys.argv else table()
