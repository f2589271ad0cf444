"""A function that keeps its results: what functools.lru_cache promises, and async functions too."""

import asyncio
import copy
import functools
import gc
import inspect
import pickle
import sys
import threading
import warnings
import weakref

import deadweight as dw
import pytest


@dw.cached(maxsize=20)
def both(x, y):
    """Doubles and adds."""
    return 2 * x + y


class Calls:
    """A function that counts."""

    def __init__(self, does=lambda *args, **kwargs: (args, kwargs)):
        self.does, self.count = does, 0
        self.__name__ = self.__qualname__ = "calls"

    def __call__(self, *args, **kwargs):
        self.count += 1
        return self.does(*args, **kwargs)


def test_it_gives_what_the_function_gives_and_counts_as_lru_cache_does():
    ours, theirs = dw.cached(maxsize=20)(divmod), functools.lru_cache(maxsize=20)(divmod)
    state = 7
    for _ in range(2000):
        state = state * 1103515245 % 2**31
        x, y = state >> 8 & 7, (state >> 16 & 7) + 1
        assert ours(x, y) == theirs(x, y) == divmod(x, y)
        assert ours.cache_info() == theirs.cache_info()
    ours.cache_clear()
    assert ours.cache_info() == dw.CacheInfo(0, 0, 20, 0) and ours.cache_parameters()["maxsize"] == 20


@pytest.mark.parametrize("maxsize", [0, 1, 2, None])
def test_any_bound(maxsize):
    calls = Calls(lambda x: x * 10)
    kept, theirs = dw.cached(maxsize)(calls), functools.lru_cache(maxsize)(lambda x: x * 10)
    for x in (1, 1, 2, 1, 3, 3, 1):
        assert kept(x) == theirs(x) == x * 10
    assert kept.cache_info() == theirs.cache_info() and calls.count == kept.cache_info().misses
    if maxsize:
        assert len(kept.cache) <= maxsize


def test_without_brackets_it_has_128():
    @dw.cached
    def double(x):
        return 2 * x

    for x in range(300):
        assert double(x) == 2 * x
    assert double.cache_info() == (0, 300, 128, 128)
    assert double.cache_parameters() == {"maxsize": 128, "max_bytes": None, "typed": False, "weak": False}


def test_it_looks_like_the_function():
    assert both.__name__ == "both" and both.__doc__ == "Doubles and adds." and both.__module__ == __name__
    assert inspect.signature(both) == inspect.signature(both.__wrapped__)
    assert both.__wrapped__(1, 2) == 4
    assert copy.copy(both) is both and copy.deepcopy(both) is both
    assert pickle.loads(pickle.dumps(both)) is both
    assert weakref.ref(both)() is both
    both.own = 1
    assert str(inspect.signature(both.cache_info)) == "() -> 'CacheInfo'"


def test_arguments_by_name_and_by_place_are_told_apart():
    calls = Calls()
    kept = dw.cached(maxsize=None)(calls)
    ways = [((), {}), ((1,), {}), (((1,),), {}), (("a",), {}), ((), {"a": 1}), ((1,), {"a": 1}), (("a", 1), {})]
    ways += [((), {"a": 1, "b": 2}), ((), {"b": 2, "a": 1}), ((1, 2), {}), (((1, 2),), {}), ((None,), {})]
    for args, kwargs in ways:
        assert kept(*args, **kwargs) == (args, kwargs) == kept(*args, **kwargs)
    assert calls.count == len(ways)


def test_types_are_told_apart_if_asked():
    for typed in (True, False):
        kept, theirs = dw.cached(typed=typed)(lambda x, y=0: x), functools.lru_cache(typed=typed)(lambda x, y=0: x)
        for function in (kept, theirs):
            for x in (3, 3.0, 3 + 0j):
                function(x)
            for y in (1, 1.0, True):
                function(3, y=y)
                function(3, y)
        assert kept.cache_info() == theirs.cache_info()
        assert kept.cache_info().misses == (9 if typed else 4)
    kept = dw.cached(typed=True)(lambda x: type(x))
    assert kept(1) is int and kept(True) is bool and kept(1.0) is float


