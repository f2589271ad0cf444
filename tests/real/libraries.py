"""Writes the matrix of docs/accuracy.md: `tests/real/run --libraries`."""

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


def main() -> None:
    by_minor = {minor: libraries.measured(minor) for minor in libraries.NUMPY}
    lines = [
        "| object | " + " | ".join(by_minor) + " | Arrow's pool |",
        "|---|" + "---:|" * (len(by_minor) + 1),
    ]
    for rows in zip(*by_minor.values(), strict=True):
        first = rows[0]
        pool = f"{first['pool']:,.0f}" if first["pool"] >= 1 else ""
        lines.append(f"| {first['library']}: {first['kind']} | {' | '.join(map(cell, rows))} | {pool} |")
    before, _, after = PAGE.read_text().split(MARK)
    PAGE.write_text(before + MARK + "\n".join(lines) + "\n" + MARK + after)


if __name__ == "__main__":
    main()
