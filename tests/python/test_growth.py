"""`growth` and `closures`: what grows is found with its holder, and nothing else is."""

import collections
import copy
import dataclasses
import functools
import gc
import json
import os
import pickle
import subprocess
import sys
import threading
import time
import types

import deadweight as dw
import pytest

HERE = __name__


class Record:
    def __init__(self, number):
        self.number = number + 100_000
        self.name = f"record {number}"


def grown(work, *, warmup=2, rounds=3):
    growth = dw.growth(warmup=warmup)
    for _ in growth.rounds(rounds):
        work()
    return growth


KEPT: list = []
BY_KEY: dict = {}
BUFFER = bytearray()
LAST: list = []
RECENT: collections.deque = collections.deque(maxlen=4)
CURRENT = None


class Link:
    def __init__(self, after):
        self.after = after


class Chain:
    first = None


@functools.cache
def remembered(number):
    return [number]


class Service:
    @functools.cache  # noqa: B019
    def answer(self, number):
        return {number}


LOCAL = threading.local()


def test_each_leak_by_its_holder_and_nothing_beside():
    def work():
        global CURRENT
        CURRENT = Record(0)
        KEPT.extend(Record(number) for number in range(10))
        BY_KEY[len(BY_KEY) + 1000.5] = Record(1)
        BUFFER.extend(bytes(5000))
        Chain.first = Link(Chain.first)
        remembered(time.perf_counter())
        Service().answer(1)
        LAST.append(Record(2))
        del LAST[:-3]
        RECENT.append(Record(3))

    for _ in range(4):
        work()
    growth = grown(work)
    leaks = {leak.holder.removeprefix(f"{HERE}."): leak for leak in growth.leaks}
    buffer = "BUFFER" if sys.version_info < (3, 15) else "BUFFER.<buffer>"
    names = {"KEPT", "BY_KEY", buffer, "Chain.first.after", "remembered.<cache>", "Service.answer.<cache>"}
    # In 3.10 a dict stands between an object and its attributes.
    found = {name.removesuffix("….after").removesuffix(".__dict__") for name in leaks}
    assert found == names, str(growth)
    kept = leaks["KEPT"]
    assert (kept.type, kept.count) == (f"{HERE}.Record", 10)
    # Each has a number and a name of its own, and the list got longer too.
    alone = dw.deepsizeof(Record(5)).total * 10
    assert alone <= kept.bytes <= alone + 10 * 32
    assert leaks["BY_KEY"].count == 1
    assert leaks[buffer].count == 0
    assert leaks[buffer].bytes >= 5000
    assert growth.leaks[0].bytes >= growth.leaks[-1].bytes
    json.dumps(growth.to_dict())


def test_a_local_of_a_running_function_and_a_thread_local():
    mine = []
    LOCAL.kept = []

    def work():
        mine.append(Record(1))
        LOCAL.kept.append(Record(2))

    growth = grown(work)
    holders = [leak.holder for leak in growth.leaks]
    assert len(holders) == 2, str(growth)
    assert any("mine" in holder.rpartition(" ")[2] for holder in holders), holders
    assert any("kept" in holder for holder in holders), holders


def test_assert_none_and_allow():
    growth = grown(lambda: KEPT.append(Record(1)))
    with pytest.raises(AssertionError, match=r"test_growth\.KEPT: 1 .*Record more after every round"):
        growth.assert_none()
    with pytest.raises(dw.StillGrowing) as caught:
        growth.assert_none(allow=[f"{HERE}.KEP", "other"])
    assert [leak.holder for leak in caught.value.leaks] == [f"{HERE}.KEPT"]
    assert str(caught.value).endswith(f"\nallowed, but nothing there grew: {HERE}.KEP, other")
    growth.assert_none(allow=[f"{HERE}.KEPT"])
    growth.assert_none(allow=[f"{HERE}.Record"])
    growth.assert_none(allow=[HERE])
    with pytest.raises(TypeError, match="a list of paths, not one"):
        growth.assert_none(allow="KEPT")
    with pytest.raises(TypeError, match="not 1"):
        growth.assert_none(allow=[1])
    for copied in [copy.copy(caught.value), pickle.loads(pickle.dumps(caught.value))]:
        assert str(copied) == str(caught.value) and copied.leaks == caught.value.leaks


