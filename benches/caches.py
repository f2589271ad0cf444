"""Figures of caches, beside those of others.

    python3 benches/caches.py [--quick] [--python 3.12] [--write docs/lifetimes.md]

Installs a wheel built in release mode and the other caches into an environment of its own for each interpreter,
and measures there (benches/caches_target.py): bytes that an entry takes, and CPU time of reading and putting in.
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
BASE = TOP / ".deadweight/caches-bench"
PACKAGES = ["pip", "cachebox==6.2.10", "cachetools==7.3.3"]
# Where there is no wheel of one it is left out.
PERHAPS = ["theine==2.0.0", "moka-py==0.5.0"]
MARK = "<!-- made by benches/caches.py -->"
NAMES = {
    "Cache": "`dw.Cache(maxsize)`",
    "Cache, weigher": "… with a weigher",
    "Cache, max_bytes": "… with `max_bytes`",
    "cachebox": "cachebox `LRUCache`",
    "cachetools": "cachetools `LRUCache`",
    "theine": "theine `Cache`",
    "moka-py": "moka-py `Moka`",
    "cached": "`dw.cached`, a call",
    "lru_cache": "`functools.lru_cache`, a call",
    "WeakCache": "`dw.WeakCache`",
    "WeakValueDictionary": "`WeakValueDictionary`",
    "dict": "dict, no bound",
}


@dataclass(frozen=True)
class Run:
    """All that was measured in one interpreter."""

    version: str
    memory: dict[str, float | None]
    speed: dict[str, dict[str, float]]

    def name(self) -> str:
        """What it is called where a figure is missed."""
        return f"caches, {self.version}"

    def beside(self, step: str, tool: str, other: str) -> float:
        """What a step of one takes beside that of another."""
        return self.speed[tool][step] / self.speed[other][step]


FIGURES = [
    Figure("caches_get", "`Cache` get / cachebox", lambda run: run.beside("get", "Cache", "cachebox")),
    Figure("caches_put", "`Cache` put / cachebox", lambda run: run.beside("put", "Cache", "cachebox")),
    Figure(
        "caches_evict", "`Cache` put that evicts / cachebox", lambda run: run.beside("evict", "Cache", "cachebox")
    ),
    Figure("caches_bytes", "bytes an entry / 110", lambda run: (run.memory["Cache"] or 0.0) / 110),
    Figure("caches_weigh", "weighing / 0.12 µs an object", lambda run: run.speed["weighing"]["object"] / 120),
    Figure(
        "caches_weak",
        "2 times `WeakCache` put / `WeakValueDictionary`",
        lambda run: 2 * run.beside("put", "WeakCache", "WeakValueDictionary"),
    ),
]


def measure(python: Path, *arguments: object) -> Any:
    """Runs one part in a fresh interpreter."""
    command = [str(python), str(HERE / "caches_target.py"), *map(str, arguments)]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)


def run_of(version: str, python: str, wheels: dict[bool, str], entries: int, rounds: int) -> Run:
    """All figures of an interpreter."""
    own = prepare(BASE / version, python, PACKAGES, wheels)
    pip = [own, "-m", "pip", "--quiet", "--disable-pip-version-check", "install", "--only-binary=:all:"]
    for package in PERHAPS:
        if subprocess.run([*pip, package], stderr=subprocess.PIPE, check=False).returncode:
            print(f"bench: no wheel of {package} for Python {version}: left out", file=sys.stderr)
    memory = {tool: measure(own, "memory", tool, entries) for tool in NAMES}
    run = Run(version, memory, measure(own, "speed", entries, rounds))
    print(run.name(), json.dumps([run.memory, run.speed]), file=sys.stderr, flush=True)
    return run


def page(machine: Machine, runs: list[Run], entries: int, recorded: dict[str, Any]) -> str:
    """The tables."""
    head = " | ".join(run.version for run in runs)
    lines = [f"{entries:,} entries of text and instances. Machine: {machine}.", ""]
    lines += [f"| ratio | promised | {head} |", "| --- | ---: |" + " ---: |" * len(runs)]
    for figure in FIGURES:
        promised = recorded[figure.key]["promised"]
        numbers = [figure.of(run) for run in runs]
        cells = [f"{number:.3g}" if number <= promised else f"**{number:.3g}**" for number in numbers]
        lines.append(f"| {figure.means} | ≤ {promised:g} | " + " | ".join(cells) + " |")
    lines += ["", "A ratio in bold misses what is promised.", ""]
    steps = {"get": "CPU ns to read", "put": "CPU ns to put in", "evict": "… when another goes for it"}
    tables: list[tuple[str, dict[str, list[float | None]]]] = [
        ("bytes an entry", {name: [run.memory[name] for run in runs] for name in NAMES})
    ]
    for step, what in steps.items():
        tables.append((what, {name: [run.speed.get(name, {}).get(step) for run in runs] for name in NAMES}))
    for what, rows in tables:
        lines += [f"| {what} | {head} |", "| --- |" + " ---: |" * len(runs)]
        for name, numbers in rows.items():
            cells = ["" if number is None else f"{number:.0f}" for number in numbers]
            if any(cells):
                lines.append(f"| {NAMES[name]} | " + " | ".join(cells) + " |")
        lines.append("")
    entry = " | ".join(f"{run.speed['weighing']['entry']:.0f}" for run in runs)
    each = " | ".join(f"{run.speed['weighing']['object']:.0f}" for run in runs)
    lines += [f"| CPU ns to weigh | {head} |", "| --- |" + " ---: |" * len(runs)]
    lines += [f"| an entry of two objects | {entry} |", f"| each object more | {each} |"]
    return "\n".join(lines)


def main() -> int:
    """Measures, prints, and says what is missed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="one interpreter, fewer rounds")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put tables into this page")
    parser.add_argument("--python", action="append", metavar="MINOR", help="only these versions, such as 3.12")
    options = parser.parse_args()
    entries, rounds = 100_000, 3 if options.quick else 7
    minors = options.python or (["3.13"] if options.quick else None)
    machine = Machine.now()
    wheels: dict[bool, str] = {}
    listed = [(version, python) for version, python in interpreters()]
    wanted = [it for it in listed if minors is None or it[0].rpartition(".")[0] in minors]
    runs = [run_of(version, python, wheels, entries, rounds) for version, python in wanted]
    recorded = json.loads((HERE / "recorded.json").read_text(encoding="utf-8"))
    text = page(machine.until_now(), runs, entries, recorded)
    print(text)
    if options.write:
        put(text, options.write, MARK)
    failures = judge(FIGURES, runs, recorded)
    for failure in failures:
        print(f"bench: {failure}", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
