"""Lines of files larger than memory, of compressed files, and of streams."""

from __future__ import annotations

import codecs
import operator
from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from os import PathLike, fsdecode
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar, overload

from deadweight._core import JsonIterator, JsonQuery, LineIterator
from deadweight._limits import parse_size
from deadweight._stream import Steps, Stream
from deadweight._stream_run import Origin
from deadweight._stream_steps import ParseCsv, Step

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from deadweight._csv import CsvScan

    class Readable(Protocol):
        """A file opened as bytes, or what has its ``read``."""

        def read(self, size: int, /) -> Buffer: ...

    Source: TypeAlias = str | bytes | PathLike[str] | PathLike[bytes] | Readable

L = TypeVar("L", str, bytes)

LONGEST = "16 MB"
MOST_UNPACKED = "1 TB"


class Lines(Steps[L]):
    """Lines, read when they are iterated over: what :func:`lines` returns.

    Each iteration over files begins anew; a file object, a pipe and standard input give their lines once.
    """

    __slots__ = ("_encoding", "_ends", "_errors", "_longest", "_most", "_part", "_progress", "_sources")

    def __init__(
        self,
        sources: tuple[Source, ...],
        encoding: str | None,
        errors: str,
        ends: bool,
        longest: int,
        most: int,
        part: tuple[int, int] | None,
        progress: Callable[[int], object] | None,
    ) -> None:
        self._sources, self._encoding, self._errors, self._ends = sources, encoding, errors, ends
        self._longest, self._most, self._part, self._progress = longest, most, part, progress

    def __iter__(self) -> Iterator[L]:
        return self._lines()

    def _lines(self) -> LineIterator:
        return LineIterator(
            self._sources,
            self._encoding,
            self._errors,
            self._ends,
            self._longest,
            self._most,
            self._part,
            self._progress,
        )

    def _json(self, query: JsonQuery, keep: int | None) -> JsonIterator:
        return JsonIterator(self._sources, self._longest, self._most, self._part, self._progress, query, keep)

    def _csv(self, parse: ParseCsv) -> Iterator[CsvScan]:
        for source in self._sources:
            yield self._scan(source, self._part, parse)

    def _scan(self, source: Source, part: tuple[int, int] | None, parse: ParseCsv) -> CsvScan:
        from deadweight._csv import scan_csv

        return scan_csv(
            source,
            delimiter=parse.delimiter,
            quote=parse.quote,
            header=parse.header,
            encoding=self._encoding or "utf-8",
            errors=self._errors,
            bad_rows=parse.errors.on_error,
            longest=self._longest,
            max_unpacked=self._most,
            part=part,
            progress=self._progress,
        )

    def _then(self, step: Step) -> Stream[Any]:
        if isinstance(step, ParseCsv):
            if self._encoding not in (None, "utf-8", "iso8859-1"):
                hint = f"`iconv -f {self._encoding} -t UTF-8` makes it UTF-8"
                raise ValueError(f"parse_csv takes UTF-8 and Latin-1, and no {self._encoding}: {hint}")
            # What can be read in no way is refused at once.
            self._scan(BytesIO(), None, step)
        # What is not strictly UTF-8 is decoded first.
        is_json = self._encoding is None or (self._encoding, self._errors) == ("utf-8", "strict")
        json = self._json if is_json else None
        return Stream(Origin(repr(self), self._lines, json, self._csv), (step,))

    def __repr__(self) -> str:
        names = (fsdecode(source) if isinstance(source, bytes) else str(source) for source in self._sources)
        return f"<lines of {', '.join(names)}>"


