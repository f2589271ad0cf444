"""A class with slots does what it did without."""

import abc
import array
import collections
import collections.abc
import functools
import gc
import pickle
import sys
import typing
import weakref

import deadweight as dw
import pytest


class Plain:
    """A class as people write them."""

    LIMIT: typing.ClassVar[int] = 3
    made = 0

    def __init__(self, name, *, size=1):
        self.name = name
        self.size = size
        self.__secret = name.upper()
        Plain.made += 1

    def rename(self, name):
        self.name = name
        self.renamed = True

    @property
    def area(self):
        return self.size * self._factor

    @area.setter
    def area(self, value):
        self._factor = value / self.size

    @property
    def secret(self):
        return self.__secret

    @classmethod
    def of(cls, name):
        return cls(name, size=2)

    @staticmethod
    def twice(number):
        return 2 * number


Slotted = dw.slots(Plain)


def test_there_is_no_dict_and_nothing_else_is_different():
    assert Slotted.__slots__ == ("name", "size", "_Plain__secret", "renamed", "_factor")
    thing = Slotted("a", size=4)
    assert not hasattr(thing, "__dict__")
    assert (thing.name, thing.size, thing.secret, thing.LIMIT) == ("a", 4, "A", 3)
    thing.area = 8
    assert thing.area == 8
    thing.rename("b")
    assert (thing.name, thing.renamed) == ("b", True)
    assert Slotted.of("c").size == 2
    assert Slotted.twice(3) == 6
    kept = ("__name__", "__qualname__", "__module__", "__doc__", "__annotations__")
    assert [getattr(Slotted, name) for name in kept] == [getattr(Plain, name) for name in kept]
    del thing.name
    with pytest.raises(AttributeError):
        _ = thing.name


@pytest.mark.parametrize("change", [lambda thing: setattr(thing, "nothing", 1), lambda thing: vars(thing)])
def test_what_slots_do_not_take_is_said_by_python(change):
    with pytest.raises((AttributeError, TypeError), match=r"nothing|__dict__"):
        change(Slotted("a"))


def test_instances_hold_what_those_of_hand_written_slots_do():
    class ByHand:
        __slots__ = Slotted.__slots__

    assert dw.sizeof(Slotted("a")) == dw.sizeof(ByHand())
    assert Slotted.__basicsize__ == ByHand.__basicsize__


@dw.slots
class Base:
    def __init__(self):
        self.base = 1


@dw.slots
class Cached:
    calls = 0

    def __init__(self, x):
        self.x = x

    @functools.cached_property
    def double(self):
        """Twice."""
        type(self).calls += 1
        return 2 * self.x

    @functools.cached_property
    def fails(self):
        raise AttributeError("of its own")


def test_cached_properties_are_computed_once_and_can_be_set_and_deleted():
    thing, before = Cached(3), Cached.calls
    assert (thing.double, thing.double, Cached.calls) == (6, 6, before + 1)
    thing.double = 7
    assert (thing.double, Cached.calls) == (7, before + 1)
    del thing.double
    assert (thing.double, Cached.calls) == (6, before + 2)
    assert Cached(4).double == 8
    assert isinstance(Cached.double, functools.cached_property)
    assert (Cached.double.__doc__, Cached.double.attrname) == ("Twice.", "double")
    with pytest.raises(AttributeError, match="of its own"):
        _ = thing.fails


def test_a_cached_property_of_a_base_is_one_of_the_subclass():
    @dw.slots
    class Over(Cached):
        @functools.cached_property
        def double(self):
            return super().double + 1

    assert Over(3).double == 7
    assert not hasattr(Over(3), "__dict__")


def test_mixins_without_fields_have_those_they_set_in_the_class():
    class Stamped:
        __slots__ = ()

        def stamp(self):
            self.stamped = True

    @dw.slots
    class Both(Base, Stamped):
        pass

    both = Both()
    both.stamp()
    assert Both.__slots__ == ("stamped",)
    assert (both.base, both.stamped) == (1, True)


