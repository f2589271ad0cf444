"""Tables of other libraries, into records: packed, and into the fields of a class."""

from datetime import date, datetime, timedelta

import deadweight as dw
import pytest

pa = pytest.importorskip("pyarrow")

DAY = 86_400_000


def single(values, type_):
    return pa.table({"x": pa.array(values, type_)})


COLUMNS = [
    ([1] * 100, pa.int64()),
    ([-1, 2**40, None], pa.int64()),
    ([0, 2**63], pa.uint64()),
    ([1.0, 2.0, None], pa.float64()),
    ([True, None], pa.bool_()),
    (["x", "y"] * 100, pa.string()),
    (["x", "y", None] * 100, pa.large_string()),
    ([str(number) for number in range(100)], pa.string()),
    ([*map(str, range(2000)), *["x"] * 100_000], pa.string()),
    ([b"x", None], pa.binary()),
    ([datetime(2020, 1, 1, 0, 0, 0, 1), None], pa.timestamp("us")),
    ([date(2020, 1, 1)], pa.date32()),
    ([timedelta(microseconds=1)], pa.duration("us")),
]


@pytest.mark.parametrize(("values", "type_"), COLUMNS)
def test_a_table_is_packed_as_its_rows_are(values, type_):
    table = single(values, type_)
    packed, same = dw.pack(table), dw.pack(table.to_pylist())
    assert packed.types == same.types
    assert packed.nbytes == same.nbytes
    assert packed == same
    # In several pieces too.
    assert dw.pack(pa.concat_tables([table[:1], table[1:]])) == same


def test_types_of_a_table_that_no_value_has():
    assert dw.pack(single([0.5], pa.float32())).types == {"x": "f4"}
    assert dw.pack(single([0.5, None], pa.float32())).types == {"x": "f4 | None"}
    assert dw.pack(single([None, None], pa.int64())).types == {"x": "i8 | None"}
    assert dw.pack(single([], pa.int64())).types == {"x": "i8 | None"}
    assert dw.pack(single([None, None], pa.null())).types == dw.pack([{"x": None}, {"x": None}]).types
    words = single(["x"] * 9, pa.dictionary(pa.int32(), pa.string()))
    assert dw.pack(words).types == {"x": "category"}


def test_types_that_are_told_of_a_table():
    table = pa.table({"a": [1, 2], "b": ["x", "y"], "c": [0.5, None]})
    packed = dw.pack(table, types={"a": dw.i4, "b": object, "c": dw.f4 | None})
    assert packed.types == {"a": "i4", "b": "object", "c": "f4 | None"}
    assert [row._astuple() for row in packed] == [(1, "x", 0.5), (2, "y", None)]
    with pytest.raises(OverflowError, match='row 1, field "a": 300 does not fit into u1'):
        dw.pack(pa.table({"a": [1, 300]}), types={"a": "u1"})
    with pytest.raises(TypeError, match='row 1, field "a": None in a field that is not nullable'):
        dw.pack(pa.table({"a": [1, None]}), types={"a": int})
    with pytest.raises(ValueError, match='no row has a field "z"'):
        dw.pack(table, types={"z": int})
    with pytest.raises(TypeError, match="names already"):
        dw.pack(table, names=["x", "y", "z"])


def test_frames_are_packed():
    pl = pytest.importorskip("polars")
    pd = pytest.importorskip("pandas")
    rows = {"a": [1] * 100, "t": ["x"] * 100}
    for table in (pa.table(rows), pl.DataFrame(rows), pd.DataFrame(rows)):
        packed = dw.pack(table)
        assert packed.types == {"a": "u1", "t": "category"}
        assert packed[99]._asdict() == {"a": 1, "t": "x"}


def test_what_was_packed_is_packed_again():
    rows = dw.pack([{"a": 300, "b": "x"}] * 20)
    del rows[1:]
    rows[0].a = 1
    assert dw.pack(rows).types == {"a": "u1", "b": "str"}


class Times(dw.Record):
    x: datetime | None


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_times_of_any_unit(unit):
    times = [datetime(2020, 2, 29, 12, 30, 1), None, datetime(1901, 1, 1)]
    for table in (single(times, pa.timestamp(unit)), single([*times, None], pa.timestamp(unit))[:3]):
        assert dw.Records.from_arrow(table).x.tolist() == times
        assert dw.Records.from_arrow(table, Times).x.tolist() == times
        assert dw.pack(table).types == {"x": "datetime | None"}
    spans = [timedelta(seconds=-1), None, timedelta(days=40_000)]
    assert dw.Records.from_arrow(single(spans, pa.duration(unit))).x.tolist() == spans


def test_dates_of_milliseconds():
    days = [date(2020, 2, 29), None, date(1, 1, 1)]
    rows = dw.Records.from_arrow(single(days, pa.date64()))
    assert (rows.types, rows.x.tolist()) == ({"x": "date | None"}, days)


