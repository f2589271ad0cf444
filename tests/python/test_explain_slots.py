"""What explain_slots says: compared with what instances really hold, and with what then happens."""

import collections
import ctypes
import dataclasses
import functools
import gc
import json
import re
import sys
import tracemalloc
import weakref

import deadweight as dw
import pytest


def kind_of(count, *bases):
    """A class whose instances have so many attributes."""
    lines = "".join(f"        self.a{number} = None\n" for number in range(count))
    namespace = {"bases": bases}
    exec(f"class Some(*bases):\n    def __init__(self):\n        pass\n{lines}", namespace)
    return namespace["Some"]


def allocated(kind):
    """What an instance takes, by tracemalloc, once the class is warm."""
    for _ in range(50):
        kind()
    # The free lists of dicts (3.10 to 3.13) are emptied: what they give is not seen.
    kept, things = [{} for _ in range(200)], [None] * 1000
    gc.collect()
    tracemalloc.start()
    for place in range(len(things)):
        things[place] = kind()
    total = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    del kept
    # Measuring itself leaves a block or two.
    return round(total / len(things))


class Two:
    __slots__ = ("x", "y")


@pytest.mark.parametrize("count", [0, 1, 2, 5, 6, 7, 13, 29, 30, 31, 40])
@pytest.mark.parametrize("base", [object, list, Two])
def test_sizes_are_those_of_real_instances(base, count):
    plain = kind_of(count, base)
    advice = dw.explain_slots(plain)
    for _ in range(50):
        thing = plain()
    # A table of more than 512 bytes is malloc's, which gives 16 more where no block could be made of the rest.
    spare = (0, 16) if count >= 30 else (0,)
    real = dw.deepsizeof(thing, stop=(str, type)).total
    assert abs(advice.before - real) in spare
    # With instances to look at, it is they that are weighed.
    assert dw.explain_slots(plain).before == real
    assert advice.after == dw.deepsizeof(dw.slots(plain)()).total
    assert advice.slots == tuple(f"a{number}" for number in range(count))


@pytest.mark.parametrize("count", [1, 5, 6, 20])
def test_sizes_are_what_the_allocator_gave(count):
    plain = kind_of(count)
    advice = dw.explain_slots(plain)
    # tracemalloc counts what was asked for, before the rounding of each block to 16.
    assert 0 <= advice.before - allocated(plain) < 32
    assert 0 <= advice.after - allocated(dw.slots(plain)) < 16


class User:
    def __init__(self, number):
        self.number = number
        self.name = None
        self.mail = None


def test_a_few_instances_are_left_alone():
    users = [User(number) for number in range(12)]
    advice = dw.explain_slots(User)
    assert (advice.count, advice.possible, advice.worth_it) == (len(users), True, False)
    assert advice.saving == 12 * (advice.before - advice.after) > 0
    last = str(advice).splitlines()[-1]
    assert last == f"  12 instances: ~{advice.saving:,} B, leave it"


def test_many_are_not():
    users = [User(number) for number in range(20_000)]
    advice = dw.explain_slots(User)
    assert (advice.count, advice.worth_it) == (len(users), True)
    assert re.search(r"20,000 instances: ~[\d.]+ [kM]B, write @dw\.slots above it$", str(advice))


def test_instances_are_counted_in_the_heap_that_is_given():
    users = [User(number) for number in range(7)]
    heap = dw.snapshot()
    users += [User(number) for number in range(7)]
    assert dw.explain_slots(User, heap).count == 7
    assert dw.explain_slots(User).count == 14
    assert dw.explain_slots(kind_of(1), heap=heap).count == 0


def test_what_instances_do_not_have_yet_is_not_saved():
    class Later:
        def __init__(self, value):
            self.value = value

        def rename(self):
            self.former = self.former2 = self.former3 = self.former4 = self.former5 = self.value

    # The attribute is a dict itself, which is not to be taken for the instance's.
    things = [Later({"a": 1}) for number in range(100)]
    held = [dw.deepsizeof(thing, stop=(dict, type)).total for thing in things]
    if sys.version_info < (3, 11):
        held = [size + dw.sizeof(vars(thing)) for size, thing in zip(held, things, strict=True)]
    assert dw.explain_slots(Later).before == sum(held) // len(held)
    # A look at the dict of each makes one, and then there is more to save.
    dicts = [vars(thing) for thing in things]
    held = [dw.sizeof(thing) + dw.sizeof(own) for thing, own in zip(things, dicts, strict=True)]
    assert dw.explain_slots(Later).before == sum(held) // len(held)


