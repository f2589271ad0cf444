"""Lines of files: those that Python itself finds, however they come."""

import bz2
import gzip
import io
import lzma
import os
import random
import re
import subprocess
import sys
import threading
from itertools import islice
from pathlib import Path

import deadweight as dw
import pytest

TEXT = "one\r\n\ntwo\rstill two\n\r\nünï €𝄞\nlast"
LINES = ["one", "", "two\rstill two", "", "ünï €𝄞", "last"]


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "app.log"
    path.write_bytes(TEXT.encode())
    return path


def as_python_has_them(data, keepends):
    """At line feeds alone, as `bytes` of the standard library are read by a file."""
    found = list(io.BytesIO(data))
    return found if keepends else [re.sub(rb"\r?\n\Z", b"", line) for line in found]


def test_lines_are_str_or_bytes_with_or_without_ends(log):
    assert list(dw.lines(log)) == LINES
    assert list(dw.lines(log, encoding=None)) == [line.encode() for line in LINES]
    assert "".join(dw.lines(log, keepends=True)) == TEXT
    assert list(dw.lines(log, encoding=None, keepends=True)) == as_python_has_them(TEXT.encode(), True)


@pytest.mark.parametrize("keepends", [False, True])
def test_any_file_has_the_lines_that_python_finds(tmp_path, keepends):
    chance = random.Random(7)
    path = tmp_path / "any"
    for _ in range(20):
        # Windows are of 128 kB: lines and their ends lie across them.
        mean = chance.choice([1, 3, 50, 5_000, 50_000])
        ends = [b"\n", b"\r\n", b"\r", b""]
        parts = [
            bytes(chance.choices(b"ab\xff,\0", k=chance.randrange(mean))) + chance.choice(ends) for _ in range(9)
        ]
        data = b"".join(parts * chance.choice([1, 40]))
        path.write_bytes(data)
        assert list(dw.lines(path, encoding=None, keepends=keepends)) == as_python_has_them(data, keepends)


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_what_is_compressed_is_told_by_its_bytes(tmp_path, pack):
    path = tmp_path / "no-ending"
    path.write_bytes(pack(TEXT.encode()) + pack(b"\nmore"))
    assert list(dw.lines(path)) == [*LINES, "more"]
    assert list(dw.lines(io.BytesIO(path.read_bytes()))) == [*LINES, "more"]


def test_a_path_is_a_str_bytes_or_pathlike(log):
    for path in (str(log), os.fsencode(log), log):
        assert next(iter(dw.lines(path))) == "one"
    odd = os.fsencode(log.parent) + b"/\xff"
    Path(os.fsdecode(odd)).write_bytes(b"found")
    assert list(dw.lines(odd)) == list(dw.lines(os.fsdecode(odd))) == ["found"]


def test_lines_of_several_files_do_not_run_into_each_other(log, tmp_path):
    packed = tmp_path / "more"
    packed.write_bytes(gzip.compress(b"packed"))
    assert list(dw.lines([log, io.BytesIO(b"bytes\nno end"), packed])) == [*LINES, "bytes", "no end", "packed"]
    assert list(dw.lines(path for path in (packed, packed))) == ["packed", "packed"]
    assert list(dw.lines([])) == []


def test_files_are_read_anew_and_streams_once(log):
    lines = dw.lines(log)
    assert list(lines) == list(lines) == LINES
    assert repr(lines) == f"<lines of {log}>"
    stream = dw.lines(io.BytesIO(b"once"))
    assert [list(stream), list(stream)] == [["once"], []]


def test_standard_input_is_a_dash(log):
    code = "import deadweight as dw; print(list(dw.lines('-')))"
    run = subprocess.run([sys.executable, "-c", code], input=TEXT.encode(), capture_output=True, check=True)
    assert run.stdout.decode().strip() == str(LINES)


def test_a_pipe_gives_what_it_has():
    read, write = os.pipe()
    with open(read, "rb") as file, open(write, "wb", buffering=0) as other:
        lines = iter(dw.lines(file))
        for number in range(3):
            # A pipe that waited for a window of bytes would wait for ever.
            other.write(b"%d\n" % number)
            assert next(lines) == f"{number}"


def test_a_pipe_that_does_not_wait_is_refused():
    read, write = os.pipe()
    os.set_blocking(read, False)
    with open(read, "rb") as file, open(write, "wb", buffering=0) as other:
        other.write(b"a,b\n" * 100)
        for read in (lambda: list(dw.lines(file)), lambda: dw.chunks(file), lambda: dw.scan_csv(file)):
            with pytest.raises(BlockingIOError, match="does not wait for bytes"):
                read()


