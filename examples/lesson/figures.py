"""What is true of this interpreter, of what a lesson on Python's memory says: one claim a function.

`scripts/write-lesson` runs this in every interpreter and writes the table of docs/lesson.md;
tests/python/test_lesson.py runs it again and compares.
"""

import gc
import json
import mmap
import pickle
import sys
import tempfile
import tracemalloc
import weakref

import deadweight as dw

# What is said, what is usually quoted, and the function that finds out.
CLAIMS = []


def claim(text, quoted):
    """A function that says what is true."""

    def add(function):
        CLAIMS.append((text, quoted, function))
        return function

    return add


def said_and_held(make):
    """What getsizeof says, and what is really held: of some, as malloc hands out a chunk 16 bytes longer now and
    then, when what would be left of it is too short for a chunk of its own."""
    things = [make() for _ in range(20)]
    return f"{sys.getsizeof(things[0])} / {min(map(dw.sizeof, things))}"


SPECIMENS = (
    ("`{}`", "232", dict),
    ("`{'a': 1}`", "", lambda: {"a": 1}),
    ("`[]`", "56", list),
    ("`list(range(100))`", "856", lambda: list(range(100))),
    ("`()`", "40", lambda: ()),
    ("`set()`", "216", lambda: set()),
    ("`0`", "28", lambda: 0),
    ("`1_000_000`", "28", lambda: int("1000000")),
    ("`2**60`", "32", lambda: 2 ** int("60")),
    ("`1.5`", "24", lambda: float("1.5")),
    ("`True`", "28", lambda: True),
    ("`None`", "16", lambda: None),
    ("`''`", "49", lambda: ""),
    ("`'abc…'`, 26 letters", "75", lambda: "".join(map(chr, range(97, 123)))),
    ("`bytes(100)`", "133", lambda: bytes(100)),
)
for text, quoted, make in SPECIMENS:
    claim(f"{text}: `getsizeof` / held, B", quoted)(lambda make=make: said_and_held(make))


class User:
    def __init__(self, number):
        self.user_id = number
        self.name = f"user {number}"
        self.email = f"user{number}@example.com"
        self.age = 20_000 + number
        self.score = number / 7


class UserSlots:
    __slots__ = ("age", "email", "name", "score", "user_id")

    __init__ = User.__init__


def users(kind):
    """A thousand, the class warm: instances share their keys once a few were made."""
    return [kind(number) for number in range(10_000, 11_000)]


@claim("an instance with five attributes, as often measured: `getsizeof(u) + getsizeof(u.__dict__)`, B", "280")
def instance_as_measured():
    user = users(User)[-1]
    return f"{sys.getsizeof(user) + sys.getsizeof(user.__dict__)}"


def instance_held(user):
    """With its dict, if it has one."""
    return dw.deepsizeof(user, stop=(str, int, float, type)).total


@claim("… really held", "280")
def instance_really():
    return f"{instance_held(users(User)[-1])}"


@claim("… held after a look at `u.__dict__`", "280")
def instance_looked_at():
    user = users(User)[-1]
    assert user.__dict__
    return f"{instance_held(user)}"


@claim("the same with `__slots__`, held, B", "104")
def slots_really():
    return f"{instance_held(users(UserSlots)[-1])}"


@claim("instance to slots, ratio", "2.7")
def slots_ratio():
    return f"{instance_held(users(User)[-1]) / instance_held(users(UserSlots)[-1]):.2f}"


@claim("saved by `__slots__` on whole records, values included", "64 %")
def slots_saving():
    plain, slots = dw.deepsizeof(*users(User)).total, dw.deepsizeof(*users(UserSlots)).total
    return f"{100 * (plain - slots) / plain:.0f} %"


@claim("pickle protocols that take `__slots__` without `__getstate__`", "none")
def slots_pickled():
    user, taken = UserSlots(1), []
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        try:
            pickle.dumps(user, protocol)
        except TypeError:
            continue
        taken.append(protocol)
    return f"{taken[0]} to {taken[-1]}"


@claim("ints that are kept ready", "-5 to 256")
def cached_ints():
    low, high = dw.sizes("int").cached_ints
    return f"{low} to {high}"


@claim("`a = 300; b = 300; a is b`, in a script", "False")
def same_constant():
    names = {}
    exec("a = 300; b = 300; same = a is b", names)
    return f"{names['same']}"


@claim("a list of the first million ints, all in, MB", "28.6")
def million_ints():
    return f"{dw.deepsizeof(list(range(1_000_000))).total / 1e6:.1f}"


@claim("`sum` of a list of a million squares: peak, MB", "7.6")
def list_peak():
    return f"{peak_of(lambda: sum([number * number for number in range(1_000_000)])) / 1e6:.1f}"


@claim("… of a generator: peak, B", "100")
def generator_peak():
    peak = peak_of(lambda: sum(number * number for number in range(1_000_000)))
    return "less than 1,000" if peak < 1000 else f"{peak:,}"


def peak_of(call):
    call()
    gc.collect()
    tracemalloc.start()
    call()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


@claim("a million floats in a list / in `array.array('d')`, MB", "32 / 7.8")
def floats():
    from array import array

    numbers = [number / 7 for number in range(1_000_000)]
    return f"{dw.deepsizeof(numbers).total / 1e6:.1f} / {dw.deepsizeof(array('d', numbers)).total / 1e6:.1f}"


@claim("a thousand dicts of five fields / the same packed, texts and all, ratio", "19")
def packed_records():
    users = [
        {
            "user_id": number,
            "name": f"user {number}",
            "email": f"user{number}@example.com",
            "age": number % 90,
            "score": number / 7,
        }
        for number in range(10_000, 11_000)
    ]
    return f"{dw.deepsizeof(*users).total / dw.pack(users).nbytes:.1f}"


@claim("`gc.get_threshold()`", "700, 10, 10")
def thresholds():
    return ", ".join(map(str, gc.get_threshold()))


@claim("of 1,000 dicts `{'a': number}` the collector, and so objgraph, knows", "1,000")
def tracked_dicts():
    return f"{sum(gc.is_tracked({'a': number}) for number in range(1000)):,}"


@claim("a weak reference's callback is called though the reference itself is not kept", "yes")
def callback_called():
    called = []
    user = User(1)
    weakref.ref(user, called.append)
    del user
    return "yes" if called else "no"


@claim("resident memory more after a 64 MB file was read through `mmap`", "4 kB")
def mapped():
    with tempfile.TemporaryFile() as file:
        for _ in range(64):
            file.write(b"x" * (1 << 20))
        file.flush()
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
            before = resident_pages()
            for start in range(0, len(view), mmap.PAGESIZE):
                view[start]
            pages = resident_pages() - before
    return f"{pages * mmap.PAGESIZE / (1 << 20):.0f} MB"


def resident_pages():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1])


def found():
    """Of this interpreter, in the order of the claims."""
    return [function() for _, _, function in CLAIMS]


def main():
    version = ".".join(map(str, sys.version_info[:3]))
    claims = [(text, quoted) for text, quoted, _ in CLAIMS]
    print(json.dumps({"python": version, "claims": claims, "values": found()}))


if __name__ == "__main__":
    main()
