"""Results as Arrow tables, taken by the libraries that take such tables."""

import gc
import weakref

import deadweight as dw
import pytest


@pytest.fixture(scope="module")
def heap():
    return dw.snapshot()


def tables(heap):
    return {
        "census": heap.census(),
        "tree": heap.tree(),
        "why": heap.why("dict", top=50),
        "diff": heap.diff(heap),
        "deepsizeof": dw.deepsizeof([1, "text"], {}),
        "closures": dw.closures(holding=list),
        "sizes": dw.sizes("dict"),
    }


@pytest.mark.parametrize("name", ["census", "tree", "why", "diff", "deepsizeof", "closures", "sizes"])
def test_pyarrow_takes_every_table(heap, name):
    pa = pytest.importorskip("pyarrow")
    result = tables(heap)[name]
    table = pa.table(result)
    table.validate(full=True)
    rows = {"why": "paths", "deepsizeof": "by_type"}.get(name, "rows")
    rows = getattr(result, rows)
    assert table.num_rows == len(rows)
    for row, ours in zip(table.to_pylist(), rows, strict=True):
        assert row == {column: getattr(ours, column) for column in row}
    assert table.schema == pa.schema(result)


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
        _core.arrow_stream([("a", True, [1, 2])], 3)
    with pytest.raises(OverflowError):
        _core.arrow_stream([("a", True, [1 << 63])], 1)
    with pytest.raises(TypeError):
        _core.arrow_stream([("a", False, [1])], 1)
