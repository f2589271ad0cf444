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


EVERY_CASE = {"whole", "with None", "only None", "no rows", "nullable, no rows"}
NO_VALUES = {"only None", "no rows", "nullable, no rows"}


def losses(library: str, kind: str) -> set[str]:
    """The cases for which a library has no place: the type does not come back as it was."""
    if library == "duckdb" and kind == "timedelta":
        # Months, days and microseconds, as Arrow hands it out too.
        return EVERY_CASE
    if library != "pandas":
        return set()
    # Numbers of rows without a value are NaN, and categories have no type if they have no values.
    if kind in ("f4", "f8"):
        return EVERY_CASE - {"no rows", "nullable, no rows"}
    if kind[0] in "iu":
        return {"with None", "only None"}
    return NO_VALUES if kind == "category" else set()


@pytest.mark.parametrize("minor", libraries.MINORS)
def test_every_type_goes_out_and_comes_back(minor):
    trips, came_in = measured(minor)
    assert {(row["library"], row["kind"]) for row in trips} == {
        (name, kind) for name in LIBRARIES for kind in KINDS
    }
    assert [row for row in trips if set(row["lost"]) != losses(row["library"], row["kind"])] == []
    # DuckDB knows no categories but those that are declared.
    changed = {(row["library"], row["kind"]) for row in trips if row["back"] not in (None, row["kind"])}
    assert changed == {("duckdb", "category")}
    assert len(came_in) == 6 + 2 * 8
    assert [row for row in came_in if row["lost"]] == []
