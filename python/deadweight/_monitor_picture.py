"""Pauses of the collector for notebooks: a histogram a generation, and the table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from deadweight._durations import duration
from deadweight._table import html_table
from deadweight._text import counted, escaped

if TYPE_CHECKING:
    from deadweight._monitor import GenerationPauses

# Pixels. A letter of the commonest monospaced fonts is 0.602 of its size wide.
_FONT = 11
_BAR = 62
_GAP = 8
_HEIGHT = 60
_LINE = 16
_MARGIN = 12
# A heading, the counts over the bars, the bars, their bounds, and room to the next.
_PANEL = 2 * _LINE + _HEIGHT + 2 * _LINE


def to_html(title: str, cells: Sequence[Sequence[str]], rows: Sequence[GenerationPauses]) -> str:
    """The picture, if there is anything to be seen in it, over the table."""
    drawn = [row for row in rows if row.count]
    return (to_svg(drawn) if drawn else "") + html_table(title, cells[0], cells[1:], set(range(len(cells[0]))))


def to_svg(rows: Sequence[GenerationPauses]) -> str:
    """How many pauses were how long, of each generation that has any."""
    from deadweight._monitor import BOUNDS

    texts = [f"≤ {duration(bound)}" for bound in BOUNDS]
    labels = [*texts, f"> {duration(BOUNDS[-1])}"]
    used = [place for row in rows for place, count in enumerate(row.buckets) if count]
    places = range(min(used), max(used) + 1)
    # The heading may be wider than a bar or two.
    width = 2 * _MARGIN + max(len(places), 6) * (_BAR + _GAP)
    height = 2 * _MARGIN + len(rows) * _PANEL
    body = "".join(_panel(row, places, labels, _MARGIN + number * _PANEL) for number, row in enumerate(rows))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="ui-monospace, Menlo, Consolas, monospace" '
        f'font-size="{_FONT}" role="img"><title>how long the pauses were</title>'
        f'<rect class="paper" width="{width}" height="{height}" fill="#ffffff"/>{body}</svg>'
    )


def _panel(row: GenerationPauses, places: range, labels: Sequence[str], top: int) -> str:
    most = max(row.buckets)
    base = top + 2 * _LINE + _HEIGHT
    head = f"generation {row.generation}: {counted(row.count, 'collection')}, longest {duration(row.longest)}"
    parts = [_text(_MARGIN, top + _FONT, head, "start")]
    for column, place in enumerate(places):
        x, count = _MARGIN + column * (_BAR + _GAP), row.buckets[place]
        middle = x + _BAR / 2
        if count:
            # A single one beside a million is still to be seen.
            tall = max(2.0, _HEIGHT * count / most)
            parts.append(
                f'<rect class="bar" x="{x}" y="{base - tall:.1f}" width="{_BAR}" height="{tall:.1f}" '
                'fill="#7ba3d4" stroke="#4a5564"/>'
            )
            parts.append(_text(middle, base - tall - 4, f"{count:,}", "middle"))
        parts.append(_text(middle, base + _FONT + 2, labels[place], "middle"))
    return "<g>" + "".join(parts) + "</g>"


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="#1a1a1a" text-anchor="{anchor}">{escaped(text)}</text>'
