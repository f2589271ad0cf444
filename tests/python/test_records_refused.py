"""What is no row, no value, no number of a row: it is refused in words, and nothing is changed."""

import copy
import dataclasses
import errno
import pickle
from datetime import datetime, timedelta, timezone

import deadweight as dw
import pytest


class Point(dw.Record):
    x: float
    y: dw.f4
    n: dw.u1


class Optional(dw.Record):
    a: int | None
    b: str = ""


def points(count):
    return dw.Records(Point, [(row, row, row) for row in range(count)])


@pytest.mark.parametrize("number", [2**53 + 1, 10**40, -(10**40), -(2**127), -(2**64) - 1, 2**1100, -(2**1100)])
def test_integers_that_a_float_is_not(number):
    rows = points(1)
    for change in (
        lambda: setattr(rows[0], "x", number),
        lambda: rows.append((number, 0, 0)),
        lambda: Point(number, 0, 0),
        lambda: dw.pack([{"x": 0.5}, {"x": number}]),
    ):
        with pytest.raises((OverflowError, TypeError), match='field "x"'):
            change()
    assert list(rows.x) == [0]


@pytest.mark.parametrize("number", [10**20, -(2**64), 2**100, 2**53, 3 << 90])
def test_integers_that_a_float_is(number):
    rows = dw.Records(Point, [(number, 0, 0)])
    assert rows[0].x == number
    assert dw.pack([{"x": 0.5}, {"x": number}])[1].x == number


def test_a_narrow_float_is_no_other_integer():
    rows = points(1)
    rows[0].y = 2**24
    with pytest.raises(OverflowError, match="16777217 does not fit into f4"):
        rows[0].y = 2**24 + 1
    assert rows[0].y == 2**24


def test_rows_of_another_container_are_taken_by_name_and_all_or_none():
    class Wide(dw.Record):
        x: float
        y: float
        n: int

    class Turned(dw.Record):
        n: dw.u1
        y: dw.f4
        x: float

    rows = points(4)
    before = copy.copy(rows)
    wide = dw.Records(Wide, [(9, 9, 9), (10, 10, 300)])
    turned = dw.Records(Turned, [(1, 2, 3), (4, 5, 6)])
    for change in (
        lambda: rows.__setitem__(slice(None, None, 2), wide),
        lambda: rows.__setitem__(slice(0, 2), wide),
        lambda: rows.extend(wide),
    ):
        with pytest.raises(OverflowError, match=r'^row \d, field "n": 300 does not fit into u1'):
            change()
        assert rows == before
    for change in (
        lambda: rows.__setitem__(slice(None, None, 2), turned),
        lambda: rows.__setitem__(slice(0, 2), turned),
        lambda: rows.extend(turned),
    ):
        with pytest.raises(ValueError, match="the fields differ"):
            change()
        assert rows == before
    rows[::-2] = wide[[0, 0]]
    assert list(rows.n) == [0, 9, 2, 9]


class Failing:
    b = "x"

    @property
    def a(self):
        raise ZeroDivisionError("mine")


def test_an_attribute_that_fails_is_no_missing_one():
    rows = dw.Records(Optional)
    with pytest.raises(ZeroDivisionError, match="mine"):
        rows.append(Failing())
    assert len(rows) == 0


@pytest.mark.parametrize("wrong", [7, None, "text", object()])
def test_what_has_none_of_the_fields_is_no_row_of_defaults(wrong):
    with pytest.raises(
        TypeError, match=rf"row 0: an object of type {type(wrong).__name__} has none of the fields"
    ):
        points(0).append(wrong)
    rows = dw.Records(Optional, [{}])
    with pytest.raises(TypeError, match="has none of the fields"):
        rows.append(wrong)
    with pytest.raises(TypeError):
        rows.extend([wrong])
    assert rows[0] == Optional(None, "")
    assert len(rows) == 1


