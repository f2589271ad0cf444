"""Columns as buffers, arrays and Arrow tables; files."""

import array
import ctypes
import os
import pickle
from datetime import date, datetime, timedelta

import deadweight as dw
import pytest


class Row(dw.Record):
    number: dw.i4
    score: float
    flag: bool
    name: str
    kind: dw.category
    blob: bytes
    at: datetime
    day: date
    span: timedelta
    maybe: dw.u2 | None


def row(number):
    return Row(
        number,
        number / 2,
        number % 2 == 0,
        f"näme {number}",
        "abc"[number % 3],
        bytes([number % 256]),
        datetime(2020, 1, 1) + timedelta(days=number),
        date(1960, 1, 1) + timedelta(days=number),
        timedelta(seconds=-number),
        None if number % 4 == 0 else number % 1000,
    )


def made(count):
    return dw.Records(Row, map(row, range(count)))


CODES = {"number": "i", "score": "d"}


@pytest.mark.parametrize("name", CODES)
def test_a_buffer_is_over_the_values_and_holds_them_in_place(name):
    rows = made(10)
    with memoryview(rows[name]) as view:
        assert view.format == CODES[name]
        assert view.tolist() == list(rows[name])
        view[3] = 7
        assert rows[name][3] == 7
        rows[4].score = 99.0
        assert rows.score[4] == 99.0
        for change in (
            lambda: rows.append(row(1)),
            lambda: rows.extend([row(1)]),
            lambda: rows.insert(0, row(1)),
            lambda: rows.pop(),
            lambda: rows.clear(),
            lambda: rows.reverse(),
            lambda: rows.reserve(10),
            lambda: rows.shrink_to_fit(),
            lambda: rows.__delitem__(0),
            lambda: rows.__setitem__(slice(0, 2), []),
        ):
            with pytest.raises(BufferError, match="in use"):
                change()
        assert len(rows) == 10
    rows.append(row(1))
    assert array.array(CODES[name], rows[name]).tolist() == list(rows[name])


@pytest.mark.parametrize("name", ["flag", "name", "kind", "blob", "at", "day", "span", "maybe"])
def test_columns_without_a_buffer_say_so(name):
    with pytest.raises(BufferError, match="to_numpy"):
        memoryview(made(3)[name])


def test_numpy_sees_the_values_themselves():
    np = pytest.importorskip("numpy")
    rows = made(100)
    for name in ("number", "score", "at", "span"):
        for seen in (np.asarray(rows[name]), rows[name].to_numpy()):
            assert seen.tolist() == list(rows[name])
            seen[0] = seen[5]
            assert rows[name][0] == rows[name][5]
    for name in ("flag", "name", "kind", "blob", "day"):
        assert np.asarray(rows[name]).tolist() == rows[name].to_numpy().tolist() == list(rows[name])
    assert np.asarray(rows.maybe).tolist() == list(rows.maybe)
    masked = rows.maybe.to_numpy()
    assert masked.dtype == "u2"
    assert masked.tolist() == list(rows.maybe)
    seen = np.asarray(rows.score)
    with pytest.raises(BufferError):
        rows.append(row(1))
    del seen, masked
    rows.append(row(1))
    assert rows[rows.score.to_numpy() > 40][0].score > 40
    assert [tuple(item) for item in rows.to_numpy().tolist()] == [item._astuple() for item in rows]
    interface = rows.number.__array_interface__
    assert (interface["shape"], interface["typestr"]) == ((101,), "<i4")
    assert made(0).score.to_numpy().shape == (0,)


def test_pyarrow_shares_memory_until_there_is_a_change():
    pa = pytest.importorskip("pyarrow")
    rows = made(50)
    table = pa.table(rows)
    table.validate(full=True)
    expected = [item._asdict() for item in rows]
    assert table.to_pylist() == expected
    assert table.schema == pa.schema(rows)
    assert pa.table(rows)["score"].chunk(0).buffers()[1].address == table["score"].chunk(0).buffers()[1].address
    rows[0].score = 1e9
    rows.append(row(3))
    del rows[1]
    assert table.to_pylist() == expected
    view = memoryview(rows.score)
    copied = pa.table(rows)
    view[0] = 5.0
    assert copied["score"][0].as_py() == 1e9


def test_arrow_tables_come_in():
    pa = pytest.importorskip("pyarrow")
    rows = made(50)
    assert dw.Records.from_arrow(pa.table(rows), Row) == rows
    pieces = pa.concat_tables([pa.table(made(20)), pa.table(rows)[20:]])
    assert dw.Records.from_arrow(pieces, Row) == rows
    assert dw.Records.from_arrow(pa.table(rows)[10:20], Row) == rows[10:20]
    packed = dw.pack(pa.table({"a": pa.array([1, None], pa.int16()), "b": pa.array(["x", "y"])}))
    assert packed.types == {"a": "u1 | None", "b": "str"}
    with pytest.raises(TypeError, match=r'field "a" has the Arrow type'):
        dw.Records.from_arrow(pa.table({"a": [[1]]}))
    with pytest.raises(ValueError, match='there is no "number"'):
        dw.Records.from_arrow(pa.table({"a": [1]}), Row)


