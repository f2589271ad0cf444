"""Columns as a whole: assigned, made into rows, lent as Arrow's arrays; and tables of other libraries taken in."""

import array
import bisect
import copy
import sys
from datetime import date, datetime, timedelta
from decimal import Decimal

import deadweight as dw
import pytest


class User(dw.Record):
    id: dw.u4
    score: float = 0.5
    name: str = "?"
    joined: datetime | None = None
    rank: int | None = None


def users(count):
    return dw.Records(User, [(number, number, f"user {number}", None, None) for number in range(count)])


class Fails:
    def __iter__(self):
        yield 1
        raise ZeroDivisionError


def test_a_column_is_assigned():
    rows = users(3)
    view, before = rows[1], rows.nbytes
    rows.id = [7, 8, 9]
    rows["name"] = (text for text in ("a", "bb", "\u00e9"))
    rows.score = array.array("d", [1.5, 2.5, 3.5])
    rows.joined = [None, datetime(2024, 2, 29), None]
    assert view == User(8, 2.5, "bb", datetime(2024, 2, 29))
    assert [row._astuple()[:3] for row in rows] == [(7, 1.5, "a"), (8, 2.5, "bb"), (9, 3.5, "\u00e9")]
    assert rows.nbytes < before
    rows.id = rows.score = rows.id
    assert rows.score.tolist() == [7.0, 8.0, 9.0]
    rows.append((10, *view._astuple()[1:]))
    assert len(rows) == len(rows.name) == 4


@pytest.mark.parametrize(
    ("field", "values", "error", "text"),
    [
        ("id", [1, -2, 3], OverflowError, 'row 1, field "id": -2 does not fit into u4'),
        ("id", array.array("q", [1, 2, 2**40]), OverflowError, 'row 2, field "id": 1099511627776 does not fit'),
        ("id", array.array("d", [1, 2, 3]), TypeError, 'row 0, field "id": 1.* is no u4'),
        ("rank", array.array("d", [1, 2, 3]), TypeError, 'row 0, field "rank": 1.* is no i8'),
        ("id", [1, 2, None], TypeError, 'row 2, field "id": None in a field that is not nullable'),
        ("score", array.array("Q", [1, 2**53 + 1, 2]), OverflowError, 'row 1, field "score": 9007199254740993'),
        ("name", ["a", "b", "\ud800"], ValueError, 'row 2, field "name".*half of a surrogate pair'),
        ("name", "abc", TypeError, "field \"name\": a column is of a value for each row, not 'abc'"),
        ("score", 3, TypeError, 'field "score": a column is of a value for each row, not 3'),
        ("id", [1, 2], ValueError, 'field "id": 2 values for 3 rows'),
        ("id", array.array("B", range(4)), ValueError, 'field "id": 4 values for 3 rows'),
        ("id", Fails(), ZeroDivisionError, None),
    ],
)
def test_a_column_that_is_refused_changes_nothing(field, values, error, text):
    rows = users(3)
    before = copy.copy(rows)
    with pytest.raises(error, match=text):
        setattr(rows, field, values)
    with pytest.raises(error, match=text):
        rows[field] = values
    assert rows == before


def test_what_is_no_column_is_not_assigned():
    rows = users(2)
    with pytest.raises(AttributeError):
        rows.nmae = ["a", "b"]
    with pytest.raises(KeyError):
        rows["nmae"] = ["a", "b"]
    with pytest.raises(AttributeError):
        rows.append = ["a", "b"]
    named = dw.pack([{"append": 1}, {"append": 2}])
    named["append"] = [3, 4]
    assert named["append"].tolist() == [3, 4]

    class More(dw.Records):
        pass

    more = More(User, rows)
    more.note = "mine"
    more.id = [5, 6]
    assert (more.note, more.id.tolist()) == ("mine", [5, 6])


def test_a_column_stays_where_a_buffer_of_it_is():
    rows = users(2)
    with memoryview(rows.id) as ids:
        with pytest.raises(BufferError):
            rows.id = [3, 4]
        assert ids.tolist() == [0, 1]
    rows.id = [3, 4]
    assert rows.id.tolist() == [3, 4]