def test_encodings(tmp_path):
    path = tmp_path / "text"
    for encoding in ("latin-1", "cp1252", "utf-8-sig", "shift_jis", "gb18030", "ascii"):
        text = {"shift_jis": "表示\nソ", "gb18030": "中文\n𝄞", "ascii": "a\nb"}.get(encoding, "é\nü")
        path.write_bytes(text.encode(encoding))
        assert list(dw.lines(path, encoding=encoding)) == text.split("\n"), encoding
    assert list(dw.lines(path, encoding="ISO-8859-1")) == ["a", "b"]
    for encoding in ("utf-16", "utf-32-le", "cp037"):
        with pytest.raises(ValueError, match=r"line ends are not those of ASCII.*iconv"):
            dw.lines(path, encoding=encoding)
    for wrong in ({"encoding": "no such"}, {"errors": "no such"}, {"encoding": "rot13"}):
        with pytest.raises(LookupError):
            dw.lines(path, **wrong)


def test_what_is_no_text(tmp_path):
    path = tmp_path / "text"
    data = b"good\nbad \xe9t\xe9\nlast \xf0\x9f"
    path.write_bytes(data)
    with pytest.raises(UnicodeDecodeError) as caught:
        list(dw.lines(path))
    error = caught.value
    assert (error.object, error.start, error.end) == (b"bad \xe9t\xe9", 4, 5)
    for word in (str(path), "line 2, byte 9.", "errors=", "latin-1", "encoding=None"):
        assert word in str(error)
    with pytest.raises(UnicodeDecodeError, match="line 1, byte 0"):
        list(dw.lines(io.BytesIO(b"\xff"), encoding="ascii"))
    for errors in ("replace", "ignore", "surrogateescape", "backslashreplace"):
        truth = [line.decode("utf-8", errors) for line in data.split(b"\n")]
        assert list(dw.lines(path, errors=errors)) == truth
        assert next(iter(dw.lines(path, encoding="ascii", errors=errors))) == "good"
    assert list(dw.lines(path, encoding="latin-1")) == data.decode("latin-1").split("\n")
    assert list(dw.lines(path, encoding=None)) == data.split(b"\n")


def test_utf_16_is_told_by_its_mark(tmp_path):
    path = tmp_path / "text"
    path.write_bytes("a\nb".encode("utf-16"))
    with pytest.raises(ValueError, match=r"UTF-16.*iconv"):
        list(dw.lines(path))
    path.write_bytes("a\nb".encode("utf-8-sig"))
    assert list(dw.lines(path)) == ["a", "b"]


def test_a_long_line(tmp_path):
    path = tmp_path / "long"
    path.write_bytes(b"short\n" + b"x" * 3_000_000 + b"\nshort")
    assert [len(line) for line in dw.lines(path)] == [5, 3_000_000, 5]
    assert [len(line) for line in dw.lines(path, encoding=None)] == [5, 3_000_000, 5]
    lines = iter(dw.lines(path, longest="1 MB"))
    assert next(lines) == "short"
    with pytest.raises(ValueError, match=r"line 2 at byte 6 is longer than 1000000 bytes.*longest="):
        next(lines)
    assert list(lines) == []


def test_a_line_of_two_gigabytes_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "zeros"
    with open(path, "wb") as file:
        file.truncate(2 * 2**30)
    with pytest.raises(ValueError, match="line 1 at byte 0 is longer than 16000000 bytes"):
        next(iter(dw.lines(path)))


def test_what_is_appended_meanwhile_is_not_read(log):
    lines = iter(dw.lines(log))
    assert next(lines) == "one"
    with open(log, "a") as file:
        file.write("\nmore")
    assert list(lines) == LINES[1:]


def test_files_that_cannot_be_read(tmp_path):
    missing = tmp_path / "missing"
    with pytest.raises(FileNotFoundError) as caught:
        list(dw.lines(missing))
    assert caught.value.filename == str(missing)
    with pytest.raises(IsADirectoryError):
        list(dw.lines(tmp_path))
    with pytest.raises(ValueError, match="null"):
        list(dw.lines("a\0b"))
    empty = tmp_path / "empty"
    empty.touch()
    assert list(dw.lines(empty)) == list(dw.lines("/dev/null")) == []
    assert len(list(dw.lines("/proc/self/status"))) > 10
    if os.geteuid() != 0:
        empty.chmod(0)
        with pytest.raises(PermissionError):
            list(dw.lines(empty))


