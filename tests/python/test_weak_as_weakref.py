"""What the standard library's tests of weakref promise, of our caches, finalizers and buses.

What they promise of weak dicts and does not hold of a ``WeakCache``, since it is no dict: it is not made of
another mapping (its argument is ``hot``), has no ``|`` (nothing would be kept by the union), no ``valuerefs`` (its
references are its own), no ``copy``, no pickles (`test_it_is_neither_copied_nor_pickled`). There is no like of
``WeakKeyDictionary``, ``WeakSet``, ``ref`` and ``proxy``; order and equality of references are theirs alone.
"""

import copy
import gc
import pickle
import random
import subprocess
import sys
import weakref

import deadweight as dw
import pytest
from at_once import at_once


class Value:
    def __init__(self, number):
        self.number = number

    def __repr__(self):
        return f"<Value {self.number}>"


class Equal(Value):
    """Equal by its number, and not hashed by its place."""

    def __eq__(self, other):
        return isinstance(other, Equal) and self.number == other.number

    def __hash__(self):
        return hash(self.number)


def filled(count, kind=Value):
    values = [kind(number) for number in range(count)]
    cache = dw.WeakCache(hot=0)
    for value in values:
        cache[value.number] = value
    return cache, values


# Weak dicts


def test_what_is_in_cycles_counts_until_it_is_collected():
    cache = dw.WeakCache(hot=0)
    gc.disable()
    try:
        for number in range(20):
            value = Value(number)
            value.me = value
            cache[number] = value
        del value
        items = iter(cache.items())
        next(items)
        gc.collect()
        # Who goes through them holds the one he was given last, and no other.
        assert len(cache) == 1 and list(items) == []
        gc.collect()
        assert len(cache) == 0
    finally:
        gc.enable()


def test_its_length_is_right_whenever_a_collection_comes():
    threshold = gc.get_threshold()
    try:
        for often in range(1, 60):
            gc.set_threshold(often, often, often)
            cache = dw.WeakCache(hot=0)
            for number in range(20):
                value = Value(number)
                value.me = value
                cache[number] = value
            del value
            items = iter(cache.items())
            next(items, None)
            before = len(cache)
            del items
            after = len(cache)
            assert 0 <= after <= before <= 20
    finally:
        gc.set_threshold(*threshold)


def test_every_way_of_going_through_it_meets_all_that_stays():
    for way in (iter, dw.WeakCache.keys, dw.WeakCache.values, dw.WeakCache.items):
        cache, values = filled(10)
        begun = way(cache)
        next(iter(begun))
        # While it waits, some go, some come, and some are taken out by name.
        gone = [weakref.ref(values.pop(5)) for _ in range(2)]
        del cache[9]
        cache["new"] = new = Value("new")
        assert all(ref() is None for ref in gone) and cache["new"] is new
        met = list(begun)
        # What a view gives begins anew: what came is in it.
        assert ("new" in str(met)) is (way is not iter)
        assert len(met) == len(set(map(str, met))) and len(cache) == 8
        texts = " ".join(map(str, met))
        for number in (1, 2, 3, 4, 7, 8):
            assert str(number) in texts
        assert "5" not in texts and "6" not in texts


def test_taking_out_while_it_is_gone_through():
    for take in (lambda cache, key: cache.pop(key), lambda cache, key: cache.__delitem__(key)):
        cache, values = filled(20)
        for key in cache:
            take(cache, key)
        assert len(cache) == 0 and len(values) == 20
    cache, values = filled(20)
    for _ in cache.values():
        cache.clear()
    assert not cache


def test_popitem_takes_each_once():
    cache, values = filled(10)
    taken = [cache.popitem() for _ in range(10)]
    assert sorted(key for key, _ in taken) == list(range(10))
    assert all(value is values[key] for key, value in taken) and len(cache) == 0
    # One whose value is gone is no item.
    cache[1], cache[2] = Value(1), values[2]
    assert cache.popitem() == (2, values[2])
    with pytest.raises(KeyError):
        cache.popitem()


def test_a_default_takes_the_place_of_what_is_gone():
    cache, first, second = dw.WeakCache(hot=0), Value(1), Value(2)
    assert cache.setdefault("key", first) is first and cache.setdefault("key", second) is first
    del first
    assert cache.get("key") is None and cache.setdefault("key", second) is second is cache["key"]


def test_updates_from_all_that_a_dict_takes():
    values = {name: Value(name) for name in "abc"}
    for given in (values, list(values.items()), filled(0)[0]):
        cache = dw.WeakCache(hot=0)
        cache.update(given, d=values["a"])
        assert dict(cache) == (values if given else {}) | {"d": values["a"]}
    other = dw.WeakCache(hot=0)
    other.update(cache)
    assert dict(other) == dict(cache)
    with pytest.raises(TypeError):
        cache.update(values, values)
    with pytest.raises(TypeError):
        cache.update(a=1)


def test_what_is_gone_cannot_be_deleted():
    cache, values = filled(2)
    del cache[0]
    values.clear()
    for key in (0, 1, "never"):
        with pytest.raises(KeyError):
            del cache[key]


def test_equal_values_are_told_by_their_keys():
    cache, values = filled(5, Equal)
    twin = Equal(3)
    cache["twin"] = twin
    del values[3]
    assert 3 not in cache and cache["twin"] is twin and twin in cache.values()
    assert cache == {key: Equal(key) for key in (0, 1, 2, 4)} | {"twin": Equal(3)}


