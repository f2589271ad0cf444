"""Files in parts: for workers that take one each, and for memory that holds no more."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from os import PathLike
from typing import TYPE_CHECKING, Any

from deadweight._core import Pieces, split_after, split_records
from deadweight._limits import parse_size
from deadweight._lines import MOST_UNPACKED, checked_part

if TYPE_CHECKING:
    from deadweight._lines import Source

_MOST = 100_000


def chunks(
    source: Source,
    /,
    size: int | str = "64 MB",
    align: bytes | None = b"\n",
    *,
    longest: int | str = "256 MB",
    max_unpacked: int | str = MOST_UNPACKED,
    part: tuple[int, int] | None = None,
    progress: Callable[[int], object] | None = None,
) -> Iterator[bytes]:
    """The bytes of a file in pieces that end where a record ends, in constant memory; of what is compressed, those
    of what is in it. Together they are the file.

    Args:
        source: a path, ``"-"`` for standard input, or a file opened as bytes.
        size: how many bytes a chunk has at most, as a number or as ``"64 MB"``.
        align: the byte after which to cut, or ``None`` to cut anywhere. A record that is longer than ``size``
            makes a longer chunk.
        longest: how long such a record may be.
        max_unpacked: how many bytes a compressed file may have in it.
        part: read only what is between two bytes of a file, such as one of :func:`splits`.
        progress: is called with the number of bytes that were read, at most every 50 ms and at the end.

    Raises:
        OSError: the file cannot be read, or became shorter meanwhile.
        ValueError: a record is too long, or what is compressed is damaged, cut off or too large.

    Memory is about twice a chunk, and what the program keeps of them.

    >>> import deadweight as dw
    >>> with open("numbers", "wb") as file:
    ...     _ = file.write(b"1\\n22\\n333\\n4444")
    >>> list(dw.chunks("numbers", size=6))
    [b'1\\n22\\n', b'333\\n', b'4444']
    """
    least = parse_size(size)
    if least == 0:
        raise ValueError("chunks of no bytes would never end")
    end = None if align is None else _byte(align)
    return Pieces(source, least, end, parse_size(longest), parse_size(max_unpacked), checked_part(part), progress)


def splits(
    path: str | bytes | PathLike[str] | PathLike[bytes],
    n: int,
    /,
    align: bytes | str | csv.Dialect | type[csv.Dialect] = b"\n",
    *,
    progress: Callable[[int], object] | None = None,
) -> list[tuple[int, int]]:
    """Where to cut a file in at most ``n`` parts of about the same length, each of which begins with a record.

    Each is the first byte and the one after the last: hand them to workers, which read theirs by
    ``dw.lines(path, part=part)`` or ``dw.chunks(path, part=part)``. Together they have the records of the file. An
    empty file has none.

    Args:
        path: a file that is not compressed.
        n: how many parts, from 1 to 100,000.
        align: the byte that ends a record, or a dialect of :mod:`csv` such as ``"excel"``: then no part begins
            within a field in quotes. For a byte only the places where the file is cut are read, for CSV all
            before the last of them.
        progress: is called with the number of bytes that were read, at most every 50 ms and at the end.

    Raises:
        OSError: the file cannot be read, or became shorter meanwhile.
        ValueError: it has no length, or the dialect is none that can be split.

    >>> import deadweight as dw
    >>> with open("numbers", "wb") as file:
    ...     _ = file.write(b"1\\n22\\n333\\n4444")
    >>> dw.splits("numbers", 2)
    [(0, 9), (9, 13)]
    >>> [list(dw.lines("numbers", part=part)) for part in dw.splits("numbers", 2)]
    [['1', '22', '333'], ['4444']]
    """
    if not 1 <= n <= _MOST:
        raise ValueError(f"from 1 to {_MOST:,} parts can be made, not {n}")
    if isinstance(align, bytes):
        return split_after(path, n, _byte(align))
    return split_records(path, n, *_marks(align), progress)


def _byte(align: Any) -> int:
    if not isinstance(align, bytes):
        raise TypeError(f'records end with one byte, such as b"\\n", not with {align!r}')
    if len(align) != 1:
        raise ValueError(f"records end with one byte, not with {align!r}")
    return align[0]


def _marks(dialect: Any) -> tuple[int, int]:
    """What separates and quotes fields."""
    if isinstance(dialect, str) and dialect not in csv.list_dialects():
        known = ", ".join(map(repr, csv.list_dialects()))
        raise ValueError(f'{dialect!r} is no dialect of csv ({known}), and a byte is bytes, such as b"\\n"')
    if not isinstance(dialect, str) and not hasattr(dialect, "delimiter"):
        raise TypeError(
            f'align is the byte that ends a record, or a dialect of csv such as "excel", not {dialect!r}'
        )
    given = csv.reader((), dialect).dialect
    quote = given.quotechar
    if given.escapechar or not given.doublequote or given.quoting == csv.QUOTE_NONE or quote is None:
        raise ValueError("a quote within quotes must be doubled, and nothing be escaped, for CSV to be split")
    if given.skipinitialspace:
        raise ValueError(
            "a blank before a quote must be one of the field, and not be skipped, for CSV to be split"
        )
    delimiter = given.delimiter
    if not (delimiter.isascii() and quote.isascii()):
        raise ValueError("the delimiter and the quote must be characters of ASCII")
    return ord(delimiter), ord(quote)
