#!/usr/bin/env python3
"""How well `deadweight gc` foretells the processor time of a full collection.

    benches/collector_outside.py              ten programs, on every interpreter that scripts/pythons lists
    benches/collector_outside.py --calibrate  other programs; prints what the constants of
                                              crates/heap/src/full_collection.rs should be (needs NumPy)

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

SHUFFLE = "import random\nrandom.seed(1)\n"

CALIBRATE = {
    "lists of one": "kept = [[number] for number in range({n})]",
    "lists of ten": "kept = [[number] * 10 for number in range({n} // 4)]",
    "dicts": "kept = [dict(a=number, b=[]) for number in range({n} // 2)]",
    "plain instances": "class A:\n  def __init__(self, a): self.a = a; self.b = str(a); self.c = None\n"
    "kept = [A(number) for number in range({n})]",
    "slots": "class A:\n  __slots__ = 'a', 'b'\n  def __init__(self, a): self.a = a; self.b = [a]\n"
    "kept = [A(number) for number in range({n} // 2)]",
    "tuples in shuffled order": SHUFFLE
    + "kept = [([number],) for number in range({n} // 2)]\nrandom.shuffle(kept)\nmore = [[one] for one in kept]",
    "linked list": "class N:\n  __slots__ = 'next', 'value'\nkept = None\n"
    "for number in range({n}):\n  n = N(); n.next = kept; n.value = number; kept = n",
    "random graph": SHUFFLE + "kept = [[] for _ in range({n} // 2)]\n"
    "for one in kept: one.extend(random.choices(kept, k=4))",
}

PROGRAMS = {
    "user records": "class User:\n  def __init__(self, n): self.id = n; self.name = 'user %d' % n; self.tags = ['a', 'b']\n"
    "kept = {number: User(number) for number in range(300000)}",
    "parsed JSON": "import json\ntext = json.dumps([{'id': n, 'at': [n, n + 1], 'who': {'name': str(n)}} for n in range(100000)])\n"
    "kept = json.loads(text)",
    "dataclasses with slots": "import dataclasses, sys\n@dataclasses.dataclass\nclass P:\n  __slots__ = ('x', 'y', 'z')\n  x: float\n  y: float\n  z: list\n"
    "kept = [P(1.0 * n, 2.0 * n, [n]) for n in range(250000)]",
    "binary tree": "class T:\n  def __init__(self, d): self.l = self.r = None\n"
    "def make(d):\n  t = T(d)\n  if d: t.l, t.r = make(d - 1), make(d - 1)\n  return t\nkept = make(17)",
    "syntax trees": "import ast, inspect, argparse, typing, decimal, tarfile\n"
    "kept = [ast.parse(inspect.getsource(m)) for m in (argparse, typing, tarfile) for _ in range(4)]",
    "index of words": SHUFFLE
    + "kept = {}\nfor n in range(600000): kept.setdefault('w%d' % random.randrange(150000), []).append(n)",
    "closures": "def make(n):\n  state = [n]\n  def get(): return state\n  return get\nkept = [make(n) for n in range(150000)]",
    "ordered dicts": "import collections\nkept = [collections.OrderedDict(a=[n], b=(n, [n])) for n in range(60000)]",
    "shuffled table": SHUFFLE
    + "class R:\n  __slots__ = ('a', 'b')\n  def __init__(self): self.a = []; self.b = {}\n"
    "kept = [R() for _ in range(250000)]\nrandom.shuffle(kept)\nby = [(r, r.a) for r in kept]",
    "sets and tuples": "kept = [({n, n + 1}, frozenset([n]), [n]) for n in range(150000)]",
}


def pythons():
    listed = subprocess.run([ROOT / "scripts/pythons", *sys.argv[2:]], capture_output=True, text=True, check=True)
    return [line.split("\t") for line in listed.stdout.splitlines()]


def look(python, script):
    """The processor time that the program measured, and what deadweight says, in milliseconds."""
    with subprocess.Popen(
        [python, "-I", "-c", script + ASK], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
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
                measured, said = look(python, script.replace("{n}", str(size)))
                row = [said[key] for key in ("objects", "references", "near_misses", "far_misses")]
                print(
                    version, name, size, f"{measured:.2f} ms", row, f"{said['cpu_ms'] / measured:.2f}", flush=True
                )
                rows.append(row)
                times.append(measured * 1e6)
    # Relative errors count: each row is divided by its time.
    matrix, wanted = numpy.array(rows) / numpy.array(times)[:, None], numpy.ones(len(rows))
    best = numpy.zeros(4)
    for _ in range(200_000):
        # Coordinate descent with constants that are not negative.
        before = best.copy()
        for column in range(4):
            rest = wanted - matrix @ best + matrix[:, column] * best[column]
            best[column] = max(0, matrix[:, column] @ rest / (matrix[:, column] @ matrix[:, column]))
        if numpy.allclose(before, best, rtol=1e-9):
            break
    print("nanoseconds an object, a reference, a near miss, a far miss:", best.round(1))
    print("predicted / measured:", numpy.percentile(matrix @ best, [0, 10, 50, 90, 100]).round(2))


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
    if sys.argv[1:2] == ["--calibrate"]:
        calibrate()
    else:
        sys.argv.insert(1, "")
        table()
