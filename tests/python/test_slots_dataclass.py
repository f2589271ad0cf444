"""Dataclasses with slots made afterwards."""

import copy
import dataclasses
import inspect
import pickle
import types
import typing
import weakref
from dataclasses import InitVar, dataclass, field

import deadweight as dw
import pytest


@dw.slots
@dataclass(order=True)
class Point:
    """Has all that fields can be."""

    x: int
    y: int = 5
    names: list = field(default_factory=list, compare=False, repr=False)
    count: int = field(default=0, init=False)
    scale: InitVar[int] = 3
    LIMIT: typing.ClassVar[int] = 9

    def __post_init__(self, scale):
        self.scaled = self.x * scale

    def grow(self):
        self.count += 1


def test_fields_do_what_they_did():
    point = Point(2, names=["a"], scale=4)
    assert sorted(Point.__slots__) == ["count", "names", "scaled", "x", "y"]
    assert not hasattr(point, "__dict__")
    assert repr(point) == "Point(x=2, y=5, count=0)"
    assert (point.names, point.scaled, point.LIMIT, Point.LIMIT) == (["a"], 8, 9, 9)
    assert Point(1).names is not Point(1).names
    assert Point(1) < Point(2) and Point(1) == Point(1) and Point(1) != Point(1, 6)
    assert dataclasses.asdict(point) == {"x": 2, "y": 5, "names": ["a"], "count": 0}
    assert dataclasses.replace(point, x=3, scale=1).scaled == 3
    assert [item.name for item in dataclasses.fields(Point)] == ["x", "y", "names", "count"]
    assert list(inspect.signature(Point).parameters) == ["x", "y", "names", "scale"]
    assert Point.__match_args__ == ("x", "y", "names", "scale")
    with pytest.raises(AttributeError):
        point.other = 1


def test_a_default_that_only_the_class_had():
    point = Point(2)
    assert (Point.count, point.count) == (0, 0)
    point.grow()
    assert (Point.count, point.count, Point(2).count) == (0, 1, 0)
    del point.count
    assert point.count == 0
    assert Point.__new__(Point).count == 0

    @dataclass
    class Plain(Point):
        z: int = 1

    assert (Plain(2).count, Plain(2, z=3).z) == (0, 3)

    @dw.slots
    @dataclass(init=False)
    class NoInit:
        x: int = 4

    assert NoInit().x == 4

    @dw.slots
    @dataclass
    class OwnInit:
        x: int = 4

        def __init__(self, x=None):
            if x is not None:
                self.x = x

    assert (OwnInit().x, OwnInit(5).x) == (4, 5)


def test_defaults_that_are_arguments_are_plain_slots():
    assert isinstance(vars(Point)["y"], types.MemberDescriptorType)


@dw.slots
@dataclass(frozen=True)
class Frozen:
    x: int
    tags: tuple = ()

    def __post_init__(self):
        object.__setattr__(self, "hidden", self.x + 1)


@dw.slots
@dataclass(frozen=True)
class FrozenChild(Frozen):
    y: int = 0


@pytest.mark.parametrize("made", [Frozen(1, (2,)), FrozenChild(1, (2,), 3)])
def test_frozen_ones_stay_frozen_and_hashable(made):
    same = dataclasses.replace(made)
    assert hash(made) == hash(same) and {made: 1}[same] == 1
    assert made.hidden == 2
    for name in ("x", "hidden", "unknown"):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(made, name, 1)
        with pytest.raises(dataclasses.FrozenInstanceError):
            delattr(made, name)
    for again in (copy.copy(made), copy.deepcopy(made), pickle.loads(pickle.dumps(made))):
        assert again == made and again.hidden == 2 and hash(again) == hash(made)


def test_subclasses_add_their_own_fields_only():
    assert FrozenChild.__slots__ == ("y",)
    assert FrozenChild.__basicsize__ == Frozen.__basicsize__ + 8


def test_a_field_of_the_base_with_another_default():
    @dw.slots
    @dataclass
    class Base:
        x: int = 1
        kept: int = field(default=1, init=False)

    @dw.slots
    @dataclass
    class Child(Base):
        x: int = 2
        kept: int = field(default=2, init=False)

    assert (Base().x, Child().x, Base().kept, Child().kept) == (1, 2, 1, 2)
    assert Child.__slots__ == ("kept",)


def test_keyword_only():
    @dw.slots
    @dataclass(kw_only=True)
    class All:
        x: int
        y: int = 2

    @dw.slots
    @dataclass
    class Some:
        x: int
        _: dataclasses.KW_ONLY
        y: int = 2

    assert (All(x=1).y, Some(1, y=3).y) == (2, 3)
    assert (All.__slots__, Some.__slots__) == (("x", "y"), ("x", "y"))
    with pytest.raises(TypeError):
        Some(1, 2)


def test_below_dataclass_without_defaults():
    @dataclass(frozen=True)
    @dw.slots
    class Below:
        x: int
        y: "int"
        SHARED: typing.ClassVar[int] = 1
        LABEL: "typing.ClassVar[str]" = "a"
        given: InitVar[int]
        told: "InitVar[int]"

    below = Below(1, 2, 3, 4)
    assert Below.__slots__ == ("x", "y")
    assert (below.x, below.y, hash(below) == hash(Below(1, 2, 5, 6))) == (1, 2, True)


@pytest.mark.parametrize(
    "default", ["5", "dataclasses.field(default_factory=list)", "dataclasses.field(init=False)"]
)
def test_below_dataclass_defaults_are_refused_with_the_cure(default):
    namespace = {"dataclasses": dataclasses, "dw": dw}
    with pytest.raises(dw.CannotSlot, match=r"put @dw\.slots above @dataclass"):
        exec(f"@dataclasses.dataclass\n@dw.slots\nclass Below:\n    x: object = {default}\n", namespace)


def test_a_dataclass_with_slots_of_its_own():
    with pytest.raises(dw.CannotSlot, match="its instances have no dict already"):
        dw.slots(dataclass(slots=True)(type("Own", (), {"__annotations__": {"x": int}})))


def test_fields_that_are_properties_or_descriptors():
    class Int:
        def __set_name__(self, owner, name):
            self.name = "_" + name

        def __get__(self, instance, owner=None):
            return 100 if instance is None else getattr(instance, self.name)

        def __set__(self, instance, value):
            setattr(instance, self.name, int(value))

    @dw.slots(extra=["_size"])
    @dataclass
    class Item:
        size: Int = Int()  # noqa: RUF009

    assert (Item().size, Item("3").size, Item.__slots__) == (100, 3, ("_size",))


def test_weak_references():
    made = dw.slots(weakref=True)(dataclass(type("Weak", (), {"__annotations__": {"x": int}})))
    thing = made(1)
    assert weakref.ref(thing)() is thing


def test_types_are_found_in_the_new_class():
    @dw.slots
    @dataclass
    class Node:
        value: int
        next: "typing.Optional[Node]" = None  # noqa: UP045

    assert typing.get_type_hints(Node, localns={"Node": Node})["next"] == typing.Optional[Node]  # noqa: UP045
    assert Node(1, Node(2)).next.value == 2
