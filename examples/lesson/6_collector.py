"""Lesson 6, the garbage collector: how long does it make a program wait, and what helps?

As usually taught: raise the thresholds to 10,000, 20, 20, once and for ever; a pause is "10 to 100 ms". Nothing
is measured. The program that loads its records still stands still for them, and one that makes cycles keeps
them longer.
With deadweight: `monitor` says how often, how long and for what; `paused` puts the collector off while there is
nothing for it to find, and gives back what was set; what stays is frozen, so that a full collection later leaves
it out.
"""

import contextlib
import gc

import deadweight as dw

COUNT = 300_000


class User:
    def __init__(self, number):
        self.number = number
        self.tags = [number]


def load():
    return [User(number) for number in range(COUNT)]


@contextlib.contextmanager
def as_taught():
    before = gc.get_threshold()
    gc.set_threshold(10_000, 20, 20)
    try:
        yield
    finally:
        gc.set_threshold(*before)


WAYS = {"as it is": contextlib.nullcontext, "as taught": as_taught, "paused": dw.collector.paused}


def measured(way):
    """The pauses while records are loaded in one of these ways."""
    gc.collect()
    with dw.collector.monitor() as pauses, WAYS[way]():
        users = load()
    assert len(users) == COUNT
    return pauses


def full_collection(frozen):
    """The pause of one, with the records there."""
    users = load()
    gc.collect()
    if frozen:
        gc.freeze()
    try:
        with dw.collector.monitor() as pauses:
            gc.collect()
    finally:
        gc.unfreeze()
    assert len(users) == COUNT
    return pauses


def main():
    found = {way: measured(way) for way in WAYS}
    for way, pauses in found.items():
        print(f"{way}: {pauses}\n")
    plain, frozen = (full_collection(frozen).total for frozen in (False, True))
    print(f"a full collection: {1000 * plain:.1f} ms; once the records are frozen: {1000 * frozen:.1f} ms\n")
    before, after = (f"{1000 * found[way].total:.0f} ms paused" for way in ("as it is", "paused"))
    print(f"| loading {COUNT:,} records, then with `paused` | {before} | {after} |")


if __name__ == "__main__":
    main()
