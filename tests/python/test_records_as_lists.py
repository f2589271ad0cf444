"""What a list does with numbers, slices, and objects that are up to something, Records do."""

import itertools
import operator
import sys

import deadweight as dw
import pytest


class Row(dw.Record):
    n: int


class Index:
    def __init__(self, number):
        self.number = number

    def __index__(self):
        return self.number


class Refuses:
    def __index__(self):
        raise ZeroDivisionError

    def __eq__(self, other):
        raise ZeroDivisionError

    __hash__ = None


def numbers(rows):
    return [row.n for row in rows]


def made(count):
    return dw.Records(Row, [(number,) for number in range(count)]), [Row(number) for number in range(count)]


def outcome(does, rows):
    """What comes of it, and what is left."""
    try:
        result = does(rows)
    except Exception as error:
        return type(error), numbers(rows)
    if isinstance(result, (dw.Records, list)):
        result = numbers(result)
    elif isinstance(result, Row):
        result = result.n
    return result, numbers(rows)


def same(does, count):
    rows, plain = made(count)
    assert outcome(does, rows) == outcome(does, plain)


HUGE = [sys.maxsize, -sys.maxsize - 1, 2**64, -(2**64), 10**30, -(10**30)]
KEYS = [*range(-6, 7), False, True, *HUGE, *map(Index, [-2, 0, 3, 2**70]), Refuses()]
WRONG = [1.5, None, 2j, object(), int]


@pytest.mark.parametrize("count", [0, 1, 5])
@pytest.mark.parametrize("key", [*KEYS, *WRONG], ids=repr)
def test_numbers(count, key):
    same(lambda rows: rows[key], count)
    same(lambda rows: operator.delitem(rows, key), count)
    same(lambda rows: operator.setitem(rows, key, Row(9)), count)
    same(lambda rows: rows.pop(key), count)
    same(lambda rows: rows.insert(key, Row(9)), count)


EDGES = [None, -9, -3, -1, 0, 1, 2, 4, 9, sys.maxsize, -sys.maxsize - 1, 10**30, -(10**30)]
STEPS = [None, 1, 2, 3, -1, -2, -3, sys.maxsize, -sys.maxsize, 1 << 333, -(1 << 333), 0]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("count", [0, 1, 4])
def test_slices(count, step):
    for start, stop in itertools.product(EDGES, EDGES):
        key = slice(start, stop, step)
        same(lambda rows, key=key: rows[key], count)
        same(lambda rows, key=key: operator.delitem(rows, key), count)
        for many in range(4):
            more = [Row(100 + number) for number in range(many)]
            same(lambda rows, key=key, more=more: operator.setitem(rows, key, more), count)


@pytest.mark.parametrize(
    "key", [slice(1.5, 2), slice("a"), slice(None, None, 1.5), slice(Refuses()), slice(Index(1))]
)
def test_slices_of_what_is_no_number(key):
    same(lambda rows: rows[key], 4)
    same(lambda rows: operator.delitem(rows, key), 4)
    same(lambda rows: operator.setitem(rows, key, [Row(1)]), 4)


class Iterates:
    """By `__getitem__` only."""

    def __getitem__(self, at):
        if at > 2:
            raise IndexError
        return Row(at)


class Promises:
    """Says of its length what is not so."""

    def __init__(self, hint):
        self.hint = hint

    def __iter__(self):
        return iter([Row(1), Row(2)])

    def __length_hint__(self):
        return self.hint


SOURCES = {
    "nothing": tuple,
    "tuple": lambda: (Row(1),),
    "generator": lambda: (Row(number) for number in range(3)),
    "map": lambda: map(Row, range(3)),
    "values": lambda: {"a": Row(1), "b": Row(2)}.values(),
    "by __getitem__": Iterates,
    "too little promised": lambda: Promises(0),
    "too much promised": lambda: Promises(10**6),
    "none": lambda: None,
    "a number": lambda: 7,
    "its type": lambda: Row,
}


@pytest.mark.parametrize("source", SOURCES)
def test_sources(source):
    make = SOURCES[source]
    same(lambda rows: rows.extend(make()), 2)
    same(lambda rows: operator.iadd(rows, make()), 2)
    same(lambda rows: operator.setitem(rows, slice(1, 1), make()), 2)
    try:
        expected = numbers(list(make()))
    except TypeError:
        with pytest.raises(TypeError):
            dw.Records(Row, make())
    else:
        assert numbers(dw.Records(Row, make())) == expected


