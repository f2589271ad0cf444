"""A method that keeps its results with the object: they never keep it, and are nobody else's."""

import abc
import asyncio
import copy
import dataclasses
import functools
import gc
import inspect
import pickle
import subprocess
import sys
import textwrap
import threading
import weakref

import deadweight as dw
import pytest


class Report:
    def __init__(self, rows):
        self.rows = rows
        self.count = 0

    @dw.cached_method
    def total(self, start=0):
        """Adds up."""
        self.count += 1
        return start + sum(self.rows)

    @dw.cached_method(maxsize=2, typed=True)
    def power(self, x):
        self.count += 1
        return [x**2]

    @property
    @dw.cached_method
    def mean(self):
        self.count += 1
        return sum(self.rows) / len(self.rows)

    @dw.cached_method
    @property
    def most(self):
        """The highest."""
        self.count += 1
        return max(self.rows)

    @dw.cached_method
    def own(self):
        return self

    @classmethod
    @dw.cached_method
    def made(cls, x):
        return [cls, x]

    @dw.cached_method
    @classmethod
    def made_too(cls, x):
        return [cls, x]

    @dw.cached_method
    @staticmethod
    def static(x):
        return [x]

    @dw.cached_method
    async def fetch(self, x):
        self.count += 1
        await asyncio.sleep(0)
        return [self.rows, x]

    def __eq__(self, other):
        return self.rows == other.rows

    # As of any class that compares, so that it is unhashable.
    __hash__ = None


def test_each_object_has_its_own():
    one, two = Report([1, 2]), Report([1, 2])
    assert one == two
    assert [one.total(), one.total(), one.total(5), one.total(5)] == [3, 3, 8, 8]
    assert (one.count, two.count) == (2, 0) and two.total() == 3 and two.count == 1
    assert Report.total.cache_info(one) == dw.CacheInfo(2, 2, 128, 2)
    assert Report.total.cache_info(two) == (0, 1, 128, 1)
    Report.total.cache_clear(one)
    assert Report.total.cache_info(one) == (0, 0, 128, 0) and Report.total.cache_info(two).currsize == 1
    assert [one.power(x) for x in (1, 2, 3)] == [[1], [4], [9]]
    assert Report.power.cache_info(one).currsize == 2 and Report.power.cache_parameters()["typed"]
    assert one.power(1.0) is one.power(1.0) and Report.power(one, 1.0) is one.power(1.0)


def test_it_looks_like_the_method():
    assert Report.total.__name__ == "total" and Report.total.__doc__ == "Adds up."
    assert str(inspect.signature(Report([]).total)) == "(start=0)"
    assert Report.most.__doc__ == "The highest." and inspect.iscoroutinefunction(Report([]).fetch)


def test_properties_class_methods_and_static_methods():
    one = Report([1, 3])
    assert (one.mean, one.mean, one.most, one.most, one.count) == (2, 2, 3, 3, 2)

    class Derived(Report):
        pass

    for name in ("made", "made_too"):
        made, derived = getattr(Report, name), getattr(Derived, name)
        assert made(1) is made(1) is getattr(one, name)(1) and made(1)[0] is Report
        assert derived(1) is derived(1) and derived(1)[0] is Derived
    assert Report.static(1) is one.static(1)
    assert one.total() == 4 and Derived([5]).total() == 5


def test_an_object_goes_with_its_results_when_nobody_uses_it():
    gc.disable()
    try:
        one = Report([1])
        one.total(), one.power(3), one.mean
        gone = weakref.ref(one)
        del one
        # Without a collection: there is no cycle.
        assert gone() is None
    finally:
        gc.enable()
    one = Report([1])
    gone, result = weakref.ref(one.own()), weakref.ref(one)
    del one
    gc.collect()
    assert gone() is None and result() is None

    class Kind(Report):
        pass

    Kind.made(1), Kind([]).own()
    gone = weakref.ref(Kind)
    del Kind
    gc.collect()
    assert gone() is None


def test_inheritance_and_super():
    class Base:
        __slots__ = ("__dict__", "__weakref__")

        @dw.cached_method
        def name(self, x):
            return ["base", x]

        @dw.cached_method
        @abc.abstractmethod
        def abstract(self): ...

    class Derived(Base):
        @dw.cached_method
        def name(self, x):
            return [*super().name(x), "derived"]

    class Plain(Derived):
        def name(self, x):
            return super().name(x)

    for kind in (Derived, Plain):
        it = kind()
        assert it.name(1) == ["base", 1, "derived"] and it.name(1) is it.name(1)
        assert Base.name(it, 1) == ["base", 1] and Base.name.cache_info(it).hits == 1
    assert Base.abstract.__isabstractmethod__