def test_types_within_an_argument_are_not_told_apart():
    class Pair(tuple):
        pass

    for wrap in (lambda x: (x,), lambda x: Pair((x,))):
        kept, theirs = dw.cached(typed=True)(repr), functools.lru_cache(typed=True)(repr)
        for x in (1, True, 1.0, 0, False, 0.0):
            assert kept(wrap(x)) == theirs(wrap(x))
        assert kept.cache_info() == theirs.cache_info() == (4, 2, 128, 2)


def test_no_names_is_the_same_as_none_given_and_a_function_of_the_interpreter_can_be_kept(monkeypatch):
    kept = dw.cached(maxsize=4)(len)
    monkeypatch.setattr("builtins.len", kept)
    for length in (0, 0, 1, 2, 3, 3, 4, 5, 6, 1, 7, 2, 1):
        assert len("abcdefghijklmn"[:length]) == length
    monkeypatch.undo()
    no_names = {}
    kept("", **no_names)
    kept("")
    info = kept.cache_info()
    assert info.hits >= 1 and info.currsize == 4


def test_functions_and_their_caches_go_together():
    @dw.cached
    def plain(x):
        return x

    class Kind:
        @dw.cached
        def method(self, x):
            return self, x

        @staticmethod
        @dw.cached
        def static(x):
            return x

    plain(1), Kind.static(1), Kind().method(1)
    gone = [weakref.ref(plain), weakref.ref(Kind.method), weakref.ref(Kind.static), weakref.ref(plain.cache)]
    del plain, Kind
    gc.collect()
    assert [ref() for ref in gone] == [None] * 4


def test_arguments_are_hashed_once_a_call():
    class Hashed(int):
        count = 0

        def __hash__(self):
            Hashed.count += 1
            return int(self)

    kept = dw.cached(maxsize=1)(lambda x, y: x)
    x = Hashed(7)
    for turn in range(1, 4):
        kept(x, turn)
        assert Hashed.count == turn
    kept(x, 3)
    assert Hashed.count == 4


def test_exceptions_are_not_kept():
    calls = Calls(lambda x: "abc"[x])
    kept = dw.cached(calls)
    for _ in range(2):
        with pytest.raises(IndexError):
            kept(15)
    assert kept(0) == "a" and kept.cache_info() == (0, 3, 128, 1)
    with pytest.raises(TypeError, match="unhashable"):
        kept([])


def test_an_exception_that_its_arguments_keep_goes_with_them():
    class Job:
        @dw.cached
        def run(self):
            raise ValueError

    job = Job()
    try:
        job.run()
    except ValueError as error:
        job.error = error
    gone = weakref.ref(job)
    del job
    gc.collect()
    assert gone() is None


def test_a_comparison_that_raises_or_calls_again():
    class Bad:
        def __hash__(self):
            return 1

        def __eq__(self, other):
            raise KeyError("bad")

    kept = dw.cached(lambda x, y: x)
    first = Bad()
    assert kept(first, 1) is first
    with pytest.raises(KeyError, match="bad"):
        kept(Bad(), 1)

    class Again:
        def __init__(self, x):
            self.x = x

        def __hash__(self):
            return self.x

        def __eq__(self, other):
            if self.x == 2:
                again(Again(1))
            return self.x == other.x

    @dw.cached(maxsize=10)
    def again(it):
        return it.x

    assert [again(Again(x)) for x in (1, 2, 3, 1, 2, 2, 3)] == [1, 2, 3, 1, 2, 2, 3]


def test_functions_that_call_themselves():
    @dw.cached(maxsize=None)
    def fibonacci(n):
        return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)

    assert [fibonacci(n) for n in range(16)][-1] == 610
    assert fibonacci.cache_info() == (28, 16, None, 16)

    # The same result comes in while the function runs: the first stays.
    turns = iter([True])

    @dw.cached(maxsize=1)
    def entered(x):
        if next(turns, False):
            return [entered(x), "outer"][0]
        return [x]

    assert entered(5) is entered(5) and entered.cache_info().currsize == 1


