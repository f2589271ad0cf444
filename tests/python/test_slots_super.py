"""Methods with slots know their class, as ``super()`` and ``__class__`` do, however they are wrapped."""

import copy
import functools

import deadweight as dw


def traced(function):
    """A decorator without `functools.wraps`."""

    def wrapper(*arguments):
        return function(*arguments)

    return wrapper


def wrapped(function):
    @functools.wraps(function)
    def wrapper(*arguments):
        return function(*arguments)

    return wrapper


class Reader:
    """A descriptor that keeps the function of a method."""

    def __init__(self, function):
        self.function = function

    def __get__(self, instance, owner=None):
        return self if instance is None else self.function(instance)


@dw.slots
class Base:
    def __init__(self):
        self.base = 1

    def who(self):
        return ["Base"]


@dw.slots
class Child(Base):
    def __init__(self):
        super().__init__()
        self.child = 2

    def who(self):
        return [*super().who(), __class__.__qualname__, self.__class__ is __class__]

    @traced
    def by_decorator(self):
        return super().who()

    @wrapped
    def by_wraps(self):
        return super().who()

    @wrapped
    @traced
    @wrapped
    def by_many(self):
        return super().who()

    @functools.lru_cache  # noqa: B019 - as people do
    def by_cache(self):
        return super().who()

    by_lambda = property(lambda self: __class__)

    @property
    def by_property(self):
        return super().who()

    @Reader
    def by_descriptor(self):
        return super().who()

    @functools.cached_property
    def by_cached(self):
        return super().who()

    def _with(self, extra):
        return [*super().who(), extra]

    by_partial = functools.partialmethod(_with, "partial")

    @functools.singledispatchmethod
    def by_type(self, thing):
        return super().who()

    @by_type.register
    def _(self, thing: int):
        return [*super().who(), "int"]

    @classmethod
    def by_class(cls):
        return __class__

    @staticmethod
    def by_static():
        return __class__

    def by_inner(self):
        return [super(__class__, self).who() for _ in "xy"]


def test_methods_know_their_class_however_they_are_wrapped():
    child = Child()
    assert Child.__slots__ == ("child", "by_cached")
    assert child.who() == ["Base", "Child", True]
    answers = [child.by_decorator(), child.by_wraps(), child.by_many(), child.by_cache(), child.by_property]
    answers += [child.by_descriptor, child.by_cached, child.by_type("x"), *child.by_inner()]
    assert answers == [["Base"]] * 10
    assert (child.by_partial(), child.by_type(1)) == (["Base", "partial"], ["Base", "int"])
    assert {child.by_lambda, child.by_class(), child.by_static()} == {Child}
    Child.by_cache.cache_clear()


def test_a_class_in_a_closure_of_another_name_is_left_alone():
    def make():
        class cls:
            def __init__(self):
                self.x = 1

            def again(self):
                return cls

        return cls, dw.slots(cls)

    plain, slotted = make()
    assert slotted().again() is plain


def test_instances_of_subclasses():
    class Free(Child):
        pass

    free = Free()
    free.anything = 1
    assert isinstance(free, Child) and isinstance(free, Base)
    assert free.who() == ["Base", "Child", False]
    assert vars(free) == {"anything": 1}
    assert copy.copy(free).anything == copy.copy(free).base == 1
