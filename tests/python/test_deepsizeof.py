"""`deepsizeof`: exact on pure-Python data, each thing once, and without a trace."""

import collections
import functools
import gc
import sys
import tracemalloc
import types
import weakref

import deadweight as dw
import pytest
from allocated import COUNT, recorded


class Record:
    def __init__(self, number):
        self.number = number + 10_000
        self.name = f"record {number}"
        self.tags = [number + 20_000, number + 30_000]
        self.more = {number + 0.5: number + 40_000.5}


@pytest.mark.parametrize("count", [1, 10])
def test_records_weigh_what_was_allocated(count):
    # From one: to write a 0 as text, 3.14 makes and frees an int of 28 bytes instead of 32, which is
    # then the next record's number.
    numbers = tuple(range(1, count + 1))
    records, truth = recorded(lambda: [Record(number) for number in numbers])
    deep = dw.deepsizeof(*records)
    # Measuring itself leaves an int or two behind.
    assert abs(deep.requested - truth) < COUNT, str(deep)
    assert deep.shared == 0
    assert deep.exclusive == deep.total >= deep.requested
    assert sum(row.count for row in deep.by_type) == deep.count
    assert sum(row.held for row in deep.by_type) == deep.total


def test_each_thing_once():
    shared = [object() for _ in range(100)]
    alone = dw.deepsizeof(shared).total
    both = dw.deepsizeof([shared, shared, shared])
    assert both.total == alone + dw.sizeof([shared, shared, shared])
    assert dw.deepsizeof(shared, shared).total == alone


def test_shared_is_what_would_stay():
    kept = [f"text {number}" for number in range(100)]
    holder = [kept, [1.5 * number for number in range(50)]]
    deep = dw.deepsizeof(holder)
    assert deep.shared == dw.deepsizeof(kept).total
    del kept
    assert dw.deepsizeof(holder).shared == 0


def test_cycles_and_depth():
    ring = []
    ring.append(ring)
    assert dw.deepsizeof(ring).total == dw.sizeof(ring)
    deep = None
    for _ in range(1_000_000):
        deep = [deep]
    weight = dw.deepsizeof(deep)
    assert weight.count == 1_000_000
    assert weight.shared == 0
    while deep is not None:
        deep = deep[0]


def test_stop_leaves_out_classes_modules_and_what_you_say():
    thing = types.SimpleNamespace(module=sys, kind=dict, call=test_cycles_and_depth)
    deep = dw.deepsizeof(thing)
    names = {row.type for row in deep.by_type}
    assert "module" not in names and "type" not in names
    assert deep.total < 100_000
    assert "set" not in {row.type for row in dw.deepsizeof([{1.5}], stop=(set,)).by_type}

    class Special(dict):
        pass

    class Child(Special):
        pass

    for one in (set, [set], {set}, iter([set])):
        assert "set" not in {row.type for row in dw.deepsizeof([{1.5}], stop=one).by_type}
    deep = dw.deepsizeof([Child(a=[1.5])], stop=(type, Special))
    assert [row.type for row in deep.by_type] == ["list"]
    with pytest.raises(TypeError):
        dw.deepsizeof([], stop=(1,))


def test_weak_references_are_not_followed():
    target = Record(1)
    assert dw.deepsizeof(weakref.ref(target)).count == 1


def test_leaves_nothing_behind():
    records = [Record(number) for number in range(1000)]
    dw.deepsizeof(records)
    gc.collect()
    tracemalloc.start()
    marks = [0] * 6
    for index in range(6):
        dw.deepsizeof(records)
        dw.layout(records)
        marks[index] = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    # The first times free lists take what they take. Four ints are left by measuring.
    assert marks[5] - marks[2] < 200


def test_containers_of_the_library():
    for make in (
        lambda: collections.deque(range(1000, 2000)),
        lambda: collections.OrderedDict.fromkeys(range(1000, 1100)),
        lambda: collections.Counter([1.5, 2.5]),
        lambda: collections.defaultdict(list, {1.5: [2.5]}),
    ):
        things, truth = recorded(make)
        assert abs(dw.deepsizeof(*things).requested - truth) < COUNT, type(things[0])