def test_bytes_bound_it_and_it_can_be_shrunk():
    @dw.cached(maxsize=None, max_bytes="100 kB")
    def page(number):
        return bytes(10_000 + number)

    for number in range(20):
        page(number)
    stats = page.cache.stats()
    assert stats.bytes <= 100_000 and stats.evictions["max_bytes"] == 20 - stats.entries > 10
    page.cache.shrink("0%")
    assert page.cache_info().currsize == 0 and page.cache_parameters()["max_bytes"] == "100 kB"

    @dw.cached(max_bytes=10, weigher=lambda arguments, result: arguments)
    def number(x):
        return object()

    with pytest.warns(dw.CacheWarning, match="weighs 11 bytes"):
        assert number(11) is not number(11)
    assert number(5) is number(5)
    for wrong in ({"maxsize": -1}, {"max_bytes": "much"}):
        with pytest.raises(ValueError):
            dw.cached(**wrong)


def test_what_has_no_results_to_keep_is_refused():
    def numbers():
        yield 1

    async def more():
        yield 1

    for function in (numbers, more):
        with pytest.raises(TypeError, match=f"{function.__name__} is a generator function"):
            dw.cached(function)
        with pytest.raises(TypeError, match=r"cached: functools\.partial\(.*\) is a generator function"):
            dw.cached(functools.partial(function))
    with pytest.raises(TypeError, match="maxsize"):
        dw.cached("12")
    with pytest.raises(TypeError, match="takes a function, not int"):
        dw.cached()(5)


def test_in_a_class_it_is_a_method():
    class Kind:
        @dw.cached
        def method(self, x):
            return self, x

        @staticmethod
        @dw.cached
        def static(x):
            return [x]

        @classmethod
        @dw.cached
        def of_class(cls, x):
            return [cls, x]

    a, b = Kind(), Kind()
    assert a.method(1) == (a, 1) and b.method(1) == (b, 1) and Kind.method.cache_info().misses == 2
    assert Kind.static(1) is a.static(1) and Kind.of_class(1) is a.of_class(1)


def test_threads():
    @dw.cached(maxsize=5)
    def found(x):
        return [x]

    results, start = [], threading.Barrier(8)

    def work():
        start.wait()
        for turn in range(500):
            assert found(turn % 7) == [turn % 7]
            if turn % 100 == 0:
                found.cache_clear()
        results.append(True)

    switch = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(switch)
    assert len(results) == 8 and found.cache_info().currsize <= 5


