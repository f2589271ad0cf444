"""Objects of libraries weigh what was allocated for them: their own Python part, and NumPy's buffers.

`tests/real/run --libraries` writes what is found into docs/accuracy.md.
"""

import json
import pathlib
import subprocess

import pytest
import test_programs as real

SAME = ("attrs==26.1.0", "pydantic==2.14.4")
PANDAS_3 = (*SAME, "duckdb==2.0.1", "pandas==3.1.1", "polars==2.1.0", "pyarrow==26.0.1")
# The newest that have a wheel for it.
PACKAGES = {
    "3.10": (*SAME, "duckdb==1.5.6", "numpy==2.2.6", "pandas==2.3.3", "polars==2.0.0", "pyarrow==25.0.1"),
    "3.11": (*PANDAS_3, "numpy==2.4.6"),
    "3.12": (*PANDAS_3, "numpy==2.5.5"),
    "3.13": (*PANDAS_3, "numpy==2.5.5"),
    "3.14": (*PANDAS_3, "numpy==2.5.5"),
    "3.15": (*PANDAS_3, "numpy==2.5.5"),
}
# All of them take minutes to install; `tests/real/run --libraries` asks all.
MINORS = ("3.10", "3.15")
WHEELS: dict[str, str] = {}
# Making these leaves something behind that is not theirs: columns' names, masks, the pool's own notes.
CACHING = {("numpy", "masked array"), ("pandas", "Timedelta")}


def wheel(minor: str, python: pathlib.Path) -> str:
    """One serves 3.10, and one all later versions: built with the first of them that asks."""
    kind = "cp310" if minor == "3.10" else "abi3"
    if kind not in WHEELS:
        command = [real.ROOT / "scripts/make-wheel", python]
        WHEELS[kind] = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    return WHEELS[kind]


def measured(minor: str, program: str = "libraries.py") -> list[dict]:
    """What a program says of every kind of object, in an environment with the libraries."""
    python = real.interpreter(minor)
    venv = real.ROOT / f".deadweight/real/libraries-{minor}"
    subprocess.run([real.ROOT / "scripts/make-venv", venv, python, "pip", *PACKAGES[minor]], check=True)
    inside = venv / "bin/python"
    install = ["-m", "pip", "install", "-q", "--no-deps", "--force-reinstall", wheel(minor, inside)]
    subprocess.run([inside, *install], check=True)
    done = subprocess.run([inside, real.PROGRAMS / program], stdout=subprocess.PIPE, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def possible(row: dict) -> list[float]:
    """What may have been asked for. CPython asks 28 or 32 bytes for an int of one digit, by the function
    that makes it; from 3.11 on deadweight says 32, and both hold 32."""
    return [row["found"] - 4 * ints for ints in range(int(row["ints"]) + 1)]


def is_exact(row: dict) -> bool:
    return min(abs(size - row["made"]) for size in possible(row)) < 1


def is_between(row: dict) -> bool:
    """No less than was freed when the objects went, no more than was allocated while they were made."""
    return any(row["freed"] - 1 < size < row["made"] + 1 for size in possible(row))


def disagrees(row: dict) -> bool:
    caches = (row["library"], row["kind"]) in CACHING or row["library"] in ("pandas", "pyarrow")
    return not (is_exact(row) or (caches and is_between(row)))


@pytest.mark.parametrize("minor", MINORS)
def test_requested_is_what_was_allocated(minor):
    rows = measured(minor)
    assert {row["library"] for row in rows} == {"attrs", "numpy", "pandas", "polars", "pyarrow", "pydantic"}
    assert [row for row in rows if disagrees(row)] == []
