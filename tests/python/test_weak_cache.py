"""Weak values behind a strong front: what the standard library's weak dict promises, and what it does not."""

import collections.abc
import gc
import sys
import threading
import weakref

import deadweight as dw
import pytest


class Value:
    def __init__(self, number):
        self.number = number


def filled(count, hot=0):
    """A cache, and the values that are in it by their numbers."""
    cache, values = dw.WeakCache(hot=hot), {number: Value(number) for number in range(count)}
    cache.update(values)
    return cache, values


def test_it_finds_what_somebody_uses():
    cache, values = filled(10)
    assert isinstance(cache, collections.abc.MutableMapping) and len(cache) == 10
    for number, value in values.items():
        assert cache[number] is cache.get(number) is cache.peek(number) is value and number in cache
    assert (
        dict(cache) == values and set(cache.keys()) == set(values) and set(cache.values()) == set(values.values())
    )
    assert (1, values[1]) in cache.items() and (1, values[2]) not in cache.items() and 1 not in cache.items()
    assert values[1] in cache.values() and Value(1) not in cache.values()
    del values[1], values[2]
    assert set(cache) == set(values) and len(cache) == 8 and 1 not in cache
    with pytest.raises(KeyError, match="1"):
        cache[1]
    assert cache.get(1) is None and cache.get(1, 5) == 5 and cache.peek(2, 6) == 6
    stats = cache.stats()
    assert (stats.entries, stats.hot, stats.gone) == (8, 0, 2)
    values.clear()
    del value
    assert len(cache) == 0 and not cache and cache.stats().gone == 10


def test_as_a_mapping():
    cache, values = filled(3)
    other = Value(9)
    assert cache.setdefault(0, other) is values[0] and cache.setdefault(5, other) is other is cache[5]
    cache[0] = other
    assert cache[0] is other and cache.pop(0) is other and cache.pop(0, 7) == 7
    with pytest.raises(KeyError):
        cache.pop(0)
    with pytest.raises(KeyError):
        del cache[0]
    del cache[1]
    assert set(cache) == {2, 5} and cache == {2: values[2], 5: other}
    key, value = cache.popitem()
    assert (key, value) in [(2, values[2]), (5, other)] and len(cache) == 1
    cache.clear()
    assert len(cache) == 0
    with pytest.raises(KeyError):
        cache.popitem()
    with pytest.raises(TypeError, match="unhashable"):
        cache[[]] = other
    assert weakref.ref(cache)() is cache
    assert repr(cache) == "<WeakCache: 0 entries, 0 of 0 held>"


def test_the_ones_used_last_are_held():
    cache = dw.WeakCache(hot=3)
    for number in range(5):
        cache[number] = Value(number)
    assert set(cache) == {2, 3, 4}
    assert cache[2].number == 2
    cache[5] = Value(5)
    assert set(cache) == {2, 4, 5} and cache.stats().hot == 3
    held = cache[4]
    cache[6], cache[7], cache[8] = Value(6), Value(7), Value(8)
    # It is not among them any more, and is there because we use it; asked for it is one of them again.
    assert set(cache) == {4, 6, 7, 8} and cache.stats().hot == 3
    assert cache[4] is held and set(cache) == {4, 7, 8}
    del held
    assert cache.peek(4).number == 4
    cache[4] = Value(40)
    assert set(cache) == {4, 7, 8} and cache[4].number == 40


def test_shrinking_holds_fewer():
    cache, values = filled(10, hot=10)
    kept = values[0]
    values.clear()
    assert cache.shrink("40%") == 6 and cache.stats().hot == 4
    assert set(cache) == {0, 6, 7, 8, 9} and cache[0] is kept
    assert cache.shrink("0%") == 5 and set(cache) == {0}
    for wrong in ("1 MB", "150%", "x"):
        with pytest.raises(ValueError):
            cache.shrink(wrong)


def test_types_that_take_no_weak_reference_are_refused():
    cache = dw.WeakCache()
    for value in (1, "text", (1,), [1], {}, None):
        with pytest.raises(TypeError, match=f"no weak reference to '{type(value).__name__}' objects"):
            cache["key"] = value
        with pytest.raises(TypeError):
            cache.setdefault("key", value)
    assert len(cache) == 0
    for value in (Value(1), Value, len, test_as_a_mapping, {1}, frozenset({1}), gc):
        cache["key"] = value
        assert cache["key"] is value
    for wrong, error in ((-1, ValueError), ("12", TypeError), (None, TypeError), (1.5, TypeError)):
        with pytest.raises(error):
            dw.WeakCache(hot=wrong)


