"""Records do what a list of dataclasses does; and what they refuse changes nothing."""

import copy
import dataclasses
import gc
import pickle
import random
import sys
from datetime import date, datetime, timedelta

import deadweight as dw
import pytest


class User(dw.Record):
    user_id: dw.u4
    score: float
    name: str
    country: dw.category
    joined: datetime | None

    def shout(self):
        return self.name.upper()


@dataclasses.dataclass
class Plain:
    user_id: int
    score: float
    name: str
    country: str
    joined: datetime | None


class Every(dw.Record):
    a: dw.i1
    b: dw.i2
    c: dw.i4
    d: dw.i8
    e: dw.u1
    f: dw.u2
    g: dw.u4
    h: dw.u8
    i: dw.f4
    j: dw.f8
    k: bool
    m: str
    n: bytes
    o: dw.category
    p: datetime
    q: date
    r: timedelta


def values(rng):
    return (
        rng.randrange(1 << 32),
        rng.random(),
        rng.choice(["", "Ada", "Bø\0b", "名前", "x" * 50]),
        rng.choice(["no", "sv", "fi"]),
        rng.choice([None, datetime(1, 1, 1), datetime(2024, 2, 29, 23, 59, 59, 999_999)]),
    )


def same(users, plain):
    assert len(users) == len(plain)
    assert [row._astuple() for row in users] == [dataclasses.astuple(row) for row in plain]


@pytest.mark.parametrize("seed", range(40))
def test_a_list_of_dataclasses_and_records_agree(seed):
    rng = random.Random(seed)
    users, plain = dw.Records(User), []
    for _ in range(rng.randrange(60)):
        step = rng.randrange(12)
        new = values(rng)
        at = rng.randrange(-3, len(plain) + 3)
        start, stop = rng.randrange(-4, len(plain) + 4), rng.randrange(-4, len(plain) + 4)
        stride = rng.choice([1, 1, 2, -1, -2, 3])
        if step <= 2:
            users.append(
                rng.choice([new, User(*new), list(new), Plain(*new), dict(zip(User._fields, new, strict=True))])
            )
            plain.append(Plain(*new))
        elif step == 3:
            more = [values(rng) for _ in range(rng.randrange(5))]
            users.extend(iter(more))
            plain.extend(Plain(*row) for row in more)
        elif step == 4:
            users.insert(at, new)
            plain.insert(at, Plain(*new))
        elif step == 5:
            del users[start:stop:stride], plain[start:stop:stride]
        elif step == 6 and -len(plain) <= at < len(plain):
            assert users.pop(at)._astuple() == dataclasses.astuple(plain.pop(at))
        elif step == 7 and -len(plain) <= at < len(plain):
            users[at], plain[at] = new, Plain(*new)
        elif step == 8 and -len(plain) <= at < len(plain):
            name = rng.choice(User._fields)
            value = dict(zip(User._fields, new, strict=True))[name]
            setattr(users[at], name, value)
            setattr(plain[at], name, value)
        elif step == 9:
            more = [values(rng) for _ in range(rng.randrange(4))]
            users[start:stop] = more
            plain[start:stop] = [Plain(*row) for row in more]
        elif step == 10:
            users.reverse()
            plain.reverse()
        else:
            same(users[start:stop:stride], plain[start:stop:stride])
            picked = [rng.randrange(len(plain)) for _ in range(3)] if plain else []
            same(users[picked], [plain[row] for row in picked])
            mask = [rng.random() < 0.5 for _ in plain]
            same(users[mask] if plain else users, [row for row, kept in zip(plain, mask, strict=True) if kept])
        same(users, plain)
    same(pickle.loads(pickle.dumps(users)), plain)
    same(copy.deepcopy(users), plain)
    for field in User._fields:
        assert list(users[field]) == getattr(users, field).tolist() == [getattr(row, field) for row in plain]


