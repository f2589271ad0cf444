"""Lists, tuples, sets, deques and queues: empty, with room to spare, with holes, subclassed."""

import array
import collections
import heapq
import queue


class SubList(list):
    pass


class SubTuple(tuple):
    pass


class SubSet(set):
    pass


class SubDeque(collections.deque):
    pass


Point = collections.namedtuple("Point", "x y")

grown = []
for n in range(100):
    grown.append([n])
exact = [None] * 1000
empty_list = []
shrunk = list(range(1000))
del shrunk[10:]
sub_list = SubList([1, [2]])
sub_list.note = [3]
one = ([1],)
nested = (((((1, [2]),),),),)
sub_tuple = SubTuple(([1], 2))
sub_tuple.note = [4]
points = [Point(n, [n]) for n in range(10)]
small_set = {1, 2, "three"}
large_set = set(range(10_000))
thinned = set(range(1000))
for n in range(900):
    thinned.discard(n)
frozen = frozenset([(1, 2), "x"])
sub_set = SubSet([1, "a"])
sub_set.note = [5]
ring = collections.deque(([n] for n in range(200)), maxlen=130)
empty_ring = collections.deque()
sub_ring = SubDeque([[1]])
sub_ring.note = [6]
ring_iterator = iter(ring)
next(ring_iterator)
heap = [(n, [n]) for n in range(20)]
heapq.heapify(heap)
waiting = queue.SimpleQueue()
for n in range(20):
    waiting.put([n])
waiting.get()
locked = queue.Queue()
locked.put([1])
numbers = array.array("d", range(1000))
grown_numbers = array.array("i")
for n in range(100):
    grown_numbers.append(n)
slices = [slice(1, 10**10, [2]), range(10**10), range(5)]
iterators = [iter(grown), iter(points), iter(large_set), reversed(grown), enumerate(grown), zip(grown, one)]