def test_a_column_of_a_file_is_assigned_in_memory(tmp_path):
    rows = users(3)
    rows.save(tmp_path / "u.arrow")
    opened = dw.Records.open(tmp_path / "u.arrow", User)
    opened.id = opened.score = [4, 5, 6]
    assert opened.id.tolist() == opened.score.tolist() == [4, 5, 6]
    assert opened.name.tolist() == rows.name.tolist()
    assert dw.Records.open(tmp_path / "u.arrow", User) == rows


def test_objects_that_leave_a_column_may_look_at_it():
    class Job(dw.Record):
        what: object

    class Looks:
        def __del__(self):
            seen.append(len(rows))

    seen = []
    rows = dw.Records(Job, [(Looks(),), (Looks(),)])
    rows.what = [1, 2]
    assert seen == [2, 2]
    assert rows.what.tolist() == [1, 2]


def test_rows_of_columns():
    rows = dw.Records.from_columns(User, name=["a", "b"], id=array.array("H", [7, 8]))
    assert list(rows) == [User(7, name="a"), User(8, name="b")]
    assert rows.types == users(0).types
    rows.append((9, 1, "c", None, None))
    assert len(dw.Records.from_columns(dw.Record.of({"a": "u1 | None"}))) == 0
    words = dw.Records.from_columns(dw.Record.of({"two words": "u1"}), **{"two words": b"ab"})
    assert words["two words"].tolist() == [97, 98]
    for columns, error, text in (
        ({}, ValueError, 'there is no "id"'),
        ({"name": ["a"]}, ValueError, 'there is no "id"'),
        ({"id": [1], "nmae": ["a"]}, TypeError, 'User has no field "nmae"'),
        ({"id": [1], "name": ["a", "b"]}, ValueError, 'field "name": 2 values for 1 rows'),
        ({"id": [1, -1]}, OverflowError, 'row 1, field "id": -1 does not fit'),
    ):
        with pytest.raises(error, match=text):
            dw.Records.from_columns(User, **columns)


def test_arrays_of_numbers_are_their_values():
    np = pytest.importorskip("numpy")
    kinds = ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f4", "f8"]
    for kind in kinds:
        limits = np.finfo(kind) if kind[0] == "f" else np.iinfo(kind)
        plain = np.array([limits.min, 0, 1, limits.max], kind)
        Row = dw.Record.of({"x": kind})
        for values in (plain, plain.astype(f">{kind}"), np.repeat(plain, 2)[::2], plain[::-1][::-1]):
            rows = dw.Records.from_columns(Row, x=values)
            assert rows.x.tolist() == plain.tolist()
            assert np.asarray(rows.x).dtype == kind
            assert not np.shares_memory(np.asarray(rows.x), values)
    times = np.array(["2024-02-29T01:02:03", "1969-12-31T23:59:59"], "M8[us]")
    more = dw.Records.from_columns(
        dw.Record.of({"at": datetime, "on": date, "flag": bool}),
        at=times,
        on=times.astype("M8[D]"),
        flag=np.array([True, False]),
    )
    assert more[0]._astuple() == (datetime(2024, 2, 29, 1, 2, 3), date(2024, 2, 29), True)
    with pytest.raises(TypeError, match='row 0, field "x"'):
        dw.Records.from_columns(dw.Record.of({"x": "i8"}), x=np.zeros((2, 2), "i8"))
    with pytest.raises(TypeError, match='row 0, field "x"'):
        dw.Records.from_columns(dw.Record.of({"x": "i8"}), x=times.astype("M8[ns]"))


def test_numbers_at_any_address():
    Row = dw.Record.of({"x": "f8"})
    odd = memoryview(bytearray(1 + 8 * 3))[1:].cast("d")
    odd[1] = 2.5
    rows = dw.Records.from_columns(Row, x=odd)
    assert rows.x.tolist() == [0, 2.5, 0]
    np = pytest.importorskip("numpy")
    packed = np.array([(1, 0.5), (2, 1.5), (3, 2.5)], [("a", "u1"), ("x", "f8")])
    rows.x = packed["x"]
    assert rows.x.tolist() == [0.5, 1.5, 2.5]


def test_single_bytes_are_no_numbers():
    with pytest.raises(TypeError, match=r'row 0, field "x": b.a. is'):
        dw.Records.from_columns(dw.Record.of({"x": "u1"}), x=memoryview(b"ab").cast("c"))


