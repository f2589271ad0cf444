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


@pytest.mark.parametrize("minor", libraries.MINORS)
def test_every_type_goes_out_and_comes_back(minor):
    trips, came_in = measured(minor)
    assert {(row["library"], row["kind"]) for row in trips} == {
        (name, kind) for name in LIBRARIES for kind in KINDS
    }
    assert [row for row in trips if row["lost"]] == []
    assert len(came_in) == 6 + 2 * 8
    assert [row for row in came_in if row["lost"]] == []
