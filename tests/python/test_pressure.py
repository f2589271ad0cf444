"""``on_pressure``: in programs that really run out of memory, get signals, fork, and are killed."""

import json
import os
import pathlib
import re
import resource
import signal
import stat
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import deadweight as dw
import pytest
from deadweight import _limits
from deadweight._shrinking import shrink_all, weakly


def start(tmp_path, code, **options):
    """A program with a cache that holds nearly everything."""
    body = """
        import deadweight as dw, gc, os, signal, sys, time
        class Session:
            def __init__(self, number):
                self.number = number
                self.text = f"{number:200}"
        class Service:
            def __init__(self):
                self.cache = {}
        SERVICE = Service()
        path = sys.argv[1]
        def fill(count):
            for number in range(len(SERVICE.cache), len(SERVICE.cache) + count):
                SERVICE.cache[number] = Session(number)
        def status(key):
            with open("/proc/self/status") as file:
                return [int(line.split()[1]) * 1024 for line in file if line.startswith(key)][0]
        def wait(files):
            end = time.monotonic() + 60
            while len(files()) < 1:
                assert time.monotonic() < end
                time.sleep(0.02)
    """
    code = textwrap.dedent(body) + textwrap.dedent(code)
    arguments = [sys.executable, "-c", code, str(tmp_path / "pressure.jsonl")]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


def finish(program, status=0):
    out, err = program.communicate(timeout=120)
    assert program.returncode == status, err
    return out, err


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def last_survey(path):
    return [line for line in lines(path) if line["kind"] == "survey"][-1]


def test_caches_are_halved_before_the_file_is_written(tmp_path):
    program = start(
        tmp_path,
        """
        import weakref
        class Broken:
            def shrink(self, to):
                raise OSError("stuck at " + to)
        table = dw.cached(maxsize=None)(lambda number: [number])
        pages, hot, broken = dw.Cache(maxsize=1000), dw.WeakCache(hot=10), Broken()
        gone = dw.Cache()
        for number in range(1000):
            pages[number] = number
            table(number)
            hot[number] = Session(number)
        base = status("VmRSS")
        caches = [pages, broken, table.cache, hot, gone]
        watch = dw.on_pressure(limit=base + 90_000_000, path=path, interval=0.05, shrink=caches)
        del gone, caches
        fill(300_000)
        wait(lambda: watch.files)
        shrunk = pages.stats().evictions["shrink"]
        print(len(pages), table.cache_info().currsize, len(hot), 999 in pages, 0 in pages, shrunk)
        """,
    )
    out, err = finish(program)
    assert out.split() == ["500", "500", "5", "True", "False", "500"]
    assert "a cache could not be shrunk: OSError: stuck at 50%" in err
    assert lines(tmp_path / "pressure.jsonl")[0]["shrunk"] == 500 + 500 + 5


def test_what_cannot_be_shrunk_is_refused(tmp_path):
    for wrong in ({}, 5):
        with pytest.raises(TypeError, match="shrink takes caches"):
            dw.on_pressure(path=tmp_path / "pressure.jsonl", shrink=[wrong], signal_number=None, uncaught=False)
    for cache in (dw.Cache(), dw.WeakCache()):
        with pytest.raises(TypeError, match=r"write shrink=\[cache\]"):
            dw.on_pressure(path=tmp_path / "pressure.jsonl", shrink=cache, signal_number=None, uncaught=False)


def wait_for(condition):
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_it_goes_on_watching_whatever_fails(tmp_path, monkeypatch, capfd):
    """For want of memory to look, or by a callback that would end the program."""
    tried = []

    def no_memory(path, **_):
        tried.append(path)
        raise MemoryError

    cache = dw.Cache(maxsize=10, on_evict=lambda *what: sys.exit(1))
    cache.update(dict.fromkeys(range(10)))
    monkeypatch.setattr(_limits, "open", no_memory, raising=False)
    path = tmp_path / "pressure.jsonl"
    with dw.on_pressure(
        limit=2_000_000, path=path, interval=0.01, signal_number=None, uncaught=False, shrink=[cache]
    ) as watch:
        wait_for(lambda: len(tried) > 2)
        monkeypatch.undo()
        wait_for(lambda: watch.files)
    told = capfd.readouterr().err
    assert told.count("could not see how much memory is left: MemoryError") == 1
    assert told.count("a cache could not be shrunk: SystemExit: 1") == 1
    assert lines(path)[0]["reason"] == "limit" and len(cache) == 5