def test_it_is_neither_copied_nor_pickled():
    for made in (dw.WeakCache(), dw.Cache()):
        for attempt in (copy.copy, copy.deepcopy, pickle.dumps):
            with pytest.raises(TypeError, match=r"Cache is neither copied nor pickled: .*__getstate__"):
                attempt(made)


def test_a_cache_that_goes_leaves_its_values_alone():
    cache, values = filled(10)
    gone = weakref.ref(cache)
    del cache
    assert gone() is None
    heard = [weakref.getweakrefcount(value) for value in values]
    assert heard == [0] * 10
    values.clear()


def test_threads_that_set_and_drop_lose_nothing_they_hold():
    cache = dw.WeakCache(hot=0)

    def set_and_look():
        for turn in range(3000):
            value = Value(turn)
            cache[turn % 10] = value
            # Another may have put in its own, or that may be gone: never one that is not there.
            found = cache.get(turn % 10)
            assert found is None or found.number % 10 == turn % 10

    def default_and_pop():
        for turn in range(3000):
            value = cache.setdefault(turn % 10, Value(turn))
            assert value is not None and value.number % 10 == turn % 10
            taken = cache.pop(turn % 10, None)
            assert taken is None or taken.number % 10 == turn % 10

    def collect():
        for _ in range(30):
            gc.collect(0)
            [value.number for value in cache.values()]

    at_once(set_and_look, default_and_pop, set_and_look, default_and_pop, collect)
    assert len(cache) == 0


def test_what_one_thread_holds_is_found_while_others_drop_theirs():
    cache, kept = dw.WeakCache(hot=0), [Value(number) for number in range(50)]

    def hold():
        for _ in range(60):
            for value in kept:
                cache[value.number] = value
                assert cache[value.number] is value and value.number in cache

    def drop():
        chosen = random.Random(7)
        for _ in range(6000):
            cache[100 + chosen.randrange(50)] = Value(0)

    at_once(hold, drop, drop)
    assert sorted(cache) == [value.number for value in kept]


# finalize


def test_arguments_may_have_any_name():
    heard = []
    value = Value(1)
    finalizer = dw.finalize(
        value, lambda *args, **kwargs: heard.append((args, kwargs)), 1, obj=2, callback=3, self=4
    )
    assert finalizer.peek()[2:] == ((1,), {"obj": 2, "callback": 3, "self": 4})
    del value
    assert heard == [((1,), {"obj": 2, "callback": 3, "self": 4})]
    for wrong in ((), (Value(1),)):
        with pytest.raises(TypeError):
            dw.finalize(*wrong)
    with pytest.raises(TypeError):
        dw.finalize(obj=Value(1), callback=print)


def test_all_of_it_is_freed_though_it_is_in_a_cycle():
    class Callback:
        def __call__(self):
            heard.append("called")

    heard = []
    for by_hand in (False, True):
        value, callback = Value(1), Callback()
        finalizer = dw.finalize(value, callback)
        # The callback leads to its finalizer, and the object to both.
        callback.finalizer, value.finalizer = finalizer, finalizer
        gone = [weakref.ref(callback), weakref.ref(value)]
        if by_hand:
            finalizer()
        del value, callback, finalizer
        gc.collect()
        assert [ref() for ref in gone] == [None, None]
    assert heard == ["called", "called"]


def test_at_exit_those_that_are_made_by_others_are_called_too():
    program = """
import deadweight as dw
class Thing: pass
kept = [Thing() for _ in range(3)]
def more():
    print("more")
    dw.finalize(kept[2], print, "made at exit")
first = dw.finalize(kept[0], print, "first")
dw.finalize(kept[1], more)
dw.finalize(kept[2], print, "called off").detach()
off = dw.finalize(kept[2], print, "not at exit")
off.atexit = False
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert run.stdout.splitlines()[-3:] == ["more", "made at exit", "first"], run.stdout + run.stderr


# Bus, whose methods are held as by WeakMethod


def window():
    """An object of a class of its own, whose method can be taken away."""

    class Window:
        def on_event(self, *args):
            return "heard"

        def __eq__(self, other):
            return isinstance(other, Window)

        __hash__ = None

    return Window()


def test_a_method_that_its_class_has_lost_is_not_called():
    bus, it = dw.Bus(), window()
    bus.connect(it.on_event)
    assert bus.emit() == ["heard"]
    del type(it).on_event
    gc.collect()
    assert bus.emit() == [] and (len(bus), bus.stats().dead) == (0, 1)
    # That it goes as well is no second death.
    del it
    gc.collect()
    assert bus.stats().dead == 1


def test_methods_are_the_same_if_their_objects_are_the_very_same():
    bus, it, equal = dw.Bus(), window(), window()
    bus.connect(it.on_event)
    assert it.on_event in bus and equal.on_event not in bus
    twin = type(it)()
    assert twin == it
    bus.connect(twin.on_event)
    assert len(bus) == 2 and bus.disconnect(twin.on_event) and it.on_event in bus


def test_a_bus_makes_no_cycle_of_an_object_and_its_method():
    bus, it = dw.Bus(), window()
    bus.connect(it.on_event)
    gone = weakref.ref(it)
    gc.disable()
    try:
        del it
        assert gone() is None
    finally:
        gc.enable()
    assert bus.emit() == []
