"""``schedule`` runs full collections when a loop has nothing else to do, and none are automatic meanwhile."""

import asyncio
import gc
import os
import subprocess
import sys
import threading
import time
import weakref

import deadweight as dw
import pytest

# Its import is no part of what is measured.
schedule = dw.collector.schedule
pytestmark = pytest.mark.usefixtures("collector_as_it_was")


loops = [asyncio.run]
try:
    import uvloop
except ImportError:
    pass
else:
    loops.append(uvloop.run)


@pytest.fixture
def full():
    """When full collections were."""
    seen = []

    def heard(phase, info):
        if phase == "start" and info["generation"] == 2:
            seen.append(time.perf_counter())

    gc.callbacks.append(heard)
    yield seen
    gc.callbacks.remove(heard)


def grow_old():
    gc.collect(1)


async def until(condition):
    while not condition():
        await asyncio.sleep(0.01)


def run(main):
    return asyncio.run(asyncio.wait_for(main, 120))


def test_a_full_collection_when_the_loop_is_idle(full):
    async def main():
        async with schedule(every=0.02, latest=3600) as collections:
            full.clear()
            for _ in range(3):
                grow_old()
                before = collections.run
                await until(lambda before=before: collections.run > before)
        return collections

    collections = run(main())
    assert len(full) == collections.run == 3
    assert collections.late == 0
    assert 0 < collections.longest <= collections.total


def test_none_are_automatic_and_young_ones_are(full):
    young = []

    def heard(phase, info):
        young.append(info["generation"])

    async def main(**options):
        async with schedule(every=3600, **options):
            full.clear()
            gc.callbacks.append(heard)
            kept = [[] for _ in range(1_000_000)]
            gc.callbacks.remove(heard)
            return len(full), len(kept)

    assert [[] for _ in range(1_000_000)] and full, "without it there are some"
    assert run(main())[0] == 0
    assert set(young) == {0, 1}
    assert run(main(guard=100_000))[0] > 0


@pytest.fixture
def young_process():
    """As if nothing was old: while what is new is less than a quarter of that, a full collection waits."""
    gc.freeze()
    gc.collect()
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("young_process")
def test_cycles_that_grow_old_do_not_use_up_the_memory(full):
    class Ring:
        alive = 0

        def __init__(self):
            self.itself = self
            Ring.alive += 1

        def __del__(self):
            Ring.alive -= 1

    async def main():
        most = 0
        async with schedule(every=3600, guard=200_000):
            window = []
            for _ in range(500_000):
                # They live just long enough to grow old before they are garbage.
                window.append(Ring())
                if len(window) > 60_000:
                    window.clear()
                most = max(most, Ring.alive)
        return most

    assert run(main()) < 400_000
    assert full


def test_none_while_the_loop_is_busy_until_it_is_late(full):
    async def busy():
        while True:
            end = time.perf_counter() + 0.002
            while time.perf_counter() < end:
                pass
            await asyncio.sleep(0)

    async def main():
        working = asyncio.ensure_future(busy())
        async with schedule(every=0.01, latest=0.5) as collections:
            grow_old()
            full.clear()
            began = time.perf_counter()
            await until(lambda: collections.run)
            first = full[0] - began
        working.cancel()
        return collections, first

    collections, first = run(main())
    assert collections.run == collections.late == 1
    assert first >= 0.5


async def stepping(stop):
    while not stop.is_set():
        await asyncio.sleep(0)


async def calling(stop):
    loop, ended = asyncio.get_running_loop(), asyncio.Event()

    def call():
        if stop.is_set():
            ended.set()
        else:
            loop.call_soon(call)

    call()
    await ended.wait()


async def allocating(stop):
    while not stop.is_set():
        [{"number": number} for number in range(20)]
        await asyncio.sleep(0)


@pytest.mark.parametrize("work", [stepping, calling, allocating])
@pytest.mark.parametrize("runs", loops)
def test_none_while_anything_is_ready_however_short_its_steps(full, runs, work):
    async def main():
        stop = asyncio.Event()
        working = [asyncio.ensure_future(work(stop)) for _ in range(3)]
        async with schedule(every=0.01, latest=3600) as collections:
            grow_old()
            full.clear()
            # By work that was done, not by the clock: on a loaded machine both take as long as they take.
            end = time.thread_time() + 0.4
            while time.thread_time() < end:
                await asyncio.sleep(0)
            meanwhile = len(full), collections.run
            stop.set()
            await asyncio.gather(*working)
            await until(lambda: collections.run)
        return meanwhile, collections.late

    assert runs(asyncio.wait_for(main(), 120)) == ((0, 0), 0)


def test_none_while_what_is_ready_waits_in_its_steps(full):
    async def main():
        async def reading():
            # As one that reads files does: the processor has little to do.
            while not stop.is_set():
                time.sleep(0.001)
                await asyncio.sleep(0)

        stop = asyncio.Event()
        working = asyncio.ensure_future(reading())
        async with schedule(every=0.01, latest=3600) as collections:
            grow_old()
            full.clear()
            for _ in range(300):
                await asyncio.sleep(0)
            meanwhile = len(full)
            stop.set()
            await working
            await until(lambda: collections.run)
        return meanwhile

    assert run(main()) == 0


def test_the_user_is_asked_once_the_loop_is_idle():
    answers, failed = [], []

    def good():
        answers.append(len(answers) == 3)
        if len(answers) == 2:
            raise KeyError
        return answers[-1]

    async def main():
        asyncio.get_running_loop().set_exception_handler(lambda loop, told: failed.append(type(told["exception"])))
        async with schedule(every=0.01, when=good, latest=3600) as collections:
            grow_old()
            await until(lambda: collections.run)
        return collections

    collections = run(main())
    assert answers == [False, False, False, True]
    assert failed == [KeyError]
    assert collections.late == 0


