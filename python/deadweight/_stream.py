"""Lazy steps over the lines of files and streams: one pass, in constant memory."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import takewhile
from operator import index
from typing import Any, ClassVar, Generic, TypeVar, overload

from deadweight._stream_run import BadLine, Origin, Run, StepCount
from deadweight._stream_steps import (
    Batched,
    Errors,
    Filter,
    Map,
    OnError,
    ParseCsv,
    ParseJson,
    Path,
    Select,
    Step,
    Where,
    as_condition,
    as_path,
    is_several,
    shown,
    shown_value,
)
from deadweight._table import Printed, Table
from deadweight._text import table

T = TypeVar("T")
U = TypeVar("U")

KEPT = 100
"""Bad records that are collected, unless more are asked for."""


class Steps(Generic[T]):
    """What can be done with records, whatever they come from. Nothing is read until somebody iterates."""

    __slots__ = ()
    _before: tuple[Step, ...] = ()

    def _then(self, step: Step) -> Stream[Any]:
        raise NotImplementedError

    def map(self, function: Callable[[T], U], /, *, on_error: OnError = "raise", keep: int = KEPT) -> Stream[U]:
        """What a callable makes of each record.

        Args:
            function: is called with a record.
            on_error: whether what it raises is raised (``"raise"``), or the record left out and counted
                (``"skip"``) or kept as well, for :attr:`Stream.errors` (``"collect"``).
            keep: how many are kept.
        """
        return self._then(Map(_callable(function), Errors(on_error, keep)))

    @overload
    def filter(
        self, function: Callable[[T], object], /, *, on_error: OnError = ..., keep: int = ...
    ) -> Stream[T]: ...
    @overload
    def filter(self, function: None = ..., /, *, path: str | Path, equals: str | float | None) -> Stream[T]: ...
    @overload
    def filter(
        self,
        function: None = ...,
        /,
        *,
        path: str | Path,
        in_: list[Any] | tuple[Any, ...] | set[Any] | frozenset[Any],
    ) -> Stream[T]: ...
    def filter(
        self,
        function: Callable[[T], object] | None = None,
        /,
        *,
        path: str | Path | None = None,
        equals: Any = ...,
        in_: Any = ...,
        on_error: OnError = "raise",
        keep: int = KEPT,
    ) -> Stream[T]:
        """The records of which a callable says so, or that have a value at a path.

        A path is a dotted name, ``"user.id"``, or a tuple of keys, which may have dots; the name of a column of
        CSV may have them too. It is compared as :meth:`where` compares; a callable is called with each record, and
        its errors are as in :meth:`map`.
        """
        if function is not None:
            if path is not None:
                raise TypeError("filter takes a callable or a path, not both")
            return self._then(Filter(_callable(function), Errors(on_error, keep)))
        if path is None or (equals is ...) == (in_ is ...):
            raise TypeError("filter takes a callable, or path= and either equals= or in_=")
        word, value = ("equals", equals) if in_ is ... else ("in_", in_)
        if is_several(value) != (word == "in_"):
            raise TypeError("equals= takes one value, and in_= a list, tuple, set or frozenset")
        self._named("filter(path=…)")
        keys = self._path(path)
        text = f"filter(path={shown(keys)!r}, {word}={shown_value(value)})"
        return self._then(Where((as_condition(keys, value),), text))

    def parse_json(self, *, on_error: OnError = "raise", keep: int = KEPT) -> Stream[Any]:
        """Each line as JSON: an object a line, as Python's ``json`` has it. Blank lines are no records.

        Directly after the lines, this and all that follows it up to a callable is done at once, without
        making objects of Python but of what comes out. A line that is no JSON is an error wherever in it that
        is, even if nothing there is asked for; ``NaN`` and ``Infinity`` are no JSON.

        Args:
            on_error: as in :meth:`map`.
            keep: how many bad lines are kept.

        >>> import deadweight as dw
        >>> with open("app.log", "w") as file:
        ...     _ = file.write('{"level": "ERROR", "ts": 1}\\n{"level": "INFO", "ts": 2}\\n')
        >>> list(dw.lines("app.log").parse_json().where(level="ERROR").select("ts"))
        [1]
        """
        if any(isinstance(before, ParseJson | ParseCsv) for before in self._before):
            raise ValueError("the records are parsed already")
        for step in takewhile(lambda step: not isinstance(step, Map), reversed(self._before)):
            if isinstance(step, Batched):
                raise ValueError(f"parse_json comes before {step}: tuples are no lines")
        return self._then(ParseJson(Errors(on_error, keep)))

    def parse_csv(
        self,
        *,
        header: bool | Iterable[str] = True,
        delimiter: str = ",",
        quote: str = '"',
        on_error: OnError = "raise",
        keep: int = KEPT,
    ) -> Stream[Any]:
        """Records of CSV, as :func:`scan_csv` reads them: dicts of ``str`` by the names of the columns. Of columns
        with the same name, the last counts.

        It comes directly after the lines, for a record may have several. Of what :meth:`select` leaves out
        nothing is made; :meth:`where` is done in Python here.

        Args:
            header: whether the first record has the names of the columns. If not, they are ``column_1`` and so
                on, or the names that are given here, one for each column.
            delimiter: what separates fields: one character of ASCII.
            quote: what quotes them.
            on_error: as in :meth:`map`, for records with more or fewer fields than there are columns, a quote
                that is never closed, or bytes that are no text.
            keep: how many bad records are kept, a thousand a file at most.

        >>> import deadweight as dw
        >>> with open("people.csv", "w") as file:
        ...     _ = file.write("id,name\\n7,Ada\\n8,Bob\\n")
        >>> list(dw.lines("people.csv").parse_csv().where(name="Bob"))
        [{'id': '8', 'name': 'Bob'}]
        """
        if self._before:
            raise ValueError("parse_csv comes directly after the lines: a record may have several")
        names = header if isinstance(header, bool | str) else tuple(header)
        return self._then(ParseCsv(names, delimiter, quote, Errors(on_error, keep)))

    def where(self, /, **conditions: Any) -> Stream[T]:
        """The records in which each name has this value, or one of these if they are a list, a tuple or a set.

        Values are ``str``, ``int``, ``float``, ``bool`` and ``None``, and compared as Python compares them:
        ``True`` is 1, and 1 is 1.0. A record without the name does not meet it, and neither does one that is no
        object.
        """
        self._named("where")
        if not conditions:
            raise TypeError("where takes at least one name=value")
        met = tuple(as_condition(self._path(name), value) for name, value in conditions.items())
        text = ", ".join(f"{name}={shown_value(value)}" for name, value in conditions.items())
        return self._then(Where(met, f"where({text})"))

    def select(self, *names: str | Path) -> Stream[Any]:
        """Of each record, a tuple of what it has at these names; of one name, what it has there and no tuple.

        A name is dotted, ``"user.id"``, or a tuple of keys, which may have dots; the name of a column of CSV may
        have them too. Where a record has nothing, there is ``None``.
        """
        self._named("select")
        if not names:
            raise TypeError("select takes at least one name")
        return self._then(Select(tuple(self._path(name) for name in names)))

    def batched(self, size: int, /) -> Stream[tuple[T, ...]]:
        """Tuples of so many records; the last may have fewer."""
        if index(size) < 1:
            raise ValueError(f"a batch has at least one record, not {size}")
        return self._then(Batched(min(index(size), sys.maxsize)))

    def _path(self, name: str | Path) -> Path:
        """A name as keys. Records of CSV have nothing inside: dots are of the name there."""
        is_csv = any(isinstance(step, ParseCsv) for step in self._before)
        is_row = is_csv and not any(isinstance(step, Map) for step in self._before)
        return as_path((name,) if is_row and isinstance(name, str) else name)

    def _named(self, method: str) -> None:
        """Whether records may have names at this step."""
        for step in reversed(self._before):
            if isinstance(step, Select | Batched):
                raise ValueError(f"{method} comes before {step}: tuples have no names")
            if isinstance(step, ParseJson | ParseCsv | Map):
                return
        raise ValueError(f"{method} wants names, and lines have none: parse_json() or parse_csv() comes first")


class Stream(Steps[T], Printed):
    """Lines of files or streams, and what is done with them: what :func:`lines` and its methods return.

    Each iteration begins anew, where what is read can be read again; one that is left closes its file. Printed, it
    is a plan; when it has run, with what each step passed.
    """

    __slots__ = ("_before", "_origin", "_run")

    def __init__(self, origin: Origin, steps: tuple[Step, ...]) -> None:
        self._origin, self._before = origin, steps
        self._run: Run | None = None

    def _then(self, step: Step) -> Stream[Any]:
        return Stream(self._origin, (*self._before, step))

    def __iter__(self) -> Iterator[T]:
        begun = self._origin.begin(self._before)
        run = self._run = Run(self._before, *begun)
        return run.items(begun[0])

    @property
    def passed(self) -> Passed:
        """What each step has passed in the last iteration. Records in memory that nobody has taken yet are
        counted too."""
        if self._run is None:
            return Passed(tuple(StepCount(str(step)) for step in self._before))
        return Passed(tuple(self._run.counts()))

    @property
    def errors(self) -> tuple[BadLine, ...]:
        """What steps with ``on_error="collect"`` could not take in the last iteration, up to ``keep``."""
        return () if self._run is None else self._run.bad()

    def __str__(self) -> str:
        if self._run is None:
            return "\n".join([self._origin.text, *(f"  {step}" for step in self._before)])
        return f"{self._origin.text}\n{self.passed}"


@dataclass(frozen=True, slots=True, repr=False)
class Passed(Table):
    """How many records came to each step of a stream, how many it gave, and how many it could not take."""

    _columns: ClassVar = (
        ("step", str, "step"),
        ("taken", int, "in"),
        ("given", int, "out"),
        ("errors", int, "errors"),
    )

    rows: tuple[StepCount, ...]

    def __iter__(self) -> Iterator[StepCount]:
        return iter(self.rows)

    def _rows(self) -> tuple[StepCount, ...]:
        return self.rows

    def _title(self) -> str:
        return "what each step passed"

    def __str__(self) -> str:
        rows = [(f"  {row.step}", f"{row.taken:,}", f"{row.given:,}", f"{row.errors:,}") for row in self.rows]
        return table([("", "in", "out", "errors"), *rows], {1, 2, 3})


def _callable(function: object) -> Any:
    if not callable(function):
        raise TypeError(f"a callable is wanted, not {type(function).__name__}")
    return function
