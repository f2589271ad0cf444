"""``monitor`` counts what the collector does, and tells of what takes long; beside a callback in plain Python."""

import gc
import json
import os
import pickle
import subprocess
import sys
import threading
import time
import weakref
import xml.etree.ElementTree as ElementTree

import deadweight as dw
import pytest

# Its import is no part of what is measured.
monitor = dw.collector.monitor


@pytest.fixture(autouse=True)
def nothing_is_left_behind():
    before = list(gc.callbacks)
    # So that no full collection is due by itself.
    gc.collect()
    yield
    assert gc.callbacks == before


@pytest.fixture
def unraisable(monkeypatch):
    seen = []
    monkeypatch.setattr(sys, "unraisablehook", lambda told: seen.append(type(told.exc_value)))
    return seen


class Ring:
    def __init__(self):
        self.itself = self


def counts(pauses):
    return [row.count for row in pauses.generations]


def slow_collection(seconds=0.03):
    """One that lasts at least so long, because of what is freed in it."""

    class Sleeper(Ring):
        def __del__(self):
            time.sleep(seconds)

    Sleeper()
    gc.collect()


def test_it_counts_what_the_collector_tells_a_callback():
    told = {0: [0, 0], 1: [0, 0], 2: [0, 0]}

    def heard(phase, info):
        if phase == "stop":
            told[info["generation"]][0] += 1
            told[info["generation"]][1] += info["collected"]

    with monitor() as pauses:
        gc.callbacks.append(heard)
        for _ in range(50_000):
            Ring()
        gc.collect(0)
        gc.collect(1)
        gc.collect(2)
        gc.callbacks.remove(heard)
    rows = pauses.generations
    assert [[row.count, row.collected] for row in rows] == list(told.values())
    assert rows[0].count > 1 and sum(row.collected for row in rows) >= 50_000
    assert pauses.count == sum(row.count for row in rows)
    assert pauses.total == pytest.approx(sum(row.total for row in rows))
    assert 0 < pauses.total < pauses.elapsed


def test_lengths_are_those_of_the_pauses():
    before, after = [], []
    gc.disable()
    try:
        gc.callbacks.append(lambda phase, info: before.append(time.perf_counter_ns()))
        with monitor(over=1e-9) as pauses:
            gc.callbacks.append(lambda phase, info: after.append(time.perf_counter_ns()))
            for seconds in (0.01, 0.02, 0.03):
                slow_collection(seconds)
            del gc.callbacks[-1]
        del gc.callbacks[-1]
    finally:
        gc.enable()
    inner = [(stop - start) / 1e9 for start, stop in zip(after[::2], before[1::2], strict=True)]
    outer = [(stop - start) / 1e9 for start, stop in zip(before[::2], after[1::2], strict=True)]
    lengths = [pause.duration for pause in pauses.slow]
    for shortest, length, longest in zip(inner, lengths, outer, strict=True):
        assert 0.01 <= shortest <= length <= longest
    oldest = pauses.generations[2]
    assert oldest.count == pauses.count == len(lengths) == 3
    assert oldest.longest == max(lengths)
    assert oldest.total == pytest.approx(sum(lengths), abs=1e-8)
    assert 0.01 * 0.99 <= oldest.p50 <= oldest.p99 <= oldest.longest
    assert sum(oldest.buckets) == sum(oldest.buckets[pauses.bounds.index(0.01) + 1 :]) == 3


def test_percentiles_and_buckets_are_within_one_per_cent():
    core = dw._core.Pauses([500_000, 10**12], None, None)
    inner, outer = [], []
    for _ in range(100):
        before = time.perf_counter_ns()
        core("start", {})
        began = time.perf_counter_ns()
        time.sleep(0.0005)
        ended = time.perf_counter_ns()
        core("stop", {"generation": 0, "collected": 2, "uncollectable": 1})
        outer.append(time.perf_counter_ns() - before)
        inner.append(ended - began)
    rows = core.generations()
    count, (p50, p99, longest, total), (collected, uncollectable), buckets = rows[0]
    assert (count, collected, uncollectable, buckets) == (100, 200, 100, [0, 100, 0])
    inner.sort()
    outer.sort()
    assert 0.99 * inner[49] <= p50 <= 1.01 * outer[49]
    assert 0.99 * inner[98] <= p99 <= 1.01 * outer[98]
    assert inner[99] <= longest <= outer[99]
    assert sum(inner) <= total <= sum(outer)


