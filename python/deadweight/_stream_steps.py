"""What a stream does with its records, a step at a time, and how often."""

from __future__ import annotations

import reprlib
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from operator import index
from typing import Any, Literal, TypeAlias, cast

OnError: TypeAlias = Literal["raise", "skip", "collect"]
Scalar: TypeAlias = "str | int | float | bool | None"
Path: TypeAlias = tuple[str, ...]
Condition: TypeAlias = "tuple[Path, frozenset[Scalar]]"

DEEPEST = 100
"""So many keys a path may have: each is a call on the way there."""

MISSING = object()
"""What is at a path that leads nowhere."""


@dataclass(frozen=True, slots=True)
class Errors:
    """What becomes of records that a step cannot take."""

    on_error: OnError
    keep: int

    def __post_init__(self) -> None:
        if self.on_error not in ("raise", "skip", "collect"):
            raise ValueError(f'on_error is "raise", "skip" or "collect", not {self.on_error!r}')
        if index(self.keep) < 0:
            raise ValueError(f"keep is how many bad records are kept, not {self.keep}")

    @property
    def kept(self) -> int | None:
        """How many are kept; ``None`` if the first is raised."""
        return {"raise": None, "skip": 0, "collect": min(self.keep, sys.maxsize)}[self.on_error]

    def __str__(self) -> str:
        return "" if self.on_error == "raise" else f"on_error={self.on_error!r}"


@dataclass(frozen=True, slots=True)
class Map:
    """What a callable returns."""

    function: Callable[[Any], object]
    errors: Errors

    def __str__(self) -> str:
        return _called("map", name_of(self.function), str(self.errors))


@dataclass(frozen=True, slots=True)
class Filter:
    """Those of which a callable says so."""

    function: Callable[[Any], object]
    errors: Errors

    def __str__(self) -> str:
        return _called("filter", name_of(self.function), str(self.errors))


@dataclass(frozen=True, slots=True)
class ParseJson:
    """Records from lines of JSON."""

    errors: Errors

    def __str__(self) -> str:
        return _called("parse_json", str(self.errors))


@dataclass(frozen=True, slots=True)
class ParseCsv:
    """Records from CSV."""

    header: bool | str | tuple[str, ...]
    delimiter: str
    quote: str
    errors: Errors

    def __str__(self) -> str:
        header = "" if self.header is True else f"header={self.header!r}"
        delimiter = "" if self.delimiter == "," else f"delimiter={self.delimiter!r}"
        quote = "" if self.quote == '"' else f"quote={self.quote!r}"
        return _called("parse_csv", header, delimiter, quote, str(self.errors))


@dataclass(frozen=True, slots=True)
class Where:
    """Those that have certain values at certain places."""

    conditions: tuple[Condition, ...]
    text: str

    def meets(self, record: object) -> bool:
        """Whether a record does."""
        for path, values in self.conditions:
            found = at(record, path)
            if found is MISSING or not _is_one(found, values):
                return False
        return True

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Select:
    """What is at a place, or a tuple of what is at several."""

    paths: tuple[Path, ...]

    def of(self, record: object) -> object:
        """The same of one record."""
        found = [at(record, path) for path in self.paths]
        values = tuple(None if value is MISSING else value for value in found)
        return values[0] if len(values) == 1 else values

    def __str__(self) -> str:
        return _called("select", *(repr(shown(path)) for path in self.paths))


@dataclass(frozen=True, slots=True)
class Batched:
    """Tuples of many."""

    size: int

    def __str__(self) -> str:
        return f"batched({self.size:,})".replace(",", "_")


Step: TypeAlias = "Map | Filter | ParseJson | ParseCsv | Where | Select | Batched"


def at(record: object, path: Path) -> object:
    """What is at a path, or ``MISSING``."""
    for key in path:
        if not isinstance(record, dict) or key not in record:
            return MISSING
        record = cast("dict[str, object]", record)[key]
    return record


def as_path(name: str | Path) -> Path:
    """A dotted name as keys; a tuple is keys already, which may have dots."""
    if isinstance(name, str):
        name = tuple(name.split("."))
    if not isinstance(name, tuple) or not name or not all(isinstance(key, str) for key in name):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"a name is a str, or a tuple of the keys that lead there, not {name!r}")
    if len(name) > DEEPEST:
        raise ValueError(f"a path has at most {DEEPEST} keys, not {len(name):,}")
    return tuple(_utf8(key) for key in name)


def shown(path: Path) -> str | Path:
    """A path as it is written."""
    return path if any("." in key for key in path) else ".".join(path)


def as_condition(path: Path, value: object) -> Condition:
    """Equality, or membership if there are several values."""
    values = cast("Iterable[object]", value) if is_several(value) else (value,)
    return path, frozenset(_scalar(value) for value in values)


def is_several(value: object) -> bool:
    """Whether one of them is wanted."""
    return isinstance(value, list | tuple | set | frozenset)


def shown_value(value: object) -> str:
    """What a plan says of it: there may be many thousands."""
    return reprlib.repr(value) if is_several(value) else repr(value)


def _is_one(found: object, values: frozenset[Scalar]) -> bool:
    try:
        return found in values
    except TypeError:  # Without a hash, it is no scalar, but may have its own idea of what it is equal to.
        return any(found == value for value in values)


def _scalar(value: object) -> Scalar:
    """What JSON has too, without the class that somebody gave it, such as that of an enumeration."""
    if value is None or isinstance(value, bool):
        return value
    # A class of its own may have its own idea of what it is as a text.
    if isinstance(value, int):
        return int.__index__(value)
    if isinstance(value, float):
        return float.__float__(value)
    if isinstance(value, str):
        return _utf8(str.__str__(value))
    text = "where compares with str, int, float, bool and None"
    raise TypeError(f"{text}, not {type(value).__name__}: filter(callable) takes anything")


def _utf8(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        reason = "has half of a surrogate pair, which is no UTF-8"
        raise ValueError(f"{text!r} {reason}: map(callable) and filter(callable) take anything") from None
    return text


def _called(name: str, *arguments: str) -> str:
    return f"{name}({', '.join(argument for argument in arguments if argument)})"


def name_of(function: object) -> str:
    """What a plan calls a callable."""
    return getattr(function, "__qualname__", None) or repr(function)