def test_a_thread_that_cannot_start_leaves_nothing(tmp_path, monkeypatch):
    def cannot(self):
        raise RuntimeError("can't start new thread")

    hooks = sys.excepthook, threading.excepthook, signal.getsignal(signal.SIGUSR2)
    monkeypatch.setattr(threading.Thread, "start", cannot)
    with pytest.raises(RuntimeError, match="start new thread"):
        dw.on_pressure(path=tmp_path / "pressure.jsonl")
    assert (sys.excepthook, threading.excepthook, signal.getsignal(signal.SIGUSR2)) == hooks


def test_a_limit_that_is_reached_writes_who_holds_what_once(tmp_path):
    program = start(
        tmp_path,
        """
        base = status("VmRSS")
        watch = dw.on_pressure(limit=base + 90_000_000, path=path, interval=0.05)
        time.sleep(0.3)
        assert watch.files == []
        fill(300_000)
        wait(lambda: watch.files)
        time.sleep(0.5)
        print(len(watch.files), len(gc.get_objects()) > 0)
        """,
    )
    out, err = finish(program)
    assert out.split()[0] == "1", "it does not write again while nothing has changed"
    path = tmp_path / "pressure.jsonl"
    assert f"wrote what holds memory to {path}" in err
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    first, *_, last = lines(path)
    assert (first["kind"], first["reason"], first["format"]) == ("start", "limit", 1)
    assert first["rss_bytes"] > 90_000_000
    assert last == {"kind": "end", "complete": True}
    survey = last_survey(path)
    types = {row["name"]: row for row in survey["types"]}
    kept = types["__main__.Session"]["count"]
    assert kept > 50_000
    holders = {row["path"]: row for row in survey["holders"]}
    cache = holders["__main__.SERVICE.cache"]
    assert cache["held_bytes"] > 0.9 * survey["held_bytes"]
    # Each has a number and a text; the smallest numbers are the interpreter's own: to 256, from 3.15 on to 1024.
    interpreters_own = 1024 if sys.version_info >= (3, 15) else 256
    assert cache["count"] >= 3 * kept - interpreters_own - 50
    assert holders["__main__.SERVICE.cache[*]"]["types"][0]["name"] in ("__main__.Session", "str")


def documented(page, kind):
    """The fields that docs/formats.md has for lines of a kind, and those that it says may not be there."""
    section = page.split("on_pressure`\n", 1)[1]
    table = section.split(f"`{kind}`:\n", 1)[1].strip().split("\n\n")[0]
    every, optional = set(), set()
    for row in table.splitlines()[2:]:
        fields, meaning = row.strip("|").split("|")
        names = set(re.findall("`([a-z0-9_]+)`", fields))
        every |= names
        if "only if" in meaning:
            optional |= names
    return every, optional


def test_the_file_is_as_documented(tmp_path):
    page = (pathlib.Path(__file__).resolve().parents[2] / "docs/formats.md").read_text()
    psi = 100 if _limits.pressure_now() is not None else None
    with dw.on_pressure(limit="100%", psi=psi, path=tmp_path / "p.jsonl", signal_number=None) as watch:
        first, *surveys, last = lines(pathlib.Path(watch.write()))
    assert surveys
    for line in (first, *surveys, last):
        every, optional = documented(page, line["kind"])
        assert every - optional <= set(line) - {"kind"} <= every
    assert set(surveys[-1]["types"][0]) == {"name", "count", "held_bytes"}
    assert set(surveys[-1]["holders"][0]) == {"path", "count", "held_bytes", "types"}


