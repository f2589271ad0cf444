"""Files of CSV larger than memory: what is in them, and what is wrong with them."""

from __future__ import annotations

import os
from collections import namedtuple
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeVar, cast, overload

from deadweight._core import CsvPass
from deadweight._csv_answers import BadRow, CsvCheck, checked
from deadweight._limits import parse_size
from deadweight._lines import LONGEST, MOST_UNPACKED, checked_part
from deadweight._records import Record, Records

if TYPE_CHECKING:
    from deadweight._lines import Source

R = TypeVar("R", bound=Record)

_Columns = list[tuple[int, str, str, bool]]
"""Number in the file, name, type, and whether there may be none."""


class _Passes:
    """Ways through a source: of a file as many as one likes, of a stream one."""

    __slots__ = ("_how", "_left", "_part", "_source", "has_header", "last", "name", "names", "reopens")

    def __init__(
        self, source: Source, part: tuple[int, int] | None, header: bool | Iterable[str], how: tuple[Any, ...]
    ) -> None:
        self._source, self._part, self._how = source, part, how
        self.last: CsvPass | None = None
        first = CsvPass(source, None, *how)
        self.name = first.name
        is_path = isinstance(source, str | bytes | os.PathLike) and not (isinstance(source, str) and source == "-")
        self.reopens = is_path and os.path.isfile(cast("str", source))
        self.has_header = header is True
        if header is True:
            offset, names = first.header()
            self.names = tuple(names)
            # One part of a file has the header that all have; it may begin with empty lines, and end before it.
            self.has_header = part is None or part[0] <= offset < part[1]
        elif header is False:
            self.names = tuple(f"column_{number + 1}" for number in range(first.width()))
        else:
            self.names = _names(header)
        # What is opened later has what was appended until then.
        self._left = None if self.reopens or part else first

    def take(self) -> CsvPass:
        """One that stands before the first row."""
        taken, self._left = self._left, None
        if taken is None:
            if not self.reopens and not self._part:
                raise ValueError(f"{self.name} can be read once, and was")
            taken = CsvPass(self._source, self._part, *self._how)
            if self.has_header and tuple(taken.header()[1]) != self.names:
                raise ValueError(f"{self.name} has other columns than when it was opened")
        self.last = taken
        return taken


def _names(header: Iterable[str]) -> tuple[str, ...]:
    names = () if isinstance(header, str) or not hasattr(header, "__iter__") else tuple(header)
    if not names or not all(isinstance(name, str) for name in names):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError("header is True, False, or the names of all columns")
    return names