def test_copies_and_pickles_take_nothing_over():
    one = Report([1, 2])
    assert one.total() == 3
    for twin in (copy.copy(one), copy.deepcopy(one), pickle.loads(pickle.dumps(one))):
        twin.rows = [10]
        assert twin.total() == 10 and one.total() == 3
        assert Report.total.cache_info(twin).currsize == 1
    # A copy of a copy may come to lie where the first was.
    state = Report([0])
    for turn in range(50):
        if turn % 2:
            assert state.total() == turn
        state = copy.copy(state)
        state.rows = [turn + 1]


def test_slots_need_room():
    class Roomy:
        __slots__ = ("__weakref__", "_deadweight_caches", "x")

        @dw.cached_method
        def double(self, y):
            return [self.x, y]

    one = Roomy()
    one.x = 1
    assert one.double(2) is one.double(2)
    two = copy.copy(one)
    two.x = 5
    assert two.double(2) == [5, 2] and one.double(2) == [1, 2]
    gone = weakref.ref(one)
    del one
    assert gone() is None

    @dataclasses.dataclass(slots=True)
    class Narrow:
        x: int

        @dw.cached_method
        def double(self):
            return 2 * self.x

    class NoWeak:
        __slots__ = ("_deadweight_caches",)
        double = Narrow.double

    for narrow in (Narrow(1), NoWeak()):
        with pytest.raises(
            TypeError, match=r"add '_deadweight_caches' and '__weakref__' to the class's __slots__"
        ):
            narrow.double()

    class Mixin:
        __slots__ = ()
        double = Narrow.double

    class Whole(Mixin):
        x = 4

    assert Whole().double() == 8
    with pytest.raises(TypeError, match="int is built in"):
        Report.made.__func__(int, 1)


def test_classes_that_have_their_own_way_with_attributes():
    @dataclasses.dataclass(frozen=True)
    class Frozen:
        x: int

        @dw.cached_method
        def double(self):
            return [self.x]

    one, same = Frozen(1), Frozen(1)
    assert one.double() is one.double() and one == same and hash(one) == hash(same)
    assert dataclasses.replace(one, x=2).double() == [2]

    class Proxy:
        def __init__(self, of):
            object.__setattr__(self, "of", of)

        def __getattr__(self, name):
            return getattr(self.of, name)

        def __setattr__(self, name, value):
            setattr(self.of, name, value)

        double = Frozen.double
        x = 7

    assert Proxy(one).double() == [7] and one.double() == [1]

    class Numbers(list):
        @dw.cached_method
        def double(self):
            return [2 * each for each in self]

    five = Numbers([5])
    assert five.double() is five.double() and Numbers([5]).double() is not five.double()


def test_async_methods():
    async def main():
        one, two = Report([1]), Report([2])
        found = await asyncio.gather(one.fetch(1), two.fetch(1), one.fetch(1), one.fetch(2))
        assert found == [[[1], 1], [[2], 1], [[1], 1], [[1], 2]] and found[0] is found[2]
        assert (one.count, two.count) == (2, 1) and await one.fetch(1) is found[0]
        return weakref.ref(one), weakref.ref(two)

    gone = asyncio.run(main())
    gc.collect()
    assert [it() for it in gone] == [None, None]


def test_bounds_are_of_each_object():
    class Pages:
        @dw.cached_method(maxsize=None, max_bytes="50 kB")
        def page(self, number):
            return bytes(10_000 + number)

    one, two = Pages(), Pages()
    for number in range(10):
        one.page(number)
    two.page(1)
    assert Pages.page.cache_info(one).currsize == 4 and Pages.page.cache_info(two).currsize == 1
    for wrong in ({"maxsize": -1}, {"max_bytes": "much"}):
        with pytest.raises(ValueError):
            dw.cached_method(**wrong)


def test_wrong_things_are_refused():
    def numbers(self):
        yield 1

    with pytest.raises(TypeError, match="numbers is a generator function"):
        dw.cached_method(numbers)
    with pytest.raises(TypeError, match="takes a function, not int"):
        dw.cached_method()(5)
    with pytest.raises(TypeError, match="unhashable"):
        Report([1]).total([])


def test_threads_that_come_first_find_one_cache():
    start, found = threading.Barrier(4), []
    for _ in range(20):
        one = Report([1])

        def work(one=one):
            start.wait(10)
            found.append(one.power(2))

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert all(it is found[-1] for it in found[-4:])


