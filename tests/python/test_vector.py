"""Vectors in files: as a list and as NumPy see them, in a process that is killed, beside another process."""

import array
import doctest
import gc
import math
import mmap
import os
import pathlib
import re
import resource
import signal
import struct
import subprocess
import sys
import threading
import warnings

import deadweight as dw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

# The same each time, so that nothing fails by chance; at length, others each time.
AT_LENGTH = "DEADWEIGHT_AT_LENGTH" in os.environ
TYPES = {
    "i1": "b",
    "i2": "h",
    "i4": "i",
    "i8": "q",
    "u1": "B",
    "u2": "H",
    "u4": "I",
    "u8": "Q",
    "f4": "f",
    "f8": "d",
}


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def header(path):
    """What the file says of itself, taken apart as `numpy.lib.format` says."""
    with open(path, "rb") as file:
        magic, length = struct.unpack("<8sH", file.read(10))
        assert magic == b"\x93NUMPY\x01\x00"
        return eval(file.read(length))


def program(text, *arguments):
    return [sys.executable, "-c", text, *map(str, arguments)]


def test_what_the_docstring_shows():
    names = {"dw": dw}
    examples = doctest.DocTestParser().get_doctest(dw.Vector.__doc__, names, "Vector", None, None)
    assert doctest.DocTestRunner().run(examples).failed == 0


@pytest.mark.parametrize("dtype", TYPES)
def test_values_of_each_type(dtype):
    bits = 8 * int(dtype[1])
    if dtype[0] == "f":
        some, beyond = [0.0, -1.5, math.inf, 2.0**60], []
    else:
        low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if dtype[0] == "i" else (0, 2**bits - 1)
        some, beyond = [low, high, 0, 1], [low - 1, high + 1, 2**100]
    with dw.Vector.create("v", dtype, 4) as vector:
        for place, value in enumerate(some):
            vector[place] = value
        assert vector.tolist() == some == [vector[place] for place in range(-4, 0)]
        vector[:] = array.array(TYPES[dtype], some[::-1])
        assert vector.tolist() == some[::-1]
        assert memoryview(vector).format == vector[:].format == TYPES[dtype]
        assert memoryview(vector) == vector[:] == array.array(TYPES[dtype], some[::-1])
        for value in beyond:
            with pytest.raises(OverflowError, match=f"does not fit into {dtype}"):
                vector[0] = value
            with pytest.raises(OverflowError, match=f"does not fit into {dtype}"):
                vector[:] = [0, 0, 0, value]
        for value in ("1", None, b"1", [1], 1j) + ((1.5,) if dtype[0] != "f" else ()):
            with pytest.raises(TypeError):
                vector[0] = value
        assert vector.tolist() == some[::-1]
        assert vector.nbytes == 4 * bits // 8
    with dw.Vector.open("v") as vector:
        assert (vector.dtype, vector.tolist(), vector.valid) == (dtype, some[::-1], 4)


def test_flags_and_narrow_floats():
    with dw.Vector.create("v", bool, 3) as vector:
        vector[1] = True
        vector[2:] = [True]
        assert vector.tolist() == [False, True, True] == memoryview(vector).tolist()
        with pytest.raises(TypeError):
            vector[0] = 1
    with dw.Vector.create("v", "f4", 2) as vector:
        vector[0] = 0.1
        assert vector[0] == struct.unpack("f", struct.pack("f", 0.1))[0]
        with pytest.raises(OverflowError):
            vector[1] = 1e39


slices = st.builds(
    slice, *[st.none() | st.integers(-70_000, 70_000)] * 2, st.none() | st.integers(-9, 9).filter(bool)
)


@settings(max_examples=100 if AT_LENGTH else 40, derandomize=not AT_LENGTH, deadline=None)
@given(
    length=st.sampled_from([0, 1, 7, 30_000]),
    steps=st.lists(st.tuples(slices, st.sampled_from(["list", "array", "strided", "own"])), max_size=6),
)
def test_slices_are_those_of_a_list(length, steps):
    values = list(range(length))
    with dw.Vector.create("v", "i4", length) as vector:
        vector[:] = values
        for number, (chosen, how) in enumerate(steps):
            count = len(values[chosen])
            if how == "own":
                start = number if number + count <= length else 0
                new = values[start : start + count]
                vector[chosen] = memoryview(vector)[start : start + count]
            else:
                new = list(range(-number, 2 * count - number, 2))
                given = {"list": new, "array": array.array("i", new)}.get(how)
                if given is None:
                    given = memoryview(array.array("i", range(-number, 2 * count - number)))[::2]
                vector[chosen] = given
            values[chosen] = new
            assert vector[chosen].tolist() == values[chosen]
        assert vector.tolist() == values == list(vector)


