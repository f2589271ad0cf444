"""Plots of throughput and resident memory over the length of a file, from 1 MB to 8 GB.

    python3 benches/files_plot.py [--most MB] [--write docs]

Makes a file of CSV in `.deadweight`, measures as benches/files.py does, cuts it shorter each time, and removes it.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
from pathlib import Path

from environments import TOP, interpreters
from files import DEADWEIGHT, HERE, MINOR, PACKAGES, Tool, measure, watch
from files_data import Made, make_csv
from records_plot import draw

MEGABYTES = (8000, 4000, 2000, 1000, 300, 100, 30, 10, 3, 1)
ROUNDS = 3
# A process ends before its memory is seen where the file is small.
LOOKS = 3


def tools(python: Path, file: Made) -> list[Tool]:
    """What is measured, ours first."""
    files = [str(DEADWEIGHT), "--quiet", "files"]
    commands = {
        "files count": [*files, "count"],
        "files check": [*files, "check"],
        # The header has it, and nothing else: `find` that finds nothing ends with 1.
        "files find": [*files, "find", "--top=0", "email,score"],
        "wc -l": ["wc", "-l"],
        "Polars": [str(python), str(HERE / "files_target.py"), "polars"],
    }
    return [Tool(name, name, command, "", file) for name, command in commands.items()]


def main() -> None:
    """Measures, and writes two plots."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--most", type=int, default=MEGABYTES[0], metavar="MB", help="the longest file")
    parser.add_argument("--write", type=Path, default=TOP / "docs", metavar="FOLDER", help="where the plots go")
    options = parser.parse_args()
    version, base = next(pair for pair in interpreters() if pair[0].rpartition(".")[0] == MINOR)
    venv = TOP / ".deadweight/files-bench" / version
    subprocess.run([TOP / "scripts/make-venv", venv, base, *PACKAGES], check=True)
    speed: dict[str, list[tuple[int, float]]] = {}
    memory: dict[str, list[tuple[int, float]]] = {}
    with tempfile.TemporaryDirectory(prefix="plot-", dir=TOP / ".deadweight") as folder:
        path = Path(folder) / "rows.csv"
        # A block more, so that it can be cut to its length.
        make_csv(path, (options.most + 5) * 1_000_000)
        for megabytes in (size for size in MEGABYTES if size <= options.most):
            os.truncate(path, megabytes * 1_000_000)
            found = tools(venv / "bin/python", Made(path, megabytes * 1_000_000, {}))
            for _ in range(ROUNDS):
                for tool in found:
                    measure(tool)
            for tool in found * LOOKS:
                watch(tool)
            for tool in found:
                speed.setdefault(tool.name, []).insert(0, (megabytes, 1 / tool.a_gigabyte(tool.cpu)))
                memory.setdefault(tool.name, []).insert(0, (megabytes, tool.resident / 1e6))
    for name, lines, title, unit in [
        ("files-speed.svg", speed, "Read in a CPU second", "GB"),
        ("files-memory.svg", memory, "The most that was resident", "MB"),
    ]:
        text = draw(lines, f"{title}, by the length of the file", across="MB", unit=unit, powers=True)
        (options.write / name).write_text(text, encoding="utf-8")
        for line, points in lines.items():
            print(title, line, " ".join(f"{x}:{y:.3g}" for x, y in points), sep="\t")


if __name__ == "__main__":
    main()
