"""Eight threads at the same caches, for as many rounds as it takes: no update is lost, and nothing leaks.

That nothing leaks is what ``growth`` says of the process. ``make test-real`` hammers for a minute in all.
"""

import asyncio
import contextlib
import os
import threading
import time
from functools import partial

import deadweight as dw
import pytest
from at_once import at_once

THREADS = 8
KEYS = 40
AT_LEAST = 15 if "DEADWEIGHT_AT_LENGTH" in os.environ else 0


class Value:
    def __init__(self, key, turn):
        self.key, self.turn = key, turn


def all_at_once(work):
    """In every thread, with its number."""
    at_once(*(partial(work, number) for number in range(THREADS)))


def grown(work, at_least=AT_LEAST):
    """What grows from round to round of it, once it has lasted as long as it is to."""
    end = time.monotonic() + at_least
    while time.monotonic() < end:
        work()
    growth = dw.growth()
    for _ in growth.rounds(4):
        work()
    return growth


def test_a_cache_without_bounds_loses_no_update():
    cache = dw.Cache(max_bytes="10 MB")
    # The very keys: an entry keeps its first one, and is weighed with the one that is given.
    keys = [[(number, key) for key in range(KEYS)] for number in range(THREADS)]

    def hammer(number):
        for turn in range(200):
            own = keys[number][turn % KEYS]
            before = cache.get(own)
            cache[own] = Value(own, turn)
            assert before is None or before.key == own
            assert cache[own].turn == turn, "nobody else writes there"
            # All write here: what is read is what one of them wrote.
            shared = turn % KEYS
            cache[shared] = Value(shared, turn)
            assert cache[shared].key == shared
            if turn % 50 == number:
                # That others come and go meanwhile is said, as of a dict.
                with contextlib.suppress(RuntimeError):
                    assert all(value.key == key for key, value in cache.items())

    def work():
        all_at_once(hammer)
        for number in range(THREADS):
            assert [cache[number, key].turn for key in range(KEYS)] == list(range(160, 200))
        assert len(cache) == (THREADS + 1) * KEYS
        stats = cache.stats()
        assert stats.bytes == cache.reweigh() and not stats.refused and not stats.evictions["max_bytes"]

    grown(work).assert_none()


def test_a_bounded_cache_tells_of_all_that_went():
    gone, lock = [0], threading.Lock()

    def count(key, value, cause):
        assert value.key == key
        with lock:
            gone[0] += 1

    cache = dw.Cache(maxsize=KEYS // 2, on_evict=count)
    came = [0] * THREADS

    def hammer(number):
        for turn in range(200):
            key = (turn * 7 + number) % KEYS
            value = cache.setdefault(key, made := Value(key, turn))
            assert value.key == key
            came[number] += value is made
            if turn % 3 == 0 and (taken := cache.pop(key, None)):
                came[number] -= 1
                assert taken.key == key
            if turn % 60 == 0:
                cache.shrink("50%")

    def work():
        all_at_once(hammer)
        assert len(cache) <= KEYS // 2 and len(cache) == len(list(cache))
        # Whoever came in is there, was taken out, or was told of.
        assert sum(came) - gone[0] == len(cache)
        assert cache.stats().errors == 0

    grown(work).assert_none()


def test_a_weak_cache_keeps_what_somebody_holds_and_no_more():
    held = [Value(key, 0) for key in range(KEYS)]
    cache = dw.WeakCache(hot=10)

    def hammer(number):
        for turn in range(200):
            key = (turn + number) % (2 * KEYS)
            value = cache.setdefault(key, held[key] if key < KEYS else Value(key, turn))
            assert value.key == key and (key >= KEYS or value is held[key])
            found = cache.get((key * 7) % (2 * KEYS))
            assert found is None or found.key == (key * 7) % (2 * KEYS)
            if turn % 50 == 0:
                assert all(value.key == key for key, value in cache.items())

    def work():
        all_at_once(hammer)
        assert all(cache[key] is held[key] for key in range(KEYS))
        assert len(cache) == KEYS + sum(key >= KEYS for key in cache) <= KEYS + 10

    grown(work).assert_none()


def test_functions_give_all_threads_the_same():
    runs = [0] * THREADS

    class Table:
        @dw.cached_method(max_bytes="1 MB")
        def row(self, key):
            return Value(key, 0)

    @dw.cached(maxsize=KEYS // 2)
    def bounded(key):
        return Value(key, 0)

    @dw.cached(maxsize=None)
    def kept(key):
        return Value(key, 0)

    @dw.cached
    async def later(key):
        await asyncio.sleep(0)
        return Value(key, 0)

    table, seen = Table(), [[None] * KEYS for _ in range(THREADS)]

    async def several(key):
        return await asyncio.gather(*(later(key) for _ in range(3)))

    def hammer(number):
        for turn in range(120):
            key = (turn + number) % KEYS
            assert bounded(key).key == table.row(key).key == key
            assert table.row(key) is table.row(key)
            seen[number][key] = kept(key)
        one, two, three = asyncio.run(several(number % 3))
        assert one is two is three and one.key == number % 3
        runs[number] += 1

    def work():
        all_at_once(hammer)
        assert all(of == seen[0] for of in seen)
        assert bounded.cache_info().currsize == KEYS // 2 and kept.cache_info().currsize == KEYS
        assert later.cache_info().currsize == 3

    grown(work).assert_none()
    assert len(set(runs)) == 1


LEAKED = []


def test_a_leak_under_the_same_hammer_is_found():
    cache = dw.Cache(maxsize=10, on_evict=lambda key, value, cause: LEAKED.append(value))

    def hammer(number):
        for turn in range(100):
            cache[number, turn] = Value(turn, turn)

    growth = grown(lambda: all_at_once(hammer), at_least=0)
    LEAKED.clear()
    with pytest.raises(dw.StillGrowing, match="LEAKED"):
        growth.assert_none()