def test_nothing_is_changed_by_being_explained():
    users = [User(number) for number in range(3)]
    sizes = [dw.sizeof(user) for user in users]
    members = dict(vars(User))
    dw.explain_slots(User)
    assert [dw.sizeof(user) for user in users] == sizes
    assert dict(vars(User)) == members
    assert [vars(user)["number"] for user in users] == [0, 1, 2]


@pytest.mark.parametrize("touched", [False, True])
def test_attributes_set_from_outside_are_seen_on_instances(touched):
    class Some(Two):
        def __init__(self):
            self.known = {}
            self.x = {}

    some = Some()
    some.late = 1
    if touched:
        assert some.__dict__
    advice = dw.explain_slots(Some)
    assert advice.slots == ("known", "late")
    assert advice.decorator == "@dw.slots(extra=('late',))"
    assert advice.notes == ("set from outside the class, as seen on instances: late",)
    again = dw.slots(extra=("late",))(Some)()
    again.late = 2
    assert again.late == 2


def test_an_instance_without_attributes_gets_no_dict_by_being_asked():
    class Some(Two):
        pass

    some = Some()
    some.x = {}
    before = dw.deepsizeof(some).total
    assert dw.explain_slots(Some).slots == ()
    assert dw.deepsizeof(some).total == before


def test_weak_references_are_noticed():
    user = User(1)
    assert dw.explain_slots(User).decorator == "@dw.slots"
    kept = weakref.ref(user)
    assert dw.explain_slots(User).decorator == "@dw.slots(weakref=True)"
    assert kept() is user

    class Some:
        def watch(self):
            return weakref.ref(self)

    advice = dw.explain_slots(Some)
    assert (advice.possible, advice.decorator) == (True, "@dw.slots(weakref=True)")


def of_dataclasses(decorate):
    @decorate
    @dataclasses.dataclass
    class Base:
        x: int = 0
        y: int = 0

    @decorate
    @dataclasses.dataclass
    class Derived(Base):
        y: int = 2
        w: int = 1

    return Derived


def of_cached_properties(decorate):
    @decorate
    class Base:
        def __init__(self):
            self.a = self.b = None

        @functools.cached_property
        def one(self):
            return 1

        @functools.cached_property
        def two(self):
            return 2

    @decorate
    class Middle(Base):
        pass

    @decorate
    class Derived(Middle):
        def __init__(self):
            super().__init__()
            self.c = None

    return Derived


def of_annotations(decorate):
    @decorate
    class Base:
        x: int
        y: int

        def late(self):
            self.z = 1

    @decorate
    class Derived(Base):
        def __init__(self):
            self.w = 1

    return Derived


@pytest.mark.parametrize("make", [of_dataclasses, of_cached_properties, of_annotations])
@pytest.mark.parametrize("touched", [False, True])
def test_what_bases_without_slots_would_have_is_counted(make, touched):
    plain = make(lambda kind: kind)
    things = [plain() for _ in range(10)]
    if touched:
        for thing in things:
            for name in ("one", "two", "z", "y"):
                if hasattr(plain, name):
                    getattr(thing, name)
    advice = dw.explain_slots(plain)
    # As it is once all that stands in the way was done.
    assert advice.after == dw.sizeof(make(dw.slots)())
    first = plain.__mro__[-2].__qualname__
    assert [blocker.remedy for blocker in advice.blockers] == [f"put @dw.slots on {first} first"]
    assert (advice.decorator, advice.notes) == ("@dw.slots", ())


def test_weak_references_that_only_a_base_without_slots_has_room_for():
    class Base:
        pass

    class Derived(Base):
        pass

    derived = Derived()
    kept = weakref.ref(derived)
    assert dw.explain_slots(Derived).decorator == "@dw.slots(weakref=True)"
    assert kept() is derived


