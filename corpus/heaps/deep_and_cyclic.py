"""Chains as deep as no recursion goes, rings, and garbage that nobody collected yet."""

import gc

gc.disable()


class Node:
    __slots__ = ("next", "previous", "load")

    def __init__(self):
        self.next = self.previous = None
        self.load = bytes(100)


head = node = Node()
for _ in range(50_000):
    node.next = Node()
    node = node.next
first = last = Node()
for _ in range(10_000):
    last.next = Node()
    last.next.previous = last
    last = last.next
last.next = first
nested = []
for _ in range(20_000):
    nested = [nested]
ring = []
ring.append(ring)
for _ in range(100):
    a, b = Node(), Node()
    a.next, b.next = b, a
del a, b, node
