"""The package's own objects: what leads to records is weighed with them, and one block of memory counts once."""

import gc
import os
import pickle
import sys

import deadweight as dw
import pytest


class Point(dw.Record):
    x: int
    text: str


class Mixed(dw.Record):
    x: dw.u4
    kind: dw.category
    text: str
    y: float


def points(rows=20_000):
    return dw.Records(Point, [(number, "t" * 20) for number in range(rows)])


def mixed(rows):
    return dw.Records(Mixed, [(number, f"kind {number % 30}", "abc", number) for number in range(rows)])


LEADING = {
    "view": lambda records: records[-1],
    "column": lambda records: records.x,
    "rows": iter,
    "values": lambda records: iter(records.text),
    "buffer": lambda records: memoryview(records.x),
    "part of a buffer": lambda records: memoryview(records.x)[5:],
    "method": lambda records: records.append,
    "list": lambda records: [records[0], records[1]],
}


def started(iterator):
    next(iterator)
    return iterator


@pytest.mark.parametrize("leading", LEADING.values(), ids=LEADING)
def test_what_leads_to_records_is_weighed_with_them(leading):
    records = points()
    whole = dw.deepsizeof(records).total
    assert whole > records.nbytes > 600_000
    holder = leading(records)
    del records
    deep = dw.deepsizeof(holder)
    assert whole <= deep.total < whole + 1_000
    # The class has the description of the fields too.
    assert deep.shared == dw.sizeof(Point._schema)
    # Beside other things too, once.
    assert whole <= dw.deepsizeof(holder, [holder], {"also": holder}).total < whole + 2_000


def test_iterators_under_way_lead_to_records():
    records = points()
    whole = dw.deepsizeof(records).total
    for holder in (started(iter(records)), started(iter(records.x))):
        assert whole <= dw.deepsizeof(holder).total < whole + 1_000


def test_arrays_over_a_column_lead_to_records():
    numpy = pytest.importorskip("numpy")
    records = points()
    whole = dw.deepsizeof(records).total
    array = numpy.asarray(records.x)
    del records
    assert whole <= dw.deepsizeof(array).total < whole + 2_000
    assert whole <= dw.deepsizeof(array[5:10]).total < whole + 2_000


def test_a_cache_of_views_is_bounded():
    cache = dw.Cache(max_bytes="2 MB")
    for number in range(20):
        cache[number] = points()[0]
    assert len(cache) == 3
    each = dw.deepsizeof(cache[19]).total
    assert cache.stats().bytes == 3 * each > 3 * 600_000


def test_a_view_leads_to_its_records_and_nothing_else():
    views = [points(100)[number] for number in range(60)]
    expected = {
        "test_own_objects.Point": 1,
        "deadweight._records.Records": 1,
        "deadweight._core.Schema": 1,
    }
    for view in views:
        assert [type(one).__name__ for one in gc.get_referents(view) if one is not Point] == ["Records"]
        found = {row.type: row.count for row in dw.deepsizeof(view).by_type}
        assert {name.rpartition("tests.python.")[2]: count for name, count in found.items()} == expected


def test_a_row_of_its_own_holds_its_values():
    row = Point(10**10, "x" * 5_000)
    held = {one.type: one.count for one in dw.deepsizeof(row).by_type}
    assert held["str"] == held["int"] == 1
    alone = dw.deepsizeof(row).total
    assert alone == dw.sizeof(row) + dw.sizeof(row.text) + dw.sizeof(row.x)
    assert dw.sizeof(row) > dw.sizeof(points(1)[0])


WEIGHINGS = {"getsizeof": sys.getsizeof, "sizeof": dw.sizeof, "deepsizeof": lambda it: dw.deepsizeof(it).total}


@pytest.mark.parametrize("weigh", WEIGHINGS.values(), ids=WEIGHINGS)
@pytest.mark.parametrize("rows", [10, 1_000, 20_000])
def test_a_pickle_that_columns_lie_in_counts_once(rows, weigh):
    records = mixed(rows)
    size = len(records._dump())
    loaded = pickle.loads(pickle.dumps(records))
    bare = weigh(dw.Records(Mixed))
    assert size <= weigh(loaded) - bare + 500 < size + 2_000
    # A change copies the column, and the rest stays where it is.
    loaded[0].x = 7
    assert size + 4 * rows <= weigh(loaded) - bare + 500 < size + 4.5 * rows + 2_000


