"""Dicts of every layout: shared keys, `str` keys only, any keys, with holes, subclassed, and their views."""

import collections
import types


class Attributes:
    def __init__(self):
        self.alpha = [1]
        self.beta = [2]


class SubDict(dict):
    pass


class SlottedDict(dict):
    __slots__ = ("note",)


shared = [vars(Attributes()) for _ in range(20)]
text = {f"key {n}": [n] for n in range(100)}
mixed = {1: "one", "two": [2], (3,): None, None: [4]}
holes = {n: [n] for n in range(1000)}
for n in range(0, 1000, 2):
    del holes[n]
text_holes = {str(n): [n] for n in range(50)}
del text_holes["3"]
emptied = {n: n for n in range(100)}
emptied.clear()
empty = {}
large = {n: str(n) for n in range(20_000)}
sub = SubDict(a=[1])
sub.attribute = [2]
slotted = SlottedDict(a=[1])
slotted.note = [3]
ordered = collections.OrderedDict((n, [n]) for n in range(30))
ordered.move_to_end(3)
ordered.note = ["on an ordered dict"]
default = collections.defaultdict(list, {"a": [1]})
counter = collections.Counter("abracadabra")
chain = collections.ChainMap(text, {"x": [1]})
proxy = types.MappingProxyType({"p": [1]})
namespace = types.SimpleNamespace(a=[1], b={2})
views = [text.keys(), text.values(), text.items(), ordered.keys(), ordered.items()]
iterators = [iter(text), iter(text.values()), iter(text.items()), iter(ordered), reversed(text)]
for iterator in iterators:
    next(iterator)
merged = {**text, **{"more": [1]}}
from_keys = dict.fromkeys(range(10), "value")