def test_entries_of_what_is_gone_do_not_pile_up():
    cache = dw.WeakCache(hot=5)
    kept = [Value(number) for number in range(100)]
    for value in kept:
        cache[value.number] = value
    size = sys.getsizeof(cache)
    for number in range(1000, 50_000):
        cache[number] = Value(number)
    assert sys.getsizeof(cache) <= 4 * size
    assert cache.stats().entries == 105 and all(cache[value.number] is value for value in kept)
    # What comes back under a key of one that is gone is found.
    for number in range(1000, 2000):
        cache[number] = value = Value(number)
        assert cache[number] is value


def test_values_go_by_the_collector_too():
    cache, values = filled(20)
    for number, value in values.items():
        value.me = value
        value.last = number
    del value
    values.clear()
    assert len(cache) == 20
    gc.collect()
    assert len(cache) == 0


def test_iteration_is_not_disturbed():
    cache, values = filled(20)
    seen = []
    for key in cache:
        seen.append(key)
        values.pop(key + 1, None)
        cache[100 + key] = values[100 + key] = Value(100 + key)
        gc.collect(0)
    assert seen == list(range(0, 20, 2))
    items = iter(cache.items())
    next(items)
    cache.clear()
    assert len(list(items)) == 19


def test_values_that_touch_the_cache_as_they_go():
    seen = []

    class Leaving(Value):
        def __del__(self):
            seen.append((self.number, self.number in cache))
            cache.get(self.number)
            cache[-self.number] = kept

    kept, cache = Value(0), dw.WeakCache(hot=2)
    for number in range(1, 8):
        cache[number] = Leaving(number)
    cache[7] = kept
    cache.pop(6, None)
    cache.clear()
    assert sorted(number for number, _ in seen) == list(range(1, 8))


def test_keys_that_are_evil():
    class Key:
        def __init__(self, name):
            self.name = name

        def __hash__(self):
            return 1

        def __eq__(self, other):
            does()
            return self.name == other.name

    def fail():
        raise OSError("no")

    does, value = (lambda: None), Value(1)
    cache = dw.WeakCache(hot=1)
    for name in "abc":
        cache[Key(name)] = value
    assert cache[Key("b")] is value and len(cache) == 3
    does = fail
    for attempt in (cache.get, cache.pop, cache.__getitem__, cache.__contains__, cache.__delitem__):
        with pytest.raises(OSError):
            attempt(Key("b"))
    with pytest.raises(OSError):
        cache[Key("b")] = value
    does = cache.clear
    cache[Key("d")] = value
    assert [key.name for key in cache] == ["d"]


def test_a_cache_and_what_it_holds_go_together():
    cache = dw.WeakCache(hot=5)
    value = Value(1)
    value.cache = cache
    cache["key"] = value
    gone = weakref.ref(value)
    del value, cache
    gc.collect()
    assert gone() is None


def test_threads():
    cache, failed = dw.WeakCache(hot=20), []
    common = [Value(number) for number in range(30)]

    def hammer(start):
        try:
            for turn in range(400):
                number = (start + turn) % 60
                value = cache.setdefault(number, common[number] if number < 30 else Value(number))
                assert value.number == number
                found = cache.get((number * 7) % 60)
                assert found is None or found.number == (number * 7) % 60
                if turn % 40 == 0:
                    len(cache), [value.number for value in cache.values()], cache.shrink("50%")
                if turn % 25 == 0:
                    cache.pop(number, None)
        except BaseException as error:
            failed.append(error)

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
    assert all(value is common[key] for key, value in cache.items() if key < 30)
    assert cache.stats().hot <= 20


def test_threads_that_set_a_default_at_a_time_get_the_same():
    start, results, cache = threading.Barrier(8), [], dw.WeakCache(hot=0)

    def work():
        start.wait(10)
        for number in range(100):
            results.append((number, cache.setdefault(number, Value(number))))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    first = dict(results)
    assert len(results) == 800 and all(value is first[number] for number, value in results)


def test_shrinking_lets_go_of_the_keys_of_dead_values():
    class Key:
        pass

    cache, value, living = dw.WeakCache(hot=0), Value(0), Key()
    dead = Key()
    cache[living], cache[dead] = value, Value(1)
    gone = weakref.ref(dead)
    del dead
    assert gone() is not None
    assert cache.shrink("0%") == 0
    assert gone() is None and cache[living] is value
    with pytest.raises(TypeError, match='shrink to a part, as "50%", not 1'):
        cache.shrink(1)