LIMITS = [
    *((name, -(1 << bits - 1), (1 << bits - 1) - 1) for name, bits in [("a", 8), ("b", 16), ("c", 32), ("d", 64)]),
    *((name, 0, (1 << bits) - 1) for name, bits in [("e", 8), ("f", 16), ("g", 32), ("h", 64)]),
]
ROW = Every(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, False, "", b"", "", datetime(2000, 1, 1), date(2000, 1, 1), timedelta(0))


@pytest.mark.parametrize(("field", "low", "high"), LIMITS)
def test_the_least_and_the_greatest_fit_and_no_more(field, low, high):
    rows = dw.Records(Every, [ROW])
    for row in (rows[0], copy.copy(ROW)):
        for fits in (low, high, True):
            setattr(row, field, fits)
            assert getattr(row, field) == fits
            assert type(getattr(row, field)) is int
        for wrong in (low - 1, high + 1, 10**40, -(10**40)):
            with pytest.raises(OverflowError, match=rf'^(row 0, )?field "{field}": {wrong} does not fit into '):
                setattr(row, field, wrong)
        for wrong in (1.0, float("nan"), "1", None, [], b"1"):
            with pytest.raises(TypeError, match=rf'^(row 0, )?field "{field}": '):
                setattr(row, field, wrong)
        assert getattr(row, field) == 1


@pytest.mark.parametrize(
    ("field", "some"),
    [
        ("i", [0.5, -0.0, float("inf"), 3, True]),
        ("j", [0.1, 2**53, -1e308, True]),
        ("k", [True, False]),
        ("m", ["", "a\0b", "é", "😀"]),
        ("n", [b"", b"\0\xff"]),
        ("o", ["x", "😀"]),
        ("p", [datetime.min, datetime.max, datetime(1969, 12, 31, 23, 59, 59, 999_999)]),
        ("q", [date.min, date.max]),
        ("r", [timedelta(microseconds=-1), timedelta(days=1_000_000, seconds=1)]),
    ],
)
def test_values_come_back_as_they_went_in(field, some):
    rows = dw.Records(Every, [ROW] * len(some))
    for row, value in zip(rows, some, strict=True):
        setattr(row, field, value)
    assert list(rows[field]) == some
    alone = copy.copy(ROW)
    for value in some:
        setattr(alone, field, value)
        assert getattr(alone, field) == value
        assert type(getattr(alone, field)) is type(getattr(rows[0], field))


def test_a_narrow_float_is_rounded_in_a_row_of_its_own_as_in_a_container():
    alone = copy.copy(ROW)
    alone.i = 0.1
    rows = dw.Records(Every, [alone])
    assert alone.i == rows[0].i != 0.1
    with pytest.raises(OverflowError, match="1e\\+300 does not fit into f4"):
        alone.i = 1e300


@pytest.mark.parametrize(
    ("row", "error", "text"),
    [
        ((-1, 1.0, "", "", None), OverflowError, 'row 1, field "user_id": -1 does not fit into u4'),
        ((1, "x", "", "", None), TypeError, "row 1, field \"score\": 'x' is no f8"),
        (
            (1, 2**53 + 1, "", "", None),
            OverflowError,
            'row 1, field "score": 9007199254740993 does not fit into f8',
        ),
        ((1, 1.0, None, "", None), TypeError, 'row 1, field "name": None in a field that is not nullable'),
        ((1, 1.0, "", b"x", None), TypeError, "row 1, field \"country\": b'x' is no category"),
        (
            (1, 1.0, "", "", date(2000, 1, 1)),
            TypeError,
            'row 1, field "joined": datetime.date(2000, 1, 1) is no datetime',
        ),
        (
            (1, 1.0, "\ud800", "", None),
            ValueError,
            "row 1, field \"name\": '\\ud800' has half of a surrogate pair",
        ),
        ((1, 1.0, ""), ValueError, "row 1 has 3 values, not 4 to 5"),
        ({"user_id": 1}, TypeError, 'row 1, field "score": no value, and no default'),
        ({**dict.fromkeys(User._fields), "x": 1}, ValueError, "row 1: there is no field 'x'"),
        (7, TypeError, "row 1: an object of type int has none of the fields"),
    ],
)
def test_what_is_refused_changes_nothing(row, error, text):
    users = dw.Records(User, [(1, 1.0, "Ada", "no", None)])
    before = copy.copy(users)
    attempts = [lambda: users.append(row), lambda: users.extend([row]), lambda: users.insert(1, row)]
    for attempt in attempts:
        with pytest.raises(error) as raised:
            attempt()
        assert str(raised.value).startswith(text)
        assert users == before
    with pytest.raises(error):
        users[0] = row
    with pytest.raises(error):
        users[0:1] = [row]
    assert users == before