PROGRAM = """
    import copy, gc, os, signal, threading
    import deadweight as dw
    from deadweight import _cached_method

    class Log:
        @dw.cached_method
        def name(self):
            return "log"

    class Connection:
        def __del__(self):
            Log().name()

    class Report:
        @dw.cached_method
        def connection(self):
            return Connection()
"""


def run(code):
    """A program that would never end if it waited for a lock of its own."""
    program = textwrap.dedent(PROGRAM) + textwrap.dedent(code)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and not done.stdout, done.stderr


def test_results_of_which_the_object_was_copied_may_call_a_method_as_they_go():
    run("""
        first = Report()
        first.connection()
        twin = copy.copy(first)
        del first
        twin.connection()
    """)


def test_a_collection_that_begins_meanwhile_may_call_a_method():
    run("""
        gc.disable()
        for count in range(1, 50):
            gc.collect()
            log, ring = Log(), Connection()
            ring.me = ring
            del ring
            # After so many objects: once within whatever makes room.
            gc.set_threshold(count)
            gc.enable()
            log.name()
            gc.disable()
    """)


def test_a_child_forked_while_another_thread_makes_room_can_too():
    run("""
        held, over = threading.Event(), threading.Event()
        def hold():
            with _cached_method._making:
                held.set()
                over.wait()
        threading.Thread(target=hold, daemon=True).start()
        held.wait()
        child = os.fork()
        if not child:
            signal.alarm(30)
            Log().name()
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        over.set()
    """)


def test_caches_take_no_part_in_whether_objects_are_equal():
    one, two = Report([1]), Report([1])
    one.total()
    two.power(2)
    two.count = one.count
    assert vars(one) == vars(two) and one._deadweight_caches == two._deadweight_caches
    assert (one._deadweight_caches != two._deadweight_caches) is False and one._deadweight_caches != {}


def test_before_and_after_a_leak():
    class Leaky:
        @functools.cache  # noqa: B019 - this is the mistake
        def total(self):
            return 1

    class Cured:
        @dw.cached_method(maxsize=None)
        def total(self):
            return 1

    for kind, left in ((Leaky, 100), (Cured, 0)):
        objects = [kind() for _ in range(100)]
        for it in objects:
            it.total()
        gone = [weakref.ref(it) for it in objects]
        del objects, it
        gc.collect()
        assert sum(it() is not None for it in gone) == left


def test_messages_say_what_to_do():
    class Slim:
        __slots__ = ("x",)

        def __init__(self, x):
            self.x = x

        @dw.cached_method
        def double(self):
            return 2 * self.x

    with pytest.raises(
        TypeError, match=r'dw.slots\(weakref=True, extra=\("_deadweight_caches",\)\)'.replace('"', "'")
    ):
        Slim(1).double()

    @dw.slots(weakref=True, extra=("_deadweight_caches",))
    class Roomy:
        def __init__(self, x):
            self.x = x

        @dw.cached_method
        def double(self):
            return 2 * self.x

    assert Roomy(2).double() == 4

    @dw.cached_method
    def plain(number):
        return number

    with pytest.raises(
        TypeError, match=r"'int' objects have no room for caches: of a function, .* dw.cached keeps"
    ):
        plain(1)
    for what in ("cache_info", "cache_clear"):
        for call in (getattr(Roomy.double, what), getattr(Roomy(1).double, what)):
            with pytest.raises(TypeError, match=rf"{what} takes the object .*: Roomy.double.{what}\(object\)"):
                call()


def test_results_that_lead_back_to_a_large_object_are_refused_and_warned_of_once():
    class Service:
        def __init__(self):
            self.data = bytes(100_000)

        @dw.cached_method(max_bytes="50 kB")
        def node(self, number):
            return [self, number]

    services = [Service() for _ in range(3)]
    with pytest.warns(dw.CacheWarning, match=r"a result of .*Service\.node was not kept.*what owns it") as caught:
        for service in services:
            for number in range(4):
                assert service.node(number) == [service, number]
    assert [warning.filename for warning in caught] == [__file__]
    assert [Service.node.cache_info(service).refused for service in services] == [4, 4, 4]


@pytest.mark.parametrize("base", [int, bytes, tuple])
def test_what_can_have_no_room_is_not_told_to_make_some(base):
    class Thing(base):
        @dw.cached_method
        def total(self):
            return 1

    with pytest.raises(TypeError, match=f"derives from {base.__name__} takes no weak reference") as told:
        Thing().total()
    assert "__slots__" not in str(told.value)