def test_tables_of_other_types_come_in_where_nothing_is_lost(tmp_path):
    pa = pytest.importorskip("pyarrow")

    class Narrow(dw.Record):
        a: dw.u1
        b: dw.category
        c: float | None

    # All fields of a table may be null, if nobody says otherwise.
    table = pa.table({"c": pa.array([1, None], "int32"), "a": [1, 255], "b": ["x", "y"]})
    rows = dw.Records.from_arrow(table, Narrow)
    assert rows.types == {"a": "u1", "b": "category", "c": "f8 | None"}
    assert [row._astuple() for row in rows] == [(1, "x", 1.0), (255, "y", None)]
    dw.Records.from_arrow(table).save(tmp_path / "rows.arrow")
    assert dw.Records.open(tmp_path / "rows.arrow", Narrow) == rows
    for name, values, error, said in [
        ("a", [1, 256], OverflowError, 'row 1, field "a": 256 does not fit into u1'),
        ("a", [1, None], TypeError, 'row 1, field "a": None in a field'),
        ("b", [b"x", b"y"], TypeError, 'row 0, field "b": .* is no category'),
        ("d", [1, 2], ValueError, 'there is "d" besides'),
    ]:
        wrong = table.drop_columns(name) if name in table.column_names else table
        with pytest.raises(error, match=said):
            dw.Records.from_arrow(wrong.append_column(name, pa.array(values)), Narrow)


def test_polars_takes_the_columns():
    pl = pytest.importorskip("polars")
    rows = made(50)
    frame = pl.DataFrame(rows)
    assert frame.columns == list(Row._fields)
    assert frame["name"].to_list() == list(rows.name)
    assert frame["maybe"].to_list() == list(rows.maybe)
    assert dw.Records.from_arrow(frame)[3].score == 1.5


def test_files(tmp_path):
    rows = made(1000)
    path = tmp_path / "rows.arrow"
    rows.save(path)
    opened = dw.Records.open(path, Row)
    assert opened == rows
    assert dw.Records.open(path)[7]._astuple() == rows[7]._astuple()
    with memoryview(opened.score) as view:
        assert view.readonly
        with pytest.raises(BufferError):
            opened[0].score = 3.0
    opened[0].score = 3.0
    opened.append(row(5))
    assert (opened[0].score, len(opened)) == (3.0, 1001)
    assert dw.Records.open(path, Row) == rows
    rows[0:1] = []
    rows.save(path)
    assert len(dw.Records.open(path, Row)) == 999
    pa = pytest.importorskip("pyarrow")
    assert pa.ipc.open_file(path).read_all().to_pylist() == [item._asdict() for item in rows]


def test_a_file_that_shrinks_raises(tmp_path):
    path = tmp_path / "rows.arrow"
    made(10_000).save(path)
    opened = dw.Records.open(path, Row)
    kept = dw.Records.open(path, Row, copy=True)
    view = opened[9_999]
    os.truncate(path, 1000)
    for look in (lambda: opened[9_999].name, lambda: view.name, lambda: list(opened.score), lambda: opened[1:5]):
        with pytest.raises(OSError, match="cut short"):
            look()

    def values(key, rows):
        opened[key] = rows

    # What lies in a file is copied when it is changed.
    for change in (
        lambda: setattr(view, "number", 4),
        lambda: values(3, row(4)),
        lambda: values(slice(0, 10, 2), [row(4)] * 5),
        lambda: opened.number.__setitem__(3, 4),
    ):
        with pytest.raises(OSError, match="cut short"):
            change()
    assert kept[9_999].number == 9_999


@pytest.mark.parametrize("damage", ["truncated", "foreign", "empty"])
def test_files_that_are_none(tmp_path, damage):
    path = tmp_path / "rows.arrow"
    made(100).save(path)
    whole = path.read_bytes()
    path.write_bytes({"truncated": whole[:-100], "foreign": b"PAR1" * 50, "empty": b""}[damage])
    with pytest.raises(dw.BadRecords, match="rows"):
        dw.Records.open(path)
    with pytest.raises(FileNotFoundError):
        dw.Records.open(tmp_path / "none")


def test_capsules_let_go_of_what_they_share():
    rows = made(1000)

    def place():
        return ctypes.addressof(ctypes.c_char.from_buffer(memoryview(rows.score).cast("B")))

    before = place()
    for _ in range(20):
        rows.__arrow_c_stream__()
        rows.__arrow_c_schema__()
    rows[0].score = 1.0
    # Nobody has the column besides: it is changed where it lies.
    assert place() == before
    held = rows.__arrow_c_stream__()
    rows[0].score = 2.0
    assert place() != before
    del held


def test_pandas_takes_the_columns():
    pd = pytest.importorskip("pandas")
    rows = made(50)
    frame = pd.DataFrame.from_arrow(rows)
    assert list(frame.columns) == list(Row._fields)
    assert frame["name"].tolist() == list(rows.name)
    assert frame["kind"].tolist() == list(rows.kind)
    assert frame["maybe"].isna().tolist() == [value is None for value in rows.maybe]
    assert pd.DataFrame(rows.to_numpy())["score"].tolist() == list(rows.score)


