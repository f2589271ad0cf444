"""A cache keeps what was used last, within its bounds, and says what it let go."""

import collections.abc
import copy
import gc
import pickle
import sys
import threading
import warnings
import weakref
from types import FunctionType, ModuleType
from unittest import mock

import deadweight as dw
import pytest

WITHOUT = (type, ModuleType, FunctionType)


class Node:
    def __init__(self, **attributes):
        self.__dict__.update(attributes)


def test_the_one_used_longest_ago_goes_first():
    cache = dw.Cache(maxsize=3)
    for key in "abc":
        cache[key] = key.upper()
    assert cache["a"] == "A" and "b" in cache and cache.peek("b") == "B"
    cache["d"] = "D"
    assert list(cache) == ["c", "a", "d"] and len(cache) == 3
    cache["c"] = "again"
    cache.get("a")
    assert list(cache.items()) == [("d", "D"), ("c", "again"), ("a", "A")]
    assert cache.popitem() == ("d", "D")


def test_it_is_a_mutable_mapping():
    cache = dw.Cache[str, int](maxsize=None)
    assert isinstance(cache, collections.abc.MutableMapping)
    cache.update({"a": 1}, b=2)
    assert cache == {"a": 1, "b": 2} and cache != {"a": 1}
    assert dict(cache) == {"a": 1, "b": 2} and list(cache.keys()) == ["a", "b"] and list(cache.values()) == [1, 2]
    assert ("a", 1) in cache.items() and ("a", 2) not in cache.items() and ("c", None) not in cache.items()
    assert ("a", mock.ANY) in cache.items() and ("c", mock.ANY) not in cache.items()
    assert 2 in cache.values() and 3 not in cache.values() and "a" in cache.keys()  # noqa: SIM118
    assert cache.setdefault("a", 5) == 1 and cache.setdefault("c") is None
    assert cache.pop("a") == 1 and cache.pop("a", 7) == 7 and cache.get("a", 8) == 8 and cache.get("a") is None
    with pytest.raises(KeyError, match="'a'"):
        cache.pop("a")
    with pytest.raises(KeyError) as raised:
        cache[1, 2]
    assert raised.value.args == ((1, 2),)
    with pytest.raises(KeyError):
        del cache["a"]
    cache.clear()
    assert not cache and list(cache) == []
    with pytest.raises(KeyError):
        cache.popitem()
    with pytest.raises(TypeError, match="unhashable"):
        cache[[]] = 1
    with pytest.raises(TypeError):
        hash(cache)
    assert weakref.ref(cache)() is cache


def test_views_and_iteration_use_nothing_and_count_nothing():
    cache = dw.Cache(maxsize=3)
    cache.update(a=1, b=2, c=3)
    assert list(cache.items()) and 1 in cache.values() and ("a", 1) in cache.items() and "a" in cache
    assert cache == dict(cache)
    before = cache.stats()
    assert list(cache) == ["a", "b", "c"] and cache.stats() == before
    assert (before.hits, before.misses) == (3, 0)  # of dict(cache)


def test_iteration_ends_when_entries_come_or_go_and_not_when_they_are_read():
    cache = dw.Cache()
    cache.update(a=1, b=2, c=3)
    assert [cache[key] for key in cache] == [1, 2, 3]
    for change in (lambda: cache.update(d=4), lambda: cache.pop("a"), cache.clear):
        entries = iter(cache)
        next(entries)
        change()
        with pytest.raises(RuntimeError, match="changed during iteration"):
            next(entries)
        cache.clear()
        cache.update(a=1, b=2, c=3)
    entries = iter(cache)
    next(entries)
    cache["a"] = "another value"
    assert list(entries) == ["b", "c"]
    assert next(entries, None) is None


