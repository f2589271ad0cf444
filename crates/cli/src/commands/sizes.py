"""Specimens for `deadweight sizes`: builds them, says what they are, and waits to be read."""

import collections
import importlib
import json
import sys

COUNTS = (0, 1, 10, 100, 1000)


class Plain:
    def __init__(self, first):
        self.a, self.b, self.c, self.d, self.e = range(first, first + 5)


class Slotted:
    __slots__ = ("a", "b", "c", "d", "e")

    def __init__(self, first):
        self.a, self.b, self.c, self.d, self.e = range(first, first + 5)


Named = collections.namedtuple("Named", "a b c d e")
rows = []
labels = []


def numbers(count):
    """Ints that no interpreter caches, each an object of its own."""
    first = 1_000_000 + len(rows) * 10_000
    return range(first, first + count)


def add(type_name, specimen, value):
    rows.append(value)
    labels.append((type_name, specimen, sys.getsizeof(value)))


def items(count):
    return "empty" if count == 0 else "1 item" if count == 1 else f"{count} items"


def containers(type_name, make, counts=COUNTS):
    for count in counts:
        add(type_name, items(count), make(numbers(count)))


def function(a, b=1):
    return a


def enclosing(first):
    cells = list(numbers(2))

    def inner():
        return cells, first

    return inner


def generating():
    held = 1
    yield held


def usual_instance(make):
    """The first instances of a class reserve room for up to 30 attributes, later ones for what those had
    (`_PyObject_InitInlineValues` in Objects/dictobject.c): what a program has many of are later ones."""
    for _ in range(100):
        instance = make()
    return instance


def usual():
    add("int", "0", 0)
    add("int", "1000000", int("1000000"))
    add("int", "2**60", 2**60)
    add("int", "10**100", 10**100)
    add("float", "1.5", float("1.5"))
    add("complex", "1+2j", complex(1, 2))
    add("NoneType", "None", None)
    add("object", "object()", object())
    add("str", "empty", "")
    add("str", "10 ASCII", "ab" * 5 + str(len(rows))[:0])
    add("str", "10 Latin-1", "é" * 10)
    add("str", "10 emoji", "\N{GRINNING FACE}" * 10)
    add("str", "1000 ASCII", "x" * 1000)
    add("bytes", "10 bytes", bytes(10))
    add("bytearray", "10 bytes", bytearray(10))
    containers("list", list)
    containers("tuple", tuple)
    containers("set", set)
    containers("frozenset", frozenset)
    containers("dict", lambda keys: dict.fromkeys(keys))
    containers("collections.deque", collections.deque)
    containers("collections.OrderedDict", collections.OrderedDict.fromkeys, (0, 1, 10))
    containers(
        "collections.defaultdict", lambda keys: collections.defaultdict(int, dict.fromkeys(keys)), (0, 1, 10)
    )
    import array

    containers("array.array('q')", lambda values: array.array("q", values), (0, 1, 1000))
    first = numbers(1)[0]
    add("class", "5 attributes", usual_instance(lambda: Plain(first)))
    add("class, __slots__", "5 attributes", usual_instance(lambda: Slotted(first)))
    add("collections.namedtuple", "5 fields", Named(*numbers(5)))
    add("dict", "5 str keys", dict(zip("abcde", numbers(5), strict=True)))
    add("function", "def", function)
    add("function", "closure of 2", enclosing(first))
    add("method", "bound", rows[-1].__call__)
    started = generating()
    next(started)
    add("generator", "suspended", started)
    add("Exception", "one argument", ValueError("text"))
    import datetime
    import decimal

    add("datetime.datetime", "no tzinfo", datetime.datetime(2026, 1, 1))
    add("datetime.date", "", datetime.date(2026, 1, 1))
    add("decimal.Decimal", "1.5", decimal.Decimal("1.5"))
    add("range", "range(10**6)", range(10**6))


def asked(name):
    module, _, attribute = name.rpartition(".")
    try:
        kind = getattr(importlib.import_module(module or "builtins"), attribute)
    except (ImportError, AttributeError) as error:
        sys.exit(f"{name}: {error}")
    if not isinstance(kind, type):
        sys.exit(f"{name} is not a type")
    makers = (
        kind,
        lambda values: kind(zip(values, values, strict=True)),
        lambda values: kind("x" * len(values)),
    )
    for make in makers:
        try:
            specimens = [
                (items(count), usual_instance(lambda make=make, count=count: make(numbers(count))))
                for count in COUNTS
            ]
            lengths = [len(value) for _, value in specimens]
        except Exception:
            continue
        if lengths == list(COUNTS):
            for specimen, value in specimens:
                add(name, specimen, value)
            return
    try:
        add(name, f"{attribute}()", usual_instance(kind))
    except Exception as error:
        sys.exit(f"{name}() cannot be made: {error}")


def cached_ints():
    """The range of ints that are one object however they are made."""
    low = high = 0
    while int(str(low - 1)) is int(str(low - 1)):
        low -= 1
    while int(str(high + 1)) is int(str(high + 1)):
        high += 1
    return low, high


for wanted in sys.argv[1:]:
    asked(wanted)
if not sys.argv[1:]:
    usual()
print(json.dumps({"labels": labels, "cached_ints": cached_ints()}), flush=True)
sys.stdin.read()