@pytest.mark.parametrize(
    ("number", "type_"),
    [
        (1, pa.timestamp("ns")),
        (2**62, pa.timestamp("s")),
        (2**62, pa.timestamp("ms")),
        (253_402_300_800_000_000, pa.timestamp("us")),
        (-62_135_596_800_000_001, pa.timestamp("us")),
        (-1, pa.duration("ns")),
        (2**62, pa.duration("s")),
        (2_932_897, pa.date32()),
        (-719_163, pa.date32()),
        (DAY + 1, pa.date64()),
        (2**62 // DAY * DAY, pa.date64()),
    ],
)
def test_times_that_would_lose_something(number, type_):
    bits = pa.int32() if type_ == pa.date32() else pa.int64()
    table = pa.table({"x": pa.array([0, number], bits).view(type_)})
    for take in (dw.Records.from_arrow, dw.pack):
        with pytest.raises(OverflowError, match=f'row 1, field "x": {number} .* does not fit into'):
            take(table)
        with pytest.raises(OverflowError, match='row 3, field "x"'):
            take(pa.concat_tables([table[:1], table[:1], table]))
    # What a row without a value has is nobody's.
    none = pa.Array.from_buffers(type_, 2, [pa.py_buffer(b"\1"), table["x"].chunk(0).buffers()[1]])
    assert dw.Records.from_arrow(pa.table({"x": none})).x[1] is None


def test_columns_of_nulls():
    class Row(dw.Record):
        x: dw.u2 | None

    table = single([None, None], pa.null())
    rows = dw.Records.from_arrow(table)
    assert (rows.types, rows.x.tolist()) == ({"x": "bool | None"}, [None, None])
    rows = dw.Records.from_arrow(table, Row)
    assert (rows.types, rows.x.tolist()) == ({"x": "u2 | None"}, [None, None])
    assert dw.Records.from_arrow(single([], pa.null()), Row).types == {"x": "u2 | None"}
    with pytest.raises(TypeError, match='row 0, field "x": None'):
        dw.Records.from_arrow(table, dw.Record.of({"x": int}))


def test_floats_of_pandas_become_integers_again():
    pd = pytest.importorskip("pandas")

    class Row(dw.Record):
        x: dw.i2 | None
        y: float

    nan = float("nan")
    rows = dw.Records(Row, [(None, 1.0), (-1, nan), (300, 2.0)])
    frame = pd.DataFrame({"x": [nan, -1.0, 300.0], "y": [1.0, 2.0, 3.0]})
    back = dw.Records.from_arrow(frame, Row)
    assert back.x.tolist() == rows.x.tolist()
    # NaN as a value too, not only what pandas takes for none.
    table = pa.table({"x": pa.array([nan, 7.0]), "y": [1.0, 2.0]})
    assert dw.Records.from_arrow(table, Row).x.tolist() == [None, 7]
    for wrong, error in ((0.5, TypeError), (40_000.0, OverflowError), (float("inf"), TypeError)):
        with pytest.raises(error, match='row 1, field "x"'):
            dw.Records.from_arrow(pa.table({"x": [1.0, wrong], "y": [1.0, 2.0]}), Row)


def test_an_index_without_a_name_is_left_out():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"x": [3, 1, 2]}).sort_values("x")
    assert "__index_level_0__" in pa.table(frame).column_names
    for rows in (
        dw.Records.from_arrow(frame),
        dw.Records.from_arrow(frame, dw.Record.of({"x": int})),
        dw.pack(frame),
    ):
        assert rows.x.tolist() == [1, 2, 3]
    with pytest.raises(ValueError, match="'__index_level_x__'"):
        dw.Records.from_arrow(pa.table({"__index_level_x__": [1]}))


def test_a_time_that_an_array_has_written():
    np = pytest.importorskip("numpy")
    rows = dw.Records(dw.Record.of({"at": datetime}), [(datetime(2020, 1, 1),), (datetime(2021, 1, 1),)])
    times = rows.at.to_numpy()
    for wrong, shown in (
        (np.datetime64("NaT"), "NaT"),
        (np.datetime64("10000-01-01"), "a datetime of 2534023008"),
    ):
        times[1] = wrong
        for read in (
            lambda: rows[1].at,
            lambda: rows.at[1],
            lambda: list(rows.at),
            lambda: repr(rows[1]),
            lambda: datetime(2022, 1, 1) in rows.at,
            lambda: rows == rows,
        ):
            with pytest.raises(OverflowError, match=f'row 1, field "at": {shown}.* does not fit into datetime'):
                read()
    rows[1].at = datetime(2022, 1, 1)
    assert times[1] == np.datetime64("2022-01-01")


def test_what_is_no_table():
    for wrong in ([1], "x", None):
        with pytest.raises(
            TypeError, match=f"from_arrow takes a table with __arrow_c_stream__, not {wrong!r}".replace("[", r"\[")
        ):
            dw.Records.from_arrow(wrong)
