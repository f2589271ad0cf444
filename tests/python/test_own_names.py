"""What the package's own caches keep is named in heaps, from inside and from outside."""

import json
import subprocess
import sys

import deadweight as dw
import pytest
from deadweight import _core


class Request:
    def __init__(self):
        self.body = bytearray(1_000)


class Login:
    pass


CACHE = dw.Cache()
WEAK = dw.WeakCache(hot=2)
BUS = dw.Bus()


@pytest.fixture(autouse=True)
def empty_caches():
    yield
    CACHE.clear()
    WEAK.clear()


def test_why_names_what_a_cache_keeps():
    for number in range(100):
        CACHE[f"key {number}", number] = Request()
    del CACHE["key 7", 7]
    heap = dw.snapshot()
    assert [path.path for path in heap.why("Request").paths] == [f"{__name__}.CACHE[*]"]
    assert heap.why("Request").count == 99
    assert heap.why(f"{__name__}.CACHE[*]").count == 99
    assert heap.why(f"{__name__}.CACHE[key *]").count == 99
    assert heap.why(f"{__name__}.CACHE").retained > 99 * 1_000
    row = heap.census()["deadweight._cache.Cache"]
    assert row.held >= 40 * 100
    assert heap.why(f"{__name__}.CACHE[#8]").count == 1
    with pytest.raises(LookupError):
        heap.why(f"{__name__}.CACHE[#7]")


def test_keys_of_a_cache_are_kept_if_asked_for():
    CACHE["first"] = Request()
    assert dw.snapshot(values=True).why("Request").paths[0].path == f"{__name__}.CACHE['first']"


def test_an_emptied_cache_names_nothing():
    for number in range(100):
        CACHE[number] = Request()
    CACHE.clear()
    with pytest.raises(LookupError):
        dw.snapshot().why(f"{__name__}.CACHE[*]")
    for number in range(100):
        CACHE[number] = Request()
    for _ in range(100):
        CACHE.popitem()
    CACHE["last"] = Request()
    heap = dw.snapshot()
    assert heap.why("Request").count == 1
    assert heap.why(f"{__name__}.CACHE[*]").count == 1


def test_hooks_of_a_cache_have_names():
    class Weigher:
        def __call__(self, key, value):
            return 1

    global HOOKED
    HOOKED = dw.Cache(weigher=Weigher(), on_evict=print)
    try:
        assert dw.snapshot().why("Weigher").paths[0].path == f"{__name__}.HOOKED.<weigher>"
    finally:
        del HOOKED


def test_a_weak_cache_names_what_it_holds():
    kept = [Request() for _ in range(5)]
    for number, request in enumerate(kept):
        WEAK[number] = request
    del request
    kept.clear()
    heap = dw.snapshot()
    why = heap.why("Request")
    assert why.count == 2
    assert [path.path for path in why.paths] == [f"{__name__}.WEAK[*]"]


def test_growth_names_the_cache():
    growth = dw.growth(warmup=1)
    for round_ in growth.rounds(4):
        for number in range(50):
            CACHE[round_, number] = Request()
    leaks = {leak.type.rpartition(".")[2]: leak.path for leak in growth.leaks}
    assert leaks["Request"] == f"{__name__}.CACHE[*]"


def test_results_of_cached_functions_have_names():
    global fetched
    fetched = dw.cached(lambda number: Request())
    try:
        for number in range(20):
            fetched(number)
        path = dw.snapshot().why("Request").paths[0].path
        assert path.startswith(f"{__name__}.fetched.")
        assert path.endswith("[*]")
    finally:
        del fetched


def handler_of(login):
    return lambda: login


def test_a_bus_names_its_handlers():
    BUS.connect(handler_of(Login()))
    paths = [path.path for path in dw.snapshot().why("Login").paths]
    assert paths == [f"{__name__}.BUS._handlers[0].<closure>.login"]


PROGRAM = """
import sys
import deadweight as dw

class Request:
    def __init__(self):
        self.body = bytearray(1_000)

cache = dw.Cache(max_bytes="10 MB")
for number in range(100):
    cache[number] = Request()
print("ready", flush=True)
sys.stdin.read()
"""


def test_a_cache_is_read_from_outside():
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as program:
        assert program.stdout.readline() == "ready\n"
        heap = dw.snapshot(pid=program.pid)
        program.stdin.close()
    why = heap.why("Request")
    assert (why.count, [path.path for path in why.paths]) == (100, ["__main__.cache[*]"])
    # What `_core` says of itself is right: no reference leads nowhere.
    assert not [gap for gap in heap.gaps if "led to no object" in gap]


CYCLES = """
import gc, sys
import deadweight as dw

def drop():
    @dw.cached(max_bytes="1 MB")
    def fibonacci(n):
        return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)
    assert fibonacci(10) == 55

    @dw.cached
    async def later(n):
        return later

class Report:
    def __init__(self):
        self.me = self

    @dw.cached_method(max_bytes="1 MB")
    def row(self, number):
        return [self, number]

gc.collect()
gc.disable()
for _ in range(100):
    drop()
    Report().row(1)
print("ready", flush=True)
sys.stdin.readline()
print(gc.collect(), flush=True)
sys.stdin.readline()
"""


def test_what_would_be_freed_with_the_caches_of_functions_is_what_is_freed(capfd):
    with subprocess.Popen(
        [sys.executable, "-c", CYCLES], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as program:
        assert program.stdout.readline() == "ready\n"
        # Not in a process of its own: whose children it may look at is the machine's to say.
        assert _core.run(["deadweight", "gc", "--json", str(program.pid)]) == 0
        program.stdin.write("\n")
        freed = int(program.stdout.readline())
    assert json.loads(capfd.readouterr().out)["would_free"]["tracked"] == freed > 3_000
