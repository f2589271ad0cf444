"""Interpreters with the package in release mode, and the place for what is measured there."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent


def interpreters() -> list[tuple[str, str]]:
    """The interpreters that the package is tested in: the newest of each minor version."""
    listed = subprocess.run([TOP / "scripts/pythons", "--minors"], capture_output=True, text=True, check=True)
    lines = [line.split("\t") for line in listed.stdout.splitlines()]
    return [(version, path) for version, path in lines]


def prepare(venv: Path, python: str, packages: Sequence[str], wheels: dict[bool, str]) -> Path:
    """An environment with other tools and the package, freshly built: `wheels` has what is built already."""
    subprocess.run([TOP / "scripts/make-venv", venv, python, *packages], check=True)
    own = venv / "bin/python"
    first = venv.name.startswith("3.10.")
    if first not in wheels:
        command = [TOP / "scripts/make-wheel", own, "release"]
        made = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        wheels[first] = made.stdout.strip()
    pip = [own, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "install", "--force-reinstall", "--no-deps", wheels[first]], check=True)
    return own


def put(text: str, path: Path, mark: str) -> None:
    """Replaces what stands between two marks of a page."""
    parts = path.read_text(encoding="utf-8").split(mark)
    if len(parts) != 3:
        raise SystemExit(f"bench: {path} has no two lines {mark}")
    before, _, after = parts
    path.write_text(f"{before}{mark}\n\n{text}\n{mark}{after}", encoding="utf-8")
