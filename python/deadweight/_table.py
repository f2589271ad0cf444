"""Results that are rows: as Arrow tables for whoever takes them, and as tables in notebooks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from deadweight import _core
from deadweight._text import escaped, size

Column = tuple[str, type, str]
"""A field of the rows, what is in it (``int``, ``float`` or ``str``, or None), and its heading: ``bytes:``
before the heading has numbers written with their unit."""

_SHOWN = 30


class Printed:
    """A result that a prompt shows as ``print`` does, as data frames do."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


class Table(Printed):
    """Rows of one kind. ``pyarrow.table(result)``, ``polars.DataFrame(result)`` and others take it."""

    __slots__ = ()
    _columns: ClassVar[tuple[Column, ...]]

    def _rows(self) -> Sequence[Any]:
        raise NotImplementedError

    def _title(self) -> str:
        raise NotImplementedError

    def __arrow_c_schema__(self) -> object:
        """The columns, as the Arrow PyCapsule interface has them."""
        return _core.arrow_schema([(name, kind.__name__) for name, kind, _ in self._columns])

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """All rows as one batch of 64-bit integers and floats and UTF-8 strings. No other schema can be had."""
        rows = self._rows()
        columns = [(name, kind.__name__, [getattr(row, name) for row in rows]) for name, kind, _ in self._columns]
        return _core.arrow_stream(columns, len(rows))

    def _repr_html_(self) -> str:
        rows = self._rows()
        cells = [[_cell(getattr(row, name), head) for name, _, head in self._columns] for row in rows[:_SHOWN]]
        right = {place for place, (_, kind, _) in enumerate(self._columns) if kind is int}
        heads = [head.removeprefix("bytes:") for _, _, head in self._columns]
        return html_table(self._title(), heads, cells, right, len(rows) - len(cells))


def _cell(value: object, head: str) -> str:
    if value is None:
        return ""
    if not isinstance(value, int):
        return str(value)
    return size(value) if head.startswith("bytes:") else f"{value:,}"


def html_table(
    title: str, heads: Sequence[str], rows: Sequence[Sequence[str]], right: set[int], more: int = 0
) -> str:
    """A table for a notebook; columns in ``right`` are aligned to the right."""

    def cell(tag: str, place: int, text: str) -> str:
        side = "right" if place in right else "left"
        return f'<{tag} style="text-align:{side};white-space:pre-wrap">{escaped(text)}</{tag}>'

    def line(tag: str, texts: Sequence[str]) -> str:
        return "<tr>" + "".join(cell(tag, place, text) for place, text in enumerate(texts)) + "</tr>"

    body = "".join(line("td", row) for row in rows)
    tail = f"<p>and {more:,} more rows</p>" if more > 0 else ""
    caption = f'<caption style="text-align:left">{escaped(title)}</caption>'
    return f"<table>{caption}<thead>{line('th', heads)}</thead><tbody>{body}</tbody></table>{tail}"
