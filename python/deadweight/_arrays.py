"""Columns of records as NumPy arrays."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from deadweight._core import Column, Rows

# What the numbers of a column are in NumPy; of dates and times, what they are to be seen as. Arrays of
# dates have eight bytes each, ours four: they are copies.
_NUMBERS = {"i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f4", "f8"}
_TIMES = {"datetime": "<M8[us]", "timedelta": "<m8[us]"}


def _plain(column: Column) -> Any:
    """The values; of rows without one, something or other."""
    np: Any = import_module("numpy")
    kind = column.type
    if kind in _NUMBERS or kind in _TIMES:
        # NumPy asks for a buffer to write into first, which would copy what lies in a file: of a memoryview it
        # gets what there is.
        raw = memoryview(column._raw())
        numbers = (
            np.frombuffer(raw, f"<{kind}" if kind in _NUMBERS else "<i8") if len(raw) else np.empty(0, raw.format)
        )
        return numbers.view(_TIMES.get(kind, numbers.dtype))
    if kind == "date":
        return np.array(column._raw(), "<i4").astype("<M8[D]")
    if kind == "bool":
        return np.fromiter((value is True for value in column), bool, len(column))
    return _of_objects(column)


def _of_objects(column: Column) -> Any:
    array: Any = import_module("numpy").empty(len(column), object)
    # One by one: NumPy would take lists of one length apart.
    for at, value in enumerate(column):
        array[at] = value
    return array


def to_numpy(column: Column) -> Any:
    """An array over the column's own values for numbers, datetimes and timedeltas; a copy for dates, bools,
    text and bytes, which are objects. Where rows have no value, a masked array."""
    np: Any = import_module("numpy")
    plain = _plain(column)
    if column.null_count == 0:
        return plain
    return np.ma.MaskedArray(plain, np.frombuffer(column._mask(), bool))


def as_array(column: Column, dtype: Any, copy: bool | None) -> Any:
    """What ``numpy.asarray`` makes of a column. Of rows without a value it makes None."""
    np: Any = import_module("numpy")
    array = _of_objects(column) if column.null_count else _plain(column)
    if copy:
        return np.array(array, dtype)
    shared = np.asarray(array, dtype)
    is_own = shared is array and column.type in _NUMBERS | _TIMES.keys() and not column.null_count
    if copy is False and not is_own:
        raise ValueError("an array of this column is a copy")
    return shared


def interface(column: Column) -> dict[str, Any]:
    """The array interface, version 3, of a column that can be an array without a copy."""
    kind = column.type
    typestr = _TIMES.get(kind, f"<{kind}")
    if column.null_count or not len(column) or kind not in _NUMBERS | _TIMES.keys():
        raise AttributeError("__array_interface__")
    return {"version": 3, "shape": (len(column),), "typestr": typestr, "data": memoryview(column._raw())}


def tuples(array: Any) -> Iterator[tuple[Any, ...]]:
    """The rows of a structured array, of which few are Python objects at a time."""
    for field in array.dtype.names:
        # Finer than datetime has them: their items would come as integers.
        kind = array.dtype[field]
        if kind.kind in "mM" and kind.str.endswith(("ns]", "ps]", "fs]", "as]")):
            raise TypeError(f"field {field!r} is of {kind}: convert it to microseconds")
    return (row for start in range(0, len(array), 4096) for row in array[start : start + 4096].tolist())


def dicts(array: Any) -> Iterator[dict[str, Any]]:
    """The same with names."""
    return (dict(zip(array.dtype.names, row, strict=True)) for row in tuples(array))


def structured(rows: Rows) -> Any:
    """A structured array: a copy of all rows."""
    np: Any = import_module("numpy")
    columns = [(name, as_array(rows[name], None, None)) for name, _, _ in rows.record._schema.fields]
    array = np.empty(len(rows), [(name, column.dtype) for name, column in columns])
    for name, column in columns:
        array[name] = column
    return array


def times(array: Any, name: str) -> Any:
    """What an array of a column's times has, to the microsecond."""
    if getattr(array, "dtype", None) is None or array.dtype.kind not in "mM":
        return array
    np: Any = import_module("numpy")
    if array.dtype.kind == "m" and np.datetime_data(array.dtype)[0] in ("Y", "M"):
        # NumPy would take a mean: 30 days for one month.
        raise TypeError(f"field {name!r}: {array.dtype} is of months or years, which have no one length")
    micros = array.astype(f"{array.dtype.kind}8[us]")
    changed = (micros.astype(array.dtype) != array) & ~np.isnat(array)
    if changed.any():
        row = int(changed.argmax())
        raise OverflowError(f'row {row}, field "{name}": {array.flat[row]} is no whole number of microseconds')
    return micros.tolist()


def as_table(values: Any, name: str) -> Any:
    """A column of PyArrow or pandas as a table of that column alone; None of anything else."""
    if type(values).__module__.partition(".")[0] == "pyarrow":
        pa: Any = import_module("pyarrow")
        return pa.table({name: values}) if isinstance(values, (pa.Array, pa.ChunkedArray)) else None
    pd: Any = import_module("pandas")
    if not isinstance(values, (pd.Series, pd.Index)) or isinstance(values, pd.MultiIndex):
        return None
    frame = pd.DataFrame({name: values.array})
    # Before pandas 2.2, a frame is nothing to Arrow.
    return frame if hasattr(frame, "__arrow_c_stream__") else None
