"""Files as bytes: what `bytes` and `re` find in the same, whatever lies across two windows of ours."""

import array
import doctest
import gc
import gzip
import os
import pathlib
import re
import signal
import threading
import time
import weakref

import deadweight as dw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

# What is read at a time: matches are to lie across its end.
WINDOW = 128 * 1024
# The same each time, so that nothing fails by chance; at length, others each time.
AT_LENGTH = "DEADWEIGHT_AT_LENGTH" in os.environ
SOME = settings(max_examples=1000 if AT_LENGTH else 50, derandomize=not AT_LENGTH, deadline=None)


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def file_of(data, name="data"):
    """Written beside: hypothesis makes many, and some may be open still."""
    pathlib.Path("beside").write_bytes(data)
    os.replace("beside", name)
    return dw.mapped(name)


@pytest.mark.parametrize("what", ["mapped", "regex"])
def test_what_the_docstrings_show(what):
    examples = doctest.DocTestParser().get_doctest(getattr(dw, what).__doc__, {}, what, None, None)
    assert doctest.DocTestRunner().run(examples).failed == 0


texts = st.lists(st.sampled_from([b"a", b"b", b"ab", b"aab", b"\n", b"\xff", b"\xc3\xa4"]), max_size=40).map(
    b"".join
)
shifts = st.one_of(st.just(0), st.integers(WINDOW - 60, WINDOW + 5))
places = (
    st.none() | st.integers(-50, 50) | st.integers(WINDOW - 60, WINDOW + 60) | st.just(2**70) | st.just(-(2**70))
)


def overlapping(pattern, data):
    return [found.start() for found in re.finditer(b"(?=" + pattern + b")", data)]


@SOME
@given(
    text=texts, shift=shifts, wanted=st.lists(texts.filter(bool), min_size=1, max_size=3), start=places, end=places
)
def test_texts_are_found_as_bytes_and_re_find_them(text, shift, wanted, start, end):
    data = b"." * shift + text
    first = wanted[0]
    with file_of(data) as file:
        part = data[slice(start, end)]
        before = slice(start, end).indices(len(data))[0]
        assert file.find(first) == data.find(first)
        found = part.find(first)
        assert file.find(first, start, end) == (found if found < 0 else found + before)
        assert file.count(first, start, end) == part.count(first)
        apart = [match.start() + before for match in re.finditer(re.escape(first), part)]
        assert file.offsets(first, start, end) == array.array("q", apart)
        meeting = [place + before for place in overlapping(re.escape(first), part)]
        assert file.offsets(first, start, end, overlapping=True).tolist() == meeting
        assert file.count(first, start, end, overlapping=True) == len(meeting)
        assert (first in file) == (first in data)
        either = b"|".join(b"(%b)" % re.escape(one) for one in wanted)
        expected = [(*match.span(), match.lastindex - 1) for match in re.finditer(either, data)]
        matches = list(file.finditer(wanted))
        assert [(match.start, match.end, match.pattern) for match in matches] == expected
        assert [match.read() for match in matches] == [data[start:end] for start, end, _ in expected]
        every = sorted(
            (place, number) for number, one in enumerate(wanted) for place in overlapping(re.escape(one), data)
        )
        matches = file.finditer(iter(wanted), overlapping=True)
        assert [(match.start, match.pattern) for match in matches] == every


EXPRESSIONS = [
    rb"a+b",
    rb"a{1,3}",
    rb"\bab\b",
    rb"^a",
    rb"b$",
    rb"[^\n]+",
    rb"(?:ab|a)b?",
    rb"\xff",
    rb"a.b",
    rb"[^a]b",
]


@SOME
@given(text=texts, shift=shifts, expression=st.sampled_from(EXPRESSIONS), flags=st.tuples(*[st.booleans()] * 2))
def test_expressions_are_found_as_re_finds_them(text, shift, expression, flags):
    # Their `$` is before a last line end too.
    if expression.endswith(b"$") and not flags[1]:
        expression = expression[:-1] + rb"\z"
    theirs = expression.replace(rb"\z", rb"\Z")
    data = b"\n" * shift + text
    ignore_case, multi_line = flags
    wanted = dw.regex(expression, ignore_case=ignore_case, multi_line=multi_line)
    expected = re.finditer(theirs, data, re.I * ignore_case | re.M * multi_line)
    with file_of(data) as file:
        expected = [match.span() for match in expected]
        assert [(match.start, match.end) for match in file.finditer(wanted)] == expected
        assert file.count(wanted) == len(expected)
        assert file.find(wanted) == (expected[0][0] if expected else -1)


