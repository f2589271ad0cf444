"""Figures of the Python package, beside other tools; on an idle machine, for docs/performance.md.

    python benches/package.py [--quick] [--write docs/performance.md]

Installs a wheel built in release mode into an environment of its own for each interpreter, and measures
there: `deepsizeof` beside Pympler's `asizeof` and objsize, how long `snapshot` stops the program, what
`peak` costs code that does little but allocate, a round of `growth`, and the import. CPU seconds are
user and system time; what is compared is run in turn, in one process. Exits 1 if a promise is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
TOP = HERE.parent
BASE = TOP / ".deadweight/package-bench"
PACKAGES = ["Pympler==1.1", "objsize==0.8.0"]
MARK = "<!-- made by benches/package.py -->"
MINORS = ["3.10", "3.11", "3.12", "3.13", "3.14", "3.15"]


def interpreters() -> dict[str, str]:
    """One interpreter of each minor version: the first that is listed."""
    found: dict[str, str] = {}
    lines = subprocess.run([TOP / "scripts/pythons"], capture_output=True, text=True, check=True).stdout
    for line in lines.splitlines():
        version, python = line.split("\t")
        minor = ".".join(version.split(".")[:2])
        has_pip = subprocess.run([python, "-m", "pip", "--version"], capture_output=True).returncode == 0
        if has_pip:
            found.setdefault(minor, python)
    return found


def prepare(minor: str, python: str, wheels: dict[str, Path]) -> Path:
    """An environment with the tools and the package, freshly built."""
    venv = BASE / minor
    subprocess.run([TOP / "scripts/make-venv", venv, python, *PACKAGES], check=True)
    kind = "cp310" if minor == "3.10" else "abi3"
    pip = [venv / "bin/python", "-m", "pip", "-q", "--disable-pip-version-check"]
    if kind not in wheels:
        wheels[kind] = BASE / f"wheels-{kind}"
        for old in wheels[kind].glob("*.whl"):
            old.unlink()
        settings = [] if kind == "cp310" else ["--config-settings", "build-args=--features abi3-py311"]
        subprocess.run([*pip, "wheel", "--no-deps", *settings, "-w", wheels[kind], TOP], check=True)
    wheel = next(wheels[kind].glob("*.whl"))
    subprocess.run([*pip, "install", "--force-reinstall", "--no-deps", wheel], check=True)
    return venv / "bin/python"


def measure(python: Path, part: str, objects: int) -> dict[str, Any]:
    """Runs one part in a fresh interpreter."""
    command = [str(python), str(HERE / "package_target.py"), part, str(objects)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    arguments.add_argument("--quick", action="store_true", help="two interpreters, a tenth of the objects")
    arguments.add_argument("--write", type=Path, metavar="PAGE", help="the page whose tables are replaced")
    arguments.add_argument("--python", action="append", help="only these minor versions")
    options = arguments.parse_args()
    objects = 100_000 if options.quick else 1_000_000
    minors = options.python or (["3.11", "3.13"] if options.quick else MINORS)
    load = os.getloadavg()[0]
    wheels: dict[str, Path] = {}
    results = {}
    for minor, python in interpreters().items():
        if minor in minors:
            own = prepare(minor, python, wheels)
            results[minor] = {
                part: measure(own, part, objects)
                for part in ("deepsizeof", "snapshot", "peak", "growth", "import")
            }
            print(minor, json.dumps(results[minor]), file=sys.stderr, flush=True)
    text, held = page(results, load)
    print(text)
    if options.write:
        whole = options.write.read_text()
        before = whole.split(MARK)[0].rstrip()
        after = whole.split(MARK)[2] if whole.count(MARK) == 2 else "\n"
        options.write.write_text(f"{before}\n\n{MARK}\n\n{text}\n{MARK}{after}")
    return 0 if held else 1


def times(result: dict[str, Any], tool: str) -> float:
    """How many times as much CPU another tool takes."""
    return result["deepsizeof"][tool] / result["deepsizeof"]["deadweight"]


def an_object(result: dict[str, Any]) -> float:
    """Microseconds that `deepsizeof` takes an object."""
    return result["deepsizeof"]["deadweight"] / result["deepsizeof"]["objects"] * 1e6


def stop(result: dict[str, Any]) -> float:
    """Milliseconds that the program stands still beyond what its size explains."""
    return result["snapshot"]["pause"] * 1e3 - 25 * result["snapshot"]["resident"] / 1e9


def page(results: dict[str, dict[str, Any]], load: float) -> tuple[str, bool]:
    """The tables, and whether all promises are held."""
    promises = [
        ("CPU of asizeof / CPU of `deepsizeof`", "≥ 30", lambda r: times(r, "asizeof"), lambda x: x >= 30),
        ("CPU of objsize / CPU of `deepsizeof`", "≥ 25", lambda r: times(r, "objsize"), lambda x: x >= 25),
        ("CPU of `deepsizeof`, µs an object", "≤ 0.12", an_object, lambda x: x <= 0.12),
        ("`snapshot` stops the program, ms beyond 25 ms a GB", "≤ 3", stop, lambda x: x <= 3),
        ("CPU under `peak` / CPU without", "≤ 1.1", lambda r: max(r["peak"].values()), lambda x: x <= 1.1),
        ("import, ms", "≤ 30", lambda r: r["import"]["seconds"] * 1e3, lambda x: x <= 30),
    ]
    held = True
    head = "| | promised | " + " | ".join(results) + " |\n| --- | ---: |" + " ---: |" * len(results)
    lines = [
        f"Machine: {platform.machine()}, {os.cpu_count()} cores, {platform.system()} {platform.release()}; "
        f"load {load:.1f} when it began.",
        "",
        head,
    ]
    for name, promised, figure, keeps in promises:
        cells = []
        for result in results.values():
            number = figure(result)
            held &= keeps(number)
            cells.append(f"{number:.3g}" if keeps(number) else f"**{number:.3g}**")
        lines.append(f"| {name} | {promised} | " + " | ".join(cells) + " |")
    for name, part, key, scale in (
        ("`deepsizeof`, CPU s", "deepsizeof", "deadweight", 1),
        ("asizeof, CPU s", "deepsizeof", "asizeof", 1),
        ("objsize, CPU s", "deepsizeof", "objsize", 1),
        ("`snapshot` stops the program, ms", "snapshot", "pause", 1e3),
        ("resident then, MB", "snapshot", "resident", 1e-6),
        ("`growth`, CPU s a round", "growth", "round", 1),
    ):
        cells = [f"{result[part][key] * scale:.3g}" for result in results.values()]
        lines.append(f"| {name} |  | " + " | ".join(cells) + " |")
    workloads = next(iter(results.values()))["peak"]
    for workload in workloads:
        cells = [f"{result['peak'][workload]:.2f}" for result in results.values()]
        lines.append(f"| `peak`, {workload} |  | " + " | ".join(cells) + " |")
    lines += ["", "A figure in bold misses what is promised."]
    return "\n".join(lines) + "\n", held


if __name__ == "__main__":
    sys.exit(main())
