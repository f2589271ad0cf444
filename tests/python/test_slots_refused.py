"""Classes that cannot have slots as they are: each is refused in one clear line, and left as it was."""

import collections
import enum
import threading
import typing
import weakref

import deadweight as dw
import pytest


def body(text, **names):
    """A class of this text."""
    namespace = {"typing": typing, "dw": dw, "weakref": weakref, **names}
    exec(text, namespace)
    return namespace["Some"]


class Unslotted:
    pass


class Middle(Unslotted):
    __slots__ = ("x",)


class Registry:
    __slots__ = ()

    def __init_subclass__(cls, *, key):
        pass


class InDict:
    """A descriptor that keeps values where most do."""

    def __set_name__(self, owner, name):
        self.name = name

    def __set__(self, instance, value):
        instance.__dict__[self.name] = value


class InUnknown:
    def __set__(self, instance, value):
        setattr(instance, self.name, value)


CLASH = "an attribute of instances, and the class has a value of that name"
NO_SLOTS = "a base without __slots__, so each instance has a dict all the same; put @dw.slots on Unslotted first"

REFUSED = {
    "class value": (
        "class Some:\n    retries = 3\n    def fail(self):\n        self.retries -= 1\n",
        f"Some.retries: {CLASH}; set it in __init__ and take it out of the class",
    ),
    "method": (
        "class Some:\n    def run(self):\n        self.run = None\n",
        f"Some.run: {CLASH}; set it in __init__ and take it out of the class",
    ),
    "annotated default": (
        "class Some:\n    size: int = 3\n",
        f"Some.size: {CLASH}; annotate it as ClassVar if it is the class's own; of a dataclass, put @dw.slots "
        "above @dataclass",
    ),
    "value in a base": (
        "class Base:\n    __slots__ = ()\n    size = 3\nclass Some(Base):\n    def __init__(self):\n"
        "        self.size = 1\n",
        "Some.size: an attribute of instances, and a base has a value of that name; set it in __init__ and "
        "take it out of the class",
    ),
    "unslotted base": (
        "class Some(Unslotted):\n    pass\n",
        f"Unslotted: {NO_SLOTS}",
    ),
    "unslotted base further up": (
        "class Some(Middle):\n    pass\n",
        f"Unslotted: {NO_SLOTS}",
    ),
    "exception": (
        "class Some(ValueError):\n    pass\n",
        "Some: Python gives every instance of an exception a dict",
    ),
    "tuple": (
        "class Some(tuple):\n    def note(self):\n        self.x = 1\n",
        "Some: its instances vary in size, as those of int, tuple and bytes: slots have no place in them",
    ),
    "array": (
        "import array\nclass Some(array.array):\n    def note(self):\n        self.x = 1\n",
        "Some: its copies and pickles take a dict along but no slots, as array.__reduce_ex__ makes them",
    ),
    "thread local": (
        "import threading\nclass Some(threading.local):\n    def __init__(self):\n        self.x = 1\n",
        "Some: each thread has a dict of its own, and slots would be shared by all",
    ),
    "enum": (
        "import enum\nclass Some(enum.Enum):\n    A = 1\n",
        "Some: the members of an enum are made with their class, and there are few of them",
    ),
    "flag": (
        "import enum\nclass Some(enum.IntFlag):\n    A = 1\n",
        "Some: the members of an enum are made with their class, and there are few of them",
    ),
    "protocol": (
        "class Some(typing.Protocol):\n    x: int\n",
        "Some: a Protocol has no instances of its own",
    ),
    "base is a protocol": (
        "class Base(typing.Protocol):\n    x: int\nclass Some(Base):\n    x: int\n",
        "Base: a base without __slots__, so each instance has a dict all the same; put __slots__ = () into Base",
    ),
    "named tuple": ("class Some(typing.NamedTuple):\n    x: int\n", "Some: its instances have no dict already"),
    "typed dict": ("class Some(typing.TypedDict):\n    x: int\n", "Some: what a TypedDict makes are plain dicts"),
    "slots": ("class Some:\n    __slots__ = ('x',)\n", "Some: its instances have no dict already"),
    "slots in vain": (
        "class Some(Unslotted):\n    __slots__ = ('x',)\n",
        f"Some: it has __slots__ already\nUnslotted: {NO_SLOTS}",
    ),
    "weak reference": (
        "class Some:\n    def watch(self, call):\n        return weakref.ref(self, call)\n",
        "Some.watch: it makes a weak reference to the instance; @dw.slots(weakref=True)",
    ),
    "weak method": (
        "class Some:\n    def __init__(self):\n        self.x = weakref.WeakMethod(self.watch)\n"
        "    def watch(self):\n        pass\n",
        "Some.__init__: it makes a weak reference to the instance; @dw.slots(weakref=True)",
    ),
    "class changed": (
        "class Some:\n    def turn(self, other):\n        self.__class__ = other\n",
        "Some.turn: it sets the instance's __class__, which needs the same slots in both",
    ),
    "state by dict": (
        "class Some:\n    def __getstate__(self):\n        return self.__dict__.copy()\n",
        "Some.__getstate__: it uses the instance's __dict__; name the attributes instead",
    ),
    "dict by getattr": (
        "class Some:\n    def state(self):\n        return getattr(self, '__dict__', {})\n",
        "Some.state: it uses the instance's __dict__; name the attributes instead",
    ),
    "cached property of one's own": (
        "import functools\nclass Mine(functools.cached_property):\n    pass\n"
        "class Some:\n    @Mine\n    def size(self):\n        return 1\n",
        "Some.size: it uses the instance's __dict__; name the attributes instead",
    ),
    "descriptor in the dict": (
        "class Some:\n    size = InDict()\n",
        "Some.size: it uses the instance's __dict__; name the attributes instead",
    ),
    "descriptor of unknown names": (
        "class Some:\n    size = InUnknown()\n",
        "Some.size: it sets attributes by names that are made at run time; "
        'say which: @dw.slots(extra=("name", ...)), or extra=() if the others are all',
    ),
}


