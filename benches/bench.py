"""Figures beside other tools: `make bench`.

    python benches/bench.py [--quick] [--write docs/performance.md]

Builds real heaps in real interpreters, and looks at each from outside with deadweight and from inside with
the other tools, in turn. The process is stopped by nobody else meanwhile, so all see the same heap. CPU
seconds are user and system time of the whole process (for tools that run inside: of the call).
Exits 1 if a figure misses the ratio recorded in benches/recorded.json by more than a quarter.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from figures import FIGURES, Case, Machine, judge, page

HERE = Path(__file__).resolve().parent
TOP = HERE.parent
DEADWEIGHT = TOP / "target/release/deadweight"
VENVS = TOP / ".deadweight/bench"
PACKAGES = [
    "guppy3==3.1.7",
    "Pympler==1.1",
    "objgraph==3.7.0",
    "objsize==0.8.0",
    "Django==5.2.19",
    "pandas==3.1.1",
]
MINORS = ["3.11", "3.13"]
MILLION = 1_000_000
# A kind of heap, its objects, and how often it is built. The first run of anything on fresh memory is slow.
FULL = [
    ("mixed", MILLION, 3),
    ("django", MILLION, 3),
    ("pandas", MILLION, 3),
    ("mixed", 5 * MILLION, 2),
    ("mixed", 10 * MILLION, 1),
]
QUICK = [("mixed", MILLION, 2), ("django", MILLION, 2), ("pandas", MILLION, 2)]
# How often each heap is looked at from outside. The tools inside run once: they change what they look at.
LOOKS = 3
PATIENCE = 600


@dataclass
class Subject:
    """A process that holds a heap and does as it is told."""

    process: subprocess.Popen[str]
    python: str = field(default="")

    def answer(self) -> dict[str, Any]:
        """The next line it says."""
        line = self.process.stdout.readline() if self.process.stdout else ""
        if not line:
            raise SystemExit(f"bench: {self.process.args} ended with {self.process.wait()}")
        return json.loads(line)

    def run(self, tool: str) -> dict[str, float]:
        """Has a tool run inside."""
        assert self.process.stdin
        print(tool, file=self.process.stdin, flush=True)
        return self.answer()


@contextlib.contextmanager
def subject(python: Path, kind: str, objects: int, *tools: str) -> Iterator[Subject]:
    """Builds a heap, with these tools imported beside."""
    command = [str(python), str(HERE / "target.py"), kind, str(objects), *tools]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        try:
            made = Subject(process)
            made.python = made.answer()["python"]
            yield made
        finally:
            process.kill()


def deadweight(pid: int, *arguments: str) -> dict[str, Any]:
    """Runs deadweight on a process: CPU and wall seconds, peak memory, and what it printed."""
    read, write = os.pipe()
    began = time.perf_counter()
    # From a file descriptor, so that wait4 is ours and gives the usage of this one child.
    actions = [(os.POSIX_SPAWN_DUP2, write, 1), (os.POSIX_SPAWN_CLOSE, read)]
    command = [str(DEADWEIGHT), *arguments, "--json", "--quiet", str(pid)]
    child = os.posix_spawn(command[0], command, os.environ, file_actions=actions)
    os.close(write)
    with open(read, encoding="utf-8") as output:
        text = output.read()
    _, status, usage = os.wait4(child, 0)
    wall = time.perf_counter() - began
    if os.waitstatus_to_exitcode(status) != 0:
        raise SystemExit(f"bench: {' '.join(command)} failed")
    return {
        "cpu": usage.ru_utime + usage.ru_stime,
        "wall": wall,
        "peak": usage.ru_maxrss * 1024,
        "said": json.loads(text),
    }


def plain_copy(pid: int) -> dict[str, float]:
    """Copies the same pages and does nothing else.

    In a process of its own: the peak memory of a child counts what its parent has when it is started.
    """
    command = [sys.executable, str(HERE / "plain_copy.py"), str(pid)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def look(case: Case, subject: Subject) -> None:
    """One round of everything that runs outside, in turn."""
    pid = subject.process.pid
    case.add("copy", plain_copy(pid))
    case.add("census", deadweight(pid, "census", "--shallow"))
    case.weighed(deadweight(pid, "weigh"))


def measure(python: Path, kind: str, objects: int, builds: int, peers: list[str]) -> Case:
    """One heap in one interpreter."""
    case = Case(kind, objects)
    for _ in range(builds):
        with subject(python, kind, objects, "guppy") as held:
            case.python = held.python
            for _ in range(LOOKS):
                look(case, held)
            case.add("collect", held.run("collect"))
            case.add("guppy", held.run("guppy"))
    for peer in peers:
        with subject(python, kind, objects, peer) as held:
            case.add(peer, held.run(peer))
    say(case.line())
    return case


def repl(python: Path) -> Case:
    """An interpreter that waits at its prompt."""
    case = Case("repl", 0)
    command = [str(python), "-i", "-q", "-c", "print(__import__('sys').version.split()[0], flush=True)"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout
            case.python = process.stdout.readline().strip()
            for _ in range(5 * LOOKS):
                case.add("copy", plain_copy(process.pid))
                case.weighed(deadweight(process.pid, "weigh"))
        finally:
            process.kill()
    say(case.line())
    return case


def interpreters() -> list[tuple[str, str]]:
    """The oldest patch release of each version that is measured."""
    listed = subprocess.run([TOP / "scripts/pythons"], capture_output=True, text=True, check=True).stdout
    found: dict[str, str] = {}
    for line in listed.splitlines():
        version, path = line.split("\t")
        minor = version.rpartition(".")[0]
        # Debian's /usr/bin/python3 has no venv of its own; any other build of the version will do.
        if minor in MINORS and (minor not in found or found[minor] == "/usr/bin/python3"):
            found[minor] = path
    for minor in MINORS:
        if minor not in found:
            raise SystemExit(f"bench: no CPython {minor} on this machine. Install it, or set $DEADWEIGHT_PYTHON.")
    return sorted(found.items())


def venv(minor: str, python: str) -> Path:
    """An interpreter with the other tools, made once."""
    folder = VENVS / minor
    subprocess.run([TOP / "scripts/make-venv", folder, python, *PACKAGES], check=True)
    return folder / "bin/python"


def say(line: str) -> None:
    """Progress."""
    print(line, file=sys.stderr, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="heaps of a million objects only")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the tables into this page")
    options = parser.parse_args()
    if not DEADWEIGHT.exists():
        raise SystemExit(f"bench: {DEADWEIGHT} is not there. Run: make build")
    machine = Machine.now()
    cases = []
    for minor, base in interpreters():
        python = venv(minor, base)
        cases.append(repl(python))
        for kind, objects, builds in QUICK if options.quick else FULL:
            peers = [] if options.quick or objects > MILLION else ["pympler", "objgraph", "objsize"]
            cases.append(measure(python, kind, objects, builds, peers))
    recorded = json.loads((HERE / "recorded.json").read_text(encoding="utf-8"))
    machine = machine.until_now()
    if machine.is_busy():
        say("bench: the machine is busy: seconds of standing still mean little, CPU seconds are too high")
    text = page(machine, cases, recorded)
    print(text)
    if options.write:
        put(text, options.write)
    failures = judge(FIGURES, cases, recorded)
    for failure in failures:
        say(f"bench: {failure}")
    return 1 if failures else 0


def put(text: str, path: Path) -> None:
    """Replaces what stands between the marks of a page."""
    begin, end = "<!-- made by benches/bench.py -->", "<!-- until here -->"
    before, found, rest = path.read_text(encoding="utf-8").partition(begin)
    _, ended, after = rest.partition(end)
    if not (found and ended):
        raise SystemExit(f"bench: {path} has no lines {begin} and {end}")
    beside = path.with_suffix(".new")
    beside.write_text(f"{before}{begin}\n\n{text}\n{end}{after}", encoding="utf-8")
    beside.replace(path)


if __name__ == "__main__":
    sys.exit(main())
