"""Figures of the Python package, beside other tools: the second part of `make bench`.

    python3 benches/package.py [--quick] [--python 3.12] [--write docs/performance.md]

Installs a wheel built in release mode into an environment of its own for each interpreter, and measures
there: `deepsizeof` beside Pympler's `asizeof` and objsize, how long `snapshot` stops the program, what
`peak` costs code that does little but allocate, a round of `growth`, and the import. CPU seconds are
user and system time; what is compared is run in turn, in one process.
Exits 1 if a figure misses the ratio recorded in benches/recorded.json by more than a quarter.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from environments import TOP, interpreters, prepare, put
from figures import Figure, Machine, judge

HERE = Path(__file__).resolve().parent
BASE = TOP / ".deadweight/package-bench"
# Interpreters that Debian splits up have no pip of their own.
PACKAGES = ["pip", "Pympler==1.1", "objsize==0.8.0"]
MARK = "<!-- made by benches/package.py -->"
QUICK = ["3.11", "3.13"]
PARTS = ["deepsizeof", "snapshot", "peak", "growth", "import"]


@dataclass(frozen=True)
class Run:
    """All that was measured in one interpreter."""

    version: str
    parts: dict[str, dict[str, Any]]

    def name(self) -> str:
        """What it is called where a figure is missed."""
        return f"package, {self.version}"

    def times(self, tool: str) -> float:
        """How many times as much CPU another tool takes as `deepsizeof`."""
        return self.parts["deepsizeof"][tool] / self.parts["deepsizeof"]["deadweight"]

    def an_object(self) -> float:
        """Microseconds that `deepsizeof` takes an object."""
        return self.parts["deepsizeof"]["deadweight"] / self.parts["deepsizeof"]["objects"] * 1e6

    def pause(self) -> float:
        """Seconds that `snapshot` stops the program."""
        return self.parts["snapshot"]["pause"]

    def allowed_pause(self) -> float:
        """25 ms a GB and 3 ms."""
        return 25e-12 * self.parts["snapshot"]["resident"] + 3e-3


FIGURES = [
    Figure("asizeof", "30 times CPU of `deepsizeof` / CPU of asizeof", lambda run: 30 / run.times("asizeof")),
    Figure("objsize", "25 times CPU of `deepsizeof` / CPU of objsize", lambda run: 25 / run.times("objsize")),
    Figure("deepsizeof", "CPU of `deepsizeof` / 0.12 µs an object", lambda run: run.an_object() / 0.12),
    Figure(
        "snapshot",
        "`snapshot` stops the program / (25 ms a GB + 3 ms)",
        lambda run: run.pause() / run.allowed_pause(),
    ),
    Figure("peak", "CPU under `peak` / CPU without", lambda run: max(run.parts["peak"]["peak"].values())),
    Figure("import", "import / 30 ms", lambda run: run.parts["import"]["seconds"] / 30e-3),
]


def measure(python: Path, part: str, objects: int) -> dict[str, Any]:
    """Runs one part in a fresh interpreter."""
    command = [str(python), str(HERE / "package_target.py"), part, str(objects)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def main() -> int:
    """Measures, prints, and says what is missed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="two interpreters, a tenth of the objects")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the table into this page")
    parser.add_argument("--python", action="append", metavar="MINOR", help="only these versions, such as 3.12")
    options = parser.parse_args()
    objects = 100_000 if options.quick else 1_000_000
    minors = options.python or (QUICK if options.quick else None)
    machine = Machine.now()
    wheels: dict[bool, str] = {}
    runs = []
    for version, python in interpreters():
        if minors is None or version.rpartition(".")[0] in minors:
            own = prepare(BASE / version, python, PACKAGES, wheels)
            run = Run(version, {part: measure(own, part, objects) for part in PARTS})
            print(run.name(), json.dumps(run.parts), file=sys.stderr, flush=True)
            runs.append(run)
    recorded = json.loads((HERE / "recorded.json").read_text(encoding="utf-8"))
    text = page(machine.until_now(), runs, recorded)
    print(text)
    if options.write:
        put(text, options.write, MARK)
    failures = judge(FIGURES, runs, recorded)
    for failure in failures:
        print(f"bench: {failure}", file=sys.stderr)
    return 1 if failures else 0


def page(machine: Machine, runs: list[Run], recorded: dict[str, Any]) -> str:
    """The table."""
    lines = [
        f"Machine: {machine}.",
        "",
        "| | promised | " + " | ".join(run.version for run in runs) + " |",
        "| --- | ---: |" + " ---: |" * len(runs),
    ]
    for figure in FIGURES:
        promised = recorded[figure.key]["promised"]
        numbers = [figure.of(run) for run in runs]
        cells = [f"{number:.3g}" if number <= promised else f"**{number:.3g}**" for number in numbers]
        lines.append(f"| {figure.means} | ≤ {promised:g} | " + " | ".join(cells) + " |")
    rows = [
        ("`deepsizeof`, CPU s", lambda run: run.parts["deepsizeof"]["deadweight"]),
        ("`deepsizeof`, µs an object", Run.an_object),
        ("asizeof, CPU s", lambda run: run.parts["deepsizeof"]["asizeof"]),
        ("asizeof / `deepsizeof`", lambda run: run.times("asizeof")),
        ("objsize, CPU s", lambda run: run.parts["deepsizeof"]["objsize"]),
        ("objsize / `deepsizeof`", lambda run: run.times("objsize")),
        ("`snapshot` stops the program, ms", lambda run: run.pause() * 1e3),
        ("resident then, MB", lambda run: run.parts["snapshot"]["resident"] / 1e6),
        ("`growth`, CPU s a round", lambda run: run.parts["growth"]["round"]),
        ("import, ms", lambda run: run.parts["import"]["seconds"] * 1e3),
    ]
    for name, figure in rows:
        lines.append(f"| {name} |  | " + " | ".join(f"{figure(run):.3g}" for run in runs) + " |")
    for workload in runs[0].parts["peak"]["peak"] if runs else ():
        for name, title in (("peak", "`peak`"), ("jump", "hooks that only jump")):
            cells = [f"{run.parts['peak'][name][workload]:.2f}" for run in runs]
            lines.append(f"| {title}, {workload} |  | " + " | ".join(cells) + " |")
    lines += ["", "A figure in bold misses what is promised."]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
