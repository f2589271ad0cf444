"""Results as Arrow tables, taken by the libraries that take such tables."""

import gc
import weakref

import deadweight as dw
import pytest


@pytest.fixture(scope="module")
def heap():
    return dw.snapshot()


KEPT = []


def grown():
    """Something grows by one object in each round, something else in all by one and a half."""
    growth = dw.growth(warmup=1)
    for number in growth.rounds(2):
        KEPT.append([object() for _ in range(number % 2 + 1)])
    return growth


TABLES = {
    "census": lambda heap: heap.census(),
    "tree": lambda heap: heap.tree(),
    "why": lambda heap: heap.why("dict", top=50),
    "diff": lambda heap: heap.diff(heap),
    "deepsizeof": lambda _: dw.deepsizeof([1, "text"], {}),
    "closures": lambda _: dw.closures(holding=list),
    "sizes": lambda _: dw.sizes("dict"),
    "growth": lambda _: grown(),
}


@pytest.mark.parametrize("name", TABLES)
def test_pyarrow_takes_every_table(heap, name):
    pa = pytest.importorskip("pyarrow")
    result = TABLES[name](heap)
    table = pa.table(result)
    table.validate(full=True)
    rows = {"why": "paths", "deepsizeof": "by_type", "growth": "leaks"}.get(name, "rows")
    rows = getattr(result, rows)
    assert table.num_rows == len(rows)
    for row, ours in zip(table.to_pylist(), rows, strict=True):
        assert row == {column: getattr(ours, column) for column in row}
    assert table.schema == pa.schema(result)


def test_averages_of_growth_are_floats():
    pa = pytest.importorskip("pyarrow")
    table = pa.table(grown())
    kinds = {field.name: str(field.type) for field in table.schema}
    assert (kinds["holder"], kinds["count"], kinds["cache"]) == ("string", "double", "string")
    (row,) = table.to_pylist()
    # A list a round, and one or two objects in it.
    assert (row["holder"], row["count"], row["objects"]) == (f"{__name__}.KEPT", 1.0, 2.5)
    assert row["cache"] is None
    with pytest.raises(RuntimeError, match="rounds are not over"):
        pa.table(dw.growth())


def test_a_layout_is_a_row_for_each_part():
    pa = pytest.importorskip("pyarrow")
    layout = dw.layout([1, 2, 3])
    rows = pa.table(layout).to_pylist()
    assert sum(row["size"] for row in rows) == layout.held
    assert [(row["block"], row["address"]) for row in rows if row["offset"] == 0] == [
        (block.name, block.address) for block in layout.blocks
    ]
    parts = [part for block in layout.blocks for part in block.parts]
    assert [(row["kind"], row["name"]) for row in rows] == [(part.kind, part.name) for part in parts]


def test_polars_takes_a_census(heap):
    pl = pytest.importorskip("polars")
    census = heap.census()
    frame = pl.DataFrame(census)
    assert frame["held"].sum() == sum(row.held for row in census)
    assert frame["name"].to_list() == [row.name for row in census]


def test_capsules_free_what_they_hold(heap):
    """Taken or not, and more than once."""
    census = heap.census()
    before = dw.deepsizeof(census).total
    for _ in range(50):
        census.__arrow_c_stream__()
        census.__arrow_c_schema__()
    assert dw.deepsizeof(census).total == before
    pa = pytest.importorskip("pyarrow")
    first, second = pa.table(census), pa.table(census)
    assert first == second
    reader = pa.RecordBatchReader.from_stream(census)
    alive = weakref.ref(reader)
    del reader
    gc.collect()
    assert alive() is None


def test_what_does_not_fit_is_refused():
    from deadweight import _core

    with pytest.raises(ValueError, match="2 values, not 3"):
        _core.arrow_stream([("a", "int", [1, 2])], 3)
    with pytest.raises(OverflowError):
        _core.arrow_stream([("a", "int", [1 << 63])], 1)
    with pytest.raises(TypeError):
        _core.arrow_stream([("a", "str", [1])], 1)
    with pytest.raises(ValueError, match="int, float or str, not bytes"):
        _core.arrow_schema([("a", "bytes")])
