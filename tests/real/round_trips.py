"""Writes the matrix of docs/records.md: `tests/real/run --round-trips`."""

import datetime
from collections.abc import Iterator

import test_libraries as libraries
import test_programs as real
import test_round_trips as trips

PAGE = real.ROOT / "docs/records.md"
MARK = "<!-- round trips -->\n"


def cell(by_minor: dict[str, str]) -> str:
    """What most versions say, and in brackets those that say something else."""
    said = list(by_minor.values())
    most = max(reversed(said), key=said.count)
    others: dict[str, list[str]] = {}
    for minor, text in by_minor.items():
        if text != most:
            others.setdefault(text, []).append(minor)
    less = [f"{', '.join(minors)}: {text}" for text, minors in others.items()]
    return f"{most} ({'; '.join(less)})" if less else most


def arrives(row: dict) -> str:
    """As what a type arrives there, and what is lost."""
    text = (
        row["type"]
        if row["type_with_none"] == row["type"]
        else f"{row['type']}, with None {row['type_with_none']}"
    )
    if row["back"] not in (None, row["kind"]):
        text += f", back as {row['back']}"
    if not row["lost"]:
        return text
    return f"{text} **{'not back' if row['back'] is None else ', '.join(row['lost'])}**"


def comes_in(row: dict) -> str:
    return f"{row['kind']} **lost**" if row["lost"] else row["kind"]


def tables(by_minor: dict[str, tuple[list[dict], list[dict]]]) -> Iterator[str]:
    names = list(dict.fromkeys(row["library"] for row in by_minor["3.15"][0]))
    found = {minor: {(row["library"], row["kind"]): row for row in rows} for minor, (rows, _) in by_minor.items()}
    kinds = list(dict.fromkeys(kind for _, kind in found["3.15"]))
    pythons = [rows[0]["python"] for rows, _ in by_minor.values()]
    yield f"| library | {' | '.join(pythons)} |"
    yield "|---|" + "---|" * len(pythons)
    for name in names:
        yield f"| {name} | {' | '.join(rows[name, kinds[0]]['version'] for rows in found.values())} |"
    yield ""
    yield f"| type | {' | '.join(names)} |"
    yield "|---|" + "---|" * len(names)
    for kind in kinds:
        cells = [cell({minor: arrives(rows[name, kind]) for minor, rows in found.items()}) for name in names]
        yield f"| {kind} | {' | '.join(cells)} |"
    yield ""
    yield "| Arrow's type | comes in as |"
    yield "|---|---|"
    came_in = {minor: {row["arrow"]: comes_in(row) for row in rows} for minor, (_, rows) in by_minor.items()}
    for arrow in came_in["3.15"]:
        yield f"| {arrow} | {cell({minor: rows[arrow] for minor, rows in came_in.items()})} |"


def main() -> None:
    by_minor = {minor: trips.measured(minor) for minor in libraries.PACKAGES}
    lines = [f"Of {datetime.date.today():%-d %B %Y}.", "", *tables(by_minor)]
    before, _, after = PAGE.read_text().split(MARK)
    PAGE.write_text(before + MARK + "\n".join(lines) + "\n" + MARK + after)


if __name__ == "__main__":
    main()
