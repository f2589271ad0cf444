"""Lesson 7, weak references: what does a cache keep after its users are gone?

As usually taught: `functools.cache` on a method. The cache is the class's: it keeps every instance that ever
called it, and no number that Python prints says so.
With deadweight: `why` names the cache, and what it keeps weighs something. The cure is taught well, a
`WeakValueDictionary`, but holds only if nothing else keeps the objects: `why` says that too. `cached_method` keeps
the results with each object instead, so that the method stays as it was written.
"""

import functools
import gc
import weakref

import deadweight as dw

COUNT = 500


class Report:
    def __init__(self, number):
        self.number = number
        self.rows = [f"report {number}, row {row}" for row in range(50)]

    @functools.cache  # noqa: B019 - this is the mistake
    def total(self):
        return sum(len(row) for row in self.rows)


class WeakReport:
    """The same, its instances shared while somebody uses them and forgotten then."""

    made = weakref.WeakValueDictionary()  # noqa: RUF012

    def __new__(cls, number):
        report = cls.made.get(number)
        if report is None:
            report = super().__new__(cls)
            report.number = number
            report.rows = [f"report {number}, row {row}" for row in range(50)]
            cls.made[number] = report
        return report

    def total(self):
        return sum(len(row) for row in self.rows)


class OwnReport:
    """The first again: what each instance has computed goes with it."""

    def __init__(self, number):
        self.number = number
        self.rows = [f"report {number}, row {row}" for row in range(50)]

    @dw.cached_method
    def total(self):
        return sum(len(row) for row in self.rows)


def work(kind):
    for number in range(COUNT):
        kind(number).total()
    gc.collect()


def kept(kind):
    """What is still there when nobody uses it any more: how many, their bytes, and what holds them."""
    heap = dw.snapshot()
    name = f"{kind.__module__}.{kind.__qualname__}"
    try:
        row = heap.census()[name]
    except dw.NotThere:
        return 0, 0, None
    return row.count, row.retained, heap.why(name)


def main():
    sizes = []
    for kind in (Report, WeakReport, OwnReport):
        work(kind)
        count, size, found = kept(kind)
        sizes.append(size)
        print(f"{kind.__name__}: {count:,} of {COUNT:,} are left, {size:,} B")
        if found:
            print(found)
            print(f"As taught, {Report.total.cache_info()}: how many, and not what they weigh.")
        print()
    before, after, _ = (f"{size / 1e6:.1f} MB kept" for size in sizes)
    print(f"| a cache on a method, then a weak one | {before} | {after} |")


if __name__ == "__main__":
    main()
