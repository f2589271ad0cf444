"""Figures of `collector.tune` in services under load: latency, the collector's pauses, and memory of workers.

    python3 benches/collector_services.py [--quick] [--python 3.12] [--write docs/collector.md]

Installs a wheel built in release mode and the frameworks into an environment of its own for each interpreter, and
asks the services of benches/collector_services_target.py from here: as they are and tuned, in turn. Each run is a
process of its own. Exits 1 if a figure misses the ratio recorded in benches/recorded.json by more than a quarter.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median
from typing import Any

from collector_services_load import collected, latencies
from environments import TOP, interpreters, prepare, put
from figures import Figure, Machine, judge

HERE = Path(__file__).resolve().parent
BASE = TOP / ".deadweight/services-bench"
SAME = ["pip", "django==5.2.19", "gunicorn==27.0.1", "uvicorn==0.54.0"]
# The newest that runs there.
PACKAGES = {"3.10": [*SAME, "fastapi==0.162.5"]}
LATER = [*SAME, "fastapi==0.165.0"]
MARK = "<!-- made by benches/collector_services.py -->"
RATE = 50
WORKERS = 3
WAYS = {"as it is": "0", "tuned": "1"}
WEB = {
    "p50": ("latency, ms: half of all requests", 1e3),
    "p99": ("… 99 of 100", 1e3),
    "worst": ("… all", 1e3),
    "longest": ("longest pause of the collector, ms", 1e3),
    "share": ("time in the collector, %", 1e2),
}
FORK = {
    "pss": ("PSS of a worker, MB", 1e-3),
    "private": ("… of it its own alone", 1e-3),
    "all": ("PSS of the parent and all workers, MB", 1e-3),
}

Numbers = dict[str, float]


@dataclass(frozen=True)
class Run:
    """What was measured in one interpreter, by the way. Seconds and kilobytes."""

    version: str
    runs: dict[str, list[Numbers]]

    def name(self) -> str:
        """What it is called where a figure is missed."""
        return f"services, {self.version}"

    def middle(self, way: str, key: str) -> float:
        """The median of all runs that say it: memory, which differs little, is measured once."""
        return median(run[key] for run in self.runs[way] if key in run)

    def ratio(self, key: str) -> float:
        """Tuned / as it is."""
        return self.middle("tuned", key) / self.middle("as it is", key)


FIGURES = [
    Figure("services_pause", "longest pause tuned for the web / as is", lambda run: run.ratio("longest")),
    Figure(
        "services_private", "memory of a worker alone tuned for forks / as is", lambda run: run.ratio("private")
    ),
]


def main() -> int:
    """Measures, prints, and says what is missed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="a quarter of the objects, half the time, once")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the table into this page")
    parser.add_argument("--python", action="append", metavar="MINOR", help="only these versions, such as 3.12")
    options = parser.parse_args()
    objects, seconds, rounds = (500_000, 10, 1) if options.quick else (2_000_000, 20, 3)
    machine = Machine.now()
    wheels: dict[bool, str] = {}
    runs = []
    for version, python in interpreters():
        minor = version.rpartition(".")[0]
        if options.python is None or minor in options.python:
            own = prepare(BASE / version, python, PACKAGES.get(minor, LATER), wheels)
            run = Run(version, {way: [fork(own, way, objects)] for way in WAYS})
            for _ in range(rounds):
                for way in WAYS:
                    run.runs[way].append(web(own, way, objects, seconds))
            print(run, file=sys.stderr, flush=True)
            runs.append(run)
    recorded = json.loads((HERE / "recorded.json").read_text(encoding="utf-8"))
    text = page(machine.until_now(), runs, objects, seconds, rounds)
    print(text)
    if options.write:
        put(text, options.write, MARK)
    failures = judge(FIGURES, runs, recorded)
    for failure in failures:
        print(f"bench: {failure}", file=sys.stderr)
    return 1 if failures else 0


def web(python: Path, way: str, objects: int, seconds: float) -> Numbers:
    """Latencies of a FastAPI under uvicorn."""
    command = [python, HERE / "collector_services_target.py", "{}"]
    with started(command, way, objects) as (port, _):
        took, said = asyncio.run(latencies(port, RATE, seconds))
    return {
        "p50": took[len(took) // 2],
        "p99": took[len(took) * 99 // 100],
        "worst": took[-1],
        "longest": said["longest"],
        "share": said["total"] / said["elapsed"],
    }


def fork(python: Path, way: str, objects: int) -> Numbers:
    """Kilobytes of a worker of gunicorn with a Django that its parent has loaded."""
    serve = ["--preload", "--workers", str(WORKERS), "--bind", "fd://{}", "--no-control-socket"]
    command = [python, "-m", "gunicorn", "--log-level", "error", *serve, "collector_services_target:django()"]
    with started(command, way, objects) as (port, parent):
        workers = asyncio.run(collected(port, WORKERS))
        memory = [rollup(pid) for pid in workers]
        pss = [fields["Pss"] for fields in memory]
        private = [fields["Private_Clean"] + fields["Private_Dirty"] for fields in memory]
        return {"pss": mean(pss), "private": mean(private), "all": sum(pss) + rollup(parent)["Pss"]}


@contextlib.contextmanager
def started(command: list[Any], way: str, objects: int) -> Iterator[tuple[int, int]]:
    """A service on a socket whose number stands for {}: its port, which listens already, and its process."""
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listening:
        descriptor = listening.fileno()
        environment = {**os.environ, "DEADWEIGHT_OBJECTS": str(objects), "DEADWEIGHT_TUNED": WAYS[way]}
        process = subprocess.Popen(
            [str(part).replace("{}", str(descriptor)) for part in command],
            cwd=HERE,
            env=environment,
            pass_fds=[descriptor],
        )
        port = listening.getsockname()[1]
    try:
        yield port, process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def rollup(pid: int) -> dict[str, int]:
    """The kernel's sums over all memory of a process, in kilobytes."""
    _, *lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    return {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines)}


def page(machine: Machine, runs: list[Run], objects: int, seconds: float, rounds: int) -> str:
    """The tables."""
    head = f"Machine: {machine}. {objects:,} live objects. Each cell is as it is → tuned."
    asked = f"A FastAPI under uvicorn, asked {RATE} times a second for {seconds} s, tuned for `web`"
    forked = f"{WORKERS} workers of gunicorn with a Django that their parent has loaded, tuned for `fork`"
    tables = [
        f"{asked}; of {rounds} runs the median:",
        "\n".join(table(runs, WEB)),
        f"{forked}; after some requests and a full collection in each:",
        "\n".join(table(runs, FORK)),
    ]
    return "\n\n".join([head, *tables]) + "\n"


def table(runs: list[Run], rows: dict[str, tuple[str, float]]) -> list[str]:
    """A column a version."""
    lines = ["| | " + " | ".join(run.version for run in runs) + " |", "| --- |" + " ---: |" * len(runs)]
    for key, (title, scale) in rows.items():
        cells = [" → ".join(f"{run.middle(way, key) * scale:.1f}" for way in WAYS) for run in runs]
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
    return lines


if __name__ == "__main__":
    sys.exit(main())
