"""What ``tune`` sets, what it says of it, and that it can be undone."""

import gc
import json
import subprocess
import sys
import weakref

import deadweight as dw
import pytest
from deadweight._tune import _refuse_unknown

tune = dw.collector.tune

# 3.12 freezes a few hundred objects of its own as it starts.
ITS_OWN = 1000


@pytest.fixture(autouse=True)
def as_it_was():
    before = gc.isenabled(), gc.get_threshold(), len(gc.callbacks)
    yield
    assert (gc.isenabled(), gc.get_threshold(), len(gc.callbacks)) == before
    assert gc.get_freeze_count() < ITS_OWN


class Ring:
    def __init__(self):
        self.me = self


def rings_alive():
    return sum(type(one) is Ring for one in gc.get_objects())


def test_web_freezes_what_is_there_and_collects_the_young_more_rarely():
    kept = [[] for _ in range(10_000)]
    lost = weakref.ref(Ring())
    thresholds = gc.get_threshold()
    with tune("web") as tuned:
        assert lost() is None, "garbage is not frozen"
        assert gc.get_freeze_count() > len(kept)
        assert gc.get_threshold() == (10_000, 20, 20)
        assert len(gc.get_objects()) < len(kept)
        assert [change.what for change in tuned.changes][1] == f"thresholds {thresholds} → (10000, 20, 20)"
        assert tuned.why == [change.why for change in tuned.changes]
        assert tuned.pause_before > 0
        assert 0 <= tuned.pause_predicted < tuned.pause_before
        assert tuned.pause_after > 0
        lines = str(tuned).splitlines()
        assert lines[0].endswith('tuned for "web":')
        assert lines[-1].startswith("a full collection took ")


def test_of_two_the_first_is_undone_and_undo_leads_back_to_the_start():
    first = tune("web")
    second = tune("fork")
    assert not gc.isenabled()
    first.undo()
    assert not gc.isenabled(), "it is no longer the first one's to undo"
    third = tune("web")
    assert gc.isenabled()
    second.undo()
    assert gc.get_threshold() == (10_000, 20, 20)
    third.undo()
    third.undo()


def test_it_is_undone_if_an_exception_ends_the_block():
    with pytest.raises(KeyError), tune("fork"):
        raise KeyError


def test_batch_leaves_most_of_what_stays_unseen():
    with tune("batch") as tuned:
        full = gc.get_stats()[2]["collections"]
        old = len(gc.get_objects(generation=2))
        kept = [[number] for number in range(800_000)]
        assert gc.get_stats()[2]["collections"] == full
        assert len(gc.get_objects(generation=2)) - old > len(kept) // 3
        assert "looked at" in tuned.changes[0].what


def test_under_batch_cycles_do_not_pile_up():
    before = gc.get_threshold()
    with tune("batch"):
        most = 0
        for number in range(300_000):
            Ring()
            if number % 10_000 == 0:
                most = max(most, rings_alive())
        assert most < 30_000
        assert gc.get_threshold() == before, "it makes cycles: the collector runs as before"


def test_what_batch_let_pass_is_found_once_there_are_cycles():
    before = gc.get_threshold()
    with tune("batch"):
        full = gc.get_stats()[2]["collections"]
        kept = [[] for _ in range(400_000)]
        lost = weakref.ref(Ring())
        kept += [[] for _ in range(400_000)]
        for _ in range(3_000_000):
            Ring()
            if gc.get_threshold() == before:
                break
        assert gc.get_threshold() == before
        assert gc.get_stats()[2]["collections"] > full
        assert lost() is None
        assert rings_alive() < 30_000


def test_batch_gives_a_collector_that_was_set_to_0_thresholds():
    thresholds = gc.get_threshold()
    gc.set_threshold(0)
    try:
        with tune("batch"):
            for _ in range(50_000):
                Ring()
            assert rings_alive() < 30_000
        assert gc.get_threshold()[0] == 0
    finally:
        gc.set_threshold(*thresholds)
        gc.collect()


def test_batch_ends_though_somebody_cleared_the_list():
    before, thresholds = list(gc.callbacks), gc.get_threshold()
    with tune("batch"):
        gc.callbacks.clear()
    assert gc.get_threshold() == thresholds
    gc.callbacks[:] = before


def test_batch_ends_where_the_program_freezes_objects():
    thresholds = gc.get_threshold()
    with tune("batch"):
        kept = [[] for _ in range(60_000)]
        gc.freeze()
        kept += [[] for _ in range(400_000)]
        assert gc.get_freeze_count() >= 60_000
        assert gc.get_threshold() == thresholds
    assert gc.get_freeze_count() >= 60_000
    gc.unfreeze()


def test_what_is_refused_leaves_what_is_tuned():
    kept = [[] for _ in range(2000)]
    gc.freeze()
    try:
        with tune("web"):
            with pytest.raises(RuntimeError, match="are frozen already"):
                tune("batch")
            assert gc.get_threshold() == (10_000, 20, 20)
            assert gc.get_freeze_count() > len(kept)
    finally:
        gc.unfreeze()
    with tune("web"), tune("batch"):
        pass