def raises_after(rows):
    yield from rows
    raise ZeroDivisionError


def test_a_source_that_raises():
    # What came before stays, as in a list; a slice is set whole or not at all.
    same(lambda rows: rows.extend(raises_after([Row(7), Row(8)])), 3)
    same(lambda rows: operator.setitem(rows, slice(0, 2), raises_after([Row(7)])), 3)
    same(lambda rows: operator.setitem(rows, slice(None, None, 2), raises_after([Row(7)])), 3)


@pytest.mark.parametrize(
    "does",
    [
        lambda rows: rows.extend(rows),
        lambda rows: operator.iadd(rows, rows),
        lambda rows: operator.setitem(rows, slice(None), rows),
        lambda rows: operator.setitem(rows, slice(1, 2), rows),
        lambda rows: operator.setitem(rows, slice(None, None, -1), rows),
        lambda rows: operator.setitem(rows, slice(2, 1), rows),
        lambda rows: rows.insert(0, rows[-1]),
        lambda rows: rows.append(rows[0]),
        lambda rows: rows.extend(reversed(rows)),
        lambda rows: rows.extend(rows[::-1]),
    ],
)
@pytest.mark.parametrize("count", [1, 4])
def test_into_itself(does, count):
    rows, plain = made(count)
    assert outcome(does, rows)[1] == outcome(does, plain)[1]


@pytest.mark.parametrize(
    "does",
    [
        lambda rows: rows.append(),
        lambda rows: rows.append(Row(1), Row(2)),
        lambda rows: rows.extend(),
        lambda rows: rows.insert(0),
        lambda rows: rows.insert(),
        lambda rows: rows.pop(0, 0),
        lambda rows: rows.remove(),
        lambda rows: rows.clear(1),
        lambda rows: rows.reverse(1),
        lambda rows: rows.index(),
        lambda rows: rows.count(),
        lambda rows: hash(rows),
        lambda rows: rows < rows[:] and None,
    ],
)
def test_wrong_calls(does):
    rows, plain = made(2)
    with pytest.raises(TypeError):
        does(rows)
    assert numbers(rows) == numbers(plain)


@pytest.mark.parametrize(
    "edges", [*itertools.product([None, *range(-5, 6), sys.maxsize, -sys.maxsize - 1], repeat=2)]
)
def test_where_a_row_is(edges):
    edges = [edge for edge in edges if edge is not None]
    for sought in range(-1, 4):
        same(lambda rows, sought=sought: rows.index(Row(sought), *edges), 4)


def test_rows_that_are_not_there():
    for does in (
        lambda rows: rows.remove(Row(9)),
        lambda rows: rows.index(Row(9)),
        lambda rows: rows.count(Row(9)),
        lambda rows: rows.count("x"),
        lambda rows: Row(9) in rows,
        lambda rows: None in rows,
        lambda rows: rows.pop(),
    ):
        same(does, 0)
    same(lambda rows: rows.remove("x"), 3)


@pytest.mark.parametrize("method", ["index", "count", "remove", "__contains__"])
def test_comparisons_that_raise_come_through(method):
    same(lambda rows: getattr(rows, method)(Refuses()), 3)


class Clears:
    """Empties the container when it is looked at."""

    def __init__(self, rows):
        self.rows = rows

    def __index__(self):
        self.rows.clear()
        return 1

    def __eq__(self, other):
        self.rows.clear()
        return False

    def __iter__(self):
        yield 1
        self.rows.clear()
        yield 2

    __hash__ = None


