"""A callback is called when its object goes, once, and does not keep it."""

import functools
import gc
import subprocess
import sys
import threading

import deadweight as dw
import pytest


class Thing:
    def __init__(self, name="thing"):
        self.name = name

    def close(self):
        pass


@pytest.fixture
def heard():
    return []


def test_it_is_called_once_when_the_object_goes(heard):
    thing = Thing()
    finalizer = dw.finalize(thing, heard.append, 1)
    assert finalizer.alive and finalizer.peek() == (thing, heard.append, (1,), {})
    del thing
    assert heard == [1] and not finalizer.alive and finalizer.peek() is None
    assert finalizer() is None and finalizer.detach() is None and heard == [1]


def test_nobody_has_to_keep_the_finalizer(heard):
    thing = Thing()
    dw.finalize(thing, heard.append, 1)
    gc.collect()
    del thing
    assert heard == [1]


def test_it_is_called_for_what_a_collection_frees(heard):
    thing = Thing()
    thing.cycle = thing
    dw.finalize(thing, heard.append, 1)
    del thing
    gc.collect()
    assert heard == [1]


def test_called_by_hand_it_gives_and_raises_what_the_callback_does():
    thing = Thing()
    assert dw.finalize(thing, "{}-{key}".format, 1, key=2)() == "1-2"
    with pytest.raises(ZeroDivisionError):
        dw.finalize(thing, lambda: 1 / 0)()


def test_detached_it_is_not_called(heard):
    thing = Thing()
    finalizer = dw.finalize(thing, heard.append, 1)
    assert finalizer.detach() == (thing, heard.append, (1,), {})
    del thing
    assert heard == [] and not finalizer.alive


def test_several_of_one_object_are_called_newest_first_as_weak_references_are(heard):
    thing = Thing()
    for number in range(3):
        dw.finalize(thing, heard.append, number)
    del thing
    assert heard == [2, 1, 0]


def test_what_is_unhashable_or_equal_to_all_can_have_one(heard):
    class Odd:
        __hash__ = None

        def __eq__(self, other):
            raise RuntimeError

    one, two = Odd(), Odd()
    dw.finalize(one, heard.append, 1)
    dw.finalize(two, heard.append, 2)
    del two, one
    assert heard == [2, 1]


def keeping():
    thing = Thing()
    holder = {"deep": [{"down": (thing,)}]}
    yield thing.close, (), {}, "a method of that very object"
    yield print, (thing,), {}, "argument 1 is that very object"
    yield print, (), {"file": [thing]}, "argument 'file' leads to it"
    yield lambda: thing.name, (), {}, "the callback leads to it"
    yield lambda held=thing: held, (), {}, "the callback leads to it"
    yield functools.partial(print, holder), (), {}, "the callback leads to it"
    yield print, (1, holder), {}, "argument 2 leads to it"


@pytest.mark.parametrize("number", range(7))
def test_a_callback_that_leads_to_its_object_is_refused(number):
    callback, args, kwargs, reason = list(keeping())[number]
    things = [it for it in gc.get_objects() if type(it) is Thing]
    [thing] = [it for it in things if _leads([callback, args, kwargs], it)]
    with pytest.raises(ValueError, match=reason):
        dw.finalize(thing, callback, *args, **kwargs)


def _leads(start, sought):
    """The same by a plain search, without bounds."""
    pending, seen = [start], set()
    while pending:
        it = pending.pop()
        if it is sought:
            return True
        if id(it) not in seen and not isinstance(it, (type, type(sys))) and it is not globals():
            seen.add(id(it))
            pending += gc.get_referents(it)
    return False


def test_global_variables_are_not_what_a_function_keeps(heard):
    global everywhere
    everywhere = Thing()
    dw.finalize(everywhere, lambda: heard.append(1))
    del everywhere
    assert heard == [1]


def test_what_cannot_be_referred_to_weakly_is_refused_in_words():
    class Slim:
        __slots__ = ()

    with pytest.raises(TypeError, match=r"no weak reference to .*Slim.*__weakref__"):
        dw.finalize(Slim(), print)
    with pytest.raises(TypeError, match="something that can be called, not int"):
        dw.finalize(Thing(), 1)


def test_an_exception_is_not_raised_where_the_object_went(monkeypatch):
    told = []
    monkeypatch.setattr(sys, "unraisablehook", lambda it: told.append(it.exc_type))
    thing = Thing()
    dw.finalize(thing, lambda: 1 / 0)
    del thing
    assert told == [ZeroDivisionError]


def test_one_of_many_threads_calls_it():
    for _ in range(200):
        thing, heard = Thing(), []
        finalizer = dw.finalize(thing, heard.append, 1)
        threads = [threading.Thread(target=finalizer) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert heard == [1]


def test_at_exit_what_is_left_is_called_newest_first():
    program = """
import deadweight as dw
class Thing: pass
kept = [Thing() for _ in range(4)]
finalizers = [dw.finalize(thing, print, number) for number, thing in enumerate(kept)]
finalizers[1].atexit = False
dw.finalize(kept[0], lambda: 1 / 0)
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert run.stdout.split() == ["3", "2", "0"] and "ZeroDivisionError" in run.stderr and run.returncode == 0


def test_what_was_called_off_was_not_called():
    thing = Thing()
    closing = dw.finalize(thing, print)
    closing.detach()
    closing()
    assert "detached" in repr(closing) and "called" not in repr(closing)
    closing = dw.finalize(thing, list)
    closing()
    assert closing.detach() is None and "called" in repr(closing)


def test_an_array_of_objects_leads_to_them():
    numpy = pytest.importorskip("numpy")
    thing = Thing()
    with pytest.raises(ValueError, match="argument 1 leads to it"):
        dw.finalize(thing, print, numpy.array([[1, thing]], dtype=object)[:, 1:])
    assert dw.finalize(thing, print, numpy.zeros(3)).detach() is not None