@SOME
@given(
    text=texts,
    shift=st.sampled_from([0, 1, 70_000]),
    chosen=st.builds(slice, places, places, st.none() | st.integers(-9, 9).filter(bool) | st.just(2**70)),
    index=st.integers(-90, 90),
)
def test_parts_are_those_of_bytes(text, shift, chosen, index):
    data = bytes(range(250)) * (shift // 250) + text
    with file_of(data) as file:
        assert file[chosen] == data[chosen]
        assert len(file) == len(data)
        if -len(data) <= index < len(data):
            assert file[index] == data[index]
        else:
            with pytest.raises(IndexError):
                file[index]
        offsets = [place for place in (0, 3, len(data) // 2, len(data)) if place <= len(data)]
        assert list(file.sections(offsets, 5)) == [data[place : place + 5] for place in offsets]


def test_sections_that_are_none():
    with file_of(b"0123456789") as file:
        assert list(file.sections(file.offsets(b"5"), 100)) == [b"56789"]
        assert list(file.sections([], 3)) == []
        for offset, error in (
            (11, IndexError),
            (-1, IndexError),
            (2**70, IndexError),
            ("1", TypeError),
            (1.0, TypeError),
        ):
            with pytest.raises(error):
                list(file.sections([offset], 3))
        for size, error in ((-1, ValueError), (2**70, ValueError), ("1", TypeError)):
            with pytest.raises(error):
                file.sections([0], size)
        with pytest.raises(TypeError):
            file.sections(7, 3)


def test_what_cannot_be_looked_for():
    with file_of(b"abc") as file:
        for empty in (b"", [], [b"a", b""], bytearray()):
            for ask in (file.find, file.count, file.offsets, file.finditer):
                with pytest.raises(ValueError, match="an empty pattern matches everywhere"):
                    ask(empty)
        for wrong in ("a", ["a"], 7, None, [b"a", 7], re.compile(b"a")):
            with pytest.raises(TypeError, match="looked for"):
                file.find(wrong)
        with pytest.raises(TypeError):
            file.find(b"a", "0")
        assert [file.find(bytearray(b"b")), file.find(memoryview(b"c"))] == [1, 2]
        released = memoryview(b"c")
        released.release()
        for wanted in (released, [released]):
            with pytest.raises(ValueError, match="released"):
                file.find(wanted)
    refused = {
        "a(?=b)": "look-around",
        "(?<!a)b": "look-around",
        r"(a)\1": "backreferences",
        "a*": "empty pattern",
        "(": "unclosed group",
        "[^,]+": "has no bound",
    }
    with pytest.raises(ValueError, match=r"the pattern b'\(a\)\\\\1': backreferences"):
        dw.regex(rb"(a)\1")
    for expression, words in refused.items():
        for kind in (str, str.encode):
            with pytest.raises(ValueError, match=words):
                dw.regex(kind(expression))
    with pytest.raises(TypeError):
        dw.regex(7)


def test_text_and_bytes_in_expressions():
    with file_of("ä\xe4 Ä".encode() + b"\xe4") as file:
        assert file.offsets(dw.regex("ä")).tolist() == [0, 2]
        assert file.offsets(dw.regex("ä", ignore_case=True)).tolist() == [0, 2, 5]
        # A backslash before it says nothing else.
        for expression in (b"\\\xe4", b"[\\\xe4]"):
            assert file.offsets(dw.regex(expression)).tolist() == [7]
        assert file.offsets(dw.regex(b"\xe4")).tolist() == file.offsets(dw.regex(rb"\xe4")).tolist() == [7]
        assert file.offsets(dw.regex("ä.", dot_all=True)).tolist() == [0]
        assert file.offsets(dw.regex("aa"), overlapping=True).tolist() == []
    with file_of(b"aaaa") as file:
        assert file.offsets(dw.regex("aa"), overlapping=True).tolist() == [0, 1, 2]


def test_offsets_are_packed():
    with file_of(b"x\n" * 300_000) as file:
        offsets = file.offsets(b"\n")
        assert offsets == array.array("q", range(1, 600_000, 2))
        assert (memoryview(offsets).format, memoryview(offsets).nbytes) == ("q", 8 * 300_000)
        assert file.count(b"\n") == 300_000


def test_matches_are_looked_for_as_far_as_somebody_asks():
    read = []
    with file_of(b"x\n" + bytes(20 * WINDOW) + b"x\n") as file:
        matches = file.finditer(b"x\n", progress=read.append)
        first = next(matches)
        assert (first.start, first.end, first.read(), repr(first)) == (0, 2, b"x\n", "<Match 0:2 of pattern 0>")
        os.truncate("data", 5 * WINDOW)
        with pytest.raises(OSError, match=rf"data became shorter while it was read: it ends at byte {5 * WINDOW}"):
            next(matches)
        assert list(matches) == []


def test_a_file_that_grows_has_the_length_that_it_had():
    with file_of(b"abc") as file:
        with open("data", "ab") as more:
            more.write(b"abc")
        assert (len(file), file.count(b"abc"), file[:], file[-1]) == (3, 1, b"abc", ord("c"))


def test_a_file_that_is_cut_short_is_an_error_that_names_the_byte():
    file = file_of(b"x" * 1000)
    os.truncate("data", 600)
    place = "data became shorter while it was read: it ends at byte 600 and had 1000 bytes at first"
    for ask in (
        lambda: file[600],
        lambda: file[-1],
        lambda: file[:],
        lambda: file[::-7],
        lambda: file.find(b"y"),
        lambda: file.count(b"x"),
        lambda: file.offsets(b"x"),
        lambda: list(file.finditer(b"x")),
        lambda: list(file.sections([500], 200)),
        lambda: b"y" in file,
    ):
        with pytest.raises(OSError, match=place):
            ask()
    assert file[:600] == b"x" * 600


def test_cut_short_again_and_again_while_it_is_searched():
    data = b"abcdefg\n" * 40_000
    file = file_of(data)
    stop = threading.Event()

    def cut():
        while not stop.is_set():
            os.truncate("data", 5000)
            with open("data", "r+b") as again:
                again.write(data)

    cutter = threading.Thread(target=cut)
    cutter.start()
    questions = {
        lambda: file.count(b"g\n"): 40_000,
        lambda: file[200_000:300_000]: data[200_000:300_000],
        lambda: file.find(b"zz"): -1,
    }
    failed = 0
    try:
        while failed < 300:
            for ask, answer in questions.items():
                try:
                    assert ask() == answer
                except OSError as error:
                    assert "data became shorter while it was read" in str(error)
                    failed += 1
    finally:
        stop.set()
        cutter.join()
    assert file.count(b"g\n") == 40_000


def test_other_things_than_files():
    pathlib.Path("empty").touch()
    with dw.mapped("empty") as file:
        assert (len(file), file[:], file.find(b"a"), file.count(b"a"), list(file.finditer(b"a"))) == (
            0,
            b"",
            -1,
            0,
            [],
        )
    os.mkfifo("pipe")
    for path in ("pipe", "/dev/zero", "/proc/self/status", "/sys/devices/system/cpu/online"):
        with pytest.raises(ValueError, match="has no length"):
            dw.mapped(path)
    with pytest.raises(FileNotFoundError):
        dw.mapped("none")
    with pytest.raises(IsADirectoryError):
        dw.mapped(pathlib.Path())
    for path in ("-", 7, None):
        with pytest.raises(TypeError):
            dw.mapped(path)


def test_a_compressed_file_is_the_bytes_that_it_has():
    data = gzip.compress(b"abc")
    with file_of(data) as file:
        assert file[:] == data and file.find(b"\x1f\x8b") == 0


def test_what_is_closed():
    file = file_of(b"abcabc")
    matches, sections = file.finditer(b"abc"), file.sections([0, 1], 1)
    match = next(matches)
    next(sections)
    file.close()
    file.close()
    for ask in (
        lambda: len(file),
        lambda: file[0],
        lambda: file[:],
        lambda: file.find(b"a"),
        lambda: file.finditer(b"a"),
        lambda: next(matches),
        lambda: next(sections),
        match.read,
        lambda: file.sections([0], 1),
        file.__enter__,
    ):
        with pytest.raises(ValueError, match="data is closed"):
            ask()
    assert file.closed and repr(file) == "<Mapped data: closed>" and match.end == 3


def descriptors():
    return len(os.listdir("/proc/self/fd"))


def test_what_is_closed_or_in_a_ring_holds_no_file_open():
    before = descriptors()
    file = file_of(b"abcabc")
    matches = file.finditer(b"abc")
    file.close()
    with pytest.raises(ValueError, match="data is closed"):
        next(matches)
    assert descriptors() == before

    class Ticks:
        def tick(self, count):
            pass

    with file_of(b"abcabc") as file:
        ticks = Ticks()
        ticks.matches = file.finditer(b"abc", progress=ticks.tick)
        gone = weakref.ref(ticks)
        next(ticks.matches)
        del ticks
        gc.collect()
        assert gone() is None
    assert descriptors() == before


def test_an_interrupt_ends_a_search_within_a_window():
    lengths = [b"a" * length for length in range(1, 1000)]
    before = signal.signal(signal.SIGALRM, lambda *_: 1 / 0)
    try:
        with file_of(b"a" * WINDOW) as file:
            for wanted in (dw.regex(rb"[^\n]+"), lengths):
                signal.setitimer(signal.ITIMER_REAL, 0.02)
                with pytest.raises(ZeroDivisionError):
                    file.count(wanted, overlapping=True)
                signal.setitimer(signal.ITIMER_REAL, 0.02)
                with pytest.raises(ZeroDivisionError):
                    for _ in file.finditer(wanted, overlapping=True):
                        pass
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_after_a_fork_and_from_threads():
    data = bytes(range(256)) * 4000
    file = file_of(data)
    child = os.fork()
    if child == 0:
        os._exit(0 if file.count(b"\x07\x08") == 4000 and file[300] == 44 else 1)
    assert os.waitpid(child, 0)[1] == 0
    found = []
    threads = [threading.Thread(target=lambda: found.append(file.offsets(b"\x07\x08"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [offsets.tolist() for offsets in found] == [list(range(7, len(data), 256))] * 4


def large(name="large"):
    """64 GB that are not there: whoever reads all of them has not been stopped."""
    with open(name, "wb") as file:
        file.truncate(64 << 30)
    return dw.mapped(name)


def test_slices_of_more_than_is_read_at_once():
    # 16 MB are.
    data = array.array("q", range(2_200_000)).tobytes()
    with file_of(data) as file:
        assert file[:] == data
        assert file[3:-5] == data[3:-5]
        assert file[::-2] == data[::-2]
        assert file[7::2] == data[7::2]


def test_progress_tells_how_far_it_is_and_may_end_it():
    read = []

    def progress(count):
        read.append(count)
        if len(read) == 3:
            raise KeyError("enough")

    with large() as file:
        for ask in (
            file.find,
            file.count,
            file.offsets,
            lambda *given, **named: list(file.finditer(*given, **named)),
        ):
            read.clear()
            with pytest.raises(KeyError, match="enough"):
                ask(b"x", progress=progress)
            assert len(read) == 3 and read == sorted(read)


@pytest.mark.parametrize("method", ["find", "count", "offsets", "finditer"])
def test_an_interrupt_ends_a_search_that_others_run_beside(method):
    ticks = []

    def interrupt():
        # Runs though the other searches.
        for _ in range(10):
            ticks.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    with large() as file:
        beside = threading.Thread(target=interrupt)
        with pytest.raises(KeyboardInterrupt):
            beside.start()
            list(getattr(file, method)(b"x"))
        beside.join()
    assert len(ticks) == 10