class Index:
    def __init__(self, number):
        self.number = number

    def __index__(self):
        if isinstance(self.number, int):
            return self.number
        raise self.number


@pytest.mark.parametrize("key", [10**30, -(10**30), Index(10**30), Index(7), Index(ZeroDivisionError()), -6, 5])
def test_numbers_of_rows_that_are_not_there_are_those_of_lists(key):
    rows, plain = points(5), list(range(5))
    for what in (rows, rows.x):
        with pytest.raises((IndexError, ZeroDivisionError)) as ours:
            what[key]
        with pytest.raises((IndexError, ZeroDivisionError)) as theirs:
            plain[key]
        assert type(ours.value) is type(theirs.value)
    with pytest.raises((IndexError, ZeroDivisionError)):
        rows[[0, key]]
    with pytest.raises((IndexError, ZeroDivisionError)):
        del rows[key]
    assert rows[Index(-1)].n == 4


class Emptying:
    def __init__(self, rows):
        self.rows = rows

    def __index__(self):
        self.rows.clear()
        return 3


@pytest.mark.parametrize(
    "use",
    [
        lambda rows, key: rows[key].x,
        lambda rows, key: rows[key:],
        lambda rows, key: rows[[key]],
        lambda rows, key: rows.__delitem__(key),
        lambda rows, key: rows.__setitem__(key, (1, 1, 1)),
        lambda rows, key: rows.__setitem__(slice(key, 5), [(1, 1, 1)]),
        lambda rows, key: rows.x.__setitem__(key, 1.0),
        lambda rows, key: rows.x[key],
    ],
)
def test_a_key_that_empties_the_container(use):
    rows = points(5)
    with pytest.raises((IndexError, ValueError)):
        use(rows, Emptying(rows))
    assert len(rows) == 0


def test_times_of_other_libraries_lose_nothing():
    class Times(dw.Record):
        at: datetime
        span: timedelta

    pd = pytest.importorskip("pandas")
    np = pytest.importorskip("numpy")
    whole, fine = pd.Timestamp("2020-01-01T00:00:00.000001"), pd.Timestamp("2020-01-01T00:00:00.000000001")
    rows = dw.Records(
        Times, [(whole, pd.Timedelta(1, "us")), (np.datetime64(whole, "us"), np.timedelta64(1, "us"))]
    )
    assert rows[0] == rows[1] == Times(datetime(2020, 1, 1, 0, 0, 0, 1), timedelta(microseconds=1))
    for none, field in (((pd.NaT, timedelta(0)), "at"), ((whole, pd.NaT), "span")):
        with pytest.raises(TypeError, match=f'row 2, field "{field}": None in a field that is not nullable'):
            rows.append(none)
    for at in (fine, np.datetime64(fine, "ns"), np.array([1, 2])):
        with pytest.raises(TypeError, match=r'row 2, field "at".* is no datetime'):
            rows.append((at, timedelta(0)))
    for span in (pd.Timedelta(1, "ns"), np.timedelta64(1, "ns")):
        with pytest.raises(TypeError, match=r'row 2, field "span".* is no timedelta'):
            rows.append((whole, span))
    array = np.zeros(3, [("id", "u1"), ("at", "M8[ns]")])
    with pytest.raises(TypeError, match=r"'at' is of datetime64\[ns\]: convert it to microseconds"):
        dw.pack(array)
    assert dw.pack(array.astype([("id", "u1"), ("at", "M8[us]")])).types == {"id": "u1", "at": "datetime"}


def test_spans_of_time_that_64_bits_have_not():
    class Span(dw.Record):
        span: timedelta

    low, high = timedelta(microseconds=-(2**63)), timedelta(microseconds=2**63 - 1)
    rows = dw.Records(Span, [(low,), (high,)])
    assert list(rows.span) == [low, high]
    for wrong in (timedelta.min, timedelta.max, low - timedelta.resolution, high + timedelta.resolution):
        with pytest.raises(OverflowError, match='row 2, field "span"'):
            rows.append((wrong,))
        with pytest.raises(OverflowError):
            Span(wrong)