def test_only_what_grows_every_time_counts():
    rounds = iter(range(100))

    def work():
        # Grows in the warm-up, and in each second round.
        if next(rounds) in (0, 1, 2, 4):
            KEPT.append(Record(1))

    assert grown(work).leaks == ()


def test_cycles_are_no_leak():
    def work():
        for _ in range(10):
            ring = [Record(1)]
            ring.append(ring)

    assert grown(work).leaks == ()


def test_what_native_code_holds():
    """References that somebody forgot to give back, in a program in which native code holds nothing else."""
    program = """
import ctypes
import deadweight as dw
class Record: pass
growth = dw.growth(warmup=2)
for _ in growth.rounds(5):
    forgotten = [Record()]
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(forgotten))
(leak,) = growth.leaks
assert leak.type == "list" and leak.count >= 1, leak
assert leak.holder.startswith("<"), leak  # by no name
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=300)


def test_nothing_on_an_idle_program():
    """In a program of its own: a small heap is looked at soon. `make test-real` makes a hundred runs."""
    runs = 100 if "DEADWEIGHT_AT_LENGTH" in os.environ else 9
    program = f"""
import deadweight as dw
for run in range({runs}):
    growth = dw.growth(warmup=run % 3)
    for _ in growth.rounds(2 + run % 3):
        pass
    assert growth.leaks == (), (run, growth)
    growth.assert_none()
assert str(growth) == "nothing grows in every round"
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=300)


def test_its_own_bookkeeping_is_nothing():
    growth = grown(lambda: None, rounds=2)
    gc.collect()
    before = dw.snapshot()
    growth = grown(lambda: None, rounds=2)
    assert growth.leaks == ()
    gc.collect()
    changed = [row for row in dw.snapshot().diff(before) if row.count > 0]
    # What this test itself holds: one heap.
    assert sum(row.count for row in changed) < 20, changed


def test_known_caches_are_named_and_not_hidden():
    import fnmatch
    import itertools
    import linecache
    import re
    import struct
    import typing
    import urllib.parse
    import warnings

    number = itertools.count(1)

    def work():
        at = next(number)
        re.compile(f"x{at}")
        linecache.cache[f"file {at}"] = (1, None, [], "x")
        typing.Literal[at + 1000]
        struct.calcsize(f"{at}i")
        fnmatch.fnmatch("a", f"*{at}")
        urllib.parse.urlsplit(f"http://host{at}/")
        with warnings.catch_warnings(record=True):
            warnings.simplefilter("default")
            warnings.warn(f"shown {at}", stacklevel=1)

    growth = grown(work)
    named = {leak.cache for leak in growth.leaks}
    assert named >= {
        "compiled patterns of re",
        "source lines of linecache",
        "generic types of typing",
        "formats of struct",
        "patterns of fnmatch",
        "parsed URLs of urllib",
    }, str(growth)
    with pytest.raises(dw.StillGrowing, match=r"linecache\.cache \(source lines of linecache\)"):
        growth.assert_none()


def test_rounds_not_over():
    growth = dw.growth(warmup=0)
    for number in growth.rounds(3):
        if number == 1:
            break
    with pytest.raises(RuntimeError, match="not over"):
        growth.leaks  # noqa: B018
    assert str(growth) == "the rounds are not over"
    with pytest.raises(ValueError, match="two rounds"):
        growth.rounds(1)
    with pytest.raises(ValueError, match="warmup"):
        dw.growth(warmup=-1)
    with pytest.raises(TypeError, match="integer"):
        growth.rounds("2")
    # Rounds that were left early are nothing to those that are gone through.
    left, whole = growth.rounds(2), growth.rounds(2)
    assert next(left) == next(whole) == 0
    assert list(whole) == [1]
    assert growth.leaks == ()
    assert list(left) == [1]


def test_values_name_the_keys_and_find_the_same():
    tables = {"users": [], "other": (), "names": {}}
    module = sys.modules["tables_of"] = types.ModuleType("tables_of")
    module.tables = tables
    try:
        found = []
        for values in (False, True):
            growth = dw.growth(values=values)
            for number in growth.rounds(3):
                tables["users"].append(object())
                # Each round under another key: it is this dict that grows.
                tables["names"][f"round {number}"] = Record(number)
            found.append({(leak.holder, leak.path, leak.type) for leak in growth.leaks})
            tables["names"].clear()
    finally:
        del sys.modules["tables_of"]
    assert found[0] == {
        ("tables_of.tables[*]", "tables_of.tables[*][*]", "object"),
        ("tables_of.tables[*]", "tables_of.tables[*][*]", f"{HERE}.Record"),
    }
    assert found[1] == {
        ("tables_of.tables['users']", "tables_of.tables['users'][*]", "object"),
        ("tables_of.tables['names']", "tables_of.tables['names'][*]", f"{HERE}.Record"),
    }


