"""Keys, values and callbacks that come back to the cache: it stays whole."""

import gc
import threading
import weakref

import deadweight as dw
import pytest


class Key:
    """All are in one place of the table. What `does` is done at every comparison."""

    def __init__(self, name, does=lambda: None, hash_does=lambda: None):
        self.name, self.does, self.hash_does = name, does, hash_does

    def __hash__(self):
        self.hash_does()
        return 1

    def __eq__(self, other):
        self.does()
        return self.name == other.name


def whole(cache):
    """What is found by going through is found by looking, and is counted."""
    items = list(cache.items())
    assert len(items) == len(cache) == cache.stats().entries
    for key, value in items:
        assert cache.peek(key) is value
    return [(key.name, value) for key, value in items]


def test_keys_of_one_hash_are_told_apart():
    cache = dw.Cache(maxsize=50)
    for number in range(60):
        cache[Key(number)] = number
    assert whole(cache) == [(number, number) for number in range(10, 60)]
    assert cache[Key(30)] == 30 and Key(5) not in cache
    del cache[Key(30)]
    assert Key(30) not in cache and len(cache) == 49


def test_exceptions_of_hash_and_eq_change_nothing():
    def fail():
        raise OSError("no")

    cache = dw.Cache(maxsize=2)
    cache[Key("a")] = 1
    bad = [Key("b", does=fail), Key("b", hash_does=fail)]
    for key in bad:
        for attempt in (
            lambda key=key: cache[key],
            lambda key=key: cache.get(key),
            lambda key=key: cache.setdefault(key, 2),
            lambda key=key: cache.pop(key),
            lambda key=key: key in cache,
            lambda key=key: cache.__setitem__(key, 2),
            lambda key=key: cache.__delitem__(key),
        ):
            # It is the kept key that compares first, as in a dict.
            next(iter(cache)).does = fail
            with pytest.raises(OSError):
                attempt()
            next(iter(cache)).does = lambda: None
    assert whole(cache) == [("a", 1)]


@pytest.mark.parametrize("does", ["clear", "popitem", "put", "same", "evict", "shrink", "replace"])
def test_a_comparison_that_changes_the_cache(does):
    cache = dw.Cache(maxsize=4)
    turns = iter(range(3))

    def change():
        turn = next(turns, None)
        if turn is None:
            return
        {
            "clear": cache.clear,
            "popitem": cache.popitem,
            "put": lambda: cache.__setitem__(Key(f"new {turn}"), turn),
            "same": lambda: cache.__setitem__(Key("looked for"), turn),
            "evict": lambda: cache.update({100 + turn * 10 + more: more for more in range(5)}),
            "shrink": lambda: cache.shrink("0%"),
            "replace": lambda: (cache.pop(a), cache.__setitem__(a, "again")),
        }[does]()

    a, b = Key("a"), Key("b")
    cache[a], cache[b] = 1, 2
    a.does = change
    cache[Key("looked for")] = 3
    a.does = lambda: None
    numbers = [key for key in cache if isinstance(key, int)]
    for key in numbers:
        del cache[key]
    found = whole(cache)
    names = [name for name, _ in found]
    assert len(set(names)) == len(names) and ("looked for", 3) in found


def test_a_comparison_that_never_comes_to_rest_ends():
    cache, numbers = dw.Cache(maxsize=3), iter(range(200))

    class Restless(Key):
        def __eq__(self, other):
            number = next(numbers, None)
            if number is not None:
                cache[number] = number
            return False

        __hash__ = Key.__hash__

    cache[Restless("a")] = 1
    cache[Restless("b")] = 2
    assert cache.get(Restless("c")) is None
    assert len(cache) == 3