def test_classes_that_cannot_be():
    with pytest.raises(OverflowError, match='field "n": 300 does not fit into u1'):

        class TooLarge(dw.Record):
            n: dw.u1 = 300

    with pytest.raises(TypeError, match=r'field "name": <function .* is no str'):

        class Method(dw.Record):
            name: str

            def name(self): ...

    with pytest.raises(TypeError, match=r"Derived\.n is an inherited field"):

        class Derived(Point):
            n = 7

    class Again(Point):
        n: dw.u2 = 300
        mro: str = ""

    assert Again(1, 2)._astuple() == (1, 2, 300, "")


def test_a_class_of_the_same_fields_is_the_same():
    @dataclasses.dataclass
    class Place:
        name: str
        height: float = 0

    Row = dw.Record.of(Place)
    assert dw.Record.of(Place) is Row
    rows = dw.Records(Row, [("Oslo", 1)])
    assert pickle.loads(pickle.dumps(rows)) == rows


class Named(dw.Records):
    def __init__(self, record, name):
        super().__init__(record)
        self.name = name


def test_what_a_subclass_has_is_copied_and_pickled():
    rows = Named(Point, ["mine"])
    rows.append((1, 2, 3))
    for again in (copy.copy(rows), copy.deepcopy(rows), pickle.loads(pickle.dumps(rows))):
        assert again == rows
        assert type(again) is Named
        assert again.name == ["mine"]
    assert copy.copy(rows).name is rows.name
    assert copy.deepcopy(rows).name is not rows.name


def test_rows_are_not_swapped_by_views_that_see_the_same():
    import random

    rows = points(10)
    with pytest.raises(TypeError, match="assign a copy"):
        rows[0], rows[9] = rows[9], rows[0]
    with pytest.raises(TypeError, match="assign a copy"):
        random.shuffle(rows)
    assert list(rows.n) == [*range(10)]
    row = rows[3]
    row.n = 30
    rows[3] = row
    rows[0], rows[9] = copy.copy(rows[9]), copy.copy(rows[0])
    assert list(rows.n) == [9, 1, 2, 30, 4, 5, 6, 7, 8, 0]
    rows[:] = rows[[*range(9, -1, -1)]]
    rows[0:2] = [rows[1], rows[0]]
    assert list(rows.n) == [8, 0, 7, 6, 5, 4, 30, 2, 1, 9]


def test_names_that_are_none():
    rows = points(1)
    for name in ("nothing", "\ud800", "a\0b", ""):
        with pytest.raises(KeyError):
            rows[name]
        assert not hasattr(rows, name)
    with pytest.raises(TypeError, match="the name of a field is a str: 1"):
        dw.Record.of({1: int})


def test_containers_of_no_class():
    with pytest.raises(TypeError, match=r"Records takes a class of rows: Records\(User, rows\)"):
        dw.Records()
    for wrong in (5, [(1, 2)], {"a": 1}):
        with pytest.raises(TypeError, match=r"a class of rows first, not .*; pack\(rows\) makes a class"):
            dw.Records(wrong)


def test_what_is_not_there_is_named():
    rows = points(3)
    gone = Point(9, 9, 9)
    assert rows.index(Point(1, 1, 1)) == 1
    for call in (rows.index, rows.remove):
        with pytest.raises(ValueError, match=r"no row is equal to Point\(x=9\.0, y=9\.0, n=9\)"):
            call(gone)
    with pytest.raises(ValueError, match="no row has the value 9"):
        rows.n.index(9)
    for bounds in ((2,), (0, 1), (-1,), (0, -2)):
        with pytest.raises(ValueError, match="no row is equal"):
            rows.index(Point(1, 1, 1), *bounds)
    assert rows.index(Point(1, 1, 1), -2, -1) == 1