def test_threads_that_call_at_a_time_get_the_same():
    inside = threading.Barrier(2)

    @dw.cached
    def made(x):
        inside.wait(10)
        return object()

    results = []
    threads = [threading.Thread(target=lambda: results.append(made(1))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results[0] is results[1] and made(1) is results[0]


def test_weak_results_last_as_long_as_somebody_uses_them():
    class Table:
        def __init__(self, name):
            self.name = name

    @dw.cached(weak=True)
    def table(name, fails=False):
        return name if fails else Table(name)

    @dw.cached(weak=True)
    async def table_later(name):
        await asyncio.sleep(0)
        return Table(name)

    first = table("a")
    assert table("a") is first and table.cache_info() == (1, 1, None, 1)
    assert table.cache_parameters() == {"maxsize": None, "max_bytes": None, "typed": False, "weak": True}
    gone = weakref.ref(first)
    del first
    assert gone() is None and table.cache_info().currsize == 0 and table("a").name == "a"
    with pytest.raises(TypeError, match="no weak reference to 'str' objects"):
        table("a", fails=True)

    async def main():
        one, two = await asyncio.gather(table_later("b"), table_later("b"))
        assert one is two is await table_later("b")
        return weakref.ref(one)

    assert asyncio.run(main())() is None
    for wrong in ({"max_bytes": 5}, {"weigher": len}):
        with pytest.raises(TypeError, match="held weakly"):
            dw.cached(weak=True, **wrong)


def test_an_object_may_be_an_async_function():
    class Fetch:
        async def __call__(self, x):
            return [x]

    class Pages:
        fetch = dw.cached_method(Fetch())

    fetch, pages = dw.cached(Fetch()), Pages()

    async def main():
        assert await fetch(1) is await fetch(1)
        assert await pages.fetch() is await pages.fetch()

    asyncio.run(main())
    # A class whose instances are such gives no coroutine itself.
    made = dw.cached(Fetch)()
    assert isinstance(made, Fetch)


def test_async_functions_keep_results():
    count = 0

    @dw.cached(maxsize=2)
    async def fetch(x):
        nonlocal count
        count += 1
        await asyncio.sleep(0)
        return [x]

    async def main():
        first = await fetch(1)
        assert await fetch(1) is first and count == 1
        found = await asyncio.gather(*(fetch(x) for x in (2, 2, 3, 2, 3)))
        assert found == [[2], [2], [3], [2], [3]] and count == 3
        assert found[0] is found[1] is found[3]
        assert await fetch(1) == [1] and count == 4

    assert inspect.iscoroutinefunction(fetch)
    asyncio.run(main())
    assert asyncio.run(fetch(1)) == [1] and count == 4 and fetch.cache_info().currsize == 2


def test_async_runs_that_fail_are_not_kept_and_all_who_wait_are_told():
    count = 0

    @dw.cached
    async def fetch(x):
        nonlocal count
        count += 1
        await asyncio.sleep(0)
        raise OSError(count)

    async def main():
        found = await asyncio.gather(fetch(1), fetch(1), return_exceptions=True)
        assert [str(it) for it in found] == ["1", "1"]
        with pytest.raises(OSError, match="2"):
            await fetch(1)

    asyncio.run(main())
    assert fetch.cache_info().currsize == 0


def test_async_runs_end_when_all_who_wait_are_cancelled():
    ended, count = [], 0

    @dw.cached
    async def fetch(x):
        nonlocal count
        count += 1
        try:
            await halt.wait()
        except asyncio.CancelledError:
            await asyncio.sleep(0)
            ended.append(x)
            raise
        return [x]

    async def cancelled(task):
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    async def main():
        nonlocal halt
        halt = asyncio.Event()
        first, second = asyncio.ensure_future(fetch(1)), asyncio.ensure_future(fetch(1))
        while not count:
            await asyncio.sleep(0)
        await cancelled(first)
        # The other still waits, and so does who comes now.
        third = asyncio.ensure_future(fetch(1))
        await asyncio.sleep(0)
        assert not ended and count == 1
        await cancelled(second)
        await cancelled(third)
        assert ended == [1] and fetch.cache_info().currsize == 0
        fourth = asyncio.ensure_future(fetch(1))
        while count == 1:
            await asyncio.sleep(0)
        halt.set()
        assert await fourth == [1] and count == 2 and fetch.cache_info().currsize == 1

    halt = None
    asyncio.run(main())


def test_async_calls_of_two_loops_do_not_wait_for_each_other():
    inside = threading.Barrier(2)

    @dw.cached
    async def fetch(x):
        inside.wait(10)
        return object()

    results = []
    threads = [threading.Thread(target=lambda: results.append(asyncio.run(fetch(1)))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results[0] is results[1]


def test_a_loop_that_is_closed_goes_with_the_runs_it_left():
    @dw.cached
    async def fetch(x):
        started.append(x)
        await asyncio.get_running_loop().create_future()

    async def main(x):
        asyncio.ensure_future(fetch(x)).set_name("left")
        while x not in started:
            await asyncio.sleep(0)

    started, gone = [], []
    for x in range(3):
        loop = asyncio.new_event_loop()
        # A task that is left is told of as it goes.
        loop.set_exception_handler(lambda loop, told: None)
        loop.run_until_complete(main(x))
        loop.close()
        gone.append(weakref.ref(loop))
        del loop
    gc.collect()
    assert [ref() for ref in gone] == [None] * 3 and started == [0, 1, 2]


def test_what_is_too_heavy_is_given_and_counted_and_the_first_is_warned_of():
    @dw.cached(max_bytes="10 kB")
    def page(number):
        return bytes(20_000 * (number % 2))

    with pytest.warns(
        dw.CacheWarning, match=r"a result of .*page was not kept.* max_bytes=10,000.*weigher"
    ) as caught:
        for number in range(10):
            assert len(page(number)) == 20_000 * (number % 2)
    assert [warning.filename for warning in caught] == [__file__]
    info = page.cache_info()
    assert info == (0, 10, 128, 5) and info.refused == 5
    assert repr(info) == "CacheInfo(hits=0, misses=10, maxsize=128, currsize=5, refused=5)"
    for twin in (copy.copy(info), pickle.loads(pickle.dumps(info))):
        assert twin == info and twin.refused == 5 and type(twin) is dw.CacheInfo
    page.cache_clear()
    assert page.cache_info().refused == 0 and "refused" not in repr(page.cache_info())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        page(11)
        # Nothing is kept there because nothing is to be.
        for off in ({"max_bytes": 0}, {"maxsize": 0, "max_bytes": 5}):
            assert dw.cached(**off)(lambda: bytes(1000))() == bytes(1000)


def test_a_result_that_is_too_heavy_is_an_error_where_warnings_are():
    @dw.cached(max_bytes=100)
    def page(number):
        return bytes(1000)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(dw.CacheWarning):
            page(1)
        assert page(1) == bytes(1000) and page.cache_info().refused == 2


def test_a_result_of_an_async_function_that_is_too_heavy_is_warned_of_where_that_is_written():
    @dw.cached(max_bytes="10 kB")
    async def page(number):
        return bytes(20_000)

    async def main():
        return [len(await page(number)) for number in range(3)]

    with pytest.warns(dw.CacheWarning, match=r"a result of .*page was not kept") as caught:
        assert asyncio.run(main()) == [20_000] * 3
    first = page.__wrapped__.__code__.co_firstlineno
    assert [(warning.filename, warning.lineno) for warning in caught] == [(__file__, first)]


def test_what_has_no_name_is_warned_of_by_its_class():
    class Pages:
        def __call__(self, number):
            return bytes(20_000)

        def __repr__(self):
            raise AssertionError("may be as long as it likes")

    page = dw.cached(max_bytes="10 kB")(Pages())
    with pytest.warns(dw.CacheWarning, match=r"a result of a .*Pages was not kept"):
        page(1)


def test_a_call_of_an_async_function_that_failed_keeps_none_of_its_arguments():
    class Argument:
        pass

    @dw.cached
    async def fetch(x):
        await asyncio.sleep(0)
        raise KeyError

    async def main():
        argument = Argument()
        gone = weakref.ref(argument)
        try:
            await fetch(argument)
        except KeyError:
            del argument
        # The loop has what it called last in hand for another turn.
        await asyncio.sleep(0)
        return gone() is None

    gc.disable()
    try:
        assert asyncio.run(main())
    finally:
        gc.enable()


def test_what_is_replaced_in_its_numbers_keeps_the_others():
    info = dw.CacheInfo(1, 2, 3, 4, refused=5)
    other = info._replace(hits=7)
    assert (other, other.refused, type(other)) == ((7, 2, 3, 4), 5, dw.CacheInfo)
    assert (info._replace(refused=6), info._replace(refused=6).refused, info.refused) == (info, 6, 5)
    with pytest.raises((TypeError, ValueError)):
        info._replace(hit=1)
    if sys.version_info >= (3, 13):
        assert copy.replace(info, misses=1).refused == 5


@pytest.mark.parametrize("is_method", [False, True])
def test_what_began_before_a_clear_is_neither_joined_nor_kept(is_method):
    async def main():
        runs = []

        class Reader:
            async def read(self, number):
                runs.append(asyncio.get_running_loop().create_future())
                return await runs[-1]

        reader = Reader()
        if is_method:
            kept = dw.cached_method(Reader.read)
            call, clear = (lambda: kept(reader, 1)), (lambda: kept.cache_clear(reader))
        else:
            kept = dw.cached(reader.read)
            call, clear = (lambda: kept(1)), kept.cache_clear
        before = asyncio.create_task(call())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        clear()
        after = asyncio.create_task(call())
        while len(runs) < 2:
            await asyncio.sleep(0)
        runs[0].set_result("old")
        assert await before == "old"
        runs[1].set_result("new")
        assert await after == "new" and await call() == "new" and len(runs) == 2

    asyncio.run(asyncio.wait_for(main(), 60))
