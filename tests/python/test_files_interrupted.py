"""Scans can be ended, by a signal or by who is told how far they are, and leave the interpreter to others."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import deadweight as dw
import pytest

# Each would go on for much longer than a test may take.
ENDLESS = {
    "a pipe that nobody writes into": "list(dw.lines(open(os.pipe()[0], 'rb')))",
    "standard input": "list(dw.lines('-'))",
    "a named pipe that nobody has opened": "os.mkfifo('fifo'); list(dw.lines('fifo'))",
    "a device": "for _ in dw.chunks('/dev/zero', '1 MB', None): pass",
    "a `read` that sleeps": "Given.read = lambda self, size: time.sleep(1_000); list(dw.lines(Given()))",
    "a line without end": "Given.read = lambda self, size: b'x'; list(dw.lines(Given(), longest='1 TB'))",
    "a large file": "open('large', 'w').truncate(10**12); dw.splits('large', 2, 'excel')",
}
PROGRAM = """
import os, time
import deadweight as dw

class Given:
    pass

try:
    print("ready", flush=True)
    STATEMENT
except KeyboardInterrupt:
    print("interrupted")
"""


def is_at_it(child):
    """Whether it waits, or has worked for a tenth of a second."""
    fields = Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()
    return fields[0] == "S" or (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") > 0.1


@pytest.mark.parametrize("endless", ENDLESS)
def test_a_signal_ends_what_has_no_end(endless, tmp_path):
    command = [sys.executable, "-c", PROGRAM.replace("STATEMENT", ENDLESS[endless])]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": tmp_path}
    with subprocess.Popen(command, **pipes) as child:
        assert child.stdout.readline() == "ready\n"
        while not is_at_it(child):
            pass
        child.send_signal(signal.SIGINT)
        assert child.stdout.readline() == "interrupted\n"
    assert child.returncode == 0


@pytest.fixture
def large(tmp_path):
    """A file of nothing, which takes no room."""
    path = tmp_path / "large"
    with open(path, "wb") as file:
        file.truncate(4 * 10**9)
    return path


def test_progress_is_told_and_may_end_a_scan(large):
    told = []

    def progress(read):
        told.append(read)
        if len(told) == 3:
            raise ZeroDivisionError("enough")

    with pytest.raises(ZeroDivisionError, match="enough"):
        dw.splits(large, 2, "excel", progress=progress)
    assert 0 < told[0] < told[1] < told[2] < 4 * 10**9


def test_progress_is_told_between_many_small_reads(large):
    told = []
    for chunk in dw.chunks(large, "1 MB", None, progress=told.append):
        assert len(chunk) == 1_000_000
        if len(told) == 3:
            break
    assert 0 < told[0] < told[1] < told[2] < 4 * 10**9
    # An iteration over lines tells it too.
    told = []
    source = type("Given", (), {"read": lambda self, size: b"line\n"})()
    for _ in dw.lines(source, progress=told.append):
        if len(told) == 2:
            break
    assert 0 < told[0] < told[1]


def test_other_threads_go_on_during_a_scan(large):
    counted, over = [0, 0], threading.Event()

    def count():
        while not over.is_set():
            counted[0] += 1

    def progress(_):
        counted.append(counted[0])
        if len(counted) == 6:
            raise StopAsyncIteration

    other = threading.Thread(target=count)
    other.start()
    try:
        with pytest.raises(StopAsyncIteration):
            dw.splits(large, 2, "excel", progress=progress)
    finally:
        over.set()
        other.join()
    # In 50 ms it counts to hundreds of thousands; if it only ran while it is told, it would not count at all.
    first, *_, last = counted[2:]
    assert last - first > 1_000
