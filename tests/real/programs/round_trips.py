"""Columns of records out to other libraries and back, from inside.

Prints a line of JSON for each library and type: what the type is called there, without and with rows that have no
value, what comes back, and what was lost on the way: of all rows, of none, of some, of those in a slice. Then one
for each of Arrow's types of text and bytes that comes in.
"""

import importlib.metadata
import json
import platform
from datetime import date, datetime, timedelta

import deadweight as dw
import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa


def ints(bits, low):
    return [low, low + 1, 0, 7, low + 2**bits - 1]


# Five values each: with the least and the greatest, and what is easily lost.
VALUES = {
    "u1": (dw.u1, ints(8, 0)),
    "u2": (dw.u2, ints(16, 0)),
    "u4": (dw.u4, ints(32, 0)),
    "u8": (dw.u8, ints(64, 0)),
    "i1": (dw.i1, ints(8, -(2**7))),
    "i2": (dw.i2, ints(16, -(2**15))),
    "i4": (dw.i4, ints(32, -(2**31))),
    "i8": (dw.i8, ints(64, -(2**63))),
    "f4": (dw.f4, [0.5, -0.0, float("inf"), float("nan"), 2.0**-149]),
    "f8": (dw.f8, [0.1, -0.0, float("-inf"), float("nan"), 5e-324]),
    "bool": (bool, [True, False, True, True, False]),
    "str": (str, ["", "a\0b", "é", "名前", "😀" * 20]),
    "bytes": (bytes, [b"", b"a\0b", b"\xff\xfe", bytes(range(256)), b"x"]),
    "category": (dw.category, ["no", "", "no", "😀", "sv"]),
    "datetime": (
        datetime,
        [
            datetime.min,
            datetime(1969, 12, 31, 23, 59, 59, 999_999),
            datetime(2024, 2, 29),
            datetime(1970, 1, 1),
            datetime.max,
        ],
    ),
    "date": (date, [date.min, date(1969, 12, 31), date(2024, 2, 29), date(1970, 1, 1), date.max]),
    "timedelta": (
        timedelta,
        [
            timedelta(microseconds=-1),
            timedelta(0),
            timedelta(days=1_000_000, microseconds=1),
            timedelta(days=-99_999),
            timedelta(hours=25),
        ],
    ),
}
SOME = slice(1, 4)


def plain(value):
    """As values are compared: NaN is like NaN, and 0.0 not like -0.0."""
    return repr(value) if isinstance(value, (float, bool)) else value


def alike(found, expected):
    return list(map(plain, found)) == list(map(plain, expected))


class NumPy:
    name = "numpy"

    def out(self, rows):
        return rows.to_numpy()

    def type(self, there):
        return str(there["x"].dtype)

    def values(self, there):
        return there["x"].tolist()

    def slice(self, there, some):
        return there[some]

    def back(self, there, type_):
        return dw.pack(there, types={"x": type_})


class PyArrow:
    name = "pyarrow"

    def out(self, rows):
        table = pa.table(rows)
        table.validate(full=True)
        return table

    def type(self, there):
        kind = there.schema.field("x").type
        return f"dictionary of {kind.value_type}" if pa.types.is_dictionary(kind) else str(kind)

    def values(self, there):
        return there["x"].to_pylist()

    def slice(self, there, some):
        return there.slice(some.start, some.stop - some.start)

    def back(self, there, _type):
        return dw.Records.from_arrow(there)


class Polars(PyArrow):
    name = "polars"

    def out(self, rows):
        return pl.DataFrame(rows)

    def type(self, there):
        return (
            str(there["x"].dtype).partition("(")[0]
            if there["x"].dtype == pl.Categorical
            else str(there["x"].dtype)
        )

    def values(self, there):
        return there["x"].to_list()