def test_slices_of_columns_are_not_assigned():
    rows = points(3)
    for key in (slice(0, 2), [0, 1], [True, False, True], "x", None):
        with pytest.raises(TypeError, match=r'by the number of its row; rows\["n"\] = values sets all'):
            rows.n[key] = [7, 8]
    assert list(rows.n) == [0, 1, 2]


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (datetime(2024, 1, 1, tzinfo=timezone.utc), r"2024-01-01 00:00:00\+00:00 has a time zone"),
        (datetime(2024, 1, 1, fold=1), "2024-01-01 00:00:00 has fold=1"),
    ],
)
def test_datetimes_that_would_lose_something(wrong, why):
    class Event(dw.Record):
        at: datetime

    for call in (lambda: Event(wrong), lambda: dw.Records(Event, [(wrong,)]), lambda: dw.pack([{"at": wrong}])):
        with pytest.raises(TypeError, match=rf'^(row 0, )?field "at": {why}'):
            call()
    with pytest.raises(TypeError, match=rf'row 1, field "at": {why}'):
        dw.pack([{"at": datetime(2024, 1, 1)}, {"at": wrong}])
    assert dw.pack([{"at": wrong}], types={"at": object})[0].at is wrong


def test_half_of_a_surrogate_pair_among_texts():
    with pytest.raises(ValueError, match=r'row 1, field "x": .* has half of a surrogate pair'):
        dw.pack([{"x": "a"}, {"x": "\ud800"}])


def test_files_of_other_formats_are_said_to_be_those(tmp_path):
    pa = pytest.importorskip("pyarrow")
    path = tmp_path / "other"
    table = pa.table({"a": [1, 2]})
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, table.schema) as writer:
        writer.write(table)
    with pytest.raises(dw.BadRecords, match=r"an Arrow stream, and not .*pyarrow\.ipc\.open_stream"):
        dw.Records.open(path)
    with pa.ipc.open_stream(str(path)) as reader:
        assert dw.Records.from_arrow(reader).a.tolist() == [1, 2]
    parquet = pytest.importorskip("pyarrow.parquet")
    parquet.write_table(table, path)
    with pytest.raises(dw.BadRecords, match="a Parquet file, and not an Arrow file"):
        dw.Records.open(path)


def test_a_row_that_has_no_place_any_more_is_shown():
    rows = points(3)
    row = rows[1]
    del rows[0]
    with pytest.raises(RuntimeError):
        row.x  # noqa: B018
    assert repr(row).startswith("<Point: rows were inserted or deleted")
    assert str([row]) == f"[{row!r}]"


def test_an_attribute_of_a_class_with_more_fields():
    rows = dw.Records(dw.Record.of({"x": int}), [(1,)])
    more = dw.Record.of({"x": int, "y": int}).y
    for use in (lambda: more.__get__(rows[0]), lambda: more.__set__(rows[0], 2)):
        with pytest.raises(KeyError):
            use()
    for use in (lambda: more.__get__(rows.pop()), lambda: more.__set__(rows.record(1), 2)):
        with pytest.raises(RuntimeError, match="another class"):
            use()


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(IsADirectoryError) as raised:
        dw.Records.open(tmp_path)
    assert (raised.value.errno, raised.value.filename) == (errno.EISDIR, str(tmp_path))


def test_a_row_has_neither_caches_nor_weak_references():
    class Counted(dw.Record):
        x: int

        @dw.cached_method
        def double(self):
            return 2 * self.x

        def told(self):
            pass

    row = Counted(1)
    with pytest.raises(TypeError, match=r"what a row has are values in columns. dw.cached keeps"):
        row.double()
    for take in (lambda: dw.finalize(row, print), lambda: dw.Bus().connect(row.told)):
        with pytest.raises(TypeError, match=r"no weak reference to .*Counted' objects: a row is made anew"):
            take()
