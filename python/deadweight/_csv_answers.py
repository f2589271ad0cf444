"""What files of CSV answer: rows that are not as they should be."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from deadweight._table import Table


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row of CSV that is not as it should be."""

    record: int
    """Which record it is, from 1: the header is one too."""
    line: int | None
    """The line on which it begins, from 1; ``None`` in a part that begins within a file."""
    offset: int
    """Where its first byte is in the file, from 0."""
    reason: str
    sample: str = ""
    """How it begins, where rows that were left out are collected."""
    _bytes: bytes = field(default=b"", repr=False, compare=False)


@dataclass(frozen=True, slots=True, repr=False)
class CsvCheck(Table):
    """Which rows of a file of CSV are not as they should be."""

    _columns = (
        ("record", int, "record"),
        ("line", int, "line"),
        ("offset", int, "byte"),
        ("reason", str, "reason"),
    )

    rows: int
    """All rows, the header not among them."""
    fields: int
    """How many fields a row is to have: as many as there are columns."""
    bad: int
    """How many rows are bad."""
    faults: dict[str, int]
    """How many rows have each fault: ``ragged``, ``bare_quote``, ``open_quote``, ``nul``, ``not_utf8``."""
    bad_rows: tuple[BadRow, ...]
    """The first of them."""
    _json: str = field(repr=False, compare=False)
    _text: str = field(repr=False, compare=False)

    def to_dict(self) -> dict[str, Any]:
        """The document that ``deadweight files check --json`` writes."""
        document: dict[str, Any] = json.loads(self._json)
        return document

    def _rows(self) -> Sequence[BadRow]:
        return self.bad_rows

    def _title(self) -> str:
        return f"{self.bad:,} of {self.rows:,} rows are bad"

    def __str__(self) -> str:
        return self._text.rstrip()


def checked(document: str, text: str, reasons: list[str]) -> CsvCheck:
    """Of the document and the text of a check of one file, and why each row that is listed is bad."""
    [file] = json.loads(document)["files"]
    rows = zip(file["bad_rows"], reasons, strict=True)
    bad_rows = tuple(BadRow(row["record"], row["line"], row["offset"], reason) for row, reason in rows)
    return CsvCheck(file["rows"], file["fields"], file["bad"], file["faults"], bad_rows, document, text)
