"""Columns of records go out to other libraries and come back.

`tests/real/run --round-trips` asks all versions and writes what is found into docs/records.md.
"""

import pytest
import test_libraries as libraries

LIBRARIES = {"numpy", "pyarrow", "polars", "pandas", "duckdb"}
KINDS = {
    *("u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f4", "f8"),
    *("bool", "str", "bytes", "category", "datetime", "date", "timedelta"),
}


def measured(minor: str) -> tuple[list[dict], list[dict]]:
    """What went out and came back, and what came in."""
    rows = libraries.measured(minor, "round_trips.py")
    return [row for row in rows if "library" in row], [row for row in rows if "arrow" in row]


# What a library has no place for. pandas keeps rows of numbers without a value as NaN, and columns of objects have
# no type if they have no values; a time span of DuckDB is months, days and microseconds, as Arrow hands it out too.
NOT_IN_PANDAS = {
    **dict.fromkeys(("u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8"), {"with None", "only None"}),
    **dict.fromkeys(("f4", "f8"), {"whole", "with None", "only None"}),
    **dict.fromkeys(("bytes", "category", "date"), {"only None", "no rows", "nullable, no rows"}),
    "bool": {"only None"},
}


def losses(library: str, kind: str) -> set[str]:
    """The cases in which a type does not come back as it was."""
    if (library, kind) == ("duckdb", "timedelta"):
        return {"whole", "with None", "only None", "no rows", "nullable, no rows"}
    return NOT_IN_PANDAS.get(kind, set()) if library == "pandas" else set()


@pytest.mark.parametrize("minor", libraries.MINORS)
def test_every_type_goes_out_and_comes_back(minor):
    trips, came_in = measured(minor)
    assert {(row["library"], row["kind"]) for row in trips} == {
        (name, kind) for name in LIBRARIES for kind in KINDS
    }
    assert [row for row in trips if set(row["lost"]) != losses(row["library"], row["kind"])] == []
    assert len(came_in) == 6 + 2 * 8
    assert [row for row in came_in if row["lost"]] == []