class Pandas(PyArrow):
    name = "pandas"

    def out(self, rows):
        # `from_arrow` is new in 3.0.
        return pd.DataFrame.from_arrow(rows) if hasattr(pd.DataFrame, "from_arrow") else pa.table(rows).to_pandas()

    def type(self, there):
        return str(there["x"].dtype)

    def values(self, there):
        has_nan = there["x"].dtype.kind == "f"
        missing = [is_missing and not has_nan for is_missing in there["x"].isna()]
        return [None if gone else value for value, gone in zip(there["x"].tolist(), missing, strict=True)]

    def slice(self, there, some):
        return there[some]


class DuckDB(PyArrow):
    name = "duckdb"

    def out(self, rows):
        # Found by its name, here where it is a local variable.
        return duckdb.sql("FROM rows")

    def type(self, there):
        kind = str(there.types[0])
        return kind.partition("(")[0]

    def values(self, there):
        return [value for (value,) in there.fetchall()]

    def slice(self, there, some):
        return there.limit(some.stop - some.start, offset=some.start)


LIBRARIES = [NumPy(), PyArrow(), Polars(), Pandas(), DuckDB()]


def trip(library, type_, values):
    """What the type is called there, what comes back, and what is lost on the way out and back."""
    rows = dw.Records(dw.Record.of({"x": type_}), ((value,) for value in values))
    there = library.out(rows)
    name, lost = library.type(there), []
    pieces = [(there, values)]
    if values:
        pieces.append((library.slice(there, SOME), values[SOME]))
    back = None
    for piece, expected in pieces:
        if not alike(library.values(piece), expected):
            lost.append("out")
        try:
            again = library.back(piece, type_)
        except TypeError:
            lost.append("back")
            continue
        back = again.types["x"].partition(" ")[0]
        if not alike(again["x"], expected):
            lost.append("back")
    return name, back, sorted(set(lost))


def round_trip(library, kind):
    type_, values = VALUES[kind]
    with_none = [None, *values[1:-1], None]
    found = {
        "whole": trip(library, type_, values),
        "with None": trip(library, type_ | None, with_none),
        "only None": trip(library, type_ | None, [None] * 5),
        "no rows": trip(library, type_, []),
        "nullable, no rows": trip(library, type_ | None, []),
    }
    return {
        "library": library.name,
        "version": importlib.metadata.version(library.name),
        "kind": kind,
        "type": found["whole"][0],
        "type_with_none": found["with None"][0],
        "back": found["whole"][1],
        "lost": {case: lost for case, (_, _, lost) in found.items() if lost},
    }


WORDS = [None, "", "a\0b", "longer than what a view keeps in itself", None, "😀"]
KEYS = (pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64())


def incoming():
    """Arrow's layouts of text and bytes: whole, in a slice, in pieces, and none."""
    for type_ in (
        pa.string(),
        pa.large_string(),
        pa.string_view(),
        pa.binary(),
        pa.large_binary(),
        pa.binary_view(),
    ):
        is_text = "string" in str(type_)
        yield str(type_), pa.array([word if is_text or word is None else word.encode() for word in WORDS], type_)
    for keys in KEYS:
        for words in (pa.string(), pa.large_string()):
            type_ = pa.dictionary(keys, words)
            yield f"dictionary of {words} by {keys}", pa.array(WORDS, pa.string()).dictionary_encode().cast(type_)


def come_in(name, array):
    lost = []
    pieces = [array, array[1:4], array[:0], pa.chunked_array([array, array[2:]]), pa.chunked_array([], array.type)]
    for number, piece in enumerate(pieces):
        rows = dw.Records.from_arrow(pa.table({"x": piece}))
        if rows["x"].tolist() != piece.to_pylist():
            lost.append(number)
    return {"arrow": name, "kind": rows.types["x"].partition(" ")[0], "lost": lost}


def main():
    for library in LIBRARIES:
        for kind in VALUES:
            print(json.dumps({"python": platform.python_version()} | round_trip(library, kind)))
    for name, array in incoming():
        print(json.dumps(come_in(name, array)))


if __name__ == "__main__":
    main()
