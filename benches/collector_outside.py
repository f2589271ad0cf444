#!/usr/bin/env python3
"""How well `deadweight gc` foretells the processor time of a full collection.

    benches/collector_outside.py              ten programs, on every interpreter that scripts/pythons lists
    benches/collector_outside.py --calibrate  other programs; prints what the constants of
                                              crates/heap/src/full_collection.rs should be (needs NumPy)
    --minors                                  with either: the newest of each minor version only

Each program makes its objects, collects, and says the least processor time of seven more calls of
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
    start = time.thread_time()
    gc.collect()
    return time.thread_time() - start
print(min(one() for _ in range(7)), flush=True)
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
    "nested configs": """
def config(depth):
    return {"n%d" % k: config(depth - 1) if depth else k for k in range(6)}
kept = [config(5) for _ in range(SIZE // 10000)]
""",
    "rows as dicts": 'kept = [dict(zip("abcdefgh", range(n, n + 8)), child=[]) for n in range(SIZE // 2)]',
    "shapes": """
class Node:
    def __init__(self, kind, depth):
        self.kind, self.at, self.extra = kind, (depth, random.randrange(1000)), {}
        self.children = [Node(kind, depth - 1) for _ in range(random.randrange(5))] if depth else []
kept = []
while len(kept) < SIZE // 500: kept.append(Node("n", 7))
""",
    "tree of lists": """
def tree(depth):
    return [tree(depth - 1) for _ in range(3)] if depth else [1]
kept = [tree(9) for _ in range(SIZE // 30000)]
""",
    "graph of records": """
class P: pass
kept = []
for n in range(SIZE // 2):
    p = P(); p.name, p.friends = str(n), set(); kept.append(p)
for p in kept:
    for q in random.choices(kept, k=3): p.friends.add(q)
""",
    "xml": """
import xml.dom.minidom
text = "".join("<b c='%d'><d>t%d</d></b>" % (n, n) for n in range(SIZE // 160))
kept = [xml.dom.minidom.parseString("<a>" + text + "</a>") for _ in range(4)]
""",
    "dicts by key": 'kept = {n: {"v": [n], "w": float(n)} for n in random.sample(range(SIZE * 3), SIZE // 3)}',
    "aged lists": """
kept = [[n] for n in range(SIZE)]
for _ in range(SIZE): kept[random.randrange(SIZE)] = [object(), [_]]
""",
    "weakrefs and methods": """
import weakref
class A:
    def m(self): pass
kept = [A() for n in range(SIZE // 3)]
more = [(a.m, weakref.ref(a)) for a in kept]
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


# What the model prices, as `deadweight gc --json` counts it.
COUNTED = [
    ("object", ["objects"]),
    ("reference", ["references"]),
    ("near_step", ["list_near_misses"]),
    ("far_step", ["list_far_misses"]),
    ("visit", ["near_misses", "far_misses"]),
]


def calibrate():
    rows = {"up to 3.12": [], "from 3.13": []}
    for name, script in CALIBRATE.items():
        for version, python in pythons():
            measured, said = look(python, script.replace("SIZE", "400_000"))
            row = [sum(said[key] for key in keys) for _, keys in COUNTED]
            print(version, name, f"{measured:.2f} ms", row, f"{said['cpu_ms'] / measured:.2f}", flush=True)
            rows["up to 3.12" if int(version.split(".")[1]) < 13 else "from 3.13"].append((*row, measured * 1e6))
    for versions, table in rows.items():
        if table:
            fit(versions, table)


def fit(versions, table):
    """The logarithm of predicted / measured is made small, by Gauss and Newton, damped, over the logarithms of
    the prices: so none is below 0, and one that does not matter stays where it was."""
    import numpy

    *counts, wanted = numpy.array(table, float).T
    counts = numpy.array(counts).T
    logs = numpy.full(len(COUNTED), 2.5)
    for _ in range(1000):
        parts = counts * numpy.exp(logs)
        predicted = parts.sum(axis=1)
        slopes = numpy.vstack([parts / predicted[:, None], 0.1 * numpy.eye(len(COUNTED))])
        missing = numpy.append(numpy.log(wanted / predicted), numpy.zeros(len(COUNTED)))
        logs = numpy.clip(logs + 0.3 * numpy.linalg.lstsq(slopes, missing, rcond=None)[0], 0, 8)
    prices = numpy.exp(logs)
    print(versions, dict(zip((name for name, _ in COUNTED), prices.round(1).tolist(), strict=True)))
    print("predicted / measured:", numpy.percentile(counts @ prices / wanted, [0, 10, 50, 90, 100]).round(2))


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
