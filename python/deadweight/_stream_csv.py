"""Records of CSV as the first step of a stream."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from deadweight._stream_steps import ParseCsv, Select, Step, Where

if TYPE_CHECKING:
    from deadweight._csv import CsvScan


class CsvReader:
    """Records of CSV, with the columns that later steps look at."""

    def __init__(self, scans: Iterator[CsvScan], parse: ParseCsv, steps: tuple[Step, ...]) -> None:
        self._scans, self._keep = scans, parse.errors.kept
        self._wanted = _wanted(steps)
        self._scan: CsvScan | None = None
        self._given = self._skipped = 0
        self._bad: list[tuple[tuple[str, int | None, int, bytes], str]] = []

    def __iter__(self) -> Iterator[dict[str, str]]:
        try:
            yield from self._rows()
        finally:
            self._close()

    def _rows(self) -> Iterator[dict[str, str]]:
        for scan in self._scans:
            columns = scan.columns
            if not columns:
                continue
            named = {name: place for place, name in enumerate(columns)}
            wanted = named if self._wanted is None else [name for name in named if name in self._wanted]
            # Rows are counted even if nothing of them is wanted.
            places = [named[name] for name in wanted] or [0]
            self._close()
            self._scan = scan.select(*places)
            names = [columns[place] for place in places]
            for row in self._scan:
                self._given += 1
                yield dict(zip(names, row, strict=True))

    def _close(self) -> None:
        """Adds up what the last source had."""
        self._bad, (_, self._skipped, _) = self.bad(), self.tally()
        self._scan = None

    def place(self) -> tuple[str, int | None, int | None, bytes] | None:
        """Which source it is: where a row is, is not known any more when it is given."""
        return None if self._scan is None else (self._scan.name, None, None, b"")

    def tally(self) -> tuple[int, int, list[int]]:
        """How many records there were, and how many of them were bad."""
        skipped = self._skipped + (0 if self._scan is None else self._scan.skipped)
        return self._given + skipped, skipped, []

    def bad(self) -> list[tuple[tuple[str, int | None, int, bytes], str]]:
        """The bad records that were kept."""
        if self._scan is None:
            return self._bad
        left = max((self._keep or 0) - len(self._bad), 0)
        bad = self._bad.copy()
        for row in self._scan.bad_rows[:left]:
            sample = row._bytes  # pyright: ignore[reportPrivateUsage]
            bad.append(((self._scan.name, row.line, row.offset, sample), row.reason))
        return bad


def _wanted(steps: tuple[Step, ...]) -> set[str] | None:
    """The columns that conditions and a selection look at; ``None`` if something may look at all."""
    names: set[str] = set()
    for step in steps:
        if isinstance(step, Select):
            return names | {path[0] for path in step.paths}
        if not isinstance(step, Where):
            return None
        names |= {path[0] for path, _ in step.conditions}
    return None