def test_what_is_no_callback_of_a_collection_is_left_aside():
    core = dw._core.Pauses([], None, None)
    core("stop", {"generation": 2, "collected": 0, "uncollectable": 0})
    odd = (1, {}), ("start", None), ("other", {}), ("start", {}), ("stop", {}), ("stop", {"generation": "x"})
    for phase, info in odd:
        core(phase, info)
    core("stop", {"generation": 7})
    assert core.so_far() == (0, 0)


def test_pauses_over_the_limit_are_told_after_the_collection():
    told, nested, done = [], [], threading.Semaphore(0)

    def on_slow(pause):
        told.append(pause)
        nested.append(gc.collect(0))
        done.release()

    with monitor(over="20 ms", on_slow=on_slow) as pauses:
        for _ in range(3):
            slow_collection()
            # While one runs in a thread, none begins in another.
            assert done.acquire(timeout=60)
    # On a busy machine what `on_slow` ran itself may have been slow too.
    assert told == [pause for pause in pauses.slow if pause.thread == threading.get_ident()]
    assert len(told) == len(nested) >= 3
    assert told == sorted(told, key=lambda pause: pause.when)
    pause = told[0]
    assert (pause.generation, pause.thread) == (2, threading.get_ident())
    assert pause.duration > 0.02 and pause.collected >= 1
    assert json.loads(json.dumps(pause.to_dict()))["generation"] == 2
    assert "collection of generation 2" in str(pause)


def test_it_is_told_in_another_thread_so_that_it_may_take_any_lock():
    lock, told = threading.Lock(), threading.Event()

    def on_slow(pause):
        with lock:
            told.set()

    with monitor(over=0.001, on_slow=on_slow):
        with lock:
            slow_collection()
            assert not told.is_set()
        assert told.wait(60)


def test_what_it_raises_is_told_and_counted(unraisable):
    def on_slow(pause):
        raise KeyError(pause)

    with monitor(over=0.001, on_slow=on_slow) as pauses:
        slow_collection()
        slow_collection()
    assert pauses.failed == pauses.slow_count == len(unraisable) >= 2
    assert set(unraisable) == {KeyError}
    assert "on_slow raised" in str(pauses)


def test_it_may_stop_the_monitor_or_run_slow_collections_itself():
    told = []

    def on_slow(pause):
        told.append(pause)
        # None begins before the one that is told of has been told to all callbacks.
        while pauses.slow_count < 2:
            slow_collection()
        pauses.stop()
        done.set()

    done = threading.Event()
    pauses = monitor(over=0.001, on_slow=on_slow)
    pauses.start()
    slow_collection()
    assert done.wait(60)
    pauses.stop()
    assert len(told) == 1
    assert pauses.slow_count >= 2
    assert not pauses.running


def test_what_interrupts_it_while_stop_tells_is_let_out_and_nothing_stays_locked():
    told = []

    def on_slow(pause):
        told.append(pause)
        raise KeyboardInterrupt

    pauses = monitor(over=1e-9, on_slow=on_slow)
    slow = pauses._slow
    # As if no thread had been to be had.
    slow._telling.acquire()
    slow(2, 10, 0, 0, 1)
    slow(2, 10, 0, 0, 1)
    slow._telling.release()
    with pytest.raises(KeyboardInterrupt):
        slow.finish()
    assert (len(told), slow.failed) == (1, 0)
    with pytest.raises(KeyboardInterrupt):
        slow.finish()
    slow.finish()
    assert len(told) == 2


def test_of_very_many_the_last_are_kept():
    with monitor(over=1e-9) as pauses:
        for _ in range(150):
            gc.collect(0)
    assert len(pauses.slow) == 100
    assert pauses.slow_count == pauses.count >= 150


def test_they_can_be_read_while_there_are_more():
    with monitor(over=1e-9) as pauses:
        for _ in range(100):
            gc.collect(0)
        kept = []
        # To make a tuple may begin a collection.
        for _ in range(20_000):
            kept.append(pauses.slow)
            if len(kept) == 2000:
                kept.clear()


def test_several_at_once_and_one_within_another():
    with monitor() as outer:
        gc.collect()
        with monitor() as inner:
            gc.collect()
        gc.collect()
    assert counts(outer)[2] == counts(inner)[2] + 2 >= 3