def test_entries_weigh_what_deepsizeof_says():
    shared = ["x" * 100]
    values = [
        ("key one" * 2, b"v" * 1000),
        (("a" * 3, 2.5), [bytearray(50), {"k" * 9: Node(a=10**6, b=[])}]),
        (10**30, Node(one=shared, two=shared)),
        (
            "key four" * 2,
            Node(kind=Node, module=gc, function=Node.__init__, made=test_the_one_used_longest_ago_goes_first),
        ),
        ("key five" * 2, (each for each in [[1.5] * 3])),
    ]
    cache, total = dw.Cache(max_bytes="1 GB"), 0
    for key, value in values:
        cache[key] = value
        total += dw.deepsizeof(key, value, stop=WITHOUT).total
        assert cache.stats().bytes == total
    assert cache.stats().estimated == 0
    for key, value in reversed(values):
        total -= dw.deepsizeof(key, value, stop=WITHOUT).total
        del cache[key]
        assert cache.stats().bytes == total


def test_weights_are_right_wherever_memory_has_come_and_gone():
    cache = dw.Cache(max_bytes="1 GB")
    for turn in range(4):
        # Of sizes that the allocators treat differently, in arenas that come, and go with them.
        rows = [[bytes(number % 700), float(number)] for number in range(60_000)]
        for number in range(0, 60_000, 3_000):
            cache.clear()
            cache[turn, "key"] = rows[number]
            assert cache.stats().bytes == dw.deepsizeof(*cache, rows[number]).total
        del rows


def test_records_weigh_what_is_in_their_columns():
    class Row(dw.Record):
        number: int
        name: str

    rows, key = dw.Records(Row, [(number, "x" * 50) for number in range(1000)]), 10_000
    cache = dw.Cache(max_bytes="1 MB")
    cache[key] = rows
    assert cache.stats().bytes == dw.deepsizeof(key, rows).total > 50_000


def test_what_is_there_anyway_weighs_nothing():
    cache = dw.Cache(max_bytes=0)
    there = [None, True, 5, Node, gc, Node.__init__, len]
    if sys.version_info >= (3, 11):
        # Before, the empty tuple is made as any other is (Objects/tupleobject.c).
        there.append(())
    for value in there:
        cache[1] = value
        assert cache.stats().bytes == 0 and cache[1] is value


def test_the_oldest_go_until_the_bytes_suffice():
    cache = dw.Cache(max_bytes=10_000)
    keys = [10_000 + number for number in range(30)]
    for key in keys:
        cache[key] = bytes(1000)
    stats = cache.stats()
    assert stats.bytes == sum(dw.deepsizeof(key, value).total for key, value in cache.items())
    assert 10_000 - 1200 < stats.bytes <= 10_000
    assert stats.evictions == {"maxsize": 0, "max_bytes": 30 - len(cache), "shrink": 0, "replaced": 0}
    assert list(cache) == keys[-len(cache) :]
    cache[keys[-1]] = bytes(5000)
    assert cache.stats().bytes <= 10_000 and keys[-1] in cache and len(cache) < stats.entries


def test_a_value_too_heavy_by_itself_is_not_kept_nor_what_was_there():
    gone = []
    cache = dw.Cache(max_bytes=1000, on_evict=lambda *what: gone.append(what))
    cache["a"], cache["b"] = b"small", b"other"
    with pytest.warns(dw.CacheWarning):
        cache["a"] = bytes(2000)
    assert "a" not in cache and "b" in cache and cache.stats().refused == 1
    assert gone == [("a", b"small", "replaced")]
    value = bytes(3000)
    assert cache.setdefault("c", value) is value and "c" not in cache
    nothing = dw.Cache(max_bytes=0)
    nothing["x"] = bytes(10)
    assert len(nothing) == 0 and nothing.stats().refused == 1
    never = dw.Cache(maxsize=0)
    never["a"] = 1
    assert len(never) == 0 and never.stats().refused == 1


