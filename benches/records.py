"""Figures of records, beside other ways to keep a million rows: a part of `make bench`.

    python3 benches/records.py [--quick] [--python 3.12] [--write docs/records.md]

Installs a wheel built in release mode and the other tools into an environment of its own for each interpreter,
and measures there (benches/records_target.py): bytes a row and at the peak, what the garbage collector has more to
look at, how quickly rows are built and a value of a row is come by. With `--write` also draws memory against rows.
Exits 1 if a figure misses the ratio recorded in benches/recorded.json by more than a quarter.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from environments import TOP, interpreters, prepare, put
from figures import Figure, Machine, judge
from records_plot import draw

HERE = Path(__file__).resolve().parent
BASE = TOP / ".deadweight/records-bench"
SAME = ["pip", "msgspec==0.22.0"]
# The newest that have a wheel for it.
PACKAGES = {
    "3.10": [*SAME, "numpy==2.2.6", "pandas==2.3.3", "polars==2.0.0", "pyarrow==25.0.1"],
    "3.11": [*SAME, "numpy==2.4.6", "pandas==3.1.1", "polars==2.1.0", "pyarrow==26.0.1"],
}
LATER = [*SAME, "numpy==2.5.5", "pandas==3.1.1", "polars==2.1.0", "pyarrow==26.0.1"]
# There is no wheel of it: where it cannot be built it is left out.
FROM_SOURCE = "recordclass==0.24.1"
MARK = "<!-- made by benches/records.py -->"
PLOT = TOP / "docs/records.svg"
PLOTTED = "3.13"
CAPTION = "Memory that a process grew by"
TOOLS = {
    "Records": "`Records`",
    "Records, id of 8 bytes": "`Records`, with an id of 8 bytes",
    "Records, by pack": "`Records`, by `pack` from dicts",
    "dicts": "dicts",
    "dataclass with slots": "instances of a dataclass with slots",
    "named tuples": "named tuples",
    "msgspec, gc=False": "msgspec structs, `gc=False`",
    "recordclass": "recordclass",
    "NumPy structured": "NumPy structured array (`U12`, `U24`)",
    "pandas": "pandas, of a list of dicts",
    "PyArrow": "PyArrow, `from_pylist`",
    "Polars": "Polars, of a list of tuples",
}
# What a row may take beside its values: where two texts begin, and half a byte.
BESIDE = 8.5


@dataclass(frozen=True)
class Run:
    """All that was measured in one interpreter."""

    version: str
    memory: dict[str, dict[str, float] | None]
    speed: dict[str, dict[str, float]]

    def name(self) -> str:
        """What it is called where a figure is missed."""
        return f"records, {self.version}"

    def of(self, tool: str, what: str) -> float | None:
        """What was measured of the memory of one way to keep rows, if that is there."""
        found = self.memory[tool]
        return found[what] if found else None

    def bytes(self, tool: str, wider: int = 0) -> float:
        """Bytes a row beside those that are allowed."""
        found = self.memory[tool] or {}
        return found["grown"] / (found["payload"] + wider + BESIDE)

    def peak(self) -> float:
        """The most while rows came from a generator, beside what is left."""
        found = self.memory["Records"] or {}
        return found["peak"] / found["grown"]

    def built(self, tool: str) -> float:
        """What `pack` of dicts takes beside another."""
        return self.speed["build"]["pack(dicts)"] / self.speed["build"][tool]

    def look(self, tool: str) -> float:
        """What a look at a value takes beside another."""
        return self.speed["look"]["Records"] / self.speed["look"][tool]

    def hot(self, tool: str = "Records") -> float:
        """Nanoseconds of reading an attribute of a row at hand."""
        return self.speed["hot"][tool] - self.speed["hot"]["empty"]

    def extend(self) -> float:
        """Nanoseconds a row that `extend` takes more than a list of the same."""
        return self.speed["build"]["extend(tuples)"] - self.speed["build"]["list(tuples)"]


FIGURES = [
    Figure("records_bytes", "bytes a row / (its values + 8.5)", lambda run: run.bytes("Records")),
    Figure(
        "records_bytes_wide",
        "the same with an id of 8 bytes",
        lambda run: run.bytes("Records, id of 8 bytes", wider=4),
    ),
    Figure("records_peak", "at the peak, from a generator / bytes a row", Run.peak),
    Figure(
        "records_arrow",
        "2 times `pack(dicts)` / PyArrow `from_pylist`",
        lambda run: 2 * run.built("pyarrow.Table.from_pylist(dicts)"),
    ),
    Figure(
        "records_pandas",
        "2 times `pack(dicts)` / pandas `DataFrame(dicts)`",
        lambda run: 2 * run.built("pandas.DataFrame(dicts)"),
    ),
    Figure(
        "records_look",
        "`users[i].score` at random / the same of a list of slots",
        lambda run: run.look("dataclass with slots"),
    ),
    Figure("records_look_arrow", "5 times that / PyArrow `as_py`", lambda run: 5 * run.look("PyArrow")),
    Figure("records_look_pandas", "5 times that / pandas `iloc`", lambda run: 5 * run.look("pandas")),
    Figure("records_hot", "`user.score` / 60 ns", lambda run: run.hot() / 60),
    Figure(
        "records_extend", "`extend(tuples)` beyond `list(tuples)` / 0.25 µs a row", lambda run: run.extend() / 250
    ),
    Figure(
        "records_tracked", "objects that the collector has more", lambda run: run.of("Records", "tracked") or 0.0
    ),
]


def measure(python: Path, *arguments: object) -> Any:
    """Runs one part in a fresh interpreter."""
    command = [str(python), str(HERE / "records_target.py"), *map(str, arguments)]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)


def environment(version: str, python: str, wheels: dict[bool, str]) -> Path:
    """An interpreter with the package and the other tools."""
    packages = PACKAGES.get(version.rpartition(".")[0], LATER)
    own = prepare(BASE / version, python, packages, wheels)
    pip = [own, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    if subprocess.run([*pip, "install", FROM_SOURCE], stderr=subprocess.PIPE, check=False).returncode:
        print(f"bench: {FROM_SOURCE} cannot be built for Python {version}: left out", file=sys.stderr)
    return own


def run_of(version: str, python: Path, rows: int, rounds: int) -> Run:
    """All figures of an interpreter."""
    memory = {tool: measure(python, "memory", tool, rows) for tool in TOOLS}
    run = Run(version, memory, measure(python, "speed", rows, rounds))
    print(run.name(), json.dumps([run.memory, run.speed]), file=sys.stderr, flush=True)
    return run


def page(machine: Machine, runs: list[Run], rows: int, recorded: dict[str, Any]) -> str:
    """The tables."""
    head = " | ".join(run.version for run in runs)
    lines = [f"{rows:,} rows. Machine: {machine}.", ""]

    def table(first: str, body: list[tuple[str, Callable[[Run], float | None]]], form: str) -> None:
        lines.extend([f"| {first} | {head} |", "| --- |" + " ---: |" * len(runs)])
        for name, figure in body:
            found = [figure(run) for run in runs]
            cells = ["" if number is None else format(number, form) for number in found]
            lines.append(f"| {name} | " + " | ".join(cells) + " |")
        lines.append("")

    lines += [f"| ratio | promised | {head} |", "| --- | ---: |" + " ---: |" * len(runs)]
    for figure in FIGURES:
        promised = recorded[figure.key]["promised"]
        numbers = [figure.of(run) for run in runs]
        cells = [f"{number:.3g}" if number <= promised else f"**{number:.3g}**" for number in numbers]
        lines.append(f"| {figure.means} | ≤ {promised:g} | " + " | ".join(cells) + " |")
    lines += ["", "A ratio in bold misses what is promised.", ""]

    def kept(what: str, scale: float = 1.0) -> list[tuple[str, Callable[[Run], float | None]]]:
        def of(tool: str) -> Callable[[Run], float | None]:
            def figure(run: Run) -> float | None:
                found = run.of(tool, what)
                return None if found is None else found * scale

            return figure

        return [(name, of(tool)) for tool, name in TOOLS.items()]

    def spent(part: str) -> list[tuple[str, Callable[[Run], float | None]]]:
        tools = dict.fromkeys(tool for run in runs for tool in run.speed[part])
        return [(TOOLS.get(tool, f"`{tool}`"), lambda run, tool=tool: run.speed[part].get(tool)) for tool in tools]

    table("bytes a row, kept as", kept("grown"), ".1f")
    table("at the peak, built as", kept("peak"), ".1f")
    table("objects the collector has more", kept("tracked"), ",.0f")
    table("a full collection more, ms", kept("collection", 1e3), ".0f")
    table("CPU ns a row, built by", spent("build"), ".0f")
    table("CPU ns to read `score` of a random row of", spent("look"), ".0f")
    both: list[tuple[str, Callable[[Run], float | None]]] = [
        (TOOLS[tool], lambda run, tool=tool: run.hot(tool)) for tool in ("Records", "dataclass with slots")
    ]
    table("… of a row at hand, of", both, ".0f")
    return "\n".join(lines)


def plot(python: Path, version: str, rows: int) -> str:
    """Memory against rows, of each way to keep them."""
    counts = [rows * part // 5 for part in range(1, 6)]
    lines = {}
    for tool, name in TOOLS.items():
        if tool.startswith("Records,"):
            continue
        found = [(count, measure(python, "memory", tool, count)) for count in counts]
        if all(memory for _, memory in found):
            points = [(count, count * memory["grown"] / 1e6) for count, memory in found]
            lines[name.replace("`", "")] = [(0, 0.0), *points]
    return draw(lines, f"{CAPTION}, CPython {version}")


def main() -> int:
    """Measures, prints, and says what is missed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="two interpreters, a tenth of the rows")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put tables into this page, and draw the plot")
    parser.add_argument("--python", action="append", metavar="MINOR", help="only these versions, such as 3.12")
    options = parser.parse_args()
    rows, rounds = (100_000, 2) if options.quick else (1_000_000, 3)
    minors = options.python or (["3.11", PLOTTED] if options.quick else None)
    machine = Machine.now()
    wheels: dict[bool, str] = {}
    runs, drawn = [], None
    for version, python in interpreters():
        minor = version.rpartition(".")[0]
        if minors is None or minor in minors:
            own = environment(version, python, wheels)
            runs.append(run_of(version, own, rows, rounds))
            if minor == PLOTTED and options.write:
                drawn = plot(own, version, rows)
    recorded = json.loads((HERE / "recorded.json").read_text(encoding="utf-8"))
    text = page(machine.until_now(), runs, rows, recorded)
    print(text)
    if drawn:
        PLOT.write_text(drawn, encoding="utf-8")
        text += f"\n![{CAPTION}]({PLOT.name})\n"
    if options.write:
        put(text, options.write, MARK)
    failures = judge(FIGURES, runs, recorded)
    for failure in failures:
        print(f"bench: {failure}", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
