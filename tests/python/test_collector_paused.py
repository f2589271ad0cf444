"""The collector stands still within ``paused``, and is afterwards as it was."""

import gc
import os
import threading

import deadweight as dw
import pytest

# Its import is no part of what is measured.
paused = dw.collector.paused
pytestmark = pytest.mark.usefixtures("collector_as_it_was")


@pytest.fixture
def collections():
    """The generations that are collected by themselves."""
    seen = []

    def heard(phase, info):
        if phase == "start":
            seen.append(info["generation"])

    gc.callbacks.append(heard)
    yield seen
    gc.callbacks.remove(heard)


def test_nothing_is_collected_within_nor_by_the_first_allocations_after(collections):
    gc.collect()
    collections.clear()
    kept = [[] for _ in range(50_000)]
    assert collections, "without it there are collections"
    collections.clear()
    with paused():
        kept += [[] for _ in range(50_000)]
    assert not collections
    kept += [[] for _ in range(100)]
    assert not collections


def test_what_was_made_meanwhile_is_found_by_a_full_collection():
    class Ring:
        pass

    with paused():
        ring = Ring()
        ring.itself = ring
        del ring
    assert any(type(it) is Ring for it in gc.get_objects(generation=2))
    assert gc.collect() >= 1


def test_a_full_collection_after_if_that_is_asked_for(collections):
    with paused(collect="after"):
        collections.clear()
    assert collections == [2]


def test_what_is_frozen_stays_frozen():
    gc.freeze()
    try:
        frozen = gc.get_freeze_count()
        with paused():
            pass
        assert gc.get_freeze_count() >= frozen - 50
    finally:
        gc.unfreeze()


def test_code_that_makes_cycles_does_not_use_up_the_memory(collections):
    def rings(count):
        for _ in range(count):
            ring = []
            ring.append(ring)

    with paused(guard=1000):
        collections.clear()
        rings(5000)
        assert len(collections) >= 3
    with paused(guard=None):
        collections.clear()
        rings(5000)
        assert not collections and not gc.isenabled()


def test_nor_does_code_that_makes_cycles_in_many_short_stretches(collections):
    class Ring:
        alive = 0

        def __init__(self):
            self.itself = self
            Ring.alive += 1

        def __del__(self):
            Ring.alive -= 1

    most = 0
    gc.collect()
    collections.clear()
    for _ in range(300):
        with paused(guard=50_000):
            for _ in range(1000):
                Ring()
        most = max(most, Ring.alive)
    assert 10_000 < most <= 60_000
    assert 2 in collections


def test_a_collector_that_is_off_by_its_threshold_stays_off(collections):
    gc.set_threshold(0)
    try:
        with paused(guard=1000):
            collections.clear()
            for _ in range(5000):
                ring = []
                ring.append(ring)
        assert not collections and gc.get_threshold()[0] == 0
    finally:
        gc.set_threshold(*DEFAULT)
        gc.collect()


def test_it_is_as_it_was_whatever_was_done_within():
    gc.set_threshold(123, 4, 5)
    with pytest.raises(KeyError), paused():
        gc.set_threshold(1, 2, 3)
        gc.disable()
        raise KeyError
    assert gc.isenabled() and gc.get_threshold()[:2] == (123, 4)
    gc.disable()
    try:
        with paused():
            gc.enable()
        assert not gc.isenabled()
    finally:
        gc.enable()
        gc.set_threshold(*DEFAULT)


DEFAULT = gc.get_threshold()


def test_one_within_another(collections):
    before = gc.get_threshold()
    with paused(guard=None):
        assert not gc.isenabled()
        with paused(guard=500):
            assert gc.get_threshold()[0] == 500 and gc.isenabled()
        assert not gc.isenabled()
    assert gc.get_threshold() == before


def test_the_same_object_can_be_entered_again():
    pausing = paused(guard=None)
    with pausing:
        with pausing:
            pass
        assert not gc.isenabled()