class Liar:
    """Whatever it is asked, it does something."""

    calls: list = []  # noqa: RUF012

    def __init__(self):
        object.__setattr__(self, "payload", [1.5, 2.5])

    @property
    def __class__(self):
        Liar.calls.append("__class__")
        return dict

    def __sizeof__(self):
        Liar.calls.append("__sizeof__")
        raise RuntimeError

    def __getattr__(self, name):
        Liar.calls.append(name)
        raise RuntimeError

    def __getattribute__(self, name):
        Liar.calls.append(name)
        raise RuntimeError

    def __eq__(self, other):
        Liar.calls.append("__eq__")
        raise RuntimeError

    def __hash__(self):
        Liar.calls.append("__hash__")
        raise RuntimeError

    def __del__(self):
        Liar.calls.append("__del__")
        raise RuntimeError

    def __len__(self):
        raise RuntimeError

    def __bool__(self):
        raise RuntimeError

    def __iter__(self):
        raise RuntimeError


class BadMeta(type):
    def __getattribute__(cls, name):
        raise RuntimeError(name)

    def __instancecheck__(cls, instance):
        raise RuntimeError

    def __subclasscheck__(cls, other):
        raise RuntimeError

    def __eq__(cls, other):
        raise RuntimeError

    def __hash__(cls):
        raise RuntimeError


def test_liars_are_not_asked():
    liar = Liar()
    Liar.calls.clear()
    assert dw.sizeof(liar) > 0
    assert dw.layout(liar).type == f"{__name__}.Liar"
    # Its payload: a list of two floats.
    held = {row.type: row.count for row in dw.deepsizeof(liar).by_type}
    assert held["list"] == 1 and held["float"] == 2
    assert Liar.calls == []


def test_metaclasses_are_not_asked():
    bad = BadMeta("Bad", (), {})
    thing = bad()
    assert dw.sizeof(thing) > 0
    assert dw.layout(thing).type == f"{__name__}.Bad"
    assert dw.deepsizeof(thing, stop=(type, bad)).count == 1
    assert dw.sizeof(bad) > 500


def bounded_cache():
    @functools.lru_cache
    def made(number):
        return bytearray(1000)

    for number in range(100):
        made(number + 1000.5)
    return made


def ordered():
    return collections.OrderedDict((Record(number), [number]) for number in range(50))


def looked_up_index():
    index = pytest.importorskip("pandas").Index(pytest.importorskip("numpy").arange(10_000) * 7)
    index.get_loc(70)
    return index


def deques_and_iterators():
    deque = collections.deque([Record(number)] for number in range(100))
    chained = collections.ChainMap({}, {Record(2): 1})
    return [iter(deque), map(str, [Record(1)]), chained, types.SimpleNamespace(a=[1])]


@pytest.mark.parametrize("make", [bounded_cache, ordered, looked_up_index, deques_and_iterators])
def test_what_nobody_else_holds_is_exclusive(make):
    """Also where it is held twice from within, by a table and by a list in C whose layout nobody knows."""
    made = make()
    dw.deepsizeof(made)
    alone = dw.deepsizeof(made)
    assert alone.exclusive > 0.97 * alone.total, str(alone)
    everything = list(gc.get_referents(made))
    held = dw.deepsizeof(made)
    assert held.exclusive < alone.exclusive and held.total == alone.total
    del everything


def test_records_hold_their_columns():
    class Row(dw.Record):
        number: dw.u8
        text: str
        kind: dw.category

    rows = dw.Records(Row, [(number, f"text {number}", "abc"[number % 3]) for number in range(5_000)])
    rows.shrink_to_fit()
    bare = dw.sizeof(dw.Records(Row))
    held = sys.getsizeof(rows) - sys.getsizeof(dw.Records(Row))
    assert rows.nbytes <= held < rows.nbytes * 1.1
    assert dw.sizeof(rows) - bare == held
    for root in (rows, [rows], {"rows": (rows, rows)}):
        deep = dw.deepsizeof(root)
        assert deep.trust == "modelled"
        row = next(row for row in deep.by_type if row.type == "deadweight._records.Records")
        assert (row.count, row.held) == (1, dw.sizeof(rows))


def test_records_hold_the_objects_of_their_columns():
    class Row(dw.Record):
        name: str
        thing: object

    class Big:
        def __init__(self):
            self.content = bytes(1_000_000)

    before = dw.deepsizeof(dw.Records(Row, [("x", None)])).total
    rows = dw.Records(Row, [(str(number), Big()) for number in range(3)])
    deep = dw.deepsizeof(rows)
    assert deep.total - before >= 3_000_000
    assert deep.exclusive >= 3_000_000
    kept = rows[1].thing
    assert dw.deepsizeof(rows).shared - deep.shared == dw.deepsizeof(kept, stop=(type,)).total
    # Each thing once, and those that lead back to the rows end.
    rows[0].thing = rows[1].thing = rows
    rows[2].thing = [rows, kept]
    assert 1_000_000 <= dw.deepsizeof(rows).total - before < 1_100_000