def test_it_takes_little_memory_and_finds_everything(tmp_path):
    """Beside an independent count; and no more than 32 MB for a heap of 300 MB."""
    program = start(
        tmp_path,
        """
        fill(700_000)
        WIDE = [object() for _ in range(700_000)]
        DEEP = None
        for _ in range(300_000):
            DEEP = [DEEP, object()]
        watch = dw.on_pressure(limit="1 TB", path=path, interval=60)
        gc.collect()
        open("/proc/self/clear_refs", "w").write("5")
        before = status("VmRSS")
        watch.write()
        print(status("VmHWM") - before, sum(type(it) is Session for it in gc.get_objects()))
        """,
    )
    out, _ = finish(program)
    took, sessions = map(int, out.split())
    assert took <= 32_000_000
    survey = last_survey(tmp_path / "pressure.jsonl")
    assert survey["complete"] and survey["left_out"] == 0
    types = {row["name"]: row for row in survey["types"]}
    assert types["__main__.Session"]["count"] == sessions == 700_000
    assert types["object"]["count"] >= 1_000_000
    assert types["list"]["count"] >= 300_000
    assert survey["held_bytes"] == pytest.approx(sum(row["held_bytes"] for row in survey["types"]), rel=0.05)


def test_the_sizes_are_those_of_deepsizeof(tmp_path):
    program = start(
        tmp_path,
        """
        fill(50_000)
        watch = dw.on_pressure(limit="1 TB", path=path)
        watch.write()
        print(dw.deepsizeof(SERVICE.cache).total)
        """,
    )
    out, _ = finish(program)
    holders = {row["path"]: row for row in last_survey(tmp_path / "pressure.jsonl")["holders"]}
    assert holders["__main__.SERVICE.cache"]["held_bytes"] == pytest.approx(int(out), rel=0.001)


def test_a_local_variable_is_named(tmp_path):
    program = start(
        tmp_path,
        """
        def work():
            rows = [str(number) * 20 for number in range(100_000)]
            dw.on_pressure(limit="1 TB", path=path).write("asked")
        work()
        """,
    )
    finish(program)
    paths = [row["path"] for row in last_survey(tmp_path / "pressure.jsonl")["holders"]]
    assert any(path.startswith("thread ") and path.endswith(" work \u203a rows[*]") for path in paths), paths


def test_signal(tmp_path):
    program = start(
        tmp_path,
        """
        told = []
        signal.signal(signal.SIGUSR2, lambda number, frame: told.append(number))
        watch = dw.on_pressure(path=path)
        os.kill(os.getpid(), signal.SIGUSR2)
        wait(lambda: watch.files)
        assert told == [signal.SIGUSR2], "the handler that was there is called too"
        watch.off()
        watch.off()
        os.kill(os.getpid(), signal.SIGUSR2)
        assert len(told) == 2
        """,
    )
    finish(program)
    assert lines(tmp_path / "pressure.jsonl")[0]["reason"] == "signal"


def test_uncaught_memory_error_where_addresses_are_limited(tmp_path):
    def limit():
        resource.setrlimit(resource.RLIMIT_AS, (600 << 20, 600 << 20))

    program = start(
        tmp_path,
        """
        dw.on_pressure(limit="1 TB", path=path)
        while True:
            fill(1000)
        """,
        preexec_fn=limit,
    )
    _, err = finish(program, status=1)
    assert "MemoryError" in err.splitlines()[-1]
    path = tmp_path / "pressure.jsonl"
    assert lines(path)[0]["reason"] == "MemoryError"
    survey = last_survey(path)
    assert survey["complete"]
    holders = {row["path"]: row for row in survey["holders"]}
    assert holders["__main__.SERVICE.cache"]["held_bytes"] > 300_000_000


def test_what_only_the_traceback_holds_is_named(tmp_path):
    program = start(
        tmp_path,
        """
        dw.on_pressure(limit="1 TB", path=path)
        def work():
            block = [str(number) * 20 for number in range(100_000)]
            return block, bytearray(1 << 62)
        work()
        """,
    )
    finish(program, status=1)
    survey = last_survey(tmp_path / "pressure.jsonl")
    heaviest = [row["path"] for row in survey["holders"] if row["held_bytes"] > 0.5 * survey["held_bytes"]]
    assert any(path.startswith("uncaught MemoryError") and "block" in path for path in heaviest), heaviest