def test_datetimes_with_a_time_zone_are_refused():
    from datetime import timezone

    users = dw.Records(User)
    with pytest.raises(TypeError, match=r'field "joined".*has a time zone'):
        users.append((1, 1.0, "", "", datetime.now(timezone.utc)))


def test_rows_before_an_exception_stay():
    def source():
        yield (1, 1.0, "a", "b", None)
        yield (2, 1.0, "a", "b", None)
        raise KeyError("mine")

    users = dw.Records(User)
    with pytest.raises(KeyError, match="mine"):
        users.extend(source())
    assert [row.user_id for row in users] == [1, 2]
    with pytest.raises(OverflowError, match="row 3"):
        users.extend([(3, 1.0, "a", "b", None), (-1, 1.0, "a", "b", None), (4, 1.0, "a", "b", None)])
    assert [row.user_id for row in users] == [1, 2, 3]


def test_a_row_that_changes_the_container_while_it_is_read():
    users = dw.Records(User, [(1, 1.0, "a", "b", None)])

    class Sly:
        score, name, country, joined = 1.0, "", "", None

        @property
        def user_id(self):
            users.clear()
            return 9

    users.append(Sly())
    assert [row.user_id for row in users] == [9]


def test_rows_that_are_appended_while_it_is_iterated_come_too():
    users, plain = dw.Records(User, [(1, 1.0, "a", "b", None)]), [1]
    for row in users:
        if row.user_id < 5:
            users.append((row.user_id + 1, 1.0, "a", "b", None))
    for number in plain:
        if number < 5:
            plain.append(number + 1)
    assert list(users.user_id) == plain
    iterator = iter(users)
    list(iterator)
    users.append((9, 1.0, "", "", None))
    assert list(iterator) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda users: users.clear(),
        lambda users: users.pop(),
        lambda users: users.insert(0, users[0]),
        lambda users: users.reverse(),
        lambda users: users.__delitem__(0),
        lambda users: users.__delitem__(slice(None, None, 2)),
        lambda users: users.__setitem__(slice(0, 1), []),
    ],
)
def test_a_view_of_a_row_that_may_have_moved_raises(change):
    users = dw.Records(User, [(row, 1.0, "a", "b", None) for row in range(3)])
    view = users[1]
    users.extend([(9, 1.0, "a", "b", None)] * 1000)
    assert view.user_id == 1
    change(users)
    with pytest.raises(RuntimeError, match="take it anew"):
        _ = view.user_id
    with pytest.raises(RuntimeError, match="take it anew"):
        view.user_id = 3


def test_the_collector_may_give_buffers_back_at_any_moment():
    users = dw.Records(User, [(row, 1.0, "a", "b", None) for row in range(10)])

    class Holder:
        pass

    threshold = gc.get_threshold()
    gc.set_threshold(1)
    try:
        for _ in range(200):
            holder = Holder()
            holder.itself, holder.view = holder, memoryview(users.score)
            del holder
            assert [row.user_id for row in users] == list(range(10))
    finally:
        gc.set_threshold(*threshold)
    gc.collect()
    users.clear()