@pytest.mark.parametrize("weigh", WEIGHINGS.values(), ids=WEIGHINGS)
@pytest.mark.parametrize("rows", [10, 1_000, 20_000])
def test_what_is_mapped_is_the_files(rows, weigh, tmp_path):
    mixed(rows).save(tmp_path / "mixed.arrow")
    opened = dw.Records.open(tmp_path / "mixed.arrow", Mixed)
    bare = weigh(dw.Records(Mixed))
    assert os.path.getsize(tmp_path / "mixed.arrow") > opened.nbytes >= 16 * rows
    before = weigh(opened)
    assert before - bare < 1_000
    # What is changed is in memory then.
    opened[0].x = 7
    assert 4 * rows <= weigh(opened) - before < 4.5 * rows + 1_000
    read = dw.Records.open(tmp_path / "mixed.arrow", Mixed, copy=True)
    assert read.nbytes <= weigh(read) - bare + 500 < 1.2 * read.nbytes + 2_000


def test_records_in_one_pickle_hold_it_together():
    records = mixed(20_000)
    buffers = []
    head = pickle.dumps(records, protocol=5, buffer_callback=buffers.append)
    content = [bytes(buffer) for buffer in buffers]
    one, other = (pickle.loads(head, buffers=content) for _ in range(2))
    alone = dw.deepsizeof(one).total
    assert alone == dw.deepsizeof(other).total > records.nbytes
    assert alone < dw.deepsizeof(one, other).total < alone + 2_000


def test_a_cache_of_pickles_is_as_bounded_as_one_of_records():
    def kept(make):
        cache = dw.Cache(max_bytes="1 MB")
        for number in range(80):
            cache[number] = make()
        return len(cache)

    records = mixed(1_000)
    dumped = pickle.dumps(records)
    assert 40 <= kept(lambda: mixed(1_000)) <= kept(lambda: pickle.loads(dumped)) + 2 <= 52


def test_a_cache_is_weighed_with_what_it_keeps():
    cache = dw.Cache()
    # With the function that warns of values too large, and its code.
    bare = dw.deepsizeof(cache)
    values = [bytes(5_000) for _ in range(100)]
    for number, value in enumerate(values):
        cache[f"key {number}"] = value
    deep = dw.deepsizeof(cache)
    count, before = ({row.type: row.count for row in it.by_type} for it in (deep, bare))
    assert count["bytes"] - before.get("bytes", 0) == 100
    assert deep.total - bare.total > 500_000
    assert dw.sizeof(cache) >= sys.getsizeof(cache) > 40 * 100
    del value
    assert deep.exclusive < 30_000
    values.clear()
    assert dw.deepsizeof(cache).exclusive > 500_000


def test_what_caches_keep_is_theirs_to_bound():
    class Service:
        def __init__(self):
            self.cache = dw.Cache(max_bytes="100 kB")

    class Entry:
        def __init__(self, owner):
            self.owner, self.content = owner, bytes(5_000)

    service = Service()
    for number in range(15):
        service.cache[number] = Entry(service)
    assert len(service.cache) == 15


def test_attributes_of_a_cache_are_no_entries():
    class Named(dw.Cache):
        pass

    inner = Named()
    for number in range(100):
        inner[number] = bytes(1_000)
    outer = dw.Cache(max_bytes="1 MB")
    outer["inner"] = inner
    # The places of entries and the table that finds them.
    assert dw.sizeof(inner) <= outer.stats().bytes < dw.sizeof(inner) + 1_000
    inner.big = bytearray(100_000)
    outer.reweigh()
    assert dw.sizeof(inner) + 100_000 <= outer.stats().bytes < dw.sizeof(inner) + 101_500
    inner.big = bytearray(10**6)
    outer.reweigh()
    assert not outer


def test_an_iterator_of_a_cache_is_weighed_with_its_order():
    cache = dw.Cache()
    for number in range(10_000):
        cache[number] = None
    alone = dw.deepsizeof(cache).total
    iterators = [iter(cache) for _ in range(20)]
    assert dw.sizeof(iterators[0]) >= 4 * 10_000
    assert alone + 20 * 4 * 10_000 <= dw.deepsizeof(*iterators).total < alone + 20 * 8 * 10_000 + 5_000
    list(iterators[0])
    assert dw.sizeof(iterators[0]) < 1_000


@pytest.mark.parametrize("kind", [dw.u8, object])
def test_what_deleted_rows_have_left_counts_until_it_is_given_back(kind):
    class Number(dw.Record):
        x: kind

    rows = dw.Records(Number, [(number,) for number in range(200_000)])
    whole = sys.getsizeof(rows)
    assert whole >= 1_600_000
    del rows[10:]
    assert sys.getsizeof(rows) == whole
    rows.append((1,))
    rows.pop()
    assert sys.getsizeof(rows) == whole
    rows.shrink_to_fit()
    assert sys.getsizeof(rows) < 1_000


def test_a_weak_cache_is_weighed_with_what_it_holds():
    class Content:
        def __init__(self):
            self.content = bytes(50_000)

    cache = dw.WeakCache(hot=1)
    kept = [Content() for _ in range(3)]
    for number, one in enumerate(kept):
        cache[number] = one
    assert 50_000 < dw.deepsizeof(cache).total < 60_000