def test_a_vector_keeps_its_length():
    with dw.Vector.create("v", "u2", 10) as vector:
        for values in (
            [],
            [1, 2],
            [1] * 4,
            iter([1] * 4),
            array.array("H", [1, 2]),
            (value for value in range(100)),
        ):
            with pytest.raises(ValueError, match="places"):
                vector[2:5] = values
        with pytest.raises(TypeError):
            vector[2:5] = 7
        # What is wrong with a buffer is said, and not that it is none.
        released = memoryview(b"abc")
        released.release()
        with pytest.raises(ValueError, match="released"):
            vector[2:5] = released

        def fails():
            yield 1
            raise KeyError("mine")

        with pytest.raises(KeyError, match="mine"):
            vector[2:5] = fails()
        assert vector.tolist() == [0] * 10
        for place in (10, -11, 2**70):
            with pytest.raises(IndexError):
                vector[place]
            with pytest.raises(IndexError):
                vector[place] = 1
        with pytest.raises(TypeError, match="a number or a slice"):
            vector["a"]


def test_values_that_make_the_vector_shorter():
    vector = dw.Vector.create("v", "u2", 10)

    def values():
        vector.resize(2)
        yield from range(5)

    with pytest.raises(OSError, match="became shorter"):
        vector[:5] = values()
    assert (vector.tolist(), os.path.getsize("v")) == ([0, 0], 132)


def test_iteration_sees_what_is_written_meanwhile():
    with dw.Vector.create("v", "i8", 100) as vector:
        for place, value in enumerate(vector):
            assert value == place
            if place < 99:
                vector[place + 1] = value + 1
        view = memoryview(vector)
        for place, value in enumerate(vector):
            assert value == (place if place == 0 else -1)
            if place < 99:
                view[place + 1] = -1
        view.release()


def test_buffers_are_the_file_and_hold_it():
    vector = dw.Vector.create("v", "f8", 100)
    view = memoryview(vector)
    assert (view.shape, view.strides, view.readonly, view.nbytes) == ((100,), (8,), False, 800)
    view[7] = 1.5
    vector[8] = 2.5
    assert (vector[7], view[8]) == (1.5, 2.5)
    assert pathlib.Path("v").read_bytes()[-800:] == view.tobytes()
    for change in (vector.close, lambda: vector.resize(10), lambda: vector.grow(1)):
        with pytest.raises(BufferError, match="v cannot be"):
            change()
    part = view[:10]
    view.release()
    with pytest.raises(BufferError):
        vector.grow(1)
    part.release()
    vector.grow(28)
    assert len(vector) == len(memoryview(vector)) == 128
    vector.close()
    vector.close()
    assert vector.closed
    questions = (len, list, memoryview, lambda v: v[0], lambda v: v[:], lambda v: v.valid, lambda v: v.flush())
    for ask in (*questions, lambda v: v.resize(1), lambda v: v.__setitem__(0, 1.0), lambda v: v.__enter__()):
        with pytest.raises(ValueError, match="v is closed"):
            ask(vector)
    assert repr(vector) == "<Vector v: closed>"


def test_a_buffer_outlives_its_vector():
    with dw.Vector.create("v", "f8", 10) as vector:
        view = memoryview(vector)
        view[3] = 1.5
    del vector
    gc.collect()
    view[4] = 2.5
    view.release()
    with dw.Vector.open("v") as vector:
        assert (vector.valid, vector[3], vector[4]) == (10, 1.5, 2.5)


def test_what_is_opened_for_reading_stays_as_it_is():
    dw.Vector.create("v", "f8", 10).close()
    before = pathlib.Path("v").read_bytes()
    with dw.Vector.open("v") as vector:
        assert memoryview(vector).readonly
        for change in (
            lambda: vector.__setitem__(0, 1.0),
            lambda: vector.__setitem__(slice(0, 1), [1.0]),
            lambda: vector.grow(1),
            lambda: vector.resize(1),
        ):
            with pytest.raises(TypeError, match="opened for reading"):
                change()
        with pytest.raises(TypeError):
            memoryview(vector)[0] = 1.0
        vector.flush()
    assert pathlib.Path("v").read_bytes() == before


