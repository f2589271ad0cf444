"""Figures of `collector`: what a monitor costs a collection, and loading with and without `paused`.

    python3 benches/collector.py [--quick] [--python 3.12] [--write docs/lifetimes.md]

Installs a wheel built in release mode into an environment of its own for each interpreter, and measures there
(benches/collector_target.py): CPU seconds of the thread that works, the least of several runs taken in turn.
Exits 1 if a figure misses the ratio recorded in benches/recorded.json by more than a quarter.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from environments import TOP, interpreters, prepare, put
from figures import Figure, Machine, judge

HERE = Path(__file__).resolve().parent
BASE = TOP / ".deadweight/package-bench"
# The same environments as those of benches/package.py.
PACKAGES = ["pip", "Pympler==1.1", "objsize==0.8.0"]
MARK = "<!-- made by benches/collector.py -->"
ROWS = {
    "monitor": ("a collection, µs more with a monitor", 1e6),
    "callback": ("… with a Python function that does nothing", 1e6),
    "off": ("loading, CPU s: collector off", 1),
    "as it is": ("… as it is", 1),
    "paused": ("… `paused`", 1),
    "served": ("a request waits at most, ms: as it is", 1e3),
    "served, schedule": ("… with a `schedule`, every second", 1e3),
}


@dataclass(frozen=True)
class Run:
    """All that was measured in one interpreter. Seconds."""

    version: str
    seconds: dict[str, float]

    def name(self) -> str:
        """What it is called where a figure is missed."""
        return f"collector, {self.version}"


FIGURES = [
    Figure("monitor", "a monitor, a collection / 2 µs", lambda run: run.seconds["monitor"] / 2e-6),
    Figure(
        "paused",
        "loading `paused` / with the collector off",
        lambda run: run.seconds["paused"] / run.seconds["off"],
    ),
]


def main() -> int:
    """Measures, prints, and says what is missed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="a tenth of the objects")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the table into this page")
    parser.add_argument("--python", action="append", metavar="MINOR", help="only these versions, such as 3.12")
    options = parser.parse_args()
    objects = 500_000 if options.quick else 5_000_000
    machine = Machine.now()
    wheels: dict[bool, str] = {}
    runs = []
    for version, python in interpreters():
        if options.python is None or version.rpartition(".")[0] in options.python:
            own = prepare(BASE / version, python, PACKAGES, wheels)
            command = [own, HERE / "collector_target.py", str(objects)]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
            runs.append(Run(version, json.loads(done.stdout)))
            print(runs[-1].name(), done.stdout, file=sys.stderr, end="", flush=True)
    recorded = json.loads((HERE / "recorded.json").read_text(encoding="utf-8"))
    text = page(machine.until_now(), runs, objects)
    print(text)
    if options.write:
        put(text, options.write, MARK)
    failures = judge(FIGURES, runs, recorded)
    for failure in failures:
        print(f"bench: {failure}", file=sys.stderr)
    return 1 if failures else 0


def page(machine: Machine, runs: list[Run], objects: int) -> str:
    """The table."""
    lines = [
        f"Machine: {machine}. Loading makes {objects:,} objects that the collector sees; "
        f"the service has {objects * 2 // 5:,}, and some milliseconds between requests.",
        "",
        "| | " + " | ".join(run.version for run in runs) + " |",
        "| --- |" + " ---: |" * len(runs),
    ]
    for key, (title, scale) in ROWS.items():
        lines.append(f"| {title} | " + " | ".join(f"{run.seconds[key] * scale:.2f}" for run in runs) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
