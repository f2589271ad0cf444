"""Instances with attributes in every place CPython has for them."""


class Plain:
    def __init__(self, n):
        self.number = n * 1_000_003
        self.items = [n]


class Slotted:
    __slots__ = ("left", "right", "__weakref__")

    def __init__(self):
        self.left = bytearray(1000)
        self.right = None


class Child(Slotted):
    __slots__ = ("extra",)


class SlotsAndDict(Slotted):
    pass


class Many:
    def __init__(self):
        for n in range(40):
            setattr(self, f"field_{n}", [n])


class Empty:
    pass


plain = [Plain(n) for n in range(100)]
touched = [Plain(n) for n in range(100)]
dicts = [vars(thing) for thing in touched]
late = [Plain(n) for n in range(50)]
for thing in late:
    thing.added_late = [0]
replaced = Plain(1)
replaced.__dict__ = {"fresh": [1]}
removed = Plain(2)
del removed.number
slotted = Slotted()
child = Child()
child.extra = [slotted]
both = SlotsAndDict()
both.free = [both]
many = [Many() for _ in range(10)]
empty = [Empty() for _ in range(10)]
unfilled = Slotted.__new__(Slotted)