def test_values_that_touch_the_cache_as_they_go():
    seen = []

    class Value:
        def __del__(self):
            seen.append((len(cache), list(cache)))
            cache[f"after {len(seen)}"] = len(seen)

    cache = dw.Cache(maxsize=3)
    cache["a"] = Value()
    cache["b"] = cache["c"] = 1
    cache["d"] = 1
    assert seen == [(3, ["b", "c", "d"])] and list(cache) == ["c", "d", "after 1"]
    for go in (
        lambda: cache.__setitem__("v", 0),
        lambda: cache.__delitem__("v"),
        lambda: cache.pop("v"),
        lambda: cache.clear(),
        lambda: cache.shrink("0%"),
    ):
        cache["v"] = Value()
        count = len(seen)
        go()
        assert len(seen) == count + 1 and f"after {len(seen)}" in cache


def test_keys_that_touch_the_cache_as_they_go():
    class Leaving(Key):
        def __del__(self):
            seen.append(len(cache))

    seen, cache = [], dw.Cache(maxsize=3)
    cache[Leaving("a")] = 1
    # Compared to it, it is taken out meanwhile: it goes when the search for it has ended.
    keys = list(cache)
    keys[0].does = cache.clear
    del keys
    assert cache.get(Key("a")) is None and seen == [0]
    cache[Leaving("b")] = 1
    assert cache.pop(Key("b")) == 1 and seen == [0, 0]


def test_callbacks_and_weighers_that_change_the_cache():
    def put_back(key, value, cause):
        gone.append(key)
        if len(gone) < 20:
            cache[key] = value

    gone = []
    cache = dw.Cache(maxsize=2, on_evict=put_back)
    cache.update(a=1, b=2, c=3)
    assert len(cache) == 2 and gone == ["a", "b", "c"] * 6 + ["a", "b"]

    def weigh(key, value):
        if key == "a":
            cache.clear()
            cache["b"] = 2
        return value

    cache = dw.Cache(max_bytes=10, weigher=weigh)
    cache["c"] = 3
    cache["a"] = 5
    assert dict(cache) == {"b": 2, "a": 5} and cache.stats().bytes == 7
    assert cache.reweigh() == 2 and dict(cache) == {"b": 2}


def test_a_weigher_that_fails_stops_weighing_and_nothing_else():
    broken = []
    cache = dw.Cache(max_bytes=100, weigher=lambda key, value: broken[value] if broken else value)
    cache.update(a=1, b=2)
    broken[:] = [0, 101]
    with pytest.raises(IndexError):
        cache.reweigh()
    assert dict(cache) == {"b": 2} and cache.stats().bytes == 2 and cache.stats().evictions["max_bytes"] == 1


def test_a_cache_in_itself():
    cache = dw.Cache(max_bytes="1 MB")
    cache["self"] = cache
    gone = weakref.ref(cache)
    assert cache["self"] is cache
    del cache
    gc.collect()
    assert gone() is None


def test_a_collection_that_comes_at_any_moment_finds_it_whole():
    cache = dw.Cache(maxsize=20)

    class Cyclic:
        def __init__(self, number):
            self.me, self.number = self, number

        def __del__(self):
            cache[self.number] = None
            cache.get(self.number - 1)

    before = gc.get_threshold()
    gc.set_threshold(1)
    try:
        for number in range(500):
            cache[f"{number}"] = Cyclic(number)
    finally:
        gc.set_threshold(*before)
    gc.collect()
    assert len(cache) == 20 == len(list(cache.items()))


def test_threads_that_compare_for_long():
    ready = threading.Event()

    class Slow(Key):
        def __eq__(self, other):
            ready.set()
            halt.wait(10)
            return super().__eq__(other)

        __hash__ = Key.__hash__

    halt = threading.Event()
    cache = dw.Cache(maxsize=2)
    cache[Slow("a")] = 1
    found = []
    thread = threading.Thread(target=lambda: found.append(cache.get(Key("a"))))
    thread.start()
    assert ready.wait(10)
    # Nobody waits for the other's comparison.
    cache["b"] = 2
    assert cache["b"] == 2 and len(cache) == 2
    cache["c"] = 3
    halt.set()
    thread.join()
    assert found == [None] and list(cache) == ["b", "c"]