def test_memory_error_that_leaves_the_block(tmp_path):
    program = start(
        tmp_path,
        """
        with dw.on_pressure(limit="1 TB", path=path, uncaught=False):
            try:
                with dw.on_pressure(limit="1 TB", path=path) as watch:
                    block = bytearray(1 << 62)
            except MemoryError:
                assert len(watch.files) == 1
            with dw.on_pressure(limit="1 TB", path=path):
                block = bytearray(1 << 62)
        """,
    )
    _, err = finish(program, status=1)
    assert "MemoryError" in err.splitlines()[-1]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pressure.1.jsonl", "pressure.jsonl"]
    assert lines(tmp_path / "pressure.jsonl")[0]["reason"] == "MemoryError"


def test_memory_error_in_a_thread(tmp_path):
    program = start(
        tmp_path,
        """
        import threading
        watch = dw.on_pressure(limit="1 TB", path=path)
        def work():
            raise MemoryError
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        assert len(watch.files) == 1
        """,
    )
    _, err = finish(program)
    assert "MemoryError" in err


def test_killed_in_the_middle_it_leaves_a_readable_prefix(tmp_path):
    program = start(
        tmp_path,
        """
        fill(3_000_000)
        watch = dw.on_pressure(limit="1 TB", path=path)
        print("ready", flush=True)
        watch.write()
        time.sleep(60)
        """,
    )
    assert program.stdout.readline().strip() == "ready"
    path = tmp_path / "pressure.jsonl"
    end = time.monotonic() + 60
    while not path.exists() or path.read_bytes().count(b"\n") < 2:
        assert time.monotonic() < end
        time.sleep(0.01)
    program.kill()
    program.communicate()
    first, second, *_ = lines(path)
    assert first["kind"] == "start"
    assert second["kind"] == "survey"
    assert second["holders"] and second["types"]


def test_forked_children_are_watched_and_files_are_kept(tmp_path):
    program = start(
        tmp_path,
        """
        watch = dw.on_pressure(limit="1 TB", path=path, interval=0.05)
        watch.write()
        child = os.fork()
        if child == 0:
            os.kill(os.getpid(), signal.SIGUSR2)
            wait(lambda: watch.files)
            print(watch.files[0], flush=True)
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        print(watch.files[0])
        """,
    )
    out, _ = finish(program)
    first, second = (tmp_path / name for name in ("pressure.1.jsonl", "pressure.jsonl"))
    assert out.split() == [str(first), str(second)]
    assert lines(first)[0]["pid"] != lines(second)[0]["pid"] == program.pid


def test_off_leaves_nothing(tmp_path):
    hooks = sys.excepthook, threading.excepthook, signal.getsignal(signal.SIGUSR2)
    threads = threading.active_count()
    with dw.on_pressure(limit="1 TB", path=tmp_path / "x.jsonl") as watch:
        assert threading.active_count() == threads + 1
        assert "on" in repr(watch)
        other = dw.on_pressure(limit="1 TB", path=tmp_path / "y.jsonl", signal_number=None, uncaught=False)
        other.off()
    assert threading.active_count() == threads
    assert (sys.excepthook, threading.excepthook, signal.getsignal(signal.SIGUSR2)) == hooks
    assert not list(tmp_path.iterdir())


def test_off_in_any_order_leaves_nothing(tmp_path):
    before = sys.excepthook, threading.excepthook, signal.getsignal(signal.SIGUSR2)
    first = dw.on_pressure(limit="1 TB", path=tmp_path / "x.jsonl")
    second = dw.on_pressure(limit="1 TB", path=tmp_path / "y.jsonl")
    first.off()
    second.off()
    assert (sys.excepthook, threading.excepthook, signal.getsignal(signal.SIGUSR2)) == before


def test_off_in_another_thread(tmp_path):
    before = sys.excepthook, threading.excepthook, signal.getsignal(signal.SIGUSR2)
    signals = []
    signal.signal(signal.SIGUSR2, lambda number, frame: signals.append(number))
    try:
        watch = dw.on_pressure(limit="1 TB", path=tmp_path / "x.jsonl")
        with ThreadPoolExecutor() as pool:
            pool.submit(watch.off).result()
        assert (sys.excepthook, threading.excepthook) == before[:2]
        signal.raise_signal(signal.SIGUSR2)
        assert signals == [signal.SIGUSR2]
    finally:
        signal.signal(signal.SIGUSR2, before[2])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("number", [signal.SIGKILL, 999])