def test_categories_go_with_their_rows(tmp_path):
    """A window over what comes, as a log keeps it."""
    window = dw.Records(dw.Record.of({"session": "category", "number": "u4"}))
    for start in range(0, 100_000, 1_000):
        window.extend((f"session {start + number:08}", number) for number in range(1_000))
        if len(window) == 2_000:
            del window[:1_000]
        assert window.nbytes < 120_000
    assert window.session.tolist() == [f"session {99_000 + number:08}" for number in range(1_000)]
    for number in range(50_000):
        window[0].session = f"change {number:08}"
    assert window.nbytes < 120_000

    few = dw.Records(window.record, [("a", 1), ("b", 2), ("c", 3)])
    least = few[1:].nbytes
    del few[0]
    assert few.nbytes > least
    few.save(tmp_path / "few.arrow")
    for again in (dw.Records.open(tmp_path / "few.arrow"), pickle.loads(pickle.dumps(few))):
        assert (again, again.nbytes) == (few, least)
    del few[0]
    few.shrink_to_fit()
    assert few.session.tolist() == ["c"] and few.nbytes == few[:].nbytes


def test_a_table_keeps_categories_that_records_gave_back():
    pa = pytest.importorskip("pyarrow")
    rows = dw.pack([{"x": f"word {number % 100}"} for number in range(2_000)])
    before = pa.table(rows)
    words = before["x"].chunk(0).dictionary.to_pylist()
    rows[0].x = "another"
    del rows[1:]
    rows.shrink_to_fit()
    assert pa.table(rows)["x"].chunk(0).dictionary.to_pylist() == ["another"]
    before.validate(full=True)
    assert before["x"].chunk(0).dictionary.to_pylist() == words
    assert before["x"].to_pylist() == [f"word {number % 100}" for number in range(2_000)]


def test_a_view_keeps_its_container():
    view = dw.Records(User, [(7, 1.0, "a", "b", None)])[0]
    gc.collect()
    view.score += 1
    assert view == User(7, 2.0, "a", "b", None)


def test_rows_are_of_the_users_class():
    users = dw.Records(User, [(7, 1.5, "Ada", "no", None)])
    row = users[0]
    assert isinstance(row, User)
    assert row.shout() == "ADA"
    assert row == User(7, 1.5, "Ada", "no") == copy.copy(row)
    assert row != User(8, 1.5, "Ada", "no")
    assert row != row._astuple()
    assert row._asdict() == {"user_id": 7, "score": 1.5, "name": "Ada", "country": "no", "joined": None}
    assert row._replace(score=2) == User(7, 2.0, "Ada", "no")
    assert repr(row) == "User(user_id=7, score=1.5, name='Ada', country='no', joined=None)"
    assert pickle.loads(pickle.dumps(row)) == row
    match row:
        case User(user_id=number, name="Ada"):
            assert number == 7
        case _:
            pytest.fail("no match")
    match row:
        case User(7, score):
            assert score == 1.5
    for change in (lambda: setattr(row, "nmae", "x"), lambda: delattr(row, "name"), lambda: hash(row)):
        with pytest.raises((AttributeError, TypeError)):
            change()
    assert not hasattr(row, "__dict__")
    assert sys.getsizeof(row) <= 80


def test_a_container_is_one_object_to_the_collector():
    users = dw.Records(User)
    gc.collect()
    before = len(gc.get_objects())
    users.extend((row, 1.0, str(row), "b", None) for row in range(10_000))
    gc.collect()
    assert len(gc.get_objects()) - before <= 2


def test_a_container_that_its_own_class_holds_is_collected():
    import weakref

    class Own(dw.Record):
        number: int

    Own.all = dw.Records(Own, [(1,)])
    Own.parts = [Own.all[0], Own.all.number, iter(Own.all), iter(Own.all.number)]
    gone = weakref.ref(Own.all)
    del Own
    gc.collect()
    assert gone() is None


def test_nothing_stays_on_the_users_strings():
    text = "名前" * 1000
    before = sys.getsizeof(text)
    users = dw.Records(User, [(1, 1.0, text, text, None)])
    dw.pack([{"name": text}])
    assert users[0].name == users[0].country == text
    assert sys.getsizeof(text) == before