@pytest.mark.parametrize("text, said", REFUSED.values(), ids=REFUSED)
def test_the_reason_is_one_clear_line(text, said):
    some = body(text, Unslotted=Unslotted, Middle=Middle, InDict=InDict, InUnknown=InUnknown)
    before = dict(vars(some))
    with pytest.raises(dw.CannotSlot) as caught:
        dw.slots(some)
    assert "\n".join(map(str, caught.value.blockers)) == said
    lines = said.splitlines()
    indented = lines[0] if len(lines) == 1 else "".join(f"\n  {line}" for line in lines)
    separator = " " if len(lines) == 1 else ""
    assert str(caught.value) == f"Some cannot have slots as it is:{separator}{indented}"
    assert isinstance(caught.value, TypeError)
    assert dict(vars(some)) == before


@pytest.mark.parametrize(
    "module, metaclass, who",
    [
        ("django.db.models.base", "ModelBase", "Django"),
        ("pydantic._internal._model_construction", "ModelMetaclass", "pydantic"),
        ("sqlalchemy.orm.decl_api", "DeclarativeAttributeIntercept", "SQLAlchemy"),
        ("sqlalchemy.orm.decl_api", "DeclarativeMeta", "SQLAlchemy"),
    ],
)
def test_metaclasses_of_libraries_are_known_by_name(module, metaclass, who):
    made = type(metaclass, (type,), {"__module__": module})
    with pytest.raises(dw.CannotSlot, match=f"Model: {who} keeps"):
        dw.slots(made("Model", (), {}))


def test_other_metaclasses_are_not():
    made = []

    class Meta(type):
        def __new__(mcs, name, bases, namespace):
            made.append(name)
            return super().__new__(mcs, name, bases, namespace)

    class Plain(metaclass=Meta):
        def __init__(self):
            self.x = 1

    assert dw.slots(Plain)().x == 1
    assert made == ["Plain", "Plain"]


def test_arguments_of_the_class_statement_are_not_known_any_more():
    class Some(Registry, key="a"):
        pass

    with pytest.raises(dw.CannotSlot, match=r"Some cannot be made again: .*key"):
        dw.slots(Some)


def test_a_registry_that_takes_a_name_once():
    class Once:
        __slots__ = ()
        known = {}  # noqa: RUF012

        def __init_subclass__(cls):
            if cls.__name__ in Once.known:
                raise ValueError(f"{cls.__name__} is there already")
            Once.known[cls.__name__] = cls

    class Some(Once):
        pass

    with pytest.raises(dw.CannotSlot, match=r"Some cannot be made again: Some is there already"):
        dw.slots(Some)


def test_a_class_with_subclasses_is_too_late():
    class Some:
        pass

    class Under(Some):
        pass

    with pytest.raises(
        dw.CannotSlot, match=r"subclasses exist already: .*Under; put @dw\.slots on the class where"
    ):
        dw.slots(Some)
    assert Under


def test_two_lines_of_fields_are_refused_by_python_itself():
    left, right = (dw.slots(body(f"class Some:\n    {name}: int\n")) for name in "ab")
    with pytest.raises(TypeError, match="lay-out conflict"):
        type("Both", (left, right), {})


@pytest.mark.parametrize("thing", [3, "Some", Unslotted(), None.__class__.__name__, enum])
def test_only_classes_are_taken(thing):
    with pytest.raises(TypeError, match="takes a class"):
        dw.slots(thing)
    with pytest.raises(TypeError, match="takes a class"):
        dw.explain_slots(thing)


@pytest.mark.parametrize("base", [threading.Thread, collections.Counter, collections.UserDict])
def test_classes_of_the_standard_library_are_nobodys_to_decorate(base):
    class Some(base):
        pass

    with pytest.raises(dw.CannotSlot) as refused:
        dw.slots(Some)
    (blocker,) = [each for each in refused.value.blockers if each.where == base.__name__]
    assert (blocker.reason, blocker.remedy) == (NO_SLOTS.partition(";")[0], "")
