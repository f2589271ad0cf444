"""What was measured, held against what was promised, and written as a page."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from statistics import median
from typing import Any

# A recorded ratio may be missed by this much: measurements differ from run to run.
SLACK = 1.25
SMALL_HEAPS = ("repl",)
REAL_HEAPS = ("django", "pandas")


@dataclass
class Case:
    """One heap in one interpreter, and all that was measured of it."""

    kind: str
    size: int
    python: str = ""
    objects: int = 0
    references: int = 0
    copied: int = 0
    runs: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def add(self, what: str, run: dict[str, Any]) -> None:
        """One more run."""
        self.runs.setdefault(what, []).append(run)

    def weighed(self, run: dict[str, Any]) -> None:
        """One more run of `weigh`, whose report says how big the heap is."""
        said = run.pop("said")
        self.objects, self.references = said["objects"], said["references"]
        self.copied = said["provenance"]["copied_bytes"]
        more = {"pause": said["pause_ms"] / 1000, "bytes": self.copied, "beyond": run["peak"] - self.copied}
        self.add("weigh", run | more)

    def least(self, what: str, field: str = "cpu") -> float:
        """The least of all runs: what it costs when nothing else disturbs."""
        return min(run[field] for run in self.runs[what])

    def middle(self, what: str, field: str = "cpu") -> float:
        """The median of all runs."""
        return median(run[field] for run in self.runs[what])

    def least_a_byte(self, what: str, field: str) -> float:
        """The same a byte copied: one build of a heap has more pages than another."""
        return min(run[field] / run["bytes"] for run in self.runs[what])

    def name(self) -> str:
        """What it is called in tables."""
        size = f" {self.size // 1_000_000} M" if self.size else ""
        return f"{self.kind}{size}, {self.python}"

    def line(self) -> str:
        """What to say when it is done."""
        weigh = f"weigh {self.least('weigh'):.2f} s, pause {self.least('weigh', 'pause') * 1000:.1f} ms"
        guppy = f", guppy3 {self.least('guppy'):.2f} s" if "guppy" in self.runs else ""
        return f"{self.name()}: {self.objects} objects, {self.references} references: {weigh}{guppy}"


@dataclass(frozen=True)
class Figure:
    """A promise: a ratio that shall be small."""

    key: str
    means: str
    of: Callable[[Any], float]
    applies: Callable[[Any], bool] = lambda _: True


def _has_peer(case: Case) -> bool:
    return "guppy" in case.runs


def _is_big(case: Case) -> bool:
    return case.kind not in SMALL_HEAPS


def allowed_cpu(case: Case) -> float:
    """0.25 µs an object and 0.15 µs a reference."""
    return 0.25e-6 * case.objects + 0.15e-6 * case.references


def allowed_memory(case: Case) -> float:
    """60 bytes an object and 12 a reference."""
    return 60.0 * case.objects + 12.0 * case.references


FIGURES = [
    Figure(
        "census",
        "CPU of `census --shallow` / CPU of guppy3 `heap()`",
        lambda case: case.least("census") / case.least("guppy"),
        _has_peer,
    ),
    Figure(
        "weigh",
        "CPU of `weigh` / CPU of guppy3 `heap()`",
        lambda case: case.least("weigh") / case.least("guppy"),
        _has_peer,
    ),
    Figure(
        "weigh_cost",
        "CPU of `weigh` / (0.25 µs an object + 0.15 µs a reference)",
        lambda case: case.least("weigh") / allowed_cpu(case),
        lambda case: case.kind in REAL_HEAPS,
    ),
    Figure(
        "memory",
        "peak memory of `weigh` beyond the copied bytes / (60 B an object + 12 B a reference)",
        lambda case: case.middle("weigh", "beyond") / allowed_memory(case),
        _is_big,
    ),
    Figure(
        "pause_peer",
        "pause of `weigh` / how long guppy3 `heap()` stops the program",
        lambda case: case.least("weigh", "pause") / case.least("guppy", "wall"),
        _has_peer,
    ),
    Figure(
        "pause_copy",
        "pause of `weigh` / copying the same pages and nothing else, a byte",
        lambda case: case.least_a_byte("weigh", "pause") / case.least_a_byte("copy", "wall"),
        _is_big,
    ),
    Figure(
        "repl",
        "seconds that `weigh` of a waiting interpreter takes / 0.3 s",
        lambda case: case.least("weigh", "wall") / 0.3,
        lambda case: case.kind == "repl",
    ),
]


def limit(figure: Figure, case: Any, recorded: dict[str, Any]) -> float:
    """The recorded ratio: what was promised or, where that is missed so far, what was reached."""
    record = recorded[figure.key]
    return record.get("missed", {}).get(_short(case), record["promised"])


def _short(case: Any) -> str:
    """A case without its patch release."""
    return case.name().rpartition(".")[0]


def judge(figures: list[Figure], cases: list[Any], recorded: dict[str, Any]) -> list[str]:
    """One line for every recorded ratio that is missed by more than the slack."""
    failures = []
    for figure in figures:
        for case in filter(figure.applies, cases):
            ratio, most = figure.of(case), limit(figure, case, recorded)
            if ratio > most * SLACK:
                failures.append(
                    f"{case.name()}: {figure.means} is {ratio:.3g}, recorded is {most:.3g}: worse by "
                    f"{ratio / most * 100 - 100:.0f} %, and at most {SLACK * 100 - 100:.0f} % is let pass"
                )
    return failures


@dataclass(frozen=True)
class Machine:
    """Where it was measured."""

    cpu: str
    cores: int
    memory: int
    kernel: str
    load: tuple[float, float]

    @staticmethod
    def now() -> Machine:
        """This machine."""
        with open("/proc/cpuinfo") as info:
            models = [line.partition(":")[2].strip() for line in info if line.startswith("model name")]
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        load = os.getloadavg()[0]
        cores = len(os.sched_getaffinity(0))
        return Machine(models[0] if models else "?", cores, memory, platform.release(), (load, load))

    def until_now(self) -> Machine:
        """With the load at the end."""
        return replace(self, load=(self.load[0], os.getloadavg()[0]))

    def is_busy(self) -> bool:
        """Whether others want the processors too."""
        return max(self.load) > self.cores

    def __str__(self) -> str:
        hypervisor = ", virtual" if _is_virtual() else ""
        return (
            f"{self.cpu}{hypervisor}, {self.cores} cores, {self.memory / 1e9:.0f} GB, Linux {self.kernel}; "
            f"load {self.load[0]:.1f} when it began, {self.load[1]:.1f} when it ended"
        )


def _is_virtual() -> bool:
    with open("/proc/cpuinfo") as info:
        return any(line.startswith("flags") and " hypervisor" in line for line in info)


def page(machine: Machine, cases: list[Case], recorded: dict[str, Any]) -> str:
    """All tables."""
    big = [case for case in cases if _is_big(case)]
    parts = [
        f"Machine: {machine}.",
        "### Promised and measured\n\n" + _promises(cases, recorded),
        "### Every heap\n\n" + _heaps(cases),
        "### CPU seconds\n\n" + _costs(big),
        "### Seconds the program stands still\n\n" + _pauses(big),
        "### Memory\n\n" + _memory(cases),
    ]
    return "\n\n".join(parts) + "\n"


def _table(heads: list[str], rows: list[list[str]]) -> str:
    rule = ["---"] + ["---:"] * (len(heads) - 1)
    return "\n".join("| " + " | ".join(row) + " |" for row in [heads, rule, *rows])


def _promises(cases: list[Case], recorded: dict[str, Any]) -> str:
    rows = []
    for figure in FIGURES:
        ratios = [(figure.of(case), case) for case in cases if figure.applies(case)]
        if not ratios:
            continue
        promised = recorded[figure.key]["promised"]
        worst, case = max(ratios, key=lambda pair: pair[0])
        missed = sum(ratio > promised for ratio, _ in ratios)
        verdict = "held" if missed == 0 else f"**missed** on {missed} of {len(ratios)}"
        best = min(ratio for ratio, _ in ratios)
        row = [figure.means, f"≤ {promised:g}", f"{best:.2g}", f"{worst:.2g} ({case.name()})", verdict]
        rows.append(row)
    return _table(["ratio", "promised", "best", "worst", ""], rows)


def _heaps(cases: list[Case]) -> str:
    rows = [
        [
            case.name(),
            f"{case.objects:,}",
            f"{case.references:,}",
            f"{case.references / case.objects:.2f}",
            f"{case.copied / 1e6:.0f} MB",
        ]
        for case in cases
    ]
    return _table(["heap", "objects", "references", "references an object", "copied"], rows)


def _costs(cases: list[Case]) -> str:
    columns = {
        "census": "`census --shallow`",
        "weigh": "`weigh`",
        "guppy": "guppy3 `heap()`",
        "collect": "`gc.collect()`",
        "pympler": "Pympler muppy summary",
        "objsize": "objsize `get_deep_size`",
        "objgraph": "objgraph `most_common_types`",
    }
    shown = [key for key in columns if any(key in case.runs for case in cases)]

    def cell(case: Case, key: str) -> str:
        if key not in case.runs:
            return ""
        least, middle = case.least(key), case.middle(key)
        return f"{least:.2f}" if len(case.runs[key]) == 1 else f"{least:.2f} ({middle:.2f})"

    rows = []
    for case in cases:
        each = case.least("weigh") / case.objects * 1e6
        references = f"{case.references / case.objects:.2f}"
        allowed = allowed_cpu(case) / case.objects * 1e6
        cells = [cell(case, key) for key in shown]
        rows.append([case.name(), references, *cells, f"{each:.2f}", f"{allowed:.2f}"])
    heads = ["heap", "references an object", *(columns[key] for key in shown)]
    return _table([*heads, "`weigh`, µs an object", "0.25 + 0.15 µs a reference, an object"], rows)


def _pauses(cases: list[Case]) -> str:
    rows = []
    for case in cases:
        pause, copy = case.least("weigh", "pause"), case.least("copy", "wall")
        row = [case.name(), f"{case.copied / 1e6:.0f} MB", f"{pause * 1000:.1f} ms", f"{copy * 1000:.1f} ms"]
        ratio = case.least_a_byte("weigh", "pause") / case.least_a_byte("copy", "wall")
        row += [f"{ratio:.2f}"]
        if _has_peer(case):
            guppy = case.least("guppy", "wall")
            row += [f"{guppy * 1000:.0f} ms", f"{guppy / pause:.0f} times as long"]
        rows.append(row)
    heads = ["heap", "copied", "`weigh`", "plain copy", "ratio a byte", "guppy3 `heap()`", "beside `weigh`"]
    return _table(heads, rows)


def _memory(cases: list[Case]) -> str:
    rows = []
    for case in cases:
        peak, beyond = case.middle("weigh", "peak"), case.middle("weigh", "beyond")
        row = [case.name(), f"{peak / 1e6:.0f} MB", f"{beyond / 1e6:.0f} MB"]
        row += [f"{beyond / case.objects:.0f} B", f"{allowed_memory(case) / case.objects:.0f} B"]
        row += [f"{case.middle('guppy', 'memory') / 1e6:.0f} MB" if _has_peer(case) else ""]
        rows.append(row)
    heads = ["heap", "peak of `weigh`", "beyond the copy", "an object", "60 + 12 a reference, an object"]
    return _table([*heads, "guppy3, in the program"], rows)