def test_an_array_that_cannot_be_without_a_copy():
    np = pytest.importorskip("numpy")
    rows = dw.Records.from_columns(dw.Record.of({"x": "u4 | None"}), x=[1, None])
    with pytest.raises(ValueError, match="is a copy"):
        rows.x.__array__(copy=False)
    assert rows.x.__array__().tolist() == [1, None]
    rows.x = [1, 2]
    assert np.shares_memory(rows.x.__array__(copy=False), np.asarray(rows.x))


def test_masked_arrays_have_no_value_where_they_are_masked():
    np = pytest.importorskip("numpy")
    rows = dw.Records.from_columns(dw.Record.of({"x": "i4 | None", "y": "i4"}), x=[1, None, 3], y=[4, 5, 6])
    rows.x = rows.x.to_numpy() * 2
    assert rows.x.tolist() == [2, None, 6]
    with pytest.raises(TypeError, match='row 2, field "y": None'):
        rows.y = np.ma.MaskedArray([1, 2, 3], [False, False, True])
    assert rows.y.tolist() == [4, 5, 6]


def test_fields_are_names_of_the_container():
    assert {"id", "score", "name", "append", "nbytes", "__len__"} <= set(dir(users(1)))


def test_a_field_may_be_called_as_a_method_of_classes():
    rows = dw.Records(dw.Record.of({"mro": int}), [(1,), (2,)])
    rows.mro = [5, 6]
    assert (list(rows.mro), rows[1].mro) == ([5, 6], 6)


@pytest.mark.skipif(sys.version_info < (3, 13), reason="copy.replace is of 3.13")
def test_rows_are_replaced_as_other_objects():
    rows = users(2)
    assert copy.replace(rows[1], name="x", score=2) == User(1, 2.0, "x")
    assert rows[1].name == "user 1"
    with pytest.raises(TypeError, match="has no field 'nmae'"):
        copy.replace(rows[1], nmae="x")


def test_tables_of_other_libraries_come_in_as_rows():
    pa = pytest.importorskip("pyarrow")
    table = pa.table({"name": ["a", "b"], "id": [1, 2]})
    rows = dw.Records(User, table)
    assert list(rows) == [User(1, name="a"), User(2, name="b")]
    rows.extend(table.to_reader())
    rows[:1] = table
    assert rows.id.tolist() == [1, 2, 2, 1, 2]
    before = copy.copy(rows)
    for wrong, error, text in (
        (pa.table({"id": [1, -1]}), OverflowError, 'row 1, field "id": -1 does not fit'),
        (pa.table({"id": [1], "more": [2]}), ValueError, 'there is "more" besides; .*iter'),
        (pa.table({"name": ["a"]}), ValueError, 'there is no "id"'),
    ):
        with pytest.raises(error, match=text):
            rows.extend(wrong)
        assert rows == before
    for library in ("pandas", "polars"):
        frame = pytest.importorskip(library).DataFrame({"id": [5, 6], "name": ["x", "y"]})
        assert list(dw.Records(User, frame)) == [User(5, name="x"), User(6, name="y")]


def test_structured_arrays_come_in_by_name():
    np = pytest.importorskip("numpy")
    many = np.zeros(5000, [("name", "U3"), ("id", "i8")])
    many["id"] = np.arange(5000)
    rows = dw.Records(User, many)
    assert (rows.id.tolist(), rows[4999].name, rows[0].score) == (list(range(5000)), "", 0.5)
    rows[:] = many[:2]
    assert len(rows) == 2
    with pytest.raises(TypeError, match=r"field 'id' is of datetime64\[ns\]"):
        rows.extend(np.zeros(2, [("id", "M8[ns]")]))
    with pytest.raises(ValueError, match="row 2: there is no field 'x'"):
        rows.extend(np.zeros(2, [("id", "u1"), ("x", "u1")]))


def test_columns_are_arrows_arrays():
    pa = pytest.importorskip("pyarrow")
    rows = users(3)
    rows[1].joined = datetime(2024, 2, 29)
    for name in User._fields:
        assert pa.array(rows[name]).equals(pa.table(rows)[name].combine_chunks()), name
    ids = pa.array(rows.id)
    assert ids.buffers()[1].address == pa.array(rows.id).buffers()[1].address
    rows[0].id = 7
    assert (ids.to_pylist(), rows.id.tolist()) == ([0, 1, 2], [7, 1, 2])
    with memoryview(rows.id) as lent:
        copied = pa.array(rows.id)
        lent[0] = 8
    assert (copied.to_pylist(), rows.id.tolist()) == ([7, 1, 2], [8, 1, 2])
    assert pa.array(dw.Records.from_arrow(pa.concat_tables([pa.table(rows)] * 2)).id).to_pylist() == [8, 1, 2] * 2
    with pytest.raises(TypeError, match="nothing that Arrow"):
        pa.array(dw.pack([{"x": []}], types={"x": object}).x)
    pl = pytest.importorskip("polars")
    assert pl.Series(rows.name).to_list() == ["user 0", "user 1", "user 2"]
    assert pl.Series("s", rows.score).dtype == pl.Float64