class CsvScan:
    """A file of CSV: what :func:`scan_csv` returns. Nothing of it is kept but the header.

    Iterated over, it gives named tuples of ``str``, or ``bytes``. A file is read anew each time; a file object, a
    pipe and standard input can be read once.
    """

    __slots__ = ("_class", "_passes", "_places")

    def __init__(self, passes: _Passes, places: tuple[int, ...]) -> None:
        self._passes, self._places = passes, places
        self._class: type[tuple[str, ...]] | None = None

    @property
    def name(self) -> str:
        """What messages call it."""
        return self._passes.name

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns, as the header has them: some may be empty, or be there twice."""
        return tuple(self._passes.names[place] for place in self._places)

    def count(self) -> int:
        """How many rows there are, whatever is in quotes: bad ones are counted too."""
        records = self._passes.take().count()
        return max(records - self._passes.has_header, 0)

    def check(self, *, top: int = 20) -> CsvCheck:
        """Looks at every row, and lists the first ``top`` that are not as they should be: with more or fewer
        fields than there are columns, quotes out of place or not closed, zero bytes, or bytes that are no UTF-8.
        """
        fields = len(self._passes.names)
        return checked(*self._passes.take().check(self._passes.has_header, fields, top))

    def select(self, *columns: str | int) -> CsvScan:
        """Some columns, by name or number, in this order.

        Raises KeyError if there is none, ValueError if several have that name.
        """
        if not columns:
            raise TypeError("select takes the names of columns, or their numbers")
        return CsvScan(self._passes, tuple(self._place(column) for column in columns))

    def _place(self, column: str | int) -> int:
        names = self.columns
        if isinstance(column, int):
            try:
                return self._places[column]
            except IndexError:
                raise KeyError(f"{self.name} has {len(names)} columns: there is no number {column}") from None
        if column not in names:
            raise KeyError(f"{self.name} has no column {column!r}: it has {', '.join(map(repr, names))}")
        if names.count(column) > 1:
            numbers = ", ".join(str(number) for number, name in enumerate(names) if name == column)
            raise ValueError(f"{self.name} has several columns {column!r}: select one by number ({numbers})")
        return self._places[names.index(column)]

    def __iter__(self) -> Iterator[Any]:
        if self._class is None:
            self._class = namedtuple("Row", self.columns, rename=True)  # type: ignore[misc]  # pyright: ignore[reportUntypedNamedTuple]
        names = self._passes.names
        reading = self._passes.take()
        reading.select(len(names), [(place, names[place]) for place in self._places], self._class)
        return chain.from_iterable(reading)

    @overload
    def to_records(self, record: type[R]) -> Records[R]: ...
    @overload
    def to_records(self, record: None = None) -> Records[Any]: ...
    def to_records(self, record: type[Record] | None = None) -> Records[Any]:
        """All rows as packed records: each field of the class from the column of its name, its text read as the
        field's type. No Python objects are made of them.

        Numbers are decimal; true and false are ``true`` and ``false`` in any case, or ``1`` and ``0``; dates and
        times are as ``isoformat`` has them, without a time zone. Where there may be None, nothing is None; of
        texts, ``""`` is an empty one. Fields that have a default need no column.

        Without a class, a file is read twice, and a column gets the narrowest type that all its texts say, as
        :func:`pack` has it: integers, floats, ``true`` and ``false``, dates and times. What would be written
        otherwise, such as 007 or 1e400, makes it a column of texts.

        Raises KeyError if a column is missing, TypeError if a field is of a type that no text says, and ValueError
        of a bad row, with line, byte, column, text and type.
        """
        if record is None:
            if not self._passes.reopens:
                raise TypeError(f"{self.name} can be read only once: to_records takes a class of rows then")
            # Begun before the types are found: what is appended meanwhile has types, and no rows.
            reading = self._passes.take()
            columns = self._types()
            self._passes.last = reading
            return self._records(None, reading, columns, None)
        columns = self._columns(record)
        return self._records(record, self._passes.take(), columns, None)

    def _types(self) -> _Columns:
        named = [(self._place(name), name) for name in self.columns]
        found = self._passes.take().types(len(self._passes.names), named)
        return [
            # Whether there are few different texts, and whether some are none, is seen when they are packed.
            (place, name, kind, nullable or not kind)
            for (place, name), (kind, nullable) in zip(named, found, strict=True)
        ]

    def batches(self, record: type[R], rows: int = 100_000) -> Iterator[Records[R]]:
        """As :meth:`to_records`, but so many rows at a time: for more than memory can hold."""
        if rows < 1:
            raise ValueError("a batch has at least one row")
        return self._batches(record, self._columns(record), rows)

    def _batches(self, record: type[R], columns: _Columns, rows: int) -> Iterator[Records[R]]:
        reading = self._passes.take()
        while batch := self._records(record, reading, columns, rows):
            yield batch
            if len(batch) < rows:
                return

    def _records(
        self, record: type[Record] | None, reading: CsvPass, columns: _Columns, most: int | None
    ) -> Records[Any]:
        table = reading.pack(len(self._passes.names), columns, most)
        return Records._of(table, record, "Row")  # pyright: ignore[reportPrivateUsage]

    def _columns(self, record: type[Record]) -> _Columns:
        if not (isinstance(record, type) and issubclass(record, Record)):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f"to_records takes a class of rows, a subclass of Record, not {record!r}")
        names, found = self.columns, _Columns()
        for name, kind, nullable in record._schema.fields:  # pyright: ignore[reportPrivateUsage]
            has_default = nullable or bool(record._defaults[name][3])  # pyright: ignore[reportPrivateUsage]
            if name not in names and has_default:
                continue
            place = self._place(name)
            if kind in ("object", "timedelta"):
                raise TypeError(
                    f"{record.__name__}.{name}: no text says a value of type {kind}: annotate it as str"
                )
            found.append((place, name, kind, nullable))
        if not found:
            raise KeyError(f"{self.name} has no column for any field of {record.__name__}")
        return found

    @property
    def skipped(self) -> int:
        """How many bad rows were left out since the file was last begun."""
        return 0 if self._passes.last is None else self._passes.last.bad()[0]

    @property
    def bad_rows(self) -> tuple[BadRow, ...]:
        """The first 1,000 of them, if they are collected."""
        told = [] if self._passes.last is None else self._passes.last.bad()[1]
        return tuple(BadRow(*row) for row in told)

    def __repr__(self) -> str:
        return f"<CsvScan of {self.name}: {', '.join(self.columns)}>"


def scan_csv(
    source: Source,
    /,
    *,
    delimiter: str = ",",
    quote: str = '"',
    header: bool | Iterable[str] = True,
    encoding: str | None = "utf-8",
    errors: str = "strict",
    bad_rows: str = "raise",
    longest: int | str = LONGEST,
    max_unpacked: int | str = MOST_UNPACKED,
    part: tuple[int, int] | None = None,
    progress: Callable[[int], object] | None = None,
) -> CsvScan:
    """A file of CSV of any size, to be counted, checked and read in constant memory; of gzip, Zstandard, bzip2 and
    xz what is in it. What a row is, docs/files.md says.

    Args:
        source: a path, ``"-"`` for standard input, a file opened as bytes, or another object whose ``read(n)``
            returns at most n bytes.
        delimiter: what separates fields: one character of ASCII.
        quote: what quotes them. Where nothing is quoted, name a character that is not in the file: ``"\\x01"``.
        header: whether the first record has the names of the columns. If not, they are ``column_1`` and so on, or
            the names that are given here, one for each column.
        encoding: ``"utf-8"``, ``"latin-1"``, or None for rows of ``bytes``. Latin-1 takes any byte.
        errors: what becomes of bytes that are no UTF-8: ``"strict"`` takes their row for bad, ``"replace"`` puts
            U+FFFD in their place.
        bad_rows: what becomes of a row with more or fewer fields than there are columns, with a quote that is not
            closed, or with a text that is no value of its type: ``"raise"``, ``"skip"`` (and count), or
            ``"collect"`` (skip, count, and keep where they are).
        longest: how many bytes a record may have, as a number or as ``"16 MB"``.
        max_unpacked: how many bytes a compressed file may have in it.
        part: read only what is between two bytes of a file, at which rows begin; the names of columns are those of
            the file. A bad row is named by its byte: on which line a part begins, nobody knows.
        progress: is called with the number of bytes that were read, at most every 50 ms and at the end.

    Raises:
        OSError: the file cannot be read, or became shorter meanwhile.
        ValueError: a row is bad or too long, or what is compressed is damaged, cut off or too large.

    >>> import deadweight as dw
    >>> with open("prices.csv", "w") as file:
    ...     _ = file.write('id,price,note\\n7,1.5,"a, b"\\n8,,x\\n9,cheap,\\n')
    >>> prices = dw.scan_csv("prices.csv")
    >>> prices.columns, prices.count(), prices.check().bad
    (('id', 'price', 'note'), 3, 0)
    >>> [row.note for row in prices.select("id", "note")]
    ['a, b', 'x', '']
    >>> class Price(dw.Record):
    ...     id: dw.u4
    ...     price: float | None
    >>> prices.to_records(Price)
    Traceback (most recent call last):
        ...
    ValueError: prices.csv:4: byte 32: column "price": "cheap" is no f8
    >>> prices = dw.scan_csv("prices.csv", bad_rows="collect")
    >>> list(prices.to_records(Price)), prices.skipped, prices.bad_rows[0].sample
    ([Price(id=7, price=1.5), Price(id=8, price=None)], 1, '9,cheap,')
    """
    if quote is None:  # pyright: ignore[reportUnnecessaryComparison]
        hint = "where nothing is quoted, name a character that is not in the file, such as '\\x01'"
        raise TypeError(f"quoting cannot be turned off: {hint}")
    how = (
        (delimiter, quote),
        (encoding, errors),
        bad_rows,
        parse_size(longest),
        parse_size(max_unpacked),
        progress,
    )
    passes = _Passes(source, checked_part(part), header, how)
    return CsvScan(passes, tuple(range(len(passes.names))))
