"""Copies and pickles of classes with slots, and of what they were before."""

import copy
import copyreg
import io
import pickle
import sys
import types

import deadweight as dw
import pytest

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)

SOURCES = {
    "plain": """
class Thing:
    def __init__(self, number):
        self.number = number
        self.__secret = [number]
    def secret(self):
        return self.__secret
    def later(self):
        self.unset = 1
""",
    "dataclass": """
import dataclasses
@dataclasses.dataclass
class Thing:
    number: int
    items: list = dataclasses.field(default_factory=list)
    kept: int = dataclasses.field(default=7, init=False)
    def secret(self):
        return [self.number, self.items, self.kept]
""",
    "frozen": """
import dataclasses
@dataclasses.dataclass(frozen=True, order=True)
class Thing:
    number: int
    name: str = "x"
    def __post_init__(self):
        object.__setattr__(self, "twice", 2 * self.number)
    def secret(self):
        return [self.number, self.name, self.twice]
""",
    "cached": """
import functools
class Thing:
    def __init__(self, number):
        self.number = number
        self.twice
    @functools.cached_property
    def twice(self):
        return [2 * self.number]
    def secret(self):
        return self.twice
""",
    "own state": """
class Thing:
    def __init__(self, number):
        self.number = number
        self.handle = object()
    def __getstate__(self):
        return {"number": self.number}
    def __setstate__(self, state):
        self.number = state["number"]
        self.handle = None
    def secret(self):
        return [self.number]
""",
    "own setstate": """
class Thing:
    def __init__(self, number):
        self.number = number
    def __setstate__(self, state):
        self.number = state["number"]
    def secret(self):
        return [self.number]
""",
    "own getstate": """
class Thing:
    def __init__(self, number):
        self.number = number
        self.handle = object()
    def __getstate__(self):
        return {"number": self.number}
    def secret(self):
        return [self.number]
""",
    "own reduce": """
class Thing:
    def __init__(self, number):
        self.number = number
    def __reduce__(self):
        return type(self), (self.number,), {"extra": 1}
    def secret(self):
        self.extra = 1
        return [self.number]
""",
    "lookups of its own": """
class Thing:
    def __init__(self, number):
        self.number = number
    def __getattr__(self, name):
        if name == "__dict__":
            return {"surprise": 1}
        raise AttributeError(name)
    def secret(self):
        return [self.number]
""",
    "list": """
class Thing(list):
    def __init__(self, number):
        super().__init__([number])
        self.number = number
    def secret(self):
        return [self.number, *self]
""",
}


@pytest.fixture
def app(monkeypatch):
    module = types.ModuleType("app")
    monkeypatch.setitem(sys.modules, "app", module)
    return module


def define(app, source, *, slots):
    """The class in the module, with slots or as it was before."""
    exec(source, vars(app))
    if slots:
        app.Thing = dw.slots(app.Thing)
        assert not app.Thing.__dictoffset__
    return app.Thing


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
@pytest.mark.parametrize("before, after", [(False, True), (True, True), (True, False)])
def test_pickles_are_read_with_and_without(app, source, protocol, before, after):
    thing = define(app, source, slots=before)(21)
    data = pickle.dumps(thing, protocol)
    kind = define(app, source, slots=after)
    # The one in C, and the one that people read.
    for load in (pickle.loads, lambda data: pickle._Unpickler(io.BytesIO(data)).load()):
        again = load(data)
        assert type(again) is kind
        assert again.secret() == thing.secret()
        assert again.number == 21


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_copies(app, source):
    thing = define(app, source, slots=True)(21)
    for again in (copy.copy(thing), copy.deepcopy(thing)):
        assert type(again) is type(thing)
        assert again is not thing
        assert again.secret() == thing.secret()


def test_deep_copies_are_deep_and_keep_cycles(app):
    kind = define(app, SOURCES["plain"], slots=True)
    thing = kind(1)
    thing.number = [thing]
    again = copy.deepcopy(thing)
    assert again.number[0] is again
    assert again.secret() == thing.secret() and again.secret() is not thing.secret()