@pytest.mark.parametrize("goal", ["web", "batch"])
def test_it_says_that_it_switches_the_collector_on(goal):
    gc.disable()
    try:
        with tune(goal) as tuned:
            assert gc.isenabled()
            assert "gc.enable()" in [change.what for change in tuned.changes]
        assert not gc.isenabled()
    finally:
        gc.enable()
    with tune(goal) as tuned:
        assert "gc.enable()" not in [change.what for change in tuned.changes]


FORKED_BATCH = """
import gc, os, threading, time
import deadweight as dw
from deadweight import _tune

with dw.collector.tune("batch") as tuned:
    # Long enough for many samples, whose cost the child has not paid.
    kept = [[] for _ in range(2_000_000)]
    batch = tuned._batch
    looked = batch._looked
    assert looked > 0
    held, leave = threading.Event(), threading.Event()
    def hold():
        with _tune._lock:
            held.set()
            leave.wait()
    holder = threading.Thread(target=hold)
    holder.start()
    held.wait()
    pid = os.fork()
    if not pid:
        begun_anew = batch._looked < looked and batch._begun <= time.process_time()
        os._exit(0 if begun_anew and _tune._lock.acquire(timeout=10) else 1)
    leave.set()
    holder.join()
    assert os.waitpid(pid, 0)[1] == 0
"""


def test_a_child_counts_what_samples_cost_anew():
    subprocess.run([sys.executable, "-W", "ignore", "-c", FORKED_BATCH], check=True, timeout=120)


FORK = """
import gc, os
import deadweight as dw

tuned = dw.collector.tune("fork")
assert not gc.isenabled() and gc.get_freeze_count() > 1000
def child(is_enabled):
    pid = os.fork()
    if not pid:
        os._exit(0 if gc.isenabled() == is_enabled and (gc.get_freeze_count() > 1000) == is_enabled else 1)
    assert os.waitpid(pid, 0)[1] == 0
child(True)
tuned.undo()
gc.disable()
child(False)
"""


def test_a_child_collects_and_its_parent_does_not():
    subprocess.run([sys.executable, "-c", FORK], check=True)


FORK_AND_WEB = """
import gc, os
import deadweight as dw

tuned = dw.collector.tune("fork")
thresholds, frozen = gc.get_threshold(), gc.get_freeze_count()
pid = os.fork()
if not pid:
    web = dw.collector.tune("web")
    assert gc.isenabled() and gc.get_threshold() == (10_000, 20, 20)
    assert gc.get_freeze_count() >= frozen
    web.undo()
    assert gc.get_freeze_count() >= frozen
    assert gc.isenabled() and gc.get_threshold() == thresholds
    os._exit(0)
assert os.waitpid(pid, 0)[1] == 0
tuned.undo()
assert gc.get_freeze_count() < 1000
"""


def test_a_child_that_tunes_leaves_frozen_what_its_parent_froze():
    subprocess.run([sys.executable, "-c", FORK_AND_WEB], check=True)


def test_within_paused_nothing_is_tuned():
    with (
        dw.collector.paused(),
        pytest.raises(RuntimeError, match=r"within collector\.paused\(\) nothing can be tuned"),
    ):
        tune("web")


def test_what_is_paused_within_and_undone_in_its_midst_ends_as_it_was_before_both():
    before = gc.isenabled(), gc.get_threshold()
    tuned = tune("web")
    with dw.collector.paused(guard=None):
        tuned.undo()
        assert not gc.isenabled()
    assert (gc.isenabled(), gc.get_threshold()) == before


def test_batch_does_not_unfreeze_what_the_program_froze():
    kept = [[] for _ in range(2000)]
    gc.freeze()
    try:
        with pytest.raises(RuntimeError, match=r"are frozen already: call gc.unfreeze\(\) first"):
            tune("batch")
        with tune("web"):
            assert gc.get_freeze_count() > len(kept)
        assert gc.get_freeze_count() > len(kept)
    finally:
        gc.unfreeze()


def test_an_unknown_goal_is_refused():
    with pytest.raises(ValueError, match='the goal is "web", "batch" or "fork", not \'games\''):
        tune("games")


@pytest.mark.parametrize(
    ("implementation", "version", "reason"),
    [
        ("cpython", (3, 16, 0), "CPython 3.10 to 3.15; that of 3.16.0 may be another"),
        ("cpython", (4, 0, 0), "that of 4.0.0 may be another"),
        ("cpython", (3, 14, 0), "CPython 3.14.0 has the incremental collector"),
        ("cpython", (3, 14, 4), "which 3.14.5 took out again"),
        ("pypy", (3, 11, 0), "not that of pypy"),
    ],
)
def test_a_collector_without_rules_is_refused(implementation, version, reason):
    with pytest.raises(RuntimeError, match=reason):
        _refuse_unknown(implementation, version)


@pytest.mark.parametrize("version", [(3, 10, 0), (3, 13, 18), (3, 14, 5), (3, 15, 2)])
def test_one_with_rules_is_not(version):
    _refuse_unknown("cpython", version)


def test_what_it_did_is_plain_data():
    with dw.collector.tune("web") as tuned:
        plain = json.loads(json.dumps(tuned.to_dict()))
    assert plain["goal"] == "web" and [change["why"] for change in plain["changes"]] == tuned.why
    assert plain["pause_before"] == tuned.pause_before and plain["pause_after"] == tuned.pause_after
    with dw.collector.tune("batch") as tuned:
        assert tuned.to_dict()["pause_after"] is None