def test_it_goes_on_where_it_stopped():
    pauses = monitor()
    pauses.start()
    with pytest.raises(RuntimeError, match="runs already"):
        pauses.start()
    gc.collect()
    pauses.stop()
    elapsed = pauses.elapsed
    gc.collect()
    pauses.stop()
    assert (counts(pauses)[2], pauses.elapsed, pauses.running) == (1, elapsed, False)
    with pauses:
        gc.collect()
        assert pauses.running
    assert counts(pauses)[2] == 2
    assert pauses.elapsed > elapsed


def test_an_exception_within_stops_it():
    with pytest.raises(KeyError), monitor() as pauses:
        raise KeyError
    assert not pauses.running


def test_it_may_be_started_in_one_thread_and_stopped_in_another():
    pauses = monitor()
    threading.Thread(target=pauses.start).start()
    while not pauses.running:
        time.sleep(0.001)
    gc.collect()
    stopper = threading.Thread(target=pauses.stop)
    stopper.start()
    stopper.join()
    assert counts(pauses)[2] == 1


def test_many_threads_start_stop_and_collect():
    failed = []

    def work():
        try:
            for _ in range(50):
                with monitor(over=1e-9, on_slow=lambda pause: None) as pauses:
                    gc.collect(0)
                assert pauses.failed == 0
        except BaseException as error:
            failed.append(error)

    with monitor() as outer:
        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not failed
    # A collection that is asked for while another runs is none.
    assert counts(outer)[0] >= 50


def test_threads_are_told_apart():
    with monitor() as pauses:
        gc.collect()
        ready, leave = threading.Event(), threading.Event()

        def work():
            gc.collect()
            gc.collect()
            ready.set()
            leave.wait()

        worker = threading.Thread(target=work, name="worker")
        worker.start()
        ready.wait()
        gc.disable()
        by_name = {row.name: row for row in pauses.threads}
        total = pauses.total
        gc.enable()
        leave.set()
        worker.join()
    assert by_name["worker"].count >= 2
    assert by_name["worker"].thread == worker.ident
    assert by_name[threading.current_thread().name].count >= 1
    assert sum(row.total for row in by_name.values()) == pytest.approx(total)


def test_it_ends_though_somebody_cleared_the_list():
    before = list(gc.callbacks)
    with monitor() as pauses:
        gc.collect()
        gc.callbacks.clear()
        assert not pauses.running
        assert "cleared gc.callbacks" in str(pauses)
    gc.callbacks[:] = before
    assert counts(pauses)[2] == 1


def test_of_a_collection_that_it_is_taken_out_in_nothing_is_left():
    class Finalized(Ring):
        def __init__(self, call):
            super().__init__()
            self.call = call

        def __del__(self):
            self.call()

    pauses = monitor()
    pauses.start()
    Finalized(pauses.stop)
    gc.collect()
    assert not pauses.running
    before = pauses.count
    Finalized(pauses.start)
    # It is put in after the start and hears of the stop.
    gc.collect()
    assert pauses.running
    assert pauses.count == before
    pauses.stop()


def test_numbers_may_be_anything():
    core = dw._core.Pauses([], None, None)
    for _ in range(2):
        core("start", {})
        core("stop", {"generation": 0, "collected": 2**64 - 1, "uncollectable": 2**64 - 1})
    assert core.generations()[0][2] == [2**64 - 1] * 2


def test_others_in_the_list_are_not_compared():
    class Equal:
        def __eq__(self, other):
            raise AssertionError

        __hash__ = None

        def __call__(self, phase, info):
            pass

    odd = Equal()
    gc.callbacks.insert(0, odd)
    try:
        with monitor() as pauses:
            gc.collect()
    finally:
        del gc.callbacks[0]
    assert counts(pauses)[2] == 1


def test_another_callback_may_change_what_is_told():
    def spoil(phase, info):
        info.clear()

    gc.callbacks.insert(0, spoil)
    try:
        with monitor() as pauses:
            gc.collect()
    finally:
        gc.callbacks.remove(spoil)
    assert pauses.count == 0


