"""Figures of files larger than memory, beside other tools: a part of `make bench`.

    python3 benches/files.py [--quick] [--megabytes N] [--rounds N] [--write docs/files.md]

Makes a file of CSV and a log in a temporary folder, and runs `deadweight files` and others on them in turn, each
in a process of its own whose CPU seconds are those of `wait4`. Python recipes get a tenth of the file. What each
says is held against what is known to be in the file. Memory is looked at in a run of its own, as often as can be.
Exits 1 if a figure misses the ratio recorded in benches/recorded.json by more than a quarter, or if deadweight is
wrong.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from environments import TOP, interpreters, prepare, put
from figures import Figure, Machine, judge
from files_data import EXPRESSION, OFTEN, RARELY, Made, make_csv, make_events, make_log, make_numbers

HERE = Path(__file__).resolve().parent
DEADWEIGHT = TOP / "target/release/deadweight"
MINOR = "3.13"
PACKAGES = ["pip", "orjson==3.13.0", "polars==2.1.0", "pandas==3.1.1"]
MARK = "<!-- made by benches/files.py -->"


@dataclass
class Tool:
    """One way to find something out, and what was measured of it."""

    key: str
    name: str
    command: list[str]
    asks: str
    """Which truth about the file its answer is; none of what only reads it."""
    file: Made
    answer: int = 0
    cpu: list[float] = field(default_factory=list)
    inner: list[float] = field(default_factory=list)
    anonymous: int = 0
    resident: int = 0

    def a_gigabyte(self, seconds: list[float]) -> float:
        """The least CPU time for 10⁹ bytes."""
        return min(seconds) / self.file.size * 1e9

    def off(self) -> int:
        """How far its answer is from the truth."""
        return self.answer - self.file.truth[self.asks]

    def says(self) -> str:
        """The same in words."""
        if not self.asks:
            return ""
        off = self.off()
        return "right" if off == 0 else f"{abs(off):,} too {'many' if off > 0 else 'few'}"


@dataclass(frozen=True)
class Run:
    """All that was measured."""

    version: str
    tools: dict[str, Tool]

    def name(self) -> str:
        """What it is called where a figure is missed."""
        return f"files, {self.version}"

    def beside(self, key: str, other: str) -> float:
        """What one takes beside another."""
        tools = self.tools
        return tools[key].a_gigabyte(tools[key].cpu) / tools[other].a_gigabyte(tools[other].cpu)

    def beside_inside(self, key: str, other: str) -> float:
        """The same without the start of the interpreter, and without what is made before."""
        tools = self.tools
        return tools[key].a_gigabyte(tools[key].inner) / tools[other].a_gigabyte(tools[other].inner)

    def has(self, key: str) -> bool:
        """Whether a tool is on this machine."""
        return key in self.tools

    def memory(self) -> float:
        """The most that one of ours takes."""
        return max(self.tools[key].anonymous for key in OURS)


OURS = ("count", "check", "often", "rarely", "expression")


def _beside_ripgrep(key: str) -> tuple[Callable[[Run], float], Callable[[Run], bool]]:
    return lambda run: 0.8 * run.beside(key, f"rg {key}"), lambda run: run.has(f"rg {key}")


FIGURES = [
    Figure("files_count_wc", "0.7 times `files count` / `wc -l`", lambda run: 0.7 * run.beside("count", "wc")),
    Figure("files_count_polars", "2 times `files count` / Polars", lambda run: 2 * run.beside("count", "polars")),
    Figure("files_check", "`files check` / `files count`", lambda run: run.beside("check", "count")),
    Figure("files_often", "0.8 times `files find`, often / ripgrep", *_beside_ripgrep("often")),
    Figure("files_rarely", "0.8 times `files find`, rarely / ripgrep", *_beside_ripgrep("rarely")),
    Figure("files_expression", "0.8 times `files find --regex` / ripgrep", *_beside_ripgrep("expression")),
    Figure(
        "files_lines",
        "1.5 times `dw.lines` / `for line in open(…)`",
        lambda run: 1.5 * run.beside_inside("lines", "open"),
    ),
    Figure(
        "files_lines_bytes",
        "1.5 times `dw.lines` / `for line in open(…)`, bytes",
        lambda run: 1.5 * run.beside_inside("lines bytes", "open bytes"),
    ),
    Figure("files_vector", "`Vector` / `array.tofile`", lambda run: run.beside_inside("vector", "tofile")),
    Figure(
        "files_stream",
        "5 times `dw.lines(…).parse_json()…` / a generator",
        lambda run: 5 * run.beside_inside("stream", "orjson"),
    ),
    Figure(
        "files_stream_memory", "resident memory of it / 80 MB", lambda run: run.tools["stream"].resident / 80e6
    ),
    Figure("files_memory", "anonymous memory / 20 MB", lambda run: run.memory() / 20e6),
]


def tools(
    python: Path, rows: Made, part: Made, log: Made, log_part: Made, events: Made, numbers: Made
) -> dict[str, Tool]:
    """All that are on this machine."""
    recipe = [str(python), str(HERE / "files_target.py")]
    files = [str(DEADWEIGHT), "--quiet", "files"]
    found = [
        Tool("count", "`deadweight files count`", [*files, "count", "--json"], "rows", rows),
        Tool("check", "`deadweight files check`", [*files, "check", "--json"], "bad", rows),
        Tool("wc", "`wc -l`, less the header", ["wc", "-l"], "rows", rows),
        Tool("polars", "Polars 2.1 `scan_csv(…).select(len())`", [*recipe, "polars"], "rows", rows),
        Tool("line", "`for line in file`, bytes", [*recipe, "line"], "rows", part),
        Tool("csv", "`csv.reader`", [*recipe, "csv"], "rows", part),
        Tool("rows", "`for row in dw.scan_csv(…)`", [*recipe, "rows"], "rows", part),
        Tool("records", "`dw.scan_csv(…).to_records(Row)`", [*recipe, "records"], "rows", part),
        Tool("polars read", "Polars 2.1 `read_csv`", [*recipe, "polars read"], "rows", part),
        Tool("pandas read", "pandas 3.1 `read_csv`", [*recipe, "pandas read"], "rows", part),
        Tool("mmap", '`mmap`, `find` of line ends and `split(",")`', [*recipe, "mmap"], "rows", part),
    ]
    for key, pattern, how in [
        ("often", OFTEN, []),
        ("rarely", RARELY, []),
        ("expression", EXPRESSION, ["--regex"]),
    ]:
        name = f"`deadweight files find{' --regex' if how else ''}`, {key}"
        found.append(Tool(key, name, [*files, "find", "--json", "--top=0", *how, pattern], key, log))
        if ripgrep := shutil.which("rg"):
            options = ["--no-config", "--text", "--count-matches", *([] if how else ["--fixed-strings"])]
            found.append(Tool(f"rg {key}", f"ripgrep, {key}", [ripgrep, *options, pattern], key, log))
            reads = [ripgrep, "--no-mmap", *options, pattern]
            found.append(Tool(f"reading rg {key}", f"ripgrep `--no-mmap`, {key}", reads, key, log))
    alone = ["sh", "-c", 'exec dd "if=$0" of=/dev/null bs=128k status=none']
    found.append(Tool("dd", "`dd bs=128k`: reading alone", alone, "", log))
    found.append(Tool("find", "`mmap.find` in a loop, often", [*recipe, "find"], "often", log_part))
    for key, name in [
        ("lines", "`dw.lines`"),
        ("open", "`for line in open(…)`"),
        ("lines bytes", "`dw.lines`, bytes"),
        ("open bytes", "`for line in open(…)`, bytes"),
    ]:
        found.append(Tool(key, name, [*recipe, key], "lines", log_part))
    for key, name in [
        ("stream", "`dw.lines(…).parse_json().where(…).select(…)`"),
        ("orjson", "a generator with orjson"),
    ]:
        found.append(Tool(key, name, [*recipe, key], "errors", events))
    for key, name in [
        ("vector", "`dw.Vector`, filled from an array"),
        ("tofile", "`array.tofile`"),
        ("pack", "`struct.pack_into` a mapped file"),
    ]:
        found.append(Tool(key, name, [*recipe, key], "numbers", numbers))
    return {tool.key: tool for tool in found}


def start(tool: Tool) -> tuple[int, int]:
    """Begins it: the process, and where its output comes."""
    read, write = os.pipe()
    actions = [(os.POSIX_SPAWN_DUP2, write, 1), (os.POSIX_SPAWN_CLOSE, read)]
    command = [*tool.command, str(tool.file.path)]
    child = os.posix_spawnp(command[0], command, os.environ, file_actions=actions)
    os.close(write)
    return child, read


def end(tool: Tool, status: int, read: int) -> str:
    """What it said, if it went well."""
    with open(read, encoding="utf-8") as output:
        said = output.read()
    if os.waitstatus_to_exitcode(status) != 0:
        raise SystemExit(f"bench: {' '.join(tool.command)} failed")
    return said


def measure(tool: Tool) -> None:
    """One more run, of which CPU time is taken."""
    # What it says is a line or a small document, which the pipe holds until it has ended.
    child, read = start(tool)
    _, status, usage = os.wait4(child, 0)
    said = end(tool, status, read)
    tool.cpu.append(usage.ru_utime + usage.ru_stime)
    if not tool.asks:
        return
    if said.startswith("{"):
        document = json.loads(said)
        tool.answer = next(document[key] for key in ("rows", "bad", "count") if key in document)
        return
    number, *inner = said.split()
    tool.answer = int(number) - (tool.key == "wc")
    if tool.command[-2].endswith("files_target.py"):
        tool.inner.append(float(inner[0]))


def watch(tool: Tool) -> None:
    """One more run, whose memory is looked at."""
    child, read = start(tool)
    status = os.waitpid(child, os.WNOHANG)
    while status[0] == 0:
        # The peak of rusage would count what this process had when it began the other.
        text = Path(f"/proc/{child}/status").read_text()
        now = {key: int(kb) * 1024 for key, kb in re.findall(r"^(RssAnon|VmHWM):\s+(\d+)", text, re.M)}
        tool.anonymous = max(tool.anonymous, now.get("RssAnon", 0))
        tool.resident = max(tool.resident, now.get("VmHWM", 0))
        status = os.waitpid(child, os.WNOHANG)
    end(tool, status[1], read)


def page(machine: Machine, run: Run, rounds: int, recorded: dict[str, Any]) -> str:
    """The tables."""
    size = run.tools["count"].file.size / 1e6
    lines = [f"Files of {size:,.0f} MB in the page cache, the least of {rounds} rounds. Machine: {machine}.", ""]
    lines += ["| ratio of CPU seconds | promised | measured |", "| --- | ---: | ---: |"]
    for figure in FIGURES:
        promised = recorded[figure.key]["promised"]
        measured = "no ripgrep here"
        if figure.applies(run):
            number = figure.of(run)
            measured = f"{number:.3g}" if number <= promised else f"**{number:.3g}**"
        lines.append(f"| {figure.means} | ≤ {promised:g} | {measured} |")
    heads = ["", "CPU s a GB", "without its start", "anonymous MB", "resident MB", "answer"]
    lines += ["", "A ratio in bold misses what is promised.", ""]
    lines += ["| " + " | ".join(heads) + " |", "| --- |" + " ---: |" * (len(heads) - 1)]
    for tool in run.tools.values():
        inner = f"{tool.a_gigabyte(tool.inner):.2f}" if tool.inner else ""
        memory = f"{tool.anonymous / 1e6:.1f} | {tool.resident / 1e6:.0f}"
        lines.append(f"| {tool.name} | {tool.a_gigabyte(tool.cpu):.2f} | {inner} | {memory} | {tool.says()} |")
    return "\n".join(lines) + "\n"


def run_of(size: int, rounds: int) -> Run:
    """Makes the files, measures, and removes them."""
    version, base = next(pair for pair in interpreters() if pair[0].rpartition(".")[0] == MINOR)
    venv = TOP / ".deadweight/files-bench" / version
    python = prepare(venv, base, PACKAGES, {})
    with tempfile.TemporaryDirectory(prefix="deadweight-") as folder:
        place = Path(folder)
        rows, part = make_csv(place / "rows.csv", size), make_csv(place / "part.csv", size // 10)
        log, log_part = make_log(place / "log", size), make_log(place / "part.log", size // 10)
        events = make_events(place / "events", size // 10)
        numbers = make_numbers(place / "numbers", size // 10)
        all_tools = tools(python, rows, part, log, log_part, events, numbers)
        for _ in range(rounds):
            for tool in all_tools.values():
                measure(tool)
        for tool in all_tools.values():
            watch(tool)
    return Run(version, all_tools)


def main() -> int:
    """Measures, prints, and says what is missed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="files of 100 MB, three rounds")
    parser.add_argument("--megabytes", type=int, default=None, metavar="N", help="how large the files are")
    parser.add_argument("--rounds", type=int, default=None, metavar="N", help="how often each tool has its turn")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put tables into this page")
    options = parser.parse_args()
    megabytes = options.megabytes or (100 if options.quick else 1000)
    rounds = options.rounds or (3 if options.quick else 5)
    if not DEADWEIGHT.exists():
        raise SystemExit(f"bench: {DEADWEIGHT} is not there. Run: make build")
    machine = Machine.now()
    run = run_of(megabytes * 1_000_000, rounds)
    recorded = json.loads((HERE / "recorded.json").read_text(encoding="utf-8"))
    text = page(machine.until_now(), run, rounds, recorded)
    print(text)
    if options.write:
        put(text, options.write, MARK)
    failures = judge(FIGURES, [run], recorded)
    failures += [
        f"{run.tools[key].name} is wrong by {run.tools[key].off():,}"
        for key in (*OURS, "lines", "lines bytes", "vector")
        if run.tools[key].off()
    ]
    for failure in failures:
        print(f"bench: {failure}", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
