"""Objects of libraries weigh what was allocated for them: their own Python part, and NumPy's buffers.

`tests/real/run --libraries` writes what is found into docs/accuracy.md.
"""

import json
import os
import pathlib
import subprocess

import pytest
import test_programs as real

PACKAGES = ("attrs==26.1.0", "pandas==3.1.1", "polars==2.1.0", "pyarrow==26.0.1", "pydantic==2.14.4")
# The newest NumPy that has a wheel for it.
NUMPY = {"3.11": "2.4.6", "3.13": "2.5.5", "3.14": "2.5.5", "3.15": "2.5.5"}
# Making these leaves something behind that is not theirs: columns' names, masks, the pool's own notes.
CACHING = {("numpy", "masked array"), ("pandas", "Timedelta")}


def measured(minor: str) -> list[dict]:
    """Every kind of object, in an environment of its own."""
    python = real.interpreter(minor)
    venv = real.ROOT / f".deadweight/real/libraries-{minor}"
    packages = ("pip", *PACKAGES, f"numpy=={NUMPY[minor]}")
    subprocess.run([real.ROOT / "scripts/make-venv", venv, python, *packages], check=True)
    inside = venv / "bin/python"
    wheel = os.environ.get("DEADWEIGHT_WHEEL")
    if not wheel:
        command = [real.ROOT / "scripts/make-wheel", inside]
        wheel = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
        os.environ["DEADWEIGHT_WHEEL"] = wheel
    install = ["-m", "pip", "install", "-q", "--no-deps", "--force-reinstall", pathlib.Path(wheel)]
    subprocess.run([inside, *install], check=True)
    done = subprocess.run([inside, real.PROGRAMS / "libraries.py"], stdout=subprocess.PIPE, text=True, check=True)
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


@pytest.mark.parametrize("minor", NUMPY)
def test_requested_is_what_was_allocated(minor):
    rows = measured(minor)
    assert {row["library"] for row in rows} == {"attrs", "numpy", "pandas", "polars", "pyarrow", "pydantic"}
    for row in rows:
        assert is_between(row), row
        caches = (row["library"], row["kind"]) in CACHING or row["library"] in ("pandas", "pyarrow")
        assert caches or is_exact(row), row
