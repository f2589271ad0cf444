"""Lesson 4, arrays: what do ten thousand records weigh as columns?

As usually taught: a structured array of the numbers, set against dicts that also have the names, and called many
times smaller. It is, because it has left the names out; and what it gives is no longer a record.
With deadweight: `pack` keeps all of it, in the narrowest types that lose nothing, and rows are objects still. The
forms are weighed with the same values, by `deepsizeof`, which is shown here beside what tracemalloc saw: held, and
asked for.
"""

import collections
import dataclasses
import gc
import struct
import sys
import tracemalloc

import deadweight as dw

COUNT = 10_000
FIELDS = ("user_id", "name", "email", "score", "country")
COUNTRIES = ("DK", "FI", "NO", "SE")


@dataclasses.dataclass
class UserRecord:
    user_id: int
    name: str
    email: str
    score: float
    country: str


SlottedRecord = dataclasses.make_dataclass("SlottedRecord", FIELDS, slots=True)
UserTuple = collections.namedtuple("UserTuple", FIELDS)


def values(number):
    return 10_000 + number, f"user {number}", f"user{number}@example.com", number / 7, COUNTRIES[number % 4]


def as_dict(*row):
    return dict(zip(FIELDS, row, strict=True))


KINDS = {"dicts": as_dict, "dataclass": UserRecord, "with slots": SlottedRecord, "namedtuple": UserTuple}


def records(make):
    """Records, and the bytes that tracemalloc saw being allocated for them."""
    things = [None] * COUNT
    # The first instances of a class make what all of them share.
    for number in range(50):
        make(*values(number))
    gc.collect()
    tracemalloc.start()
    for number in range(COUNT):
        things[number] = make(*values(number))
    allocated = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return things, allocated


def as_taught():
    """Bytes of an array of the numbers: what a packed structure of id and score has."""
    return COUNT * struct.calcsize("<Id")


def with_deadweight(things):
    return dw.deepsizeof(*things).total


def packed(things):
    users = dw.pack(things)
    users.shrink_to_fit()
    return users


def main():
    sizes = {}
    for kind, make in KINDS.items():
        things, allocated = records(make)
        sizes[kind] = with_deadweight(things)
        print(
            f"{kind:<12}{sizes[kind] / COUNT:>8.1f} B a record, of {allocated / COUNT:.1f} B that tracemalloc saw"
        )
    users = packed(as_dict(*values(number)) for number in range(COUNT))
    # Of its own columns, a container says itself what they take.
    after = sys.getsizeof(users)
    print(f"{'packed':<12}{after / COUNT:>8.1f} B a record\n\n{users}\n")
    print(f"as taught: {sizes['dicts'] / as_taught():.0f} times smaller, without names and countries")
    print(f"really:    {sizes['dicts'] / after:.1f} times smaller, with all of it\n")
    users[7].score += 1
    print(f"still a record, to read and to write: {users[7]}")
    print(f"and a column: {users.country.count('NO'):,} of {users.country}")
    before, after = (f"{size / 1e6:.2f} MB" for size in (sizes["dicts"], after))
    print(f"| {COUNT:,} dicts, then packed records | {before} | {after} |")


if __name__ == "__main__":
    main()
