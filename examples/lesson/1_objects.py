"""Lesson 1, the object model: what do ten thousand records weigh?

As usually taught: `sys.getsizeof` of each, then plus its `__dict__`. Neither sees the names, the numbers
and the lists in a record; the second makes each record larger by looking at it.
With deadweight: `deepsizeof`, checked here against what tracemalloc saw being allocated.
"""

import gc
import sys
import tracemalloc

import deadweight as dw

COUNT = 10_000


class UserRecord:
    def __init__(self, number):
        self.user_id = 10_000 + number
        self.name = f"user {number}"
        self.email = f"user{number}@example.com"
        self.score = number / 7
        self.visits = [20_000 + number]


def records():
    """Records, and the bytes that tracemalloc saw being allocated for them."""
    things = [None] * COUNT
    # The first instances of a class make what all of them share, and one is freed last of all: whatever
    # a free list keeps, it keeps before the measuring begins.
    for number in range(50):
        UserRecord(number)
    gc.collect()
    tracemalloc.start()
    for number in range(COUNT):
        things[number] = UserRecord(number)
    allocated = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return things, allocated


def as_taught(things):
    return sum(sys.getsizeof(thing) for thing in things)


def as_taught_with_dict(things):
    return sum(sys.getsizeof(thing) + sys.getsizeof(thing.__dict__) for thing in things)


def with_deadweight(things):
    return dw.deepsizeof(*things)


def main():
    things, allocated = records()
    deep = with_deadweight(things)
    print(f"deadweight: {deep}\n")
    print(f"One of them, byte by byte:\n{dw.layout(things[0])}\n")
    plain, before = as_taught(things), dw.sizeof(things[0])
    with_dict = as_taught_with_dict(things)
    after = dw.sizeof(things[0]) + dw.sizeof(things[0].__dict__)
    print(f"getsizeof           {plain:>12,} B")
    print(f"getsizeof, __dict__ {with_dict:>12,} B   and a record grew from {before} to {after} B by being asked")
    print(f"deepsizeof          {deep.requested:>12,} B requested, {deep.total:,} B held")
    print(f"tracemalloc         {allocated:>12,} B")
    print(f"| weigh {COUNT:,} records | getsizeof: {plain / 1e6:.1f} MB | deepsizeof: {deep.total / 1e6:.1f} MB |")


if __name__ == "__main__":
    main()
