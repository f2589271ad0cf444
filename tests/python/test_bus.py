"""A bus calls its handlers and keeps no object alive."""

import gc
import threading
import warnings

import deadweight as dw
import pytest


class Window:
    def __init__(self):
        self.heard = []

    def on_event(self, *args, **kwargs):
        self.heard.append((args, kwargs))
        return len(self.heard)

    @classmethod
    def on_class(cls, *args):
        return "class"


def test_handlers_are_called_in_their_order_with_what_was_emitted():
    bus, window = dw.Bus(), Window()
    bus.connect(window.on_event)
    bus.connect(lambda *args, **kwargs: "second")
    assert bus.emit(1, key=2) == [1, "second"]
    assert window.heard == [((1,), {"key": 2})]


def test_a_method_goes_with_its_object():
    bus, window = dw.Bus(), Window()
    bus.connect(window.on_event)
    assert len(bus) == 1 and window.on_event in bus and list(bus) == [window.on_event]
    del window
    assert len(bus) == 0 and bus.emit() == [] and bus.stats().dead == 1


def test_functions_stay_though_nobody_else_holds_them():
    bus = dw.Bus()
    bus.connect(lambda: "lambda")

    @bus.connect
    def inner():
        return "inner"

    bus.connect(Window.on_class)
    bus.connect([].append)
    del inner
    gc.collect()
    assert len(bus) == 4 and bus.emit.__self__ is bus
    assert bus.disconnect([].append) in (True, False)
    assert [handler.__name__ for handler in bus][:3] == ["<lambda>", "inner", "on_class"]


def test_one_that_is_connected_twice_is_called_once_and_can_be_taken_off():
    bus, window = dw.Bus(), Window()
    bus.connect(window.on_event)
    bus.connect(window.on_event)
    assert bus.emit() == [1]
    assert bus.disconnect(window.on_event) and not bus.disconnect(window.on_event)
    assert bus.emit() == [] and bus.stats().dead == 0


def test_a_closure_over_self_is_warned_of():
    class Page:
        def __init__(self, bus):
            bus.connect(lambda: self)

    with pytest.warns(UserWarning, match=r"keeps that .*Page alive.*self\.on_event") as caught:
        Page(dw.Bus())
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        bus = dw.Bus()
        bus.connect(lambda: bus)
        bus.connect(Window().on_event)


def test_what_is_no_function_is_refused():
    with pytest.raises(TypeError, match="can be called, not int"):
        dw.Bus().connect(3)


def test_handlers_that_change_the_bus_change_the_next_emission():
    bus, calls = dw.Bus(), []

    def again():
        calls.append("again")
        bus.disconnect(again)
        bus.connect(later)

    def later():
        calls.append("later")

    bus.connect(again)
    bus.emit()
    assert calls == ["again"]
    bus.emit()
    assert calls == ["again", "later"]


def test_a_handler_that_dies_while_others_are_called_is_not_called():
    bus, windows = dw.Bus(), [Window()]
    bus.connect(windows.clear)
    bus.connect(windows[0].on_event)
    assert bus.emit() == [None]


def test_an_exception_is_raised_where_it_was_emitted():
    bus, calls = dw.Bus(), []
    bus.connect(lambda: 1 / 0)
    bus.connect(lambda: calls.append(1))
    with pytest.raises(ZeroDivisionError):
        bus.emit()
    assert calls == []


def test_a_bus_keeps_nothing_of_what_it_emitted_and_is_no_cycle():
    import weakref

    bus, thing = dw.Bus(), Window()
    bus.connect(lambda it: None)
    bus.emit(thing)
    gone = weakref.ref(thing)
    del thing
    assert gone() is None
    window = Window()
    bus.connect(window.on_event)
    gone = weakref.ref(bus)
    del bus
    assert gone() is None


def test_threads_may_connect_emit_and_drop_at_once():
    bus, errors = dw.Bus(), []

    def work():
        try:
            for _ in range(300):
                windows = [Window() for _ in range(5)]
                for window in windows:
                    bus.connect(window.on_event)
                bus.emit(1)
                assert all(window.heard for window in windows)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors and len(bus) == 0 and bus.stats().dead == 4 * 300 * 5


def test_a_method_of_what_has_no_weak_reference():
    class Slim:
        __slots__ = ()

        def on_event(self):
            pass

    with pytest.raises(TypeError, match=r"no weak reference to .*Slim' objects; a class with __slots__ needs"):
        dw.Bus().connect(Slim().on_event)