def holding():
    records = [Record(number) for number in range(10)]
    nested = {"a": [(Record(1),)], Record(2): frozenset({1})}
    other = [1.5]

    def function(number, first=records[0], second=other, *, third=nested):
        return records, other, nested

    return function


def test_closures():
    function = holding()
    found = [row for row in dw.closures(holding=Record) if row.object is function]
    by_variable = {(row.kind, row.variable): row.count for row in found}
    assert by_variable == {
        ("cell", "records"): 10,
        ("cell", "nested"): 2,
        ("default", "first"): 1,
        ("default", "third"): 2,
    }
    row = next(row for row in found if row.kind == "cell" and row.variable == "records")
    assert row.function == f"{HERE}.holding.<locals>.function"
    assert row.where.startswith(__file__)
    assert row.held > 10 * dw.sizeof(Record(1))
    json.dumps(dw.closures(holding=Record).to_dict())
    # What data frames make columns of.
    assert [field.name for field in dataclasses.fields(row)] == list(row.to_dict())
    assert "cell records" in str(dw.closures(holding=Record))
    del function
    assert row.object is None
    with pytest.raises(TypeError):
        dw.closures(holding="Record")
    assert str(dw.closures(holding=Link)) == f"no function keeps {HERE}.Link"


def test_closures_of_frozen_functions_leave_alone_what_asyncio_keeps_for_later():
    """Iterators of futures that are free, which its module shows: whoever takes a reference frees them twice."""
    program = """if True:
        import asyncio, gc, resource
        import deadweight as dw

        async def main():
            await asyncio.gather(*(asyncio.sleep(0.001) for _ in range(10)))

        resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
        for _ in range(3):
            asyncio.run(main())
            gc.freeze()
            dw.closures(holding=dict)
        asyncio.run(main())
        """
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)


def test_closures_of_frozen_functions_and_liars():
    class Meta(type):
        def __eq__(cls, other):
            raise RuntimeError

        __hash__ = type.__hash__

    class Liar(metaclass=Meta):
        @property
        def __class__(self):
            raise RuntimeError

    class Tuple(tuple):
        __slots__ = ()

        def __iter__(self):
            raise RuntimeError

    def keeper(kept=Tuple([Liar()])):  # noqa: B008
        return kept

    setattr(sys.modules[HERE], "KEEPER", keeper)  # noqa: B010
    keeper.__module__ = Liar()
    gc.freeze()
    try:
        rows = [row for row in dw.closures(holding=Liar) if row.object is keeper]
        assert [row.variable for row in rows] == ["kept"]
        assert len(dw.closures(holding=Liar)) == 1
    finally:
        gc.unfreeze()
        delattr(sys.modules[HERE], "KEEPER")


def test_threads_that_are_started_in_every_round_are_one_holder():
    go = threading.Event()

    def work(record):
        go.wait()

    def start():
        record = Record(0)
        record.data = bytearray(100_000)
        threading.Thread(target=work, args=(record,), name="kept").start()

    try:
        growth = grown(start)
    finally:
        go.set()
        for thread in [thread for thread in threading.enumerate() if thread.name == "kept"]:
            thread.join()
    (leak,) = [leak for leak in growth.leaks if leak.bytes >= 100_000]
    assert leak.holder.startswith("thread ")
    assert leak.count == 1
    if sys.version_info >= (3, 11):
        # Before that frames are objects, and there is one more of them.
        assert "test_growth.py" in leak.holder
        assert leak.type == f"{HERE}.Record"


def test_names_in_the_cache_of_attributes_are_no_leak():
    """The interpreter holds each for as long as nothing else takes its place there."""
    growth = dw.growth(warmup=1)
    for number in growth.rounds(2):
        assert getattr(LAST, f"no_such_attribute_{number}", None) is None
    assert not growth.leaks