def test_room_for_what_cached_method_keeps_is_asked_for():
    def make(decorate):
        @decorate
        class Report:
            def __init__(self):
                self.rows = None

            @dw.cached_method
            def total(self):
                return 1

        return Report

    plain = make(lambda kind: kind)
    asked = "weakref=True, extra=('_deadweight_caches',)"
    for _ in range(2):
        report = plain()
        advice = dw.explain_slots(plain)
        assert (advice.possible, advice.decorator, advice.notes) == (True, f"@dw.slots({asked})", ())
        report.total()
    slotted = make(eval(f"dw.slots({asked})"))
    assert slotted().total() == 1
    assert advice.after == dw.sizeof(slotted())

    class Derived(plain):
        pass

    assert dw.explain_slots(Derived).decorator == f"@dw.slots({asked})"
    with pytest.raises(dw.CannotSlot) as caught:
        make(dw.slots)
    assert [str(blocker).rpartition("<locals>.")[2] for blocker in caught.value.blockers] == [
        "Report.total: cached_method keeps results with the instance: in a slot of their own, and by a weak "
        f"reference; @dw.slots({asked})"
    ]
    with pytest.raises(dw.CannotSlot, match=r"extra=\('rows', '_deadweight_caches'\)\)"):
        make(dw.slots(weakref=True, extra=["rows"]))

    # What a base has room for is enough.
    @dw.slots
    class More(slotted):
        @dw.cached_method
        def more(self):
            return 2

    assert (More().more(), More.__slots__) == (2, ())


def test_caches_that_are_not_kept_with_instances_need_no_room():
    @dw.slots
    class Some:
        @dw.cached_method
        @classmethod
        def of_class(cls):
            return 1

        @staticmethod
        @dw.cached_method
        def of_first(thing):
            return 2

        @staticmethod
        @functools.lru_cache
        def of_all():
            return 3

        @functools.lru_cache  # noqa: B019
        def of_any(self):
            return 4

    assert Some.__slots__ == ()
    assert (Some.of_class(), Some.of_first(Plugin), Some.of_all(), Some().of_any()) == (1, 2, 3, 4)


class Plugin:
    __slots__ = ()
    known = []  # noqa: RUF012

    def __init_subclass__(cls):
        Plugin.known.append(cls)


class Named:
    def __set_name__(self, owner, name):
        self.name = name


class Meta(type):
    pass


by_name = {}
by_weakness = weakref.WeakSet()


def test_what_would_run_again_or_keep_the_old_class_is_said():
    class Some(Plugin, metaclass=Meta):
        field = Named()

        @functools.cached_property
        def harmless(self):
            return 1

    by_name["some"] = Some
    by_weakness.add(Some)
    try:
        notes = dw.explain_slots(Some).notes
        assert sorted(notes) == sorted(
            [
                "Plugin.__init_subclass__ runs again, for the class with slots",
                "Named.__set_name__ runs again, for field",
                "the metaclass Meta makes the class again",
                "Plugin.known has the class: one that is made anew is not the same",
                f"{__name__}.by_name has the class: one that is made anew is not the same",
                "a weak dict or set has the class: one that is made anew is not the same",
            ]
        )
        # And so it is.
        again = dw.slots(Some)
        assert Plugin.known == [Some, again]
        assert by_name["some"] is Some and again not in by_weakness
    finally:
        by_name.clear()
        Plugin.known.clear()


def test_a_plain_class_has_no_notes():
    assert dw.explain_slots(User).notes == ()


def test_subclasses_that_could_not_be_made_any_more():
    class Left:
        def __init__(self):
            self.left = 1

    class Both(Left, Two):
        pass

    class Fine(Left):
        __slots__ = ()

    advice = dw.explain_slots(Left)
    name = f"{test_subclasses_that_could_not_be_made_any_more.__name__}.<locals>."
    assert [str(blocker) for blocker in advice.blockers] == [
        f"{name}Both: both its bases {name}Left and Two would have fields of their own, and Python lays out those "
        "of one only; leave one of the two without slots"
    ]
    assert advice.notes == (f"instances of subclasses have a dict until those have slots too: {name}Both",)
    assert Fine
    with pytest.raises(TypeError, match="lay-out conflict"):
        type("Both", (type("Left", (), {"__slots__": ("left",)}), Two), {})


