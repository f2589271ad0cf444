"""A plot of lines, as SVG."""

from __future__ import annotations

from html import escape
from math import ceil, log10

WIDTH, HEIGHT = 760, 420
LEFT, TOP, RIGHT, BOTTOM = 64, 44, 250, 52
# Told apart by people who see few colours too (Okabe and Ito).
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f7f7f", "#000000")
# Between the names of two lines that end at the same height.
APART = 16


def draw(
    lines: dict[str, list[tuple[int, float]]],
    title: str,
    *,
    across: str = "rows",
    unit: str = "MB",
    powers: bool = False,
) -> str:
    """Points by name: the first is thick. Names stand where the lines end. Across, it may go by powers of ten."""
    least_x = min(x for points in lines.values() for x, _ in points)
    most_x = max(x for points in lines.values() for x, _ in points)
    most_y = max(y for points in lines.values() for _, y in points)
    step = next(step for step in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000) if most_y / step <= 8)

    def at(x: float, y: float) -> tuple[float, float]:
        share = log10(x / least_x) / log10(most_x / least_x) if powers else x / most_x
        return (
            LEFT + (WIDTH - LEFT - RIGHT) * share,
            HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * y / most_y,
        )

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        f'font-size="12" role="img"><title>{escape(title)}</title>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="22" font-size="14">{escape(title)}</text>',
    ]
    for y in range(0, int(most_y) + 1, step):
        begin, end = at(least_x if powers else 0, y), at(most_x, y)
        parts.append(
            f'<path d="M{begin[0]:.0f} {begin[1]:.1f}H{end[0]:.0f}" stroke="#dddddd"/>'
            f'<text x="{LEFT - 6}" y="{begin[1] + 4:.1f}" text-anchor="end">{y} {unit}</text>'
        )
    fifths = [most_x * fifth // 5 for fifth in range(6)]
    for shown_x in [10**power for power in range(ceil(log10(most_x)))] if powers else fifths:
        x, y = at(shown_x, 0)
        parts.append(f'<text x="{x:.0f}" y="{y + 18:.1f}" text-anchor="middle">{shown_x:,}</text>')
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(f'<text x="{middle:.0f}" y="{HEIGHT - 12}" text-anchor="middle">{across}</text>')
    below = float("-inf")
    for number, (name, points) in sorted(enumerate(lines.items()), key=lambda line: -line[1][1][-1][1]):
        colour = COLOURS[number % len(COLOURS)]
        shown = [at(*point) for point in points]
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in shown)
        thick, dashed = (3, "") if number == 0 else (1.5, ' stroke-dasharray="5 3"' * (number >= len(COLOURS)))
        parts.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="{thick}"{dashed}/>')
        below = max(shown[-1][1] + 4, below + APART)
        parts.append(f'<text x="{shown[-1][0] + 8:.0f}" y="{below:.1f}" fill="{colour}">{escape(name)}</text>')
    return "\n".join([*parts, "</svg>", ""])