def test_duckdb_takes_the_columns_by_name():
    duckdb = pytest.importorskip("duckdb")
    rows = made(50)
    found = duckdb.sql("SELECT sum(score), max(name), count(maybe), min(day) FROM rows").fetchall()
    some = [value for value in rows.maybe if value is not None]
    assert found == [(sum(rows.score), max(rows.name), len(some), min(rows.day))]
    assert dw.Records.from_arrow(duckdb.sql("SELECT 1::INTEGER AS a, 'x' AS b"))[0]._astuple() == (1, "x")


def test_batches_stay_where_they_lie_until_there_is_a_change(tmp_path):
    pa = pytest.importorskip("pyarrow")
    np = pytest.importorskip("numpy")
    rows, path = made(1000), tmp_path / "rows.arrow"
    pieces = pa.table(rows)
    with pa.ipc.new_file(path, pieces.schema) as file:
        file.write_table(pieces, max_chunksize=100)
    for several in (
        dw.Records.open(path, Row),
        dw.Records.from_arrow(pa.concat_tables([pieces[:1], pieces[1:]]), Row),
    ):
        assert several == rows
        assert several.nbytes >= rows.nbytes
        assert several.maybe.null_count == rows.maybe.null_count
        assert several[95:305] == rows[95:305]
        assert several[::-3] == rows[::-3]
        assert pickle.loads(pickle.dumps(several)) == rows
        table = pa.table(several)
        assert table.to_pylist() == pieces.to_pylist()
        assert len(table["score"].chunks) > 1
    opened = dw.Records.open(path, Row)
    seen = np.asarray(opened.number)
    assert seen.tolist() == list(rows.number)
    del seen
    opened.append(row(1000))
    assert opened == made(1001)
    assert dw.Records.open(path, Row) == rows


def test_an_array_over_a_file_copies_nothing(tmp_path):
    np = pytest.importorskip("numpy")
    rows, path = made(1000), tmp_path / "rows.arrow"
    rows.save(path)
    opened = dw.Records.open(path, Row)
    for name in ("number", "score", "at", "span"):
        for seen in (opened[name].to_numpy(), np.asarray(opened[name])):
            assert seen.tolist() == list(rows[name])
            assert not seen.flags.writeable
            with pytest.raises(BufferError):
                setattr(opened[0], name, getattr(opened[1], name))
            with pytest.raises(BufferError):
                opened[0] = row(1)
            with pytest.raises(BufferError):
                opened[::2] = opened[::2]
            del seen
    # Nor is there less of it for a copy.
    opened.shrink_to_fit()
    with pytest.raises(TypeError):
        opened.append((None,) * len(Row._fields))
    assert memoryview(opened.score).readonly


def test_a_changed_column_of_a_file_is_in_memory(tmp_path):
    np = pytest.importorskip("numpy")
    rows, path = made(1000), tmp_path / "rows.arrow"
    rows.save(path)
    opened = dw.Records.open(path, Row)
    seen = np.asarray(opened.number)
    opened[0].score = 7.0
    scores = np.asarray(opened.score)
    assert scores.flags.writeable and not seen.flags.writeable
    scores[1] = 8.0
    opened[2].score = 9.0
    assert scores[:3].tolist() == opened.score[:3].tolist() == [7.0, 8.0, 9.0]
    assert seen.tolist() == list(rows.number)
    # No column moves, as long as anybody looks at one.
    del seen
    with pytest.raises(BufferError):
        opened.append(rows[0])
    with memoryview(opened.number) as numbers:
        assert numbers.readonly
    assert dw.Records.open(path, Row) == rows


def test_a_column_is_not_compared_as_a_whole():
    rows = made(5)
    column = rows.number
    assert column == column
    for compared in (
        lambda: column == 3,
        lambda: column != 3,
        lambda: rows.number == rows.number,
        lambda: column == 3,
    ):
        with pytest.raises(TypeError, match="not compared as a whole"):
            compared()
    assert [row.number for row in rows[[each == 3 for each in column]]] == [3]


def test_a_saved_file_keeps_its_mode_and_links_are_followed(tmp_path):
    rows, path, link = made(5), tmp_path / "rows.arrow", tmp_path / "link.arrow"
    rows.save(path)
    path.chmod(0o600)
    link.symlink_to(path)
    rows.append(rows[0])
    rows.save(link)
    assert link.is_symlink() and path.stat().st_mode & 0o777 == 0o600
    assert len(dw.Records.open(path)) == 6
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OSError, match="a device or a pipe"):
        rows.save(pipe)
    assert pipe.is_fifo() and len(list(tmp_path.iterdir())) == 3
    with pytest.raises(OSError):
        rows.save(tmp_path)


def test_flags_of_numpy_are_a_mask_and_none_is_no_flag():
    np = pytest.importorskip("numpy")
    rows = made(4)
    mask = [each > 1 for each in np.arange(4)]
    assert [row.number for row in rows[mask]] == [2, 3]
    with pytest.raises(TypeError):
        rows[np.True_]
    with pytest.raises(TypeError, match="not None"):
        rows[[True, None, True, True]]