def test_a_weigher_says_what_entries_weigh():
    cache = dw.Cache(max_bytes=10, weigher=lambda key, value: len(key) + value)
    cache["a"], cache["bb"] = 3, 3
    assert cache.stats().bytes == 9
    cache["a"] = 4
    assert cache.stats().bytes == 10 and list(cache) == ["bb", "a"]
    cache["a"] = 9
    assert list(cache) == ["a"] and cache.stats().bytes == 10
    for wrong, error in ((-2, ValueError), ("many", TypeError), (None, TypeError), (2**70, ValueError)):
        with pytest.raises(error):
            dw.Cache(weigher=lambda key, value, wrong=wrong: wrong)["a"] = 1
    with pytest.raises(ZeroDivisionError):
        dw.Cache(weigher=lambda key, value: 1 // 0)["a"] = 1
    huge = dw.Cache(weigher=lambda key, value: 2**62)
    huge.update({number: number for number in range(8)})
    assert huge.stats().bytes == 8 * 2**62


def test_values_that_grow_are_weighed_again_when_asked():
    cache = dw.Cache(max_bytes=20_000)
    lists = [[] for _ in range(10)]
    for number, value in enumerate(lists):
        cache[number] = value
    small = cache.stats().bytes
    for value in lists[:9]:
        value.append(bytes(3000))
    assert cache.stats().bytes == small
    now = cache.reweigh()
    assert small < now <= 20_000 and now == sum(dw.deepsizeof(value).total for value in cache.values())
    assert 9 in cache and 8 in cache and 0 not in cache and cache.stats().evictions["max_bytes"] == 10 - len(cache)
    lists[9].append(bytes(30_000))
    cache.reweigh()
    assert 9 not in cache and 8 in cache
    with pytest.raises(ValueError, match="nothing is weighed"):
        dw.Cache(maxsize=1).reweigh()


def test_past_ten_thousand_objects_a_weight_is_an_estimate():
    cache = dw.Cache(max_bytes="10 GB")
    flat = [float(number) for number in range(50_000)]
    rows = [{"number": float(number), "name": f"row {number}"} for number in range(30_000)]
    nested = Node(rows=rows, more=[1.5])
    # Much of what is referred to is there once.
    times = range(30_000)
    words = [f"word {number}" for number in times]
    repeating = (
        dict.fromkeys(flat),
        dict.fromkeys(words, True),
        {word: number % 100 for number, word in enumerate(words)},
        [part for number in times for part in (float(number), "yes", "no")],
        [None if number % 10 else float(number) for number in range(200_000)],
    )
    for value in (flat, rows, nested, *repeating):
        cache[1] = value
        stats = cache.stats()
        assert stats.estimated == 1
        assert stats.bytes == pytest.approx(dw.deepsizeof(value).total, rel=0.05)
    cache[1] = [None] * 1_000_000
    assert cache.stats().estimated == 0 and cache.stats().bytes == dw.deepsizeof(cache[1]).total


def test_shrinking():
    gone = []
    cache = dw.Cache(maxsize=100, on_evict=lambda *what: gone.append(what))
    cache.update({number: str(number) for number in range(10)})
    assert cache.shrink("70%") == 3 and gone == [(number, str(number), "shrink") for number in range(3)]
    assert cache.stats().evictions["shrink"] == 3 and len(cache) == 7
    with pytest.raises(ValueError, match="nothing is weighed"):
        cache.shrink(1000)
    assert cache.shrink("100%") == 0 and cache.shrink(" 0 %") == 7 and not cache
    for wrong in ("110%", "-1%", "half", "x%"):
        with pytest.raises(ValueError):
            cache.shrink(wrong)
    weighed = dw.Cache(weigher=lambda key, value: value)
    weighed.update(dict.fromkeys(range(10), 10))
    assert weighed.shrink("50%") == 5 and weighed.shrink(15) == 4 and weighed.shrink("1 kB") == 0
    assert list(weighed) == [9]


def test_on_evict_is_told_what_goes_by_itself():
    gone = []
    cache = dw.Cache(maxsize=2, on_evict=lambda *what: gone.append(what))
    cache.update(a=1, b=2, c=3)
    cache["b"] = 2
    cache["b"] = 20
    del cache["b"]
    cache.pop("c")
    cache["d"] = 4
    cache.popitem()
    cache.clear()
    assert gone == [("a", 1, "maxsize"), ("b", 2, "replaced")]


def test_exceptions_of_on_evict_are_told_once_each_and_counted(monkeypatch):
    told = []
    monkeypatch.setattr(sys, "unraisablehook", lambda it: told.append((type(it.exc_value), it.object)))

    def fail(key, value, cause):
        raise OSError(key)

    cache = dw.Cache(maxsize=1, on_evict=fail)
    cache.update(a=1, b=2, c=3)
    assert told == [(OSError, fail)] * 2 and cache.stats().errors == 2 and list(cache) == ["c"]

    def end(key, value, cause):
        raise KeyboardInterrupt

    cache = dw.Cache(maxsize=1, on_evict=end)
    cache["a"] = 1
    with pytest.raises(KeyboardInterrupt):
        cache["b"] = 2
    assert list(cache) == ["b"]


def test_what_it_is_made_with_is_looked_at():
    for wrong in ({"maxsize": -1}, {"max_bytes": -1}, {"max_bytes": "12 parsecs"}):
        with pytest.raises(ValueError):
            dw.Cache(**wrong)
    for wrong in ({"maxsize": "12"}, {"maxsize": 1.5}, {"weigher": 1}, {"on_evict": 1}):
        with pytest.raises(TypeError):
            dw.Cache(**wrong)
    cache = dw.Cache(10, "1 kB")
    assert (cache.maxsize, cache.max_bytes) == (10, 1000)
    with pytest.raises(AttributeError):
        cache.maxsize = 5
    assert repr(cache) == "<Cache: 0 entries, 0 B, 0 hits, 0 misses>"


def test_it_can_be_derived_from():
    class Files(dw.Cache):
        def __missing__(self, key):
            return "never called"

        opened = 0

    files = Files(maxsize=1)
    files.more = 1
    files["a"] = 2
    assert files["a"] == 2 and isinstance(files, dw.Cache) and "Files" in repr(files)


def test_a_cache_and_what_it_keeps_go_together():
    told = Node()
    cache = dw.Cache(max_bytes="1 MB", on_evict=lambda *what, told=told: None)
    node = told.node = Node(cache=cache)
    cache["node"], cache[node] = node, 1
    gone = weakref.ref(node)
    del node, cache, told
    gc.collect()
    assert gone() is None


def test_getsizeof_is_what_the_table_takes():
    cache = dw.Cache()
    empty = sys.getsizeof(cache)
    cache.update(dict.fromkeys(range(10_000)))
    assert 40 * 10_000 <= sys.getsizeof(cache) - empty <= 110 * 10_000
    cache.clear()
    assert sys.getsizeof(cache) == empty
    cache.update(dict.fromkeys(range(10_000)))
    assert cache.shrink("0%") == 10_000 and sys.getsizeof(cache) == empty
    # And what it always has.
    assert cache.__sizeof__() > dw.Cache.__basicsize__ + 100
    assert dw.WeakCache().__sizeof__() > dw.WeakCache.__basicsize__ + 100


def test_threads_lose_no_update():
    cache, rounds = dw.Cache(maxsize=50, max_bytes="1 MB"), 400
    own = dw.Cache()
    failed = []

    def hammer(number):
        try:
            for turn in range(rounds):
                # Ints that the interpreter does not have anyway.
                cache[1000 + turn % 70] = (1000 + number, 1000 + turn)
                cache.get(1000 + turn % 60)
                cache.pop(1000 + turn % 90, None)
                if turn % 50 == 0:
                    cache.shrink("50%")
                    list_or_error(cache)
                own[number, turn] = turn
        except BaseException as error:
            failed.append(error)

    def list_or_error(cache):
        try:
            return list(cache.items())
        except RuntimeError:
            return []

    switch = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        threads = [threading.Thread(target=hammer, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(switch)
    assert not failed
    assert dict(own.items()) == {(number, turn): turn for number in range(8) for turn in range(rounds)}
    assert len(cache) <= 50
    weight = sum(dw.deepsizeof(key, value).total for key, value in cache.items())
    assert cache.stats().bytes == weight


def test_what_is_too_heavy_is_warned_of_once():
    for fill in (
        lambda it, key: it.__setitem__(key, bytes(2000)),
        lambda it, key: it.setdefault(key, bytes(2000)),
    ):
        cache = dw.Cache(max_bytes=1000)
        with pytest.warns(
            dw.CacheWarning, match=r"an entry was not kept: .*max_bytes=1,000\. .*weigher.*refused"
        ) as told:
            for number in range(5):
                fill(cache, number)
        assert [warning.filename for warning in told] == [__file__]
        assert len(cache) == 0 and cache.stats().refused == 5
    by_weigher = dw.Cache(max_bytes=10, weigher=lambda key, value: value)
    by_weigher["key"] = 1
    with pytest.warns(dw.CacheWarning, match="it weighs 11 bytes"):
        by_weigher["key"] = 11
    assert "key" not in by_weigher


def test_the_cache_is_whole_when_the_warning_is_an_error_or_changes_it(monkeypatch):
    cache = dw.Cache(max_bytes=1000)
    cache["key"] = 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(dw.CacheWarning):
            cache["key"] = bytes(2000)
    assert len(cache) == 0 and cache.stats().evictions["replaced"] == cache.stats().refused == 1
    other = dw.Cache(max_bytes=1000)
    monkeypatch.setattr(warnings, "showwarning", lambda *told: other.update(a=1, b=bytes(3000)))
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        other["key"] = bytes(2000)
    assert list(other) == ["a"] and other.stats().refused == 2


class Pages(dw.Cache):
    """One that is copied with its bound."""

    def __reduce__(self):
        return Pages, (self.maxsize,)


class Documents(dw.WeakCache):
    def __reduce__(self):
        return Documents, (self.hot,)


def test_a_class_may_say_how_its_caches_are_copied():
    for cache in (dw.Cache(7), dw.WeakCache(7)):
        for copied in (copy.copy, copy.deepcopy, pickle.dumps):
            with pytest.raises(TypeError, match=rf"a {type(cache).__name__} is neither copied nor pickled"):
                copied(cache)
    for copied in (copy.copy, copy.deepcopy, lambda it: pickle.loads(pickle.dumps(it))):
        assert copied(Pages(7)).maxsize == copied(Documents(7)).hot == 7


def test_bounds_may_be_any_whole_numbers_that_fit():
    class Whole:
        def __init__(self, number):
            self.number = number

        def __index__(self):
            return self.number

    cache = dw.Cache(maxsize=Whole(5), max_bytes=Whole(1000))
    assert (cache.maxsize, cache.max_bytes) == (5, 1000)
    for bounds in ({"maxsize": 2**70}, {"max_bytes": 2**70}):
        with pytest.raises(ValueError, match="more than there can be"):
            dw.Cache(**bounds)


def test_a_weigher_is_told_of_by_name():
    for answer in (1.5, None):
        with pytest.raises(TypeError, match=f"a weigher gives a whole number of bytes, 0 or more, not {answer}"):
            dw.Cache(weigher=lambda key, value, answer=answer: answer)[1] = 1
    cache = dw.Cache(max_bytes=10, weigher=lambda key, value: 11)
    with pytest.warns(dw.CacheWarning) as told:
        cache[1] = 1
    assert "Without a weigher" not in str(told[0].message)
    with pytest.warns(dw.CacheWarning, match="Without a weigher"):
        dw.Cache(max_bytes=10)[1] = bytes(100)


def test_classes_that_give_bounds_to_init_are_told_where_they_go():
    class Late(dw.Cache):
        def __init__(self):
            super().__init__(maxsize=3)

    class Loading(dw.Cache):
        def __init__(self, loader):
            self.loader = loader

    for make in (Late, lambda: Loading(print)):
        with pytest.raises(TypeError, match=r"bounds of a cache are given in __new__"):
            make()

    class Right(dw.Cache):
        def __new__(cls, loader):
            return super().__new__(cls, maxsize=3)

        def __init__(self, loader):
            self.loader = loader

    assert Right(print).maxsize == 3 and Right(print).loader is print