def test_subclasses_with_slots_of_their_own_that_need_the_dict():
    class Base:
        def __init__(self):
            self.known = 1

    class Enough(Base):
        __slots__ = ("more",)

        def __init__(self):
            self.known = self.more = 2

    class Lacking(Base):
        __slots__ = ("more",)

        def __init__(self):
            self.more = self.late = 3

    advice = dw.explain_slots(Base)
    assert [str(blocker).rpartition("<locals>.")[2] for blocker in advice.blockers] == [
        "Base has a place for; name it in its __slots__"
    ]
    assert advice.blockers[0].where == Lacking.__qualname__
    assert advice.blockers[0].reason.startswith("it sets late, which only the dict of")
    assert (Lacking().late, Enough().more) == (3, 2)
    # And so it is.
    with pytest.raises(AttributeError, match="late"):
        type("Lacking", (dw.slots(kind_of(1)),), {"__slots__": ("more",), "__init__": Lacking.__init__})()


def test_arguments_of_a_class_statement_that_would_be_lost_are_said():
    class Keyed:
        __slots__ = ()

        def __init_subclass__(cls, key=None):
            cls.key = key

    class Some(Keyed, key="a"):
        pass

    (note,) = dw.explain_slots(Some).notes
    assert note.endswith(" runs again, for the class with slots and without arguments of the class statement")
    assert (Some.key, dw.slots(Some).key) == ("a", None)


def test_what_stands_in_the_way_is_what_the_decorator_says():
    class Some:
        size: int = 1

        def __init__(self, **options):
            for name, value in options.items():
                setattr(self, name, value)

    some = Some(colour=1)
    advice = dw.explain_slots(Some)
    with pytest.raises(dw.CannotSlot) as caught:
        dw.slots(Some)
    assert advice.blockers == caught.value.blockers
    assert advice.slots == ("colour",) and some.colour == 1
    assert not advice.possible and not advice.worth_it
    assert "cannot have slots as it is:" in str(advice)


def test_a_default_that_the_class_annotates_and_instances_set_has_one_line():
    class Some:
        size: int = 1
        limit: int = 2
        unset: int = 3

        def grow(self):
            self.size += 1

    some = Some()
    some.grow()
    some.limit = 3
    advice = dw.explain_slots(Some)
    lines = {blocker.where.rpartition(".")[2]: blocker.remedy for blocker in advice.blockers}
    assert len(lines) == len(advice.blockers) == 3
    assert lines["size"] == lines["limit"] != lines["unset"]
    assert lines["size"].startswith("set it in __init__") and lines["unset"].startswith("annotate it as ClassVar")
    assert (advice.decorator, advice.notes) == ("@dw.slots", ())


class Documented:
    __slots__ = ("__doc__",)


@pytest.mark.parametrize("base", [tuple, int, Documented])
def test_classes_of_unusual_bases_are_explained(base):
    class Some(base):
        def note(self):
            self.noted = 1

    some = Some()
    advice = dw.explain_slots(Some)
    assert advice.slots == ("noted",) and advice.decorator == "@dw.slots"
    varies = base in (tuple, int)
    assert (advice.before == 0, advice.possible) == (varies, not varies and hasattr(dw.slots(Some), "noted"))
    assert str(advice)
    del some


def test_fields_of_a_type_in_c_are_no_attributes():
    kind = ctypes.CFUNCTYPE(None)
    callback = kind(int)
    advice = dw.explain_slots(kind)
    assert (advice.count, advice.slots, advice.decorator) == (1, (), "@dw.slots")
    assert callback


def test_names_that_no_slot_can_have_stand_in_the_way():
    user = User(1)
    setattr(user, "no name", 2)
    advice = dw.explain_slots(User)
    assert [str(blocker) for blocker in advice.blockers] == [
        "User: instances have attributes whose names cannot be those of slots: 'no name'"
    ]


@pytest.mark.parametrize("kind", [ValueError, collections.namedtuple("Row", "x"), int, Two, type])
def test_classes_that_are_refused_whatever_they_have(kind):
    advice = dw.explain_slots(kind)
    assert not advice.possible and advice.saving == 0
    assert str(advice)


def test_the_result_is_plain_data():
    advice = dw.explain_slots(User)
    data = json.loads(json.dumps(advice.to_dict()))
    assert data["type"] == f"{__name__}.User"
    assert data["slots"] == ["number", "name", "mail"]
    assert (data["possible"], data["worth_it"], data["trust"]) == (True, False, "modelled")
    with pytest.raises(AttributeError):
        advice.count = 1
    assert sys.getsizeof(advice) > 0