class Old(dw.Record):
    id: dw.u4
    name: str


class New(dw.Record):
    name: str
    id: dw.u4
    note: str | None
    rank: dw.u1 = 7
    kind: dw.category = "plain"


def test_a_file_may_lack_what_has_a_default(tmp_path):
    path = tmp_path / "old.arrow"
    dw.Records(Old, [(1, "a"), (2, "b")]).save(path)
    for copied in (False, True):
        rows = dw.Records.open(path, New, copy=copied)
        assert list(rows) == [New("a", 1, None), New("b", 2, None)]
        rows[1].rank, rows[1].note = 8, "x"
        rows.append(rows[1])
        assert rows[2] == New("b", 2, "x", 8)
    with pytest.raises(ValueError, match=r'there is "name" besides; .*iter'):
        dw.Records.open(path, dw.Record.of({"id": "u4"}))
    fewer = dw.Records(dw.Record.of({"id": "u4"}), iter(dw.Records.open(path)))
    assert fewer.id.tolist() == [1, 2]


def test_a_file_of_batches_may_lack_it_too(tmp_path):
    pa = pytest.importorskip("pyarrow")
    path = tmp_path / "old.arrow"
    batch = pa.record_batch({"id": pa.array([1, 2], pa.uint32()), "name": ["a", "b"]})
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, batch.schema) as writer:
        for part in (batch, batch.slice(0, 0), batch.slice(1)):
            writer.write(part)
    assert list(dw.Records.open(path, New)) == [New("a", 1, None), New("b", 2, None), New("b", 2, None)]


def test_a_column_bisects():
    rows = dw.Records.from_columns(dw.Record.of({"x": "u4"}), x=[1, 2, 5])
    assert [bisect.bisect(rows.x, number) for number in (0, 2, 9)] == [0, 2, 3]
    assert (rows.x[-1], len(rows.x), list(reversed(rows.x))) == (5, 3, [5, 2, 1])


def test_arrays_of_one_item_are_no_values():
    np = pytest.importorskip("numpy")
    rows = dw.Records.from_columns(dw.Record.of({"x": float}), x=[1, 2])
    for values in (np.zeros((2, 1)), [np.zeros(1), np.zeros(1)], np.zeros((2, 2))):
        with pytest.raises(TypeError, match='row 0, field "x"'):
            rows.x = values
    rows.x = [np.float32(3), np.array(4.5)]
    assert rows.x.tolist() == [3, 4.5]


class Optional(dw.Record):
    at: datetime | None
    n: int | None
    name: str | None = None
    span: timedelta | None = None
    what: object = None


ATS = [datetime(2024, 2, 29, 1, 2, 3, 4), None]


def test_times_of_any_unit():
    np = pytest.importorskip("numpy")
    rows = dw.Records.from_columns(Optional, at=ATS, n=[1, 2])
    exact = np.array(ATS, "M8[us]")
    for unit, expected in (("us", ATS), ("ns", ATS), ("s", [ATS[0].replace(microsecond=0), None])):
        rows.at = exact.astype(f"M8[{unit}]")
        assert rows.at.tolist() == expected
    rows.at = exact.astype("M8[D]")
    assert rows.at.tolist() == [datetime(2024, 2, 29), None]
    rows.span = np.array([90, "NaT"], "m8[s]")
    assert rows.span.tolist() == [timedelta(seconds=90), None]
    with pytest.raises(OverflowError, match=r'row 1, field "at": .*0001 is no whole number of microseconds'):
        rows.at = np.array([0, 1], "M8[ns]")
    for unit in "YM":
        with pytest.raises(TypeError, match=rf"field 'span': timedelta64\[{unit}\] is of months or years"):
            rows.span = np.array([0, 1], f"m8[{unit}]")
    assert rows.span.tolist() == [timedelta(seconds=90), None]
    for wrong in (np.array([0, 1], "m8[s]"), np.array([0, 1]), np.array([[0], [1]], "M8[s]")):
        with pytest.raises(TypeError, match='row 0, field "at"'):
            rows.at = wrong
    assert rows.at.tolist() == [datetime(2024, 2, 29), None]