T = typing.TypeVar("T")


@dw.slots
class Box(typing.Generic[T]):
    content: T

    def __init__(self, content):
        self.content = content


def test_generics():
    assert Box[int](3).content == 3
    assert Box[int].__origin__ is Box
    assert Box.__parameters__ == (T,)
    assert typing.get_type_hints(Box) == {"content": T}
    assert not hasattr(Box[int](3), "__dict__")
    assert Box[int](3).__orig_class__ == Box[int]
    assert not hasattr(Box(3), "__orig_class__")
    again = pickle.loads(pickle.dumps(Box[int](3)))
    assert again.__orig_class__ == Box[int]

    @dw.slots
    class OfInts(Box[int]):
        pass

    assert OfInts.__slots__ == ()

    @dw.slots
    class Known(typing.Generic[T]):
        def kind(self):
            return self.__orig_class__.__args__

    assert Known[int]().kind() == (int,)


WITHOUT_PLACE = [
    (tuple, ([1, 2],)),
    (bytes, ([7],)),
    (int, (7,)),
    (array.array, ("b", [7])),
    (collections.deque, ([1, 2],)),
]


@pytest.mark.parametrize(("base", "content"), WITHOUT_PLACE)
def test_generics_of_types_that_vary_in_size_or_keep_no_slots(base, content):
    @dw.slots
    class Typed(base, typing.Generic[T]):
        pass

    made = Typed[int](*content)
    assert made == base(*content)
    assert not hasattr(made, "__dict__")


@pytest.mark.skipif(sys.version_info < (3, 12), reason="syntax of 3.12")
def test_generics_with_type_parameters():
    namespace = {"dw": dw}
    exec(
        "@dw.slots\nclass Pair[A, B = int]:\n    first: A\n    second: 'B'\n".replace(
            " = int", " = int" if sys.version_info >= (3, 13) else ""
        )
        + "    def __init__(self, first: A):\n        self.first = first\n"
        "    def who(self):\n        return __class__, super()\n",
        namespace,
    )
    pair = namespace["Pair"]
    assert [parameter.__name__ for parameter in pair.__type_params__] == ["A", "B"]
    assert pair.__slots__ == ("first", "second", "__orig_class__")
    assert pair[int, str](1).first == 1
    assert pair(1).who()[0] is pair


@pytest.mark.skipif(sys.version_info < (3, 14), reason="lazy annotations are of 3.14")
def test_annotations_stay_lazy():
    namespace = {"dw": dw}
    exec("@dw.slots\nclass Node:\n    parent: Node\n    later: Later\n", namespace)
    node = namespace["Node"]
    assert node.__slots__ == ("parent", "later")
    namespace["Later"] = int
    assert node.__annotations__ == {"parent": node, "later": int}


def test_abstract_classes():
    class Shape(abc.ABC):
        @abc.abstractmethod
        def area(self): ...

        def scale(self, by):
            self.by = by

    slotted = dw.slots(Shape)
    with pytest.raises(TypeError, match="abstract"):
        slotted()

    @dw.slots
    class Square(slotted):
        def __init__(self, side):
            self.side = side

        def area(self):
            return self.side**2

    square = Square(3)
    square.scale(2)
    assert (square.area(), square.by, isinstance(square, slotted)) == (9, 2, True)
    slotted.register(int)
    assert isinstance(3, slotted) and not issubclass(str, slotted)


def test_containers_of_ones_own():
    @dw.slots
    class Bag(collections.abc.MutableSet):
        def __init__(self, things=()):
            self._things = list(things)

        def __contains__(self, thing):
            return thing in self._things

        def __iter__(self):
            return iter(self._things)

        def __len__(self):
            return len(self._things)

        def add(self, thing):
            if thing not in self._things:
                self._things.append(thing)

        def discard(self, thing):
            self._things.remove(thing)

    bag = Bag([1, 2]) | Bag([3])
    bag.discard(1)
    assert sorted(bag) == [2, 3]
    assert Bag.__slots__ == ("_things",)


