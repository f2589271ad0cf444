"""What the columns of records can hold, as annotations say it."""

from __future__ import annotations

import datetime
import types
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from typing import Annotated, Any, Literal, NewType, TypeAlias, Union, cast, get_args, get_origin


@dataclass(frozen=True)
class Dtype:
    """What an annotation says of a column besides the Python type: ``Annotated[int, Dtype("u4")]``."""

    name: str


u1: TypeAlias = Annotated[int, Dtype("u1")]
u2: TypeAlias = Annotated[int, Dtype("u2")]
u4: TypeAlias = Annotated[int, Dtype("u4")]
u8: TypeAlias = Annotated[int, Dtype("u8")]
i1: TypeAlias = Annotated[int, Dtype("i1")]
i2: TypeAlias = Annotated[int, Dtype("i2")]
i4: TypeAlias = Annotated[int, Dtype("i4")]
i8: TypeAlias = Annotated[int, Dtype("i8")]
f4: TypeAlias = Annotated[float, Dtype("f4")]
f8: TypeAlias = Annotated[float, Dtype("f8")]
category: TypeAlias = Annotated[str, Dtype("category")]

_PLAIN: dict[object, str] = {
    int: "i8",
    float: "f8",
    bool: "bool",
    str: "str",
    bytes: "bytes",
    datetime.datetime: "datetime",
    datetime.date: "date",
    datetime.timedelta: "timedelta",
    object: "object",
}
_NAMES = {"i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f4", "f8", "category", *_PLAIN.values()}
_OTHER_NAMES = {
    "int": "i8",
    "float": "f8",
    # NumPy's, and of these the letters that `array` has too, on Linux.
    "?": "bool",
    "b1": "bool",
    "O": "object",
    "M8[us]": "datetime",
    "M8[D]": "date",
    "m8[us]": "timedelta",
    "datetime64[us]": "datetime",
    "datetime64[D]": "date",
    "timedelta64[us]": "timedelta",
    **{f"{word}{8 * bytes}": f"{word[0]}{bytes}" for word in ("int", "uint") for bytes in (1, 2, 4, 8)},
    "float32": "f4",
    "float64": "f8",
    "b": "i1",
    "h": "i2",
    "i": "i4",
    "l": "i8",
    "q": "i8",
    "f": "f4",
    "B": "u1",
    "H": "u2",
    "I": "u4",
    "L": "u8",
    "Q": "u8",
    "d": "f8",
}

# What narrower kinds are of the same Python type as.
_WIDEST = {"category": "str", "f4": "f8", **{f"{sign}{width}": "i8" for sign in "iu" for width in (1, 2, 4, 8)}}

# Of `typing`, some of them from a later version on: they say nothing of the value.
_QUALIFIERS = {"Final", "NotRequired", "ReadOnly", "Required"}


def named_type(name: str) -> tuple[str, bool] | None:
    """What :func:`column_type` makes of a name, or None if no column's type is called that.

    ``"u4"``, ``"int"``, ``"datetime | None"``, a type code of ``array.array`` as ``"I"``, a dtype of NumPy's as
    ``"<i4"``, ``"M8[us]"`` or ``"U12"``.
    """
    plain, _, none = name.partition(" | ")
    if none not in ("", "None"):
        return None
    plain = plain.lstrip("<=>|")
    if plain[:1] in ("U", "S") and (plain[1:].isdecimal() or plain in ("U", "S")):
        return "str" if plain[0] == "U" else "bytes", bool(none)
    kind = plain if plain in _NAMES else _OTHER_NAMES.get(plain)
    return None if kind is None else (kind, bool(none) and kind != "object")


def column_type(wanted: Any) -> tuple[str, bool]:
    """Name of a column's type, and whether its rows may have no value.

    ``wanted`` is a Python type, one of ``dw.u1`` … ``dw.category``, ``X | None`` of these, a name as
    :func:`named_type` has them, or a NumPy dtype; of a ``Literal``, the type of its values. Of any other
    annotation the values are kept as the objects that they are, and None is one of them. What is no type at all
    raises TypeError.
    """
    if isinstance(wanted, str):
        named = named_type(wanted)
        if named:
            return named
    elif isinstance(wanted, type) and wanted in _PLAIN:
        return _PLAIN[wanted], False
    elif isinstance(wanted, Dtype):
        return column_type(wanted.name)
    elif get_origin(wanted) is Annotated:
        plain, *more = get_args(wanted)
        said = [item for item in more if isinstance(item, Dtype) or (isinstance(item, str) and _fits(item, plain))]
        return column_type(said[0] if said else plain)
    elif get_origin(wanted) in (Union, types.UnionType):
        some = [item for item in get_args(wanted) if item is not type(None)]
        if len(some) == 1 and len(get_args(wanted)) == 2:
            kind, _ = column_type(some[0])
            return kind, kind != "object"
        return "object", False
    elif get_origin(wanted) is Literal:
        values: tuple[object, ...] = get_args(wanted)
        kinds = {_PLAIN.get(type(value), "object") for value in values if value is not None}
        kind = kinds.pop() if len(kinds) == 1 else "object"
        return kind, kind != "object" and None in values
    elif getattr(get_origin(wanted), "_name", None) in _QUALIFIERS:
        return column_type(get_args(wanted)[0])
    elif get_origin(wanted) is not None or wanted is Any:
        return "object", False
    elif isinstance(wanted, NewType):
        return column_type(wanted.__supertype__)
    elif type(wanted).__name__ == "TypeAliasType":
        return column_type(cast("Any", wanted).__value__)
    elif getattr(wanted, "_name", None) == "LiteralString":
        return "str", False
    elif type(wanted).__module__.startswith("numpy") or getattr(wanted, "__module__", "") == "numpy":
        of_numpy = _of_numpy(wanted)
        if of_numpy is not None:
            return of_numpy, False
    if isinstance(wanted, type):
        return "object", False
    names = f": names of types are {', '.join(sorted(_NAMES))}" if isinstance(wanted, str) else ""
    raise TypeError(f"no column holds {wanted!r}{names}")


def field_types(fields: Iterable[tuple[str, Any]]) -> list[tuple[str, str, bool]]:
    """What :func:`column_type` makes of each, with the field's name before it, and in what it raises."""
    found: list[tuple[str, str, bool]] = []
    for field, wanted in fields:
        try:
            found.append((field, *column_type(wanted)))
        except TypeError as error:
            raise TypeError(f'field "{field}": {error}') from None
    return found


def _fits(name: str, plain: Any) -> bool:
    """Whether a text is the name of a type for such values: it may say anything else, as a unit."""
    named = named_type(name)
    if named is None:
        return False
    kind, _ = column_type(plain)
    return _WIDEST.get(named[0], named[0]) == _WIDEST.get(kind, kind)


def _of_numpy(wanted: Any) -> str | None:
    dtype = import_module("numpy").dtype(wanted)
    by_kind = {"b": "bool", "U": "str", "T": "str", "S": "bytes", "O": "object"}
    if dtype.kind in by_kind:
        return by_kind[dtype.kind]
    if dtype.kind in "Mm":
        units = {"<M8[us]": "datetime", "<M8[D]": "date", "<m8[us]": "timedelta"}
        return units.get(dtype.str)
    name = f"{dtype.kind}{dtype.itemsize}"
    return name if name in _NAMES else None