@overload
def lines(
    source: Source | Iterable[Source],
    /,
    *,
    encoding: str = ...,
    errors: str = ...,
    keepends: bool = ...,
    longest: int | str = ...,
    max_unpacked: int | str = ...,
    part: tuple[int, int] | None = ...,
    progress: Callable[[int], object] | None = ...,
) -> Lines[str]: ...
@overload
def lines(
    source: Source | Iterable[Source],
    /,
    *,
    encoding: None,
    errors: str = ...,
    keepends: bool = ...,
    longest: int | str = ...,
    max_unpacked: int | str = ...,
    part: tuple[int, int] | None = ...,
    progress: Callable[[int], object] | None = ...,
) -> Lines[bytes]: ...
def lines(
    source: Source | Iterable[Source],
    /,
    *,
    encoding: str | None = "utf-8",
    errors: str = "strict",
    keepends: bool = False,
    longest: int | str = LONGEST,
    max_unpacked: int | str = MOST_UNPACKED,
    part: tuple[int, int] | None = None,
    progress: Callable[[int], object] | None = None,
) -> Lines[str] | Lines[bytes]:
    """The lines of a file of any size, in constant memory; of gzip, Zstandard, bzip2 and xz those of what is in
    it, whatever the file is called.

    A line ends at a line feed, or a carriage return and a line feed. A carriage return alone is a character like
    any other, which it is not to ``open``. The last line needs no end. A byte-order mark of UTF-8 is dropped. The
    interpreter goes on with other threads while a file is read.

    Args:
        source: a path, ``"-"`` for standard input, a file opened as bytes or another object whose ``read(n)``
            returns at most n bytes, or several of these, one after the other. They are opened when the iteration
            comes to them.
        encoding: how the bytes are made ``str``: any encoding in which a line feed is one byte; ``None`` gives
            ``bytes``.
        errors: what becomes of bytes that are no text, as for ``bytes.decode``.
        keepends: whether a line has its end.
        longest: how many bytes a line may have, as a number or as ``"16 MB"``. Memory is at most four times that.
        max_unpacked: how many bytes a compressed file may have in it.
        part: read only what is between two bytes of a file, such as one of :func:`splits`.
        progress: is called with the number of bytes that were read of a file, at most every 50 ms and at its
            end.

    Raises:
        OSError: a file cannot be read, or became shorter meanwhile.
        ValueError: a line is too long, or what is compressed is damaged, cut off or too large.
        UnicodeDecodeError: a line is no text. It names the file, the line and the byte.

    >>> import gzip
    >>> import deadweight as dw
    >>> with gzip.open("app.log", "wt") as file:
    ...     _ = file.write("started\\nERROR disk full\\nERROR no route")
    >>> [line for line in dw.lines("app.log") if line.startswith("ERROR")]
    ['ERROR disk full', 'ERROR no route']
    """
    sources = _several(source)
    if part is not None and len(sources) != 1:
        raise ValueError("a part is one of one file")
    codecs.lookup_error(errors)
    return Lines(
        sources,
        None if encoding is None else _codec(encoding),
        errors,
        keepends,
        parse_size(longest),
        parse_size(max_unpacked),
        checked_part(part),
        progress,
    )


def checked_part(part: Any) -> tuple[int, int] | None:
    """Two bytes of a file, the second of which does not come before the first."""
    if part is None:
        return None
    try:
        start, end = map(operator.index, part)
    except (TypeError, ValueError):
        raise TypeError(f"a part is two bytes of a file, such as (0, 974), not {part!r}") from None
    if not 0 <= start <= end:
        raise ValueError(
            f"a part goes from one byte of a file to the same or a later one, not from {start} to {end}"
        )
    return start, end


def _several(source: Any) -> tuple[Source, ...]:
    if _is_one(source):
        return (source,)
    try:
        return tuple(source)
    except TypeError:
        kind = type(source).__name__
        raise TypeError(f'a path, "-", a binary file or several of these are wanted, not {kind}') from None


def _is_one(source: object) -> bool:
    return isinstance(source, str | bytes | PathLike) or hasattr(source, "read")


def _codec(encoding: str) -> str:
    """The name of an encoding whose line ends are those of ASCII."""
    # A byte-order mark is dropped already.
    name = codecs.lookup(encoding).name.removesuffix("-sig")
    if "\r\n".encode(name) != b"\r\n":
        hint = f"Make it UTF-8 first: `iconv -f {name} -t UTF-8`."
        raise ValueError(f"in {name}, line ends are not those of ASCII. {hint}")
    return name
