"""Functions, closures, methods, and what `functools` makes of them."""

import functools
import operator


def make(body):
    count = 0

    def handler(request, *, flag=[body]):
        nonlocal count
        count += 1
        return body, count

    return handler


def defaults(first=[1], second={"k": (2,)}, *, third=[3]):
    """Has defaults."""


defaults.attribute = ["set on a function"]


def annotated(x: "int" = 1) -> "list[int]":
    return [x]


class Service:
    def __init__(self):
        self.state = [1]

    def method(self):
        return self.state

    @classmethod
    def made(cls):
        return cls()

    @staticmethod
    def free(x):
        return x

    @property
    def size(self):
        """A documented property."""
        return 1

    @functools.cached_property
    def slow(self):
        return [2]


@functools.lru_cache(maxsize=None)
def unbounded(n):
    return [n]


@functools.lru_cache(maxsize=32)
def bounded(n, *, key=None):
    return (n, key)


@functools.singledispatch
def dispatched(x):
    return x


@dispatched.register(int)
def _(x):
    return [x]


handler = make(bytearray(10_000))
handler(1)
service = Service()
service.slow
bound = service.method
class_bound = Service.made
built_in_bound = service.state.append
partial = functools.partial(make, [1], body=[2])
partial.note = [3]
for n in range(100):
    unbounded(n)
    bounded(n, key=n)
adder = lambda x, y=[5]: x
getters = [operator.itemgetter(1, "x"), operator.attrgetter("a.b", "c"), operator.methodcaller("m", 1, k=[2])]
wrapped = functools.wraps(make)(lambda: None)
key = functools.cmp_to_key(lambda a, b: 0)([1])
superior = super(Service, service)
reducers = [map(make, [1]), filter(None, [1, 2])]


def recursive():
    cell = [1]

    def inner():
        return inner, cell

    return inner


knot = recursive()


def empty_cell():
    def inner():
        return missing

    yield inner
    missing = 1


unfilled = next(empty_cell())