def test_columns_of_pyarrow():
    pa = pytest.importorskip("pyarrow")
    rows = dw.Records.from_columns(Optional, at=ATS, n=[1, 2])
    rows.n = pa.array([None, 3])
    rows.at = pa.chunked_array([[None], [ATS[0]]], pa.timestamp("ns"))
    rows.name = pa.array(["a", None]).dictionary_encode()
    rows.what = pa.array([[1], None])
    assert [row._astuple() for row in rows] == [(None, None, "a", None, [1]), (ATS[0], 3, None, None, None)]
    floats = dw.Records.from_columns(dw.Record.of({"x": float}), x=pa.array([1, 2]))
    assert floats.x.tolist() == [1, 2]
    with pytest.raises(TypeError, match='row 1, field "x": None'):
        floats.x = pa.array([1.5, None])
    with pytest.raises(TypeError, match=r'row 0, field "n": 1.5 is no i8'):
        rows.n = pa.array([1.5, 2])
    with pytest.raises(TypeError, match="convert it to UTC and take the time zone off"):
        rows.at = pa.array(ATS, pa.timestamp("us", "UTC"))
    table = pa.table({"at": ATS, "n": [1, 2], "what": pa.array([Decimal(1), None])})
    with pytest.raises(TypeError, match=r"Decimal.*rows that come one by one can have it in a field of objects"):
        dw.Records(Optional, table)


def test_columns_of_other_modules_are_taken_value_by_value():
    pytest.importorskip("pandas")

    class Values(list):
        pass

    rows = dw.Records.from_columns(Optional, at=ATS, n=[1, 2])
    for module in ("pandas_tools", "pyarrow_tools.columns", None):
        Values.__module__ = module
        rows.n = Values([3, 4])
        assert rows.n.tolist() == [3, 4]


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
def test_an_error_of_a_library_is_not_passed_over(error):
    class Values(list):
        def to_pylist(self):
            raise error

        def __arrow_c_stream__(self, requested_schema=None):
            raise error

    rows = dw.Records.from_columns(Optional, at=ATS, n=[1, 2])
    with pytest.raises(error):
        rows.what = Values([3, 4])
    with pytest.raises(error):
        dw.Records(Optional, Values())


def test_columns_of_pandas():
    pd = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    frame = pd.DataFrame(
        {
            "at": ATS,
            "n": [1, None],
            "name": ["a", None],
            "span": [None, timedelta(1)],
        },
        index=[7, 8],
    )
    made = dw.Records.from_columns(Optional, **{name: frame[name] for name in frame})
    assert [row._astuple() for row in made] == [
        (ATS[0], 1, "a", None, None),
        (None, None, None, timedelta(1), None),
    ]
    assert made == dw.Records(Optional, frame)
    made.n = pd.Series([None, 2], dtype="Int64")
    assert made.n.tolist() == [None, 2]
    made.n = pd.array([None, 3], dtype="Int64")
    made.at = list(frame["at"])
    assert (made.n.tolist(), made.at.tolist()) == ([None, 3], ATS)
    made.n = pd.Series([1, 2]).astype("category")
    thing = object()
    made.what = pd.Series([thing, None], dtype=object)
    assert (made.n.tolist(), made.what[0] is thing) == ([1, 2], True)
    # An index of several levels is no column: its items are tuples.
    levels = pd.MultiIndex.from_tuples([(1, "a"), (2, "b")])
    with pytest.raises(TypeError, match='field "n"'):
        made.n = levels
    made.what = levels
    assert made.what.tolist() == [(1, "a"), (2, "b")]
    # NaN is a float; only a table of pandas cannot tell it from no value.
    floats = dw.Records.from_columns(dw.Record.of({"x": float}), x=pd.Series([1, None]))
    assert repr(floats.x.tolist()) == "[1.0, nan]"
    packed = dw.pack(frame.drop(columns="n").to_dict("records"), types={"name": object})
    assert packed.types["at"] == "datetime | None" and packed.at.tolist() == ATS