def test_it_lasts_until_the_last_of_several_threads_has_left():
    inside, leave = threading.Barrier(4), threading.Event()

    def work(fails):
        try:
            with paused(guard=None):
                inside.wait()
                leave.wait()
                if fails:
                    raise KeyError
        except KeyError:
            pass

    threads = [threading.Thread(target=work, args=(fails,)) for fails in (True, False, True)]
    for thread in threads:
        thread.start()
    inside.wait()
    with paused(guard=None):
        pass
    assert not gc.isenabled()
    leave.set()
    for thread in threads:
        thread.join()
    assert gc.isenabled()


def in_child(right):
    child = os.fork()
    if not child:
        status = 1
        try:
            status = 0 if right() and gc.isenabled() else 1
        finally:
            os._exit(status)
    return os.waitpid(child, 0)[1]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_in_a_forked_child_what_other_threads_paused_is_over():
    inside, leave = threading.Event(), threading.Event()

    def load():
        with paused(guard=None):
            inside.set()
            leave.wait()

    other = threading.Thread(target=load)
    other.start()
    inside.wait()

    def pauses_again():
        enabled = gc.isenabled()
        with paused(guard=None):
            return enabled and not gc.isenabled()

    statuses = [in_child(pauses_again)]
    with paused(guard=1000):
        statuses.append(in_child(lambda: gc.isenabled() and gc.get_threshold()[0] == 1000))
    assert not gc.isenabled()
    leave.set()
    other.join()
    assert statuses == [0, 0]


def test_what_makes_no_sense_is_refused():
    with pytest.raises(ValueError, match="never"):
        paused("before")
    for guard in (0, -1, 1 << 31):
        with pytest.raises(ValueError, match="number of objects"):
            paused(guard=guard)


def test_as_a_decorator_it_holds_for_every_call():
    @paused(guard=None)
    def factorial(number):
        """Of a number."""
        assert not gc.isenabled()
        return number * factorial(number - 1) if number else 1

    assert gc.isenabled() and factorial(5) == 120 and gc.isenabled()
    assert factorial.__name__ == "factorial" and factorial.__doc__ == "Of a number."

    @paused("after", guard=None)
    def fail():
        raise KeyError

    for _ in range(2):
        with pytest.raises(KeyError):
            fail()
        assert gc.isenabled()


def test_calls_in_several_threads_are_paused_until_the_last_ends():
    inside, told = threading.Barrier(2), []

    @paused(guard=None)
    def work(first):
        inside.wait(10)
        if not first:
            leave.wait(10)
            told.append(gc.isenabled())

    leave = threading.Event()
    threads = [threading.Thread(target=work, args=(first,)) for first in (True, False)]
    for thread in threads:
        thread.start()
    threads[0].join()
    leave.set()
    threads[1].join()
    assert told == [False] and gc.isenabled()


def test_what_runs_after_its_call_is_not_decorated():
    async def later():
        pass

    def numbers():
        yield 1

    async def more():
        yield 1

    for function in (later, numbers, more):
        with pytest.raises(TypeError, match=f"over before .*{function.__name__} begins.*with dw.collector.paused"):
            paused()(function)
    with pytest.raises(TypeError, match="decorates a function, not int"):
        paused()(1)


def test_what_is_called_as_an_async_function_is_not_decorated():
    class Loads:
        async def __call__(self):
            pass

    class Service:
        async def load(self):
            pass

        @staticmethod
        def plain():
            return gc.isenabled()

    for called in (Loads(), staticmethod(Service.load), staticmethod(Loads()), Service().load):
        with pytest.raises(TypeError, match=r"over before .*with dw\.collector\.paused"):
            paused()(called)
    assert paused(guard=None)(vars(Service)["plain"])() is False


def test_a_class_is_no_function():
    with pytest.raises(TypeError, match=r"decorates a function, not the class .*Loaded"):

        @paused()
        class Loaded:
            pass