def test_bytes_a_row():
    users = dw.Records(User, ((row, 1.0, f"user {row % 1000:05}", "no", None) for row in range(10_000)))
    users.shrink_to_fit()
    # An id, a score, ten letters and where they begin, a category, and a bit that says there is no date.
    payload = 4 + 8 + 10 + 4 + 1 + 8 + 1 / 8
    assert abs(users.nbytes / len(users) - payload) < 0.01
    assert sys.getsizeof(users) < users.nbytes + 2000


def test_address_space_that_is_only_reserved_is_not_weighed():
    users = dw.Records(User, ((row, 1.0, f"user {row:07}", "no", None) for row in range(100_000)))
    assert users.nbytes < sys.getsizeof(users) < 1.1 * users.nbytes


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickles(protocol):
    users = dw.Records(User, [(7, 1.5, "Ada", "no", datetime(2020, 1, 1)), (8, 2.5, "Bob", "sv", None)])
    assert pickle.loads(pickle.dumps(users, protocol)) == users
    packed = dw.pack([{"a": 1}, {"a": 2}])
    again = pickle.loads(pickle.dumps(packed, protocol))
    assert again == packed
    assert again.record is packed.record


def test_a_pickle_out_of_band():
    users = dw.Records(User, [(row, 1.5, "Ada", "no", None) for row in range(10_000)])
    buffers = []
    pickled = pickle.dumps(users, 5, buffer_callback=buffers.append)
    assert len(pickled) < 1000
    assert pickle.loads(pickled, buffers=buffers) == users


def test_sequence_methods():
    users = dw.Records(User, [(row % 3, 1.0, "a", "b", None) for row in range(9)])
    one = User(1, 1.0, "a", "b", None)
    assert (users.user_id.index(2), users.user_id.count(2), 2 in users.user_id, 3 in users.user_id) == (
        2,
        3,
        True,
        False,
    )
    assert one in users
    assert (users.index(one), users.count(one)) == (1, 3)
    users.remove(one)
    assert users.index(one) == 3
    assert [row.user_id for row in reversed(users)] == [2, 1, 0, 2, 1, 0, 2, 0]
    users += [one]
    assert users[-1] == one
    users.extend(users)
    assert len(users) == 18
    for wrong in (18, -19):
        with pytest.raises(IndexError):
            users[wrong]
        with pytest.raises(IndexError):
            del users[wrong]
    with pytest.raises(ValueError):
        users[[True]]
    with pytest.raises(TypeError):
        users[1.5]
    with pytest.raises(KeyError):
        users["nothing"]
    with pytest.raises(AttributeError):
        _ = users.nothing
    with pytest.raises(ValueError):
        users[::2] = [one]


def test_a_tuple_may_leave_out_what_has_a_default():
    class Scored(dw.Record):
        name: str
        score: float = 0.5
        rank: int | None = None

    for rows in ([("Ada",)], [["Ada"]], [("Ada", 0.5)], [("Ada", 0.5, None)]):
        assert dw.Records(Scored, rows) == dw.Records(Scored, [Scored("Ada")])
    rows = dw.Records(Scored)
    for wrong, said in (((), "0 values, not 1 to 3$"), (("Ada", 1, 2, 3), "4 values, not 3$")):
        with pytest.raises(ValueError, match=f"row 0 has {said}"):
            rows.append(wrong)
    assert not rows
    optional = dw.Record.of({"a": "int | None", "b": "str | None"})
    for nothing in ((), []):
        assert dw.Records(optional, [nothing]) == dw.Records(optional, [{}])
    with pytest.raises(TypeError, match='field "name": nan is no str; what has no value is None here, not NaN'):
        rows.append((float("nan"),))


def test_lengths_that_do_not_fit_are_told_in_words():
    users = dw.Records(User, [(1, 1.0, "Ada", "no", None)] * 10)
    with pytest.raises(ValueError, match="a mask of 2 for 10 rows"):
        users[[True, False]]
    with pytest.raises(ValueError, match="a slice of 5 rows with a step takes as many, not 1"):
        users[::2] = [users[0]]
    with pytest.raises(ValueError, match="there is no room for -1 rows"):
        users.reserve(-1)