def test_what_is_not_set_stays_so(app):
    kind = define(app, SOURCES["plain"], slots=True)
    thing = pickle.loads(pickle.dumps(kind(1)))
    with pytest.raises(AttributeError):
        _ = thing.unset
    assert thing.number == 1


def test_the_state_is_a_dict_as_before(app):
    plain = define(app, SOURCES["plain"], slots=False)(1)
    slotted = define(app, SOURCES["plain"], slots=True)(1)
    assert slotted.__getstate__() == vars(plain)


def test_what_pickles_keep_in_a_class_is_not_taken_over(app):
    pickle.dumps(define(app, SOURCES["plain"], slots=False)(1))
    app.Thing = slotted = dw.slots(app.Thing)
    assert copyreg._slotnames(slotted) == ["number", "_Thing__secret", "unset"]
    exec("class More(Thing):\n    def later(self):\n        self.added = 2", vars(app))
    before = app.More(1)
    before.later()
    assert copy.copy(before).added == 2
    after = dw.slots(app.More)(1)
    after.later()
    assert (copy.copy(after).added, copy.copy(after).number) == (2, 1)


@pytest.mark.skipif(sys.version_info < (3, 11), reason="object has no __getstate__ before 3.11")
@pytest.mark.parametrize("asked", ["super().__getstate__()", "object.__getstate__(self)"])
def test_a_state_of_objects_own_is_no_dict_any_more(app, asked):
    source = f"class More({{}}):\n    def __getstate__(self):\n        return {{{{**{asked}, 'number': 3}}}}\n"
    define(app, SOURCES["plain"], slots=False)
    exec(source.format("object"), vars(app))
    with pytest.raises(dw.CannotSlot, match=r"More\.__getstate__: it asks object for a state"):
        dw.slots(app.More)
    if asked.startswith("super"):
        # What a base with slots of ours answers is a dict.
        define(app, SOURCES["plain"], slots=True)
        exec(source.format("Thing"), vars(app))
        app.More = dw.slots(app.More)
        again = pickle.loads(pickle.dumps(app.More(1)))
        assert (again.number, again.secret()) == (3, [1])


@pytest.mark.parametrize(
    "state", [{"number": 1}, (None, {"number": 1}), ({"number": 1}, None), ({}, {"number": 1})]
)
def test_states_as_python_makes_them(app, state):
    kind = define(app, SOURCES["plain"], slots=True)
    thing = kind.__new__(kind)
    thing.__setstate__(state)
    assert thing.number == 1


def test_attributes_that_there_are_no_more_are_not_lost_in_silence(app):
    thing = define(app, SOURCES["plain"], slots=False)(1)
    thing.unknown = 2
    data = pickle.dumps(thing)
    define(app, SOURCES["plain"], slots=True)
    with pytest.raises(AttributeError, match="unknown"):
        pickle.loads(data)


def test_instances_of_a_subclass_without_slots_take_their_dict_along(app):
    define(app, SOURCES["plain"], slots=True)
    exec("class Free(Thing):\n    pass", vars(app))
    free = app.Free(1)
    free.anything = [2]
    for protocol in PROTOCOLS:
        again = pickle.loads(pickle.dumps(free, protocol))
        assert (again.number, again.anything, vars(again)) == (1, [2], {"anything": [2]})


@pytest.mark.parametrize("base", ["set", "bytearray", "collections.deque"])
def test_containers_in_c_keep_slots_as_they_did_a_dict_or_are_refused(app, base):
    source = f"import collections\nclass Thing({base}):\n    def note(self):\n        self.noted = 1\n"
    if sys.version_info < (3, 11):
        with pytest.raises(dw.CannotSlot, match=r"take a dict along but no slots before Python 3\.11"):
            define(app, source, slots=True)
        return
    found = []
    for slots in (False, True):
        thing = define(app, source, slots=slots)()
        thing.note()
        copies = [copy.copy(thing), *[pickle.loads(pickle.dumps(thing, protocol)) for protocol in PROTOCOLS]]
        # Copies of a deque take nothing along, with slots or without.
        found.append([(type(again) is app.Thing, getattr(again, "noted", None)) for again in copies])
    assert found[0] == found[1]
    assert (True, 1) in found[1]
