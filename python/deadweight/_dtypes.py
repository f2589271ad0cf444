"""What the columns of records can hold, as annotations say it."""

from __future__ import annotations

import datetime
import types
from dataclasses import dataclass
from importlib import import_module
from typing import Annotated, Any, NewType, TypeAlias, Union, get_args, get_origin


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
# Those of the module `array`, on Linux.
_CODES = {
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

# Of `typing`, some of them from a later version on: they say nothing of the value.
_QUALIFIERS = {"Final", "NotRequired", "ReadOnly", "Required"}


def _is_name(text: str) -> bool:
    return text in _NAMES or text in _CODES


def column_type(wanted: Any) -> tuple[str, bool]:
    """Name of a column's type, and whether its rows may have no value.

    ``wanted`` is a Python type, one of ``dw.u1`` … ``dw.category``, ``X | None`` of these, a name such as
    ``"u4"``, a type code of ``array.array``, or a NumPy dtype. Of any other annotation the values are kept as
    the objects that they are, and None is one of them. What is no type at all raises TypeError.
    """
    if isinstance(wanted, str):
        name = _CODES.get(wanted, wanted)
        if name in _NAMES:
            return name, False
    elif isinstance(wanted, type) and wanted in _PLAIN:
        return _PLAIN[wanted], False
    elif isinstance(wanted, Dtype):
        return column_type(wanted.name)
    elif get_origin(wanted) is Annotated:
        plain, *more = get_args(wanted)
        said = [item for item in more if isinstance(item, Dtype) or (isinstance(item, str) and _is_name(item))]
        return column_type(said[0] if said else plain)
    elif get_origin(wanted) in (Union, types.UnionType):
        some = [item for item in get_args(wanted) if item is not type(None)]
        if len(some) == 1 and len(get_args(wanted)) == 2:
            kind, _ = column_type(some[0])
            return kind, kind != "object"
        return "object", False
    elif getattr(get_origin(wanted), "_name", None) in _QUALIFIERS:
        return column_type(get_args(wanted)[0])
    elif get_origin(wanted) is not None or wanted is Any:
        return "object", False
    elif isinstance(wanted, NewType):
        return column_type(wanted.__supertype__)
    elif type(wanted).__module__.startswith("numpy") or getattr(wanted, "__module__", "") == "numpy":
        of_numpy = _of_numpy(wanted)
        if of_numpy is not None:
            return of_numpy, False
    if isinstance(wanted, type):
        return "object", False
    raise TypeError(f"no column holds {wanted!r}")


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