def test_it_is_left_out_if_nothing_has_grown_old(full):
    async def main():
        gc.disable()
        try:
            async with schedule(every=0.01) as collections:
                gc.collect()
                full.clear()
                await until(lambda: collections.left_out >= 3)
        finally:
            gc.enable()
        return collections

    assert run(main()).run == 0
    assert not full


def test_what_paused_let_grow_old_is_not_left_out():
    class Ring:
        pass

    async def main():
        async with schedule(every=0.01) as collections:
            gc.collect()
            with dw.collector.paused():
                ring = Ring()
                ring.itself = ring
                gone = weakref.ref(ring)
                del ring
            await until(lambda: collections.run or collections.left_out)
            assert collections.run and gone() is None
            await until(lambda: collections.left_out)

    run(main())


def test_none_is_run_while_collections_are_paused(full):
    async def main():
        async with schedule(every=0.01, latest=0.02) as collections:
            grow_old()
            full.clear()
            with dw.collector.paused():
                await asyncio.sleep(0.2)
                paused = len(full)
            await until(lambda: collections.run)
            return paused

    assert run(main()) == 0


def test_settings_come_back_in_whatever_order_it_is_left():
    before = gc.get_threshold()
    pausing = dw.collector.paused(guard=None)

    async def main():
        pausing.__enter__()
        async with schedule(every=3600):
            assert not gc.isenabled()
            pausing.__exit__(None, None, None)
            assert gc.isenabled() and gc.get_threshold()[2] > before[2]
            pausing.__enter__()
            async with schedule(every=3600, guard=None):
                pass
        assert not gc.isenabled()
        pausing.__exit__(None, None, None)
        assert gc.get_threshold() == before

    run(main())


def test_exceptions_and_cancelling_leave_it():
    before = gc.get_threshold()

    async def fails():
        async with schedule(every=3600):
            raise KeyError

    async def waits(entered):
        async with schedule(every=3600):
            entered.set()
            await asyncio.sleep(3600)

    async def main():
        with pytest.raises(KeyError):
            await fails()
        assert gc.get_threshold() == before
        entered = asyncio.Event()
        task = asyncio.ensure_future(waits(entered))
        await entered.wait()
        assert gc.get_threshold() != before
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert gc.get_threshold() == before
        # Nothing of it is left in the loop.
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())


def test_nothing_is_run_after_it_was_left(full):
    async def main():
        async with schedule(every=0.01):
            grow_old()
        full.clear()
        await asyncio.sleep(0.1)

    asyncio.run(main())
    assert not full


def test_one_in_each_of_two_loops():
    ended = []

    async def main():
        async with schedule(every=0.01) as collections:
            grow_old()
            await until(lambda: collections.run or collections.left_out)
        ended.append(collections)

    threads = [threading.Thread(target=run, args=(main(),)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ended) == 2


def test_it_can_be_entered_again_but_not_within_itself():
    async def main():
        collections = schedule(every=3600)
        async with collections:
            with pytest.raises(RuntimeError, match="entered already"):
                await collections.__aenter__()
        async with collections:
            assert "every 3,600 s: 0 collections" in str(collections)
        assert "every 3,600 s, ended: 0 collections" in str(collections)
        assert "every 30.0 s, not entered: 0 collections" in str(schedule())

    run(main())


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_is_as_it_was_before():
    before = gc.get_threshold()

    async def main():
        async with schedule(every=3600):
            child = os.fork()
            if not child:
                os._exit(0 if gc.get_threshold() == before else 1)
            return os.waitpid(child, 0)[1]

    assert run(main()) == 0


def test_without_a_loop_it_says_so():
    entering = schedule().__aenter__()
    with pytest.raises(RuntimeError, match="needs asyncio"):
        entering.send(None)


def test_what_makes_no_sense_is_refused():
    for every in (0, "often", -1):
        with pytest.raises(ValueError, match="length of time"):
            schedule(every=every)
    with pytest.raises(ValueError, match="idle"):
        schedule(when="quiet")
    with pytest.raises(ValueError, match="number of objects"):
        schedule(guard=0)


def test_asyncio_is_imported_by_those_who_use_it_only():
    program = "import sys, deadweight as dw; dw.collector.schedule(); assert 'asyncio' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_what_is_tuned_meanwhile_holds_and_what_is_put_off_too():
    before = gc.get_threshold()

    async def main():
        async with schedule(every=3600):
            tuned = dw.collector.tune("web")
            youngest, middle, oldest = gc.get_threshold()
            assert (youngest, middle) == (10_000, 20) and oldest > 20
        assert gc.get_threshold() == (10_000, 20, 20)
        async with schedule(every=3600):
            assert gc.get_threshold()[:2] == (10_000, 20)
            tuned.undo()
            assert gc.get_threshold()[:2] == before[:2] and gc.get_threshold()[2] > before[2]
        assert gc.get_threshold() == before

    run(main())


def test_a_batch_that_makes_cycles_has_its_collector_again_after_both():
    before = gc.get_threshold()

    async def main():
        with dw.collector.tune("batch"):
            async with schedule(every=0.01, latest=0.05) as collections:
                while collections.run < 3:
                    for _ in range(10_000):
                        ring = []
                        ring.append(ring)
                    gc.collect(1)
                    await asyncio.sleep(0.01)
            assert gc.get_threshold() == before

    run(main())


def test_an_async_function_cannot_say_whether_the_moment_is_good():
    async def good():
        return True

    with pytest.raises(TypeError, match="is async"):
        schedule(when=good)