def test_compressed_files_that_cannot_be_unpacked(tmp_path):
    path = tmp_path / "packed"
    packed = gzip.compress(bytes(10_000_000))
    path.write_bytes(packed)
    with pytest.raises(ValueError, match=r"more than 1000000 bytes in it.*max_unpacked="):
        list(dw.lines(path, max_unpacked="1 MB"))
    path.write_bytes(packed[:-20])
    with pytest.raises(ValueError, match="gzip that ends at byte"):
        list(dw.lines(path))
    path.write_bytes(gzip.compress(b"one\n") + bytes(300_000) + gzip.compress(b"two\n") + bytes(1000))
    assert list(dw.lines(path)) == ["one", "two"]
    path.write_bytes(gzip.compress(b"one\n") + b"garbage")
    with pytest.raises(ValueError, match=r"gzip that is damaged before byte .*: what follows its end is no gzip"):
        list(dw.lines(path))
    path.write_bytes(packed[:500] + b"?" * 50 + packed[550:])
    with pytest.raises(ValueError, match="gzip that is damaged"):
        list(dw.lines(path))


def test_a_file_that_becomes_shorter(tmp_path):
    path = tmp_path / "short"
    path.write_bytes(b"x\n" * 1_000_000)
    lines = iter(dw.lines(path))
    next(lines)
    os.truncate(path, 1000)
    with pytest.raises(OSError, match=r"became shorter.*Something else writes"):
        list(lines)


@pytest.mark.parametrize("wrong", [5, None, object(), io.StringIO("text"), [3], [open], Path])
def test_what_is_no_file(wrong):
    with pytest.raises(TypeError, match=r"wanted|text file"):
        list(dw.lines(wrong))


def test_text_files_are_refused(log):
    with open(log) as file, pytest.raises(TypeError, match=r'"rb".*\.buffer'):
        list(dw.lines(file))
    with open(log) as file:
        assert list(dw.lines(file.buffer)) == LINES


class Given:
    """What reads as a test says."""

    def __init__(self, read):
        self.read = read


def test_objects_with_read(log):
    with gzip.open(io.BytesIO(gzip.compress(TEXT.encode()))) as file:
        assert list(dw.lines(file)) == LINES
    data = io.BytesIO(TEXT.encode())
    assert list(dw.lines(Given(lambda n: bytearray(data.read(min(n, 3)))))) == LINES


def test_what_read_does_wrong():
    for gives, error, words in [
        ("text", TypeError, "gave str"),
        (5, TypeError, "gave int"),
        (None, BlockingIOError, "nothing yet"),
        (b"x" * 1_000_000, ValueError, "too much"),
    ]:
        with pytest.raises(error, match=words):
            list(dw.lines(Given(lambda _, gives=gives: gives)))

    def fail(_):
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        list(dw.lines(Given(fail)))

    head = io.BytesIO(gzip.compress(os.urandom(100_000)))
    with pytest.raises(ZeroDivisionError, match="mine"):
        list(dw.lines(Given(lambda n: head.read(n) or fail(n)), encoding=None))


def test_lines_are_asked_for_by_one_at_a_time():
    begun, go_on = threading.Event(), threading.Event()

    def wait(_):
        begun.set()
        assert go_on.wait(60)
        return b""

    lines = iter(dw.lines(Given(wait)))
    other = threading.Thread(target=lambda: list(lines))
    other.start()
    assert begun.wait(60)
    with pytest.raises(RuntimeError, match="read already, by another thread"):
        next(lines)
    go_on.set()
    other.join()


def test_read_that_asks_for_lines():
    def read(size):
        # The first ten bytes are read when the file is opened.
        return b"x" * size if size < 100 else next(lines)

    lines = iter(dw.lines(Given(read)))
    with pytest.raises(RuntimeError, match="within their own `read`"):
        next(lines)


def test_an_iteration_that_is_left_closes_its_file(tmp_path):
    path = tmp_path / "open"
    path.write_bytes(b"x\n" * 1_000_000)

    def is_open():
        names = os.listdir("/proc/self/fd")
        return any(os.path.realpath(f"/proc/self/fd/{name}") == str(path) for name in names)

    lines = iter(dw.lines(path))
    assert list(islice(lines, 3)) == ["x"] * 3
    assert is_open()
    del lines
    assert not is_open()


def test_memory_stays_the_same(tmp_path):
    path = tmp_path / "lines"
    with open(path, "wb") as file:
        for _ in range(64):
            file.write(b"a line of text\n" * 70_000)
    code = f"""
import deadweight as dw, resource
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
next(iter(dw.lines({str(path)!r})))
before = peak()
assert sum(1 for _ in dw.lines({str(path)!r})) == 64 * 70_000
print(peak() - before)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert int(run.stdout) < 4_000, "kB, of a file of 67 MB"


def test_many_lines_with_nothing_in_them(tmp_path):
    path = tmp_path / "empty"
    path.write_bytes(b"\n" * 300_000)
    assert list(dw.lines(path)) == [""] * 300_000
    path.write_bytes(b"\r\n" * 200_000)
    assert list(dw.lines(path, encoding=None)) == [b""] * 200_000