@pytest.mark.parametrize(
    "does",
    [
        lambda rows, sly: rows[sly],
        lambda rows, sly: rows[slice(sly, 3)],
        lambda rows, sly: rows[slice(0, 4, sly)],
        lambda rows, sly: rows[iter(sly)],
        lambda rows, sly: operator.delitem(rows, sly),
        lambda rows, sly: operator.delitem(rows, slice(sly, 3)),
        lambda rows, sly: operator.delitem(rows, slice(sly, 4, 2)),
        lambda rows, sly: operator.delitem(rows, iter(sly)),
        lambda rows, sly: operator.setitem(rows, sly, Row(9)),
        lambda rows, sly: operator.setitem(rows, slice(sly, 3), [Row(9)]),
        lambda rows, sly: operator.setitem(rows, slice(0, 4, 2), (Row(row) for row in sly)),
        lambda rows, sly: operator.setitem(rows, slice(0, 2), (Row(row) for row in sly)),
        lambda rows, sly: rows.insert(sly, Row(9)),
        lambda rows, sly: rows.pop(sly),
        lambda rows, sly: rows.index(sly),
        lambda rows, sly: rows.count(sly),
        lambda rows, sly: rows.remove(sly),
        lambda rows, sly: rows.extend(Row(row) for row in sly),
        lambda rows, sly: rows.n[sly],
        lambda rows, sly: rows.n[slice(sly, 3)],
        lambda rows, sly: operator.setitem(rows.n, sly, 7),
        lambda rows, sly: rows.n.index(sly),
        lambda rows, sly: rows.n.count(sly),
        lambda rows, sly: rows.reserve(sly),
    ],
)
def test_a_container_that_is_emptied_meanwhile(does):
    """It is not said what comes of it; but nothing that is not there is read, and the container is whole."""
    rows, _ = made(4)
    try:
        does(rows, Clears(rows))
    except Exception as error:
        assert isinstance(error, (IndexError, ValueError, RuntimeError, TypeError))
    assert numbers(rows) == [0, 1, 2, 3] or all(number in (1, 2, 9) for number in numbers(rows))
    rows.append(Row(5))
    assert (rows[-1].n, len(rows), len(rows.n)) == (5, len(numbers(rows)), len(list(rows.n)))


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: rows.clear(),
        lambda rows: rows.pop(),
        lambda rows: rows.pop(0),
        lambda rows: rows.insert(0, Row(7)) if len(rows) < 9 else None,
        lambda rows: rows.append(Row(7)) if len(rows) < 9 else None,
        lambda rows: rows.reverse(),
        lambda rows: operator.delitem(rows, slice(None, None, 2)),
        lambda rows: operator.setitem(rows, slice(1, 2), []),
    ],
)
def test_what_changes_while_it_is_iterated(change):
    seen = []
    for rows in made(5):
        seen.append([])
        for row in rows:
            seen[-1].append(row.n)
            change(rows)
    assert seen[0] == seen[1]


def test_an_iterator_at_its_end_stays_there():
    for rows in made(2):
        iterator = iter(rows)
        assert numbers(iterator) == [0, 1]
        rows.append(Row(2))
        assert list(iterator) == []
        assert iter(iterator) is iterator


def test_what_takes_any_sequence():
    rows, plain = made(5)
    first, *rest = rows
    assert (first.n, numbers(rest)) == (0, [1, 2, 3, 4])
    assert numbers(sorted(rows, key=lambda row: -row.n)) == [4, 3, 2, 1, 0]
    assert max(rows, key=lambda row: row.n).n == 4
    assert [(one.n, two.n) for one, two in zip(rows, reversed(rows), strict=True)] == [
        (one.n, two.n) for one, two in zip(plain, reversed(plain), strict=True)
    ]
    assert bool(rows) and not dw.Records(Row)
    match rows[0]:
        case Row(n=0):
            pass
        case _:
            pytest.fail("no match")


def test_containers_are_equal_by_class_and_values():
    rows, plain = made(3)
    assert rows == rows[:]
    for other in (rows[:2], rows[::-1], plain, numbers(rows), dw.pack([(0,), (1,), (2,)], names=["n"])):
        assert rows != other
    assert dw.Records(Row) == dw.Records(Row)


def test_many_rows_at_once():
    """More than a chunk of anything: what holds of a few holds of a hundred thousand."""
    rows, plain = made(100_000)
    for does in (
        lambda rows: operator.delitem(rows, slice(None, None, 7)),
        lambda rows: operator.setitem(rows, slice(100, 60_000), (Row(number) for number in range(10))),
        lambda rows: rows.reverse(),
        lambda rows: operator.setitem(rows, slice(None, None, 1000), [Row(5)] * len(range(0, len(rows), 1000))),
        lambda rows: operator.delitem(rows, slice(-3, None, -2)),
    ):
        assert outcome(does, rows) == outcome(does, plain)