def test_what_cannot_be_set_up_leaves_nothing(tmp_path, number):
    hooks, threads = (sys.excepthook, threading.excepthook), threading.active_count()
    with pytest.raises(ValueError, match=f"signal {int(number)}"):
        dw.on_pressure(path=tmp_path / "x", signal_number=number)
    assert ((sys.excepthook, threading.excepthook), threading.active_count()) == (hooks, threads)


def test_what_cannot_be_written_is_told_with_the_path(tmp_path, capfd):
    folder = tmp_path / "gone"
    folder.mkdir()
    with dw.on_pressure(limit="1 TB", path=folder / "x.jsonl") as watch:
        folder.rmdir()
        assert watch.write() is None and watch.files == []
    assert capfd.readouterr().err == (
        f"deadweight: could not write what holds memory to {folder}/x.jsonl: No such file or directory\n"
    )


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"limit": "120%"}, "90%"),
        ({"limit": "plenty"}, "written 90% or 2 GB"),
        ({"limit": 0}, "0 bytes is less than any interpreter has"),
        ({"limit": "90"}, "90 bytes is less than any interpreter has: .* written 90%"),
        ({"limit": 0.9}, "not a limit: 0.9"),
        ({"limit": None}, "not a limit: None"),
        ({"limit": True}, "not a limit: True"),
        ({"signal_number": signal.SIGKILL}, "no program is told of a signal 9"),
        ({"signal_number": 999}, "no program is told of a signal 999"),
        ({"interval": 0}, "more than 0"),
        ({"interval": float("inf")}, "no eternity"),
        ({"psi": 200}, "percentage"),
    ],
)
def test_bad_input_is_refused_in_words(tmp_path, options, says):
    with pytest.raises(ValueError, match=says):
        dw.on_pressure(path=tmp_path / "x", **options)
    assert threading.active_count() < 10


def test_only_the_process_number_is_put_into_a_path(tmp_path):
    with pytest.raises(ValueError, match=r"\{host\}: only \{pid\}"):
        dw.on_pressure(path=tmp_path / "{pid}-{host}.jsonl")
    with dw.on_pressure(path=tmp_path / "{pid}.jsonl", signal_number=None) as watch:
        assert watch.write() == str(tmp_path / f"{os.getpid()}.jsonl")


def test_the_folder_must_be_there(tmp_path):
    with pytest.raises(FileNotFoundError, match="Make it first"):
        dw.on_pressure(path=tmp_path / "no" / "x.jsonl")
    with pytest.raises(IsADirectoryError, match="is a folder"):
        dw.on_pressure(path=tmp_path)


def test_only_the_main_thread_can_take_signals(tmp_path):
    found = []

    def ask():
        try:
            dw.on_pressure(path=tmp_path / "x.jsonl")
        except ValueError as error:
            found.append(str(error))

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    assert found and "signal_number=None" in found[0]


def test_what_is_measured_is_what_the_kernel_says():
    with open("/proc/self/status") as file:
        rss = next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmRSS"))
    assert _limits.resident() == pytest.approx(rss, rel=0.05)
    used, total, _ = _limits.machine()
    assert 0 < used < total == os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    used, most, _ = _limits.cgroup()
    assert used <= most
    assert _limits.parse_size("1.5 GiB") == 3 << 29
    assert _limits.parse_size("10 MB") == 10_000_000
    share, _ = _limits.parse_limit("50%").look()
    assert share > 0


def test_what_shrinks_need_not_count():
    class Quiet:
        def __init__(self):
            self.asked = []

        def shrink(self, to):
            self.asked.append(to)

    quiet, cache = Quiet(), dw.Cache(maxsize=10)
    cache.update({1: 1, 2: 2})
    gone, failed = shrink_all(weakly([quiet, cache]))
    assert quiet.asked == ["50%"] and (gone, failed) == (1, [])