FILLS = """
import os, sys, deadweight as dw
vector = dw.Vector.create("v", "i8", 1000)
for place in range(1000):
    vector[place] = place + 1
    if place + 1 == int(sys.argv[1]):
        vector.flush()
    if place + 1 == int(sys.argv[2]):
        os.kill(os.getpid(), 9)
"""


@pytest.mark.parametrize(("flushed", "killed"), [(0, 1), (0, 500), (300, 300), (300, 301), (1000, 1000)])
def test_a_crash_leaves_a_file_that_says_what_is_valid(flushed, killed):
    done = subprocess.run(program(FILLS, flushed, killed))
    assert done.returncode == -signal.SIGKILL
    assert os.listdir() == ["v"]
    assert header("v") == {"descr": "<i8", "fortran_order": False, "shape": (flushed,)}
    with dw.Vector.open("v", "r+") as vector:
        assert (vector.dtype, len(vector), vector.valid) == ("i8", 1000, flushed)
        assert vector[: vector.valid].tolist() == list(range(1, flushed + 1))
        vector[flushed:] = range(flushed + 1, 1001)
    assert header("v")["shape"] == (1000,)
    assert dw.Vector.open("v").tolist() == list(range(1, 1001))


def test_who_only_looks_says_nothing_about_what_is_valid():
    left = dw.Vector.create("v", "i8", 10)
    left[:3] = range(3)
    left.flush()
    for mode in ("r", "r+"):
        with dw.Vector.open("v", mode) as vector:
            assert (vector.valid, vector[:3].tolist(), len(vector)) == (3, [0, 1, 2], 10)
            with pytest.raises(OSError, match="No space left"):
                (vector if mode == "r+" else dw.Vector.open("v", "r+")).resize(2**48)
        assert header("v")["shape"] == (3,)
    # Who writes says it, though.
    for change in (
        lambda vector: vector.__setitem__(5, 1),
        lambda vector: vector.__setitem__(slice(None, None, 5), [1, 2]),
        lambda vector: memoryview(vector).release(),
    ):
        left.flush(3)
        with dw.Vector.open("v", "r+") as vector:
            change(vector)
        assert header("v")["shape"] == (10,)
    left.close()


def test_valid_is_what_the_file_says_now():
    with (
        dw.Vector.create("v", "i8", 10) as vector,
        dw.Vector.open("v") as reader,
        dw.Vector.open("v", "r+") as other,
    ):
        for end in (3, 6):
            vector[:end] = range(end)
            vector.flush()
            assert reader.valid == vector.valid == other.valid == end
        other[1] = 7
        other.flush()
        assert reader.valid == 6
        vector.flush(2)
        assert reader.valid == 2
        vector.flush()
        assert reader.valid == 6
        vector.grow(10)
        vector.flush(20)
        assert (vector.valid, reader.valid) == (20, 10)
        with pytest.raises(TypeError, match="opened for reading"):
            reader.flush(1)
        os.truncate("v", 100)
        with pytest.raises(OSError, match="v became shorter"):
            _ = reader.valid


def test_what_is_written_and_not_closed_is_warned_of():
    with pytest.warns(ResourceWarning, match="v was written and not closed"):
        vector = dw.Vector.create("v", "i8", 10)
        vector[:5] = range(5)
        del vector
    # What is all valid anyway, or was not written here.
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        vector = dw.Vector.open("v", "r+")
        del vector
        vector = dw.Vector.open("v", "r+")
        vector.flush(10)
        vector[0] = 1
        del vector


@pytest.mark.parametrize("length", [1000, 1_000_000])
def test_a_slice_from_the_same_file_is_taken_as_it_was(length):
    before = array.array("I", range(length))
    with dw.Vector.create("v", "u4", length) as vector:
        vector[:] = before
    kept = memoryview(vector := dw.Vector.open("v", "r+"))
    vector.__exit__(None, None, None)
    with dw.Vector.open("v", "r+") as vector, dw.Vector.open("v") as other, open("v", "r+b") as file:
        theirs = mmap.mmap(file.fileno(), 0)
        private = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
        views = [memoryview(one)[128:].cast("I") for one in (theirs, private)]
        for view in (kept, memoryview(vector), memoryview(other), *views):
            vector[:] = before
            vector[1:] = view[:-1]
            assert vector[:] == array.array("I", [0, *before[:-1]])
            del view
        for view in views:
            view.release()