# 3.12 and later warn of a fork with threads; there may be one that tells.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_counts_anew():
    told = []
    with monitor(over=1e-9, on_slow=told.append) as pauses:
        gc.collect()
        gc.collect()
        read, write = os.pipe()
        child = os.fork()
        if not child:
            seen = b"failed"
            try:
                first = pauses.count
                gc.collect()
                pauses.stop()
                seen = b"%d %d %d" % (first, pauses.generations[2].count, pauses.slow_count)
            finally:
                os.write(write, seen)
                os._exit(0)
        os.waitpid(child, 0)
        assert os.read(read, 100) == b"0 1 1"
        os.close(read)
        os.close(write)
    assert counts(pauses)[2] == 2


def test_it_is_freed_with_what_it_calls():
    class Caller:
        def __init__(self):
            self.pauses = monitor(over=1e-9, on_slow=lambda pause: self)

    caller = Caller()
    with caller.pauses:
        gc.collect()
    gone = weakref.ref(caller)
    del caller
    gc.collect()
    assert gone() is None


def test_at_exit_nothing_is_said():
    program = (
        "import gc, deadweight as dw\n"
        "pauses = dw.collector.monitor(over=1e-9, on_slow=lambda pause: None)\n"
        "pauses.start()\n"
        "ring = []; ring.append(ring)\n"
        "gc.collect()\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


SLEEPER = """
import threading, time

begun = threading.Event()

def sleep(pause):
    begun.set()
    while True:
        time.sleep(0.01)
"""

AT_EXIT = """
import gc, os
import deadweight as dw
import sleeper

class Server:
    def __init__(self):
        self.pauses = dw.collector.monitor(over=1e-9, on_slow=sleeper.sleep)
        self.pauses.start()
    def __del__(self):
        self.pauses.stop()
        os.write(1, b"stopped")

server = Server()
gc.collect()
sleeper.begun.wait()
"""


def test_at_exit_stop_does_not_wait_for_a_thread_that_is_no_more(tmp_path):
    # A function of the program itself would keep its variables from being cleared.
    (tmp_path / "sleeper.py").write_text(SLEEPER)
    command = [sys.executable, "-c", AT_EXIT]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "stopped", "")


def test_it_is_shown_and_taken_as_data():
    with monitor(over="50 ms") as pauses:
        gc.collect()
        gc.collect(0)
    text = str(pauses)
    assert "collections in" in text and "over 50.0 ms" in text
    assert [line.split()[0] for line in text.splitlines()[2:]] == ["0", "1", "2"]
    assert repr(pauses) == text
    data = json.loads(json.dumps(pauses.to_dict()))
    assert [point["value"] for point in data["cpython.gc.collections"]] == counts(pauses)
    assert {point["cpython.gc.generation"] for point in data["cpython.gc.uncollectable_objects"]} == {0, 1, 2}
    for point, row in zip(data["cpython.gc.duration"], pauses.generations, strict=True):
        assert (point["count"], point["sum"]) == (row.count, row.total)
        assert len(point["bucket_counts"]) == len(point["explicit_bounds"]) + 1
    assert pickle.loads(pickle.dumps(pauses.generations)) == pauses.generations


def test_a_notebook_has_a_picture():
    empty = monitor()
    assert "<svg" not in empty._repr_html_() and "<table" in empty._repr_html_()
    with monitor() as pauses:
        gc.collect(0)
        slow_collection()
    page = pauses._repr_html_()
    svg = ElementTree.fromstring(page[: page.index("</svg>") + 6])
    drawn = [rect for rect in svg.iter("{http://www.w3.org/2000/svg}rect") if rect.get("class") == "bar"]
    rows = [row for row in pauses.generations if row.count]
    assert len(drawn) == sum(1 for row in rows for count in row.buckets if count)
    texts = [text.text for text in svg.iter("{http://www.w3.org/2000/svg}text")]
    assert sum("generation" in text for text in texts) == len(rows)
    width, height = float(svg.get("width")), float(svg.get("height"))
    for rect in drawn:
        x, y, w, h = (float(rect.get(name)) for name in ("x", "y", "width", "height"))
        assert x >= 0 and y >= 0 and x + w <= width and y + h <= height


def test_what_makes_no_sense_is_refused():
    with pytest.raises(ValueError, match="give that too"):
        monitor(on_slow=print)
    with pytest.raises(TypeError, match="called"):
        monitor(over=1, on_slow=1)
    for over in ("50", "fifty ms", "-1 s", 0, -1, True, float("nan"), float("inf"), [], "1e3 s"):
        with pytest.raises(ValueError, match="length of time"):
            monitor(over=over)
