"""What a program may do to us: each question still gets its answer, or one sentence."""

import ctypes
import subprocess
import sys
import threading

import deadweight as dw


def run(program):
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done


class Liar:
    def __sizeof__(self):
        raise RuntimeError

    @property
    def __class__(self):
        raise RuntimeError

    def __getattr__(self, name):
        raise RuntimeError(name)

    def __eq__(self, other):
        raise RuntimeError

    def __hash__(self):
        raise RuntimeError

    def __repr__(self):
        raise RuntimeError


LIARS = []


def test_liars_in_whole_heaps_and_in_growth():
    LIARS.extend(Liar() for _ in range(10))
    assert dw.snapshot().census()[f"{__name__}.Liar"].count >= 10
    growth = dw.growth(warmup=0)
    for _ in growth.rounds(2):
        LIARS.append(Liar())
    assert [leak.holder for leak in growth.leaks] == [f"{__name__}.LIARS"]
    with dw.peak() as p:
        LIARS.clear()
    assert p.net < 0


CARRIER: list = []


def test_a_size_that_no_memory_has():
    """A ctypes object tells how large its data is; so do dead ones whose memory has been used again."""
    size_at, told = 40, ctypes.c_ssize_t()
    for kind in (ctypes.c_int * 10, ctypes.c_int * 100, ctypes.c_int * 100_000):
        data = kind()
        CARRIER.append(data)
        before = dw.deepsizeof(data)
        assert before.total >= ctypes.sizeof(kind) and before.trust == "measured"
        place = ctypes.c_ssize_t.from_address(id(data) + size_at)
        told.value, place.value = place.value, 140 << 40
        try:
            assert told.value == ctypes.sizeof(kind)
            weight, layout = dw.deepsizeof(data), dw.layout(data)
            assert weight.total == dw.sizeof(data) == layout.held
            assert weight.requested == layout.requested <= layout.held
            if ctypes.sizeof(kind) <= 512:
                # The small-block allocator knows better.
                assert weight.total == before.total
                assert "modelled" in [block.trust for block in layout.blocks]
            else:
                assert weight.total < before.total
                assert weight.trust == "modelled"
            heap = dw.snapshot()
            assert heap[id(data)][0].held <= weight.total
            assert any("could not be read whole" in gap for gap in heap.gaps)
        finally:
            place.value = told.value
            CARRIER.clear()
        assert dw.deepsizeof(data).total == before.total


def test_from_another_thread():
    answers = []

    def work():
        with dw.peak() as p:
            kept = bytearray(1_000_000)
        growth = dw.growth(warmup=0)
        for _ in growth.rounds(2):
            pass
        answers.append((p.net, growth.leaks, len(dw.snapshot()), kept))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    net, leaks, objects, _ = answers[0]
    assert abs(net - 1_000_000) < 4000
    assert leaks == ()
    assert objects > 1000


def test_at_shutdown():
    run("""
import atexit, sys
import deadweight as dw

class Last:
    def __init__(self):
        self.questions = dw.sizeof, dw.deepsizeof, dw.snapshot, dw.peak
    def __del__(self):
        sizeof, deepsizeof, snapshot, peak = self.questions
        for ask in (lambda: sizeof([1]), lambda: deepsizeof([1]), snapshot, lambda: peak().__enter__()):
            try:
                ask()
            except Exception as error:
                assert str(error)

@atexit.register
def last():
    with dw.peak() as p:
        assert dw.sizeof([]) > 0
        assert len(dw.snapshot()) > 1000
    assert p.peak >= 0

keep = Last()
keep.ring = keep
open_still = dw.peak()
open_still.__enter__()
""")


def test_a_snapshot_while_something_is_being_deleted():
    run("""
import deadweight as dw
seen = []
class Bad:
    def __del__(self):
        seen.append((dw.sizeof(self), len(dw.snapshot())))
        raise RuntimeError
bad = Bad()
import sys
sys.unraisablehook = lambda _: None
del bad
assert len(seen) == 1, seen
""")


def test_in_a_subinterpreter():
    """Refused in words, by the import or by the question; the main interpreter goes on."""
    run("""
import sys
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
import deadweight as dw
other = interpreters.create()
program = '''
try:
    import deadweight
except ImportError as error:
    assert "subinterpreter" in str(error) or "interpreter" in str(error), error
else:
    # Up to 3.11 all interpreters share one lock, and the module serves them all.
    import sys
    assert sys.version_info < (3, 12)
    assert deadweight.sizeof([]) > 0
'''
failed = interpreters.run_string(other, program)
assert not failed, failed
assert dw.sizeof([]) > 0
assert len(dw.snapshot()) > 1000
try:
    with dw.peak():
        pass
except dw.Unsupported as error:
    assert "subinterpreters" in str(error)
interpreters.destroy(other)
with dw.peak() as p:
    pass
assert p.peak == 0
""")


def test_subinterpreters_that_come_and_go_meanwhile():
    """From 3.12 on each has a lock of its own: nothing of theirs stays where it is while we look."""
    done = run("""
import os, sys, tempfile, threading, time
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
import deadweight as dw
from deadweight import _core

stop = False
def churn():
    while not stop:
        other = interpreters.create()
        interpreters.run_string(other, "kept = [{} for _ in range(30000)]")
        interpreters.destroy(other)

thread = threading.Thread(target=churn)
thread.start()
with tempfile.NamedTemporaryFile() as file:
    for _ in range(100):
        _core.survey(file.name, [("kept", [[1] * 10] * 10)], 5.0)
        dw.deepsizeof([[1] * 10] * 10)
        dw.sizeof([])
        time.sleep(0)
stop = True
thread.join()
print("done")
""")
    assert done.stdout == "done\n"


def test_classes_called_by_an_instance_of_a_subclass_of_str():
    """As mappers of database tables make them; even by the name of a C type whose struct is known."""
    run("""
import deadweight as dw

class Name(str):
    pass

for name in "list dict str array.array collections.deque numpy.ndarray memoryview frame _pickle.Pickler".split():
    here = type(Name(name), (), {"__slots__": tuple("abcdefghij")})
    class later:
        __slots__ = tuple("abcdefghij")
    later.__name__ = Name(name)
    plain = type("Plain", (), {"__slots__": tuple("abcdefghij")})()
    for made in here(), later():
        for slot in "abcdefghij":
            setattr(made, slot, [])
            setattr(plain, slot, [])
        assert dw.sizeof(made) == dw.sizeof(plain)
        assert dw.deepsizeof(made).total == dw.deepsizeof(plain).total
        parts = dw.layout(made).blocks[0].parts
        assert [part.name for part in parts if part.kind == "field"] == list("abcdefghij"), parts
        assert [part.size for part in parts] == [part.size for part in dw.layout(plain).blocks[0].parts]
""")