def test_nobody_makes_it_shorter_or_closes_it_while_it_is_flushed():
    with dw.Vector.create("v", "i8", 1000) as vector:
        stop = threading.Event()
        refused = []

        def flush():
            while not stop.is_set():
                try:
                    vector.flush(500)
                except (BufferError, ValueError) as error:
                    refused.append(str(error))

        threads = [threading.Thread(target=flush) for _ in range(2)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(200):
                for length in (10, 1000):
                    try:
                        vector.resize(length)
                    except BufferError as error:
                        refused.append(str(error))
                assert header("v")["shape"][0] <= len(vector)
                assert dw.Vector.open("v").valid <= 1000
        finally:
            stop.set()
            for thread in threads:
                thread.join()
    assert {error.split(" while")[0] for error in refused} <= {
        "v cannot be resized",
        "v cannot be used",
        "500 of 10 values cannot be valid",
    }


def test_a_signal_ends_a_slice_from_an_iterable_before_it_is_written():
    vector = dw.Vector.create("v", "i8", 20_000_000)
    before = signal.signal(signal.SIGALRM, lambda *_: 1 / 0)
    signal.setitimer(signal.ITIMER_REAL, 0.02)
    try:
        # No code of Python runs between the values of a range.
        with pytest.raises(ZeroDivisionError):
            vector[:] = range(20_000_000)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert sum(vector[:1000]) == 0
    vector.close()


def test_an_exception_leaves_what_was_flushed():
    with pytest.raises(KeyError), dw.Vector.create("v", "i8", 10) as vector:
        vector[:4] = range(4)
        vector.flush()
        vector[4:8] = range(4)
        raise KeyError
    assert dw.Vector.open("v").valid == 4
    with dw.Vector.open("v", "r+") as vector:
        vector.flush(2)
        assert vector.valid == header("v")["shape"][0] == 2
        for valid, error in ((11, ValueError), (-1, ValueError), ("2", TypeError)):
            with pytest.raises(error):
                vector.flush(valid)
        vector.resize(1)
        assert header("v")["shape"] == (1,)


SHARES = """
import sys, deadweight as dw
vector = dw.Vector.open("v")
view = memoryview(vector)
assert sum(view[::512]) == int(sys.argv[1])
print(flush=True)
sys.stdin.read()
"""


def proportional(pid):
    """Bytes of the mapped vector in a process, and its part of them where others share them."""
    with open(f"/proc/{pid}/smaps") as file:
        (block,) = [
            text for text in re.split(r"\n(?=[0-9a-f]+-)", file.read()) if text.split("\n")[0].endswith("/v")
        ]
    return [int(re.search(rf"^{name}: +(\d+) kB", block, re.M)[1]) * 1024 for name in ("Rss", "Pss")]


def test_two_processes_share_its_pages():
    length = 1 << 20
    with dw.Vector.create("v", "i8", length) as vector:
        vector[:] = array.array("q", range(length))
    expected = sum(range(0, length, 512))
    pair = [
        subprocess.Popen(program(SHARES, expected), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for _ in range(2)
    ]
    try:
        for process in pair:
            assert process.stdout.readline() == b"\n"
        for process in pair:
            rss, pss = proportional(process.pid)
            assert rss >= 8 * length
            assert 0.45 < pss / rss < 0.55
    finally:
        for process in pair:
            process.communicate(b"")
    assert [process.returncode for process in pair] == [0, 0]


def test_a_file_cut_short_by_another_process_is_an_error():
    vector = dw.Vector.create("v", "i8", 1000)
    vector[:] = range(1000)
    vector.flush()
    view = memoryview(vector)
    view.release()
    os.truncate("v", 128 + 800)
    assert vector[99] == 99
    place = r"v became shorter while it was read: it ends at byte 928 and had 8128 bytes at first"
    for ask in (
        lambda: vector[100],
        lambda: vector[:],
        lambda: list(vector),
        lambda: memoryview(vector),
        lambda: vector.__setitem__(0, 1),
        lambda: vector.__setitem__(slice(0, 1), [1]),
        lambda: vector.grow(1),
    ):
        with pytest.raises((OSError, BufferError), match=place):
            ask()
    with pytest.raises(ValueError, match="cut short"):
        dw.Vector.open("v")
    assert os.path.getsize("v") == 928


def test_cut_short_again_and_again_while_it_is_read_and_written():
    vector = dw.Vector.create("v", "i8", 50_000)
    vector.flush(50_000)
    whole = os.path.getsize("v")
    stop = threading.Event()

    def cut():
        while not stop.is_set():
            os.truncate("v", 5000)
            os.truncate("v", whole)

    cutter = threading.Thread(target=cut)
    cutter.start()
    failed = 0
    try:
        while failed < 300:
            try:
                vector[20_000:40_000]
                vector[40_000] = 1
            except OSError as error:
                assert "v became shorter" in str(error)
                failed += 1
    finally:
        stop.set()
        cutter.join()
    assert vector[:].nbytes == 400_000


LOOKS = """
import os, deadweight as dw
view = memoryview(dw.Vector.create("v", "i8", 10_000))
os.truncate("v", 8192)
print(view[10], flush=True)
view[9_000]
"""


def test_what_the_page_says_of_a_buffer_over_a_file_that_was_cut_short():
    done = subprocess.run(program(LOOKS), stdout=subprocess.PIPE)
    assert (done.returncode, done.stdout) == (-signal.SIGBUS, b"0\n")


def test_what_cannot_be_made_leaves_nothing():
    pathlib.Path("v").write_bytes(b"before")
    refused = [
        (("v", "f8", -1), ValueError, "-1"),
        (("v", "f8", 2**80), OSError, "File too large"),
        (("v", "f8", 2**62), OSError, "File too large"),
        (("v", "f8", 2**48), OSError, "No space left|File too large"),
        (("v", "f8", math.inf), TypeError, "float"),
        (("v", "f8", math.nan), TypeError, "float"),
        (("v", "f8", "10"), TypeError, "str"),
        (("v", "str", 1), TypeError, "no vector holds 'str'"),
        (("v", "f8 | None", 1), TypeError, "no vector holds"),
        (("v", "f2", 1), TypeError, "no vector holds 'f2'"),
        (("no/v", "f8", 1), FileNotFoundError, "no/v"),
        ((".", "f8", 1), IsADirectoryError, "."),
        (("/dev/full", "f8", 1), ValueError, "/dev/full"),
        (("/proc/v", "f8", 1), OSError, "/proc/v"),
        (("a\0b", "f8", 1), ValueError, "null"),
        ((7, "f8", 1), TypeError, "path"),
    ]
    for arguments, error, words in refused:
        with pytest.raises(error, match=words):
            dw.Vector.create(*arguments)
    assert pathlib.Path("v").read_bytes() == b"before"
    assert os.listdir() == ["v"]
    dw.Vector.create("v", "f8", 0).close()
    vector = dw.Vector.open(b"v")
    assert (len(vector), list(vector), vector[:].tolist(), memoryview(vector).tolist()) == (0, [], [], [])


LIMITED = """
import resource, deadweight as dw
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
vector = dw.Vector.create("small", "f8", 1000)
for make in (lambda: dw.Vector.create("large", "f8", 1 << 20), lambda: vector.grow(1 << 20)):
    try:
        make()
    except OSError as error:
        print(error.errno, len(vector))
"""


def test_a_limit_of_the_system_is_an_error():
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
    done = subprocess.run(program(LIMITED), capture_output=True, text=True, check=True)
    assert done.stdout == "27 1000\n27 1000\n"
    assert os.listdir() == ["small"]
    assert os.path.getsize("small") == 8128


def test_what_is_no_vector_is_refused():
    pathlib.Path("rows.csv").write_text("id,name\n")
    with pytest.raises(ValueError, match=r"rows.csv is no vector: it does not begin as a .npy file does"):
        dw.Vector.open("rows.csv")
    with pytest.raises(FileNotFoundError):
        dw.Vector.open("none")
    with pytest.raises(IsADirectoryError):
        dw.Vector.open(".")
    with pytest.raises(ValueError, match="mode"):
        dw.Vector.open("rows.csv", "w")
    os.mkfifo("pipe")
    with pytest.raises(ValueError, match="pipe"):
        dw.Vector.open("pipe")
    with pytest.raises(TypeError):
        dw.Vector()


def test_a_name_keeps_its_old_file_until_the_new_one_is_there():
    with dw.Vector.create("v", "i8", 3) as old:
        old[:] = [1, 2, 3]
        os.chmod("v", 0o640)
        view = memoryview(old)
        with dw.Vector.create("v", "f8", 5) as new:
            assert (old.tolist(), view.tolist(), len(new)) == ([1, 2, 3], [1, 2, 3], 5)
        view.release()
    assert os.stat("v").st_mode & 0o777 == 0o640
    assert dw.Vector.open("v").dtype == "f8"
    # Blocks of the disk are there, though nothing was written.
    assert os.stat("v").st_blocks * 512 >= os.path.getsize("v")


def test_after_a_fork():
    vector = dw.Vector.create("v", "i8", 10)
    view = memoryview(vector)
    child = os.fork()
    if child == 0:
        try:
            vector[3] = 33
            view[4] = 44
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    assert (vector[3], vector[4], view[3]) == (33, 44, 33)


def test_threads_write_their_parts():
    vector = dw.Vector.create("v", "i8", 8 * 10_000)

    def fill(number):
        for start in range(number * 10_000, (number + 1) * 10_000, 1000):
            vector[start : start + 1000] = array.array("q", range(start, start + 1000))

    threads = [threading.Thread(target=fill, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert vector[:].tolist() == list(range(80_000))


def test_numpy_reads_and_writes_the_same_files():
    numpy = pytest.importorskip("numpy")
    for dtype in (*TYPES, "bool"):
        values = numpy.arange(5).astype(dtype)
        with dw.Vector.create("v.npy", values.dtype, 5) as vector:
            vector[:] = values
            assert numpy.asarray(vector).dtype == values.dtype
            numpy.asarray(vector)[0] = values[-1]
        values[0] = values[-1]
        assert numpy.array_equal(numpy.load("v.npy"), values)
        mapped = numpy.load("v.npy", mmap_mode="r+")
        assert numpy.array_equal(mapped, values)
        del mapped
        for version in ((1, 0), (2, 0), (3, 0)):
            with open("n.npy", "wb") as file:
                numpy.lib.format.write_array(file, values, version=version)
            with dw.Vector.open("n.npy", "r+") as vector:
                assert (vector.dtype, vector.valid, vector.tolist()) == (dtype, 5, values.tolist())
                vector.grow(5)
            assert numpy.array_equal(numpy.load("n.npy"), [*values, *[0] * 5])
    for dtype in (">f8", ">i2"):
        with pytest.raises(TypeError, match="byte order"):
            dw.Vector.create("other.npy", numpy.dtype(dtype), 3)
    for array_ in (numpy.zeros((2, 2)), numpy.zeros(3, ">f8"), numpy.zeros(3, "c16"), numpy.array(["a"])):
        numpy.save("other.npy", array_)
        with pytest.raises(ValueError, match="is no vector"):
            dw.Vector.open("other.npy")
    with dw.Vector.create("v.npy", "f8", 4) as vector:
        vector[:] = numpy.arange(8.0)[::2]
        vector[1:3] = numpy.arange(2, dtype="i4")
        vector[0] = numpy.float32(9)
        # The other way round in memory.
        vector[3:] = numpy.array([5], ">f8")
        assert vector.tolist() == [9, 0, 1, 5]
        with pytest.raises(TypeError):
            vector[:] = numpy.zeros((4, 2))


RESIZED = """
import threading, deadweight as dw
over = threading.Event()
with dw.Vector.create("v", "u1", 1_000) as vector:
    def look():
        while not over.is_set():
            try:
                memoryview(vector).release()
            except BufferError:
                pass
    other = threading.Thread(target=look)
    other.start()
    lengths = list(range(64 << 20, 640 << 20, 64 << 20))
    while lengths:
        try:
            vector.resize(lengths[0])
            lengths.pop(0)
        except BufferError:
            pass
        try:
            memoryview(vector)[-1]
        except BufferError:
            pass
    over.set()
    other.join()
    print(memoryview(vector)[-1])
"""


def test_no_map_that_is_made_while_it_is_resized_is_kept(tmp_path):
    """It would be too short for what comes after, and a look behind its end kills the process."""
    command = [sys.executable, "-c", RESIZED]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "0\n"), done.stderr
