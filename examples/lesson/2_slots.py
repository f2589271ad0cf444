"""Lesson 2, slots: what do ten thousand records save without their dicts?

As usually taught: add up `getsizeof` of an instance and of its `__dict__`, compare with an instance that has
`__slots__`, and call the difference the saving. The dict was made by being asked for, and most of a record is
its values, which stay.
With deadweight: `explain_slots` says what is in the way and what there is to save, `slots` makes the class, and
`deepsizeof` weighs whole records, checked here against what tracemalloc saw being allocated.
"""

import gc
import pickle
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
        self.country = "NL"

    def rename(self, name):
        self.previous = self.name
        self.name = name


class ByHand:
    """As usually taught: the names a second time, and the one that a method sets forgotten."""

    __slots__ = ("country", "email", "name", "score", "user_id")

    __init__ = UserRecord.__init__
    rename = UserRecord.rename


@dw.slots
class SlottedRecord:
    """With deadweight: the names are found where they are."""

    __init__ = UserRecord.__init__
    rename = UserRecord.rename


def records(kind):
    """Records, and the bytes that tracemalloc saw being allocated for them."""
    things = [None] * COUNT
    # The first instances of a class make what all of them share.
    for number in range(50):
        kind(number)
    gc.collect()
    tracemalloc.start()
    for number in range(COUNT):
        things[number] = kind(number)
    allocated = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return things, allocated


def as_taught():
    """The part of an instance that is said to be saved."""
    plain, slotted = UserRecord(1), ByHand(1)
    before = sys.getsizeof(plain) + sys.getsizeof(plain.__dict__)
    return (before - sys.getsizeof(slotted)) / before


def with_deadweight(things):
    return dw.deepsizeof(*things)


def main():
    plain, plain_allocated = records(UserRecord)
    print(f"{dw.explain_slots(UserRecord)}\n")
    slotted, slotted_allocated = records(SlottedRecord)
    sizes = [with_deadweight(things).total for things in (plain, slotted)]
    saved, allocated = (1 - after / before for before, after in (sizes, (plain_allocated, slotted_allocated)))
    print(f"saved, as taught    {as_taught():>5.0%}")
    print(f"really, deepsizeof  {saved:>5.0%}")
    print(f"really, tracemalloc {allocated:>5.0%}\n")
    try:
        ByHand(1).rename("somebody")
    except AttributeError as error:
        print(f"slots by hand: {error}")
    record = SlottedRecord(1)
    record.rename("somebody")
    kept = [protocol for protocol in range(6) if pickle.loads(pickle.dumps(record, protocol)).previous == "user 1"]
    print(f"dw.slots: {record.previous} is now {record.name}; pickled by protocols {kept}")
    before, after = (f"{size / 1e6:.2f} MB" for size in sizes)
    print(f"| slots for {COUNT:,} records, values included | {before} | {after} |")


if __name__ == "__main__":
    main()
