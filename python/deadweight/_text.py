"""Numbers as people read them."""

from collections.abc import Sequence

# What a document of XML or HTML has no room for in a line of text; and its own letters.
_CONTROLS = [*range(32), *range(0x7F, 0xA0), 0x2028, 0x2029, *range(0xD800, 0xE000), 0xFFFE, 0xFFFF]
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;"}
_MARKUP = dict.fromkeys(_CONTROLS, "\ufffd") | {ord(letter): entity for letter, entity in _ENTITIES.items()}


def escaped(text: str) -> str:
    """A line of text for XML or HTML. What cannot be shown there is a replacement character."""
    return text.translate(_MARKUP)


def counted(count: int, what: str) -> str:
    """``1 object``, ``2,000 objects``."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def size(count: int) -> str:
    """Bytes with a unit: 1,024 B below ten thousand, then kB, MB and GB."""
    if abs(count) < 10_000:
        return f"{count:,} B"
    divisor, unit = 1000, "kB"
    if abs(count) >= 10**9:
        divisor, unit = 10**9, "GB"
    elif abs(count) >= 10**6:
        divisor, unit = 10**6, "MB"
    value = count / divisor
    digits = 1 if abs(value) < 100 else 0
    return f"{value:,.{digits}f} {unit}"


def table(rows: Sequence[tuple[str, ...]], right: set[int]) -> str:
    """Columns two blanks apart; those named are aligned to the right."""
    if not rows:
        return ""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines: list[str] = []
    for row in rows:
        cells = [
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)
