"""Writes the matrix of docs/accuracy.md: `tests/real/run --libraries`."""

import datetime
import sys
from collections.abc import Iterator

import test_libraries as libraries
import test_programs as real

PAGE = real.ROOT / "docs/accuracy.md"
MARK = "<!-- libraries -->\n"


def cell(row: dict) -> str:
    if libraries.is_exact(row):
        return f"{row['found']:,.0f}"
    if libraries.is_between(row):
        return f"{row['found']:,.0f} ({row['freed']:,.0f}-{row['made']:,.0f})"
    return f"{row['found']:,.0f} **{row['made']:,.0f}**"


def table(by_minor: dict[str, list[dict]]) -> Iterator[str]:
    """A row a kind, under one with the library's versions."""
    newest = list(by_minor)[-1]
    yield f"| object | {' | '.join(rows[0]['python'] for rows in by_minor.values())} | Arrow's pool, {newest} |"
    yield "|---|" + "---:|" * (len(by_minor) + 1)
    before = None
    for rows in zip(*by_minor.values(), strict=True):
        library = rows[0]["library"]
        if library != before:
            yield f"| **{library}** | {' | '.join(row['version'] for row in rows)} | |"
            before = library
        pool = f"{rows[-1]['pool']:,.0f}" if rows[-1]["pool"] >= 1 else ""
        yield f"| {library}: {rows[0]['kind']} | {' | '.join(map(cell, rows))} | {pool} |"


def main() -> int:
    by_minor = {minor: libraries.measured(minor) for minor in libraries.PACKAGES}
    lines = [f"Of {datetime.date.today():%-d %B %Y}.", "", *table(by_minor)]
    before, _, after = PAGE.read_text().split(MARK)
    PAGE.write_text(before + MARK + "\n".join(lines) + "\n" + MARK + after)
    wrong = [row for rows in by_minor.values() for row in rows if libraries.disagrees(row)]
    for row in wrong:
        print(f"libraries: not what was allocated: {row}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