def test_a_protocol_is_met():
    class Sized(typing.Protocol):
        __slots__ = ()
        size: int

        def weigh(self) -> int: ...

    @dw.slots
    class Stone(Sized):
        def __init__(self, size):
            self.size = size

        def weigh(self):
            return self.size

    assert Stone(3).weigh() == 3
    assert Stone.__slots__ == ("size",)


def test_weak_references_on_request():
    class Thing:
        def __init__(self):
            self.x = 1

    with pytest.raises(TypeError, match="weak reference"):
        weakref.ref(dw.slots(Thing)())
    slotted = dw.slots(weakref=True)(Thing)
    thing = slotted()
    assert weakref.ref(thing)() is thing

    @dw.slots(weakref=True)
    class More(slotted):
        def __init__(self):
            self.y = 1

    assert More.__slots__ == ("y",)
    assert weakref.ref(More()) is not None

    @dw.slots
    class Watching(slotted):
        def watch(self):
            return weakref.ref(self)

    watching = Watching()
    assert watching.watch()() is watching


def test_extra_names():
    @dw.slots(extra=["cache", "__own"])
    class Thing:
        def __init__(self):
            self.x = 1

    thing = Thing()
    thing.cache = thing._Thing__own = 2
    assert Thing.__slots__ == ("x", "cache", "_Thing__own")
    with pytest.raises(TypeError, match="a list of names"):
        dw.slots(extra="cache")
    with pytest.raises(TypeError, match="takes names, not 3"):
        dw.slots(extra=[3])
    with pytest.raises(TypeError, match="weakref=True"):
        dw.slots(extra=["__weakref__"])
    with pytest.raises(dw.CannotSlot, match="identifiers"):
        dw.slots(extra=["no name"])(Plain)


def test_pattern_matching_and_descriptors_with_slots_of_their_own():
    class Positive:
        def __set_name__(self, owner, name):
            self.name = "_" + name

        def __get__(self, instance, owner=None):
            return self if instance is None else getattr(instance, self.name)

        def __set__(self, instance, value):
            if value <= 0:
                raise ValueError(value)
            setattr(instance, self.name, value)

    @dw.slots(extra=["_width"])
    class Line:
        width = Positive()
        __match_args__ = ("width",)

        def __init__(self, width):
            self.width = width

    assert Line.__slots__ == ("_width",)
    match Line(3):
        case Line(width):
            assert width == 3
    with pytest.raises(ValueError):
        Line(-1)


def test_the_old_class_is_gone():
    def make():
        @dw.slots
        class Gone:
            x: int

            def __init__(self):
                super().__init__()
                self.x = 1

            def who(self):
                return __class__

        return Gone

    kept = [make() for _ in range(3)]
    gc.collect()
    alive = [kind for kind in object.__subclasses__() if kind.__name__ == "Gone"]
    assert len(alive) == len(kept)


@pytest.mark.parametrize("name", ["difflib.SequenceMatcher", "shlex.shlex", "textwrap.TextWrapper", "csv.Sniffer"])
def test_classes_of_the_standard_library_work_with_slots(name):
    module, _, kind = name.rpartition(".")
    plain = getattr(__import__(module), kind)
    uses = {
        "SequenceMatcher": lambda kind: kind(None, "abxcd", "abcd").get_opcodes(),
        "shlex": lambda kind: list(kind("a 'b c' # d", posix=True)),
        "TextWrapper": lambda kind: kind(width=10).wrap("some words that are too long for a line"),
        "Sniffer": lambda kind: kind().sniff("a;b\nc;d\n").delimiter,
    }
    members = {key: value for key, value in vars(plain).items() if key not in ("__dict__", "__weakref__")}
    again = type(plain.__name__, (), members)
    assert uses[kind](dw.slots(again)) == uses[kind](plain)
