"""What objects of this interpreter cost, by specimens of them."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, field
from typing import Any

from deadweight._names import full_name
from deadweight._table import Table
from deadweight._text import table


@dataclass(frozen=True, slots=True)
class SpecimenSize:
    """What one object of a type really costs."""

    type: str
    specimen: str
    held: int
    requested: int
    retained: int
    getsizeof: int


@dataclass(frozen=True, slots=True, repr=False)
class Sizes(Table):
    """This interpreter's object model."""

    _columns = (
        ("type", str, "type"),
        ("specimen", str, "specimen"),
        ("held", int, "held"),
        ("requested", int, "requested"),
        ("retained", int, "retained"),
        ("getsizeof", int, "getsizeof"),
    )

    python: str
    cached_ints: tuple[int, int]
    """The smallest and the largest int that it keeps ready."""
    rows: tuple[SpecimenSize, ...]
    _json: str = field(repr=False, compare=False)

    def to_dict(self) -> dict[str, Any]:
        """The document that ``deadweight sizes --json`` writes."""
        document: dict[str, Any] = json.loads(self._json)
        return document

    def _rows(self) -> tuple[SpecimenSize, ...]:
        return self.rows

    def _title(self) -> str:
        low, high = self.cached_ints
        return f"Python {self.python}: ints from {low} to {high} are kept ready"

    def __str__(self) -> str:
        rows = [("  type", "specimen", "held", "retained", "getsizeof")]
        rows += [
            (f"  {row.type}", row.specimen, f"{row.held:,}", f"{row.retained:,}", f"{row.getsizeof:,}")
            for row in self.rows
        ]
        return "\n".join([self._title(), table(rows, {2, 3, 4})])


def sizes(*types: str | type) -> Sizes:
    """What objects of this interpreter really cost: of the usual types, or of those named.

    The specimens are made by a fresh interpreter of the same kind, which imports the module of a class
    that is no builtin.
    """
    names = [name if isinstance(name, str) else full_name(name) for name in types]
    command = [
        sys.executable,
        "-m",
        "deadweight",
        "sizes",
        "--json",
        "-q",
        "--python",
        sys.executable,
        *names,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        # What follows the first line is for users of the command.
        said = done.stderr.strip().partition("\n")[0].removeprefix("error: ")
        raise RuntimeError(said or "the specimens could not be made")
    document = json.loads(done.stdout)
    return Sizes(
        python=document["python"],
        cached_ints=tuple(document["cached_ints"]),
        rows=tuple(
            SpecimenSize(
                type=row["type"],
                specimen=row["specimen"],
                held=row["held_bytes"],
                requested=row["requested_bytes"],
                retained=row["retained_bytes"],
                getsizeof=row["getsizeof_bytes"],
            )
            for row in document["sizes"]
        ),
        _json=done.stdout,
    )
