"""A program to be weighed: builds a heap, then does what it is told on stdin, one word a line.

    python target.py KIND OBJECTS

Each answer is one line of JSON. What other tools cost is measured here, for they run in the program they
look at: CPU seconds, seconds the program stood still, and how much its peak memory rose.
"""

from __future__ import annotations

import gc
import importlib
import json
import resource
import sys
import time
from collections.abc import Callable
from typing import Any


class UserRecord:
    """What a service keeps of somebody."""

    def __init__(self, user_id: int, name: str, email: str, score: float, active: bool) -> None:
        self.user_id = user_id
        self.name = name
        self.email = email
        self.score = score
        self.active = active


def mixed(objects: int) -> object:
    """Records, dicts, lists, strings and numbers: ten objects a unit, three of them tracked."""
    users, orders = [], []
    for number in range(objects // 10):
        email = f"user{number}@example.com"
        user = UserRecord(number + 1000, f"user{number}", email, number + 0.5, True)
        users.append(user)
        orders.append({"user": user, "tags": [f"t{number}", f"g{number}"], "total": number * 1.25})
    return {"users": users, "orders": orders}


def django(objects: int) -> object:
    """Model instances with their related ones, as Django's ORM loads them from a database."""
    import django
    from django.conf import settings

    database = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
    settings.configure(DATABASES={"default": database}, INSTALLED_APPS=[])
    django.setup()
    from django.db import connection, models

    class Author(models.Model):
        name = models.CharField(max_length=80)
        email = models.EmailField()

        class Meta:
            app_label = "shop"

    class Book(models.Model):
        author = models.ForeignKey(Author, on_delete=models.CASCADE)
        title = models.CharField(max_length=80)
        pages = models.IntegerField()
        price = models.FloatField()
        added = models.DateTimeField()

        class Meta:
            app_label = "shop"

    with connection.schema_editor() as editor:
        editor.create_model(Author)
        editor.create_model(Book)
    # A book and its author come to 16 objects (3.13).
    books = objects // 16
    with connection.cursor() as cursor:
        authors = [(row, f"author {row}", f"author{row}@example.com") for row in range(1, books + 1)]
        cursor.executemany("INSERT INTO shop_author VALUES (%s, %s, %s)", authors)
        rows = [(r, f"title {r}", 300 + r, r / 8, "2026-01-01 10:00:00", r) for r in range(1, books + 1)]
        cursor.executemany(
            "INSERT INTO shop_book (id, title, pages, price, added, author_id) VALUES (%s, %s, %s, %s, %s, %s)",
            rows,
        )
    return list(Book.objects.select_related("author"))


def pandas(objects: int) -> object:
    """A data frame of object columns: 20 million references to repeated and to single strings."""
    import numpy
    import pandas

    words = numpy.array([f"category {number}" for number in range(1000)], dtype=object)
    frame: dict[str, Any] = {
        f"column{number}": words[numpy.arange(objects) * (number + 7) % 1000] for number in range(9)
    }
    frame["key"] = numpy.array([f"row {number}" for number in range(objects)], dtype=object)
    return pandas.DataFrame(frame, dtype=object)


KINDS: dict[str, Callable[[int], object]] = {"mixed": mixed, "django": django, "pandas": pandas}


def guppy() -> object:
    from guppy import hpy

    return hpy().heap().size


def pympler() -> object:
    from pympler import muppy, summary

    return sum(row[2] for row in summary.summarize(muppy.get_objects()))


def objgraph() -> object:
    import objgraph

    return objgraph.most_common_types(limit=5)


def objsize() -> object:
    import objsize

    return objsize.get_deep_size(HEAP)


def collect() -> object:
    return gc.collect()


TOOLS: dict[str, Callable[[], object]] = {
    "collect": collect,
    "guppy": guppy,
    "pympler": pympler,
    "objgraph": objgraph,
    "objsize": objsize,
}
# Imported before the clock starts, and before the heap is built.
MODULES = {"guppy": ["guppy"], "pympler": ["pympler.muppy", "pympler.summary"]}


def memory(field: str) -> int:
    """A field of /proc/self/status, in bytes."""
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith(field + ":"):
                return int(line.split()[1]) * 1024
    raise LookupError(field)


def measured(tool: Callable[[], object]) -> dict[str, float]:
    """What a tool costs the program it runs in."""
    with open("/proc/self/clear_refs", "w") as clear:
        clear.write("5")  # the peak begins anew
    before = memory("VmRSS")
    used, began = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    tool()
    wall, now = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF)
    cpu = now.ru_utime - used.ru_utime + now.ru_stime - used.ru_stime
    return {"cpu": cpu, "wall": wall, "memory": memory("VmHWM") - before}


def main() -> None:
    kind, objects, *tools = sys.argv[1:]
    for tool in tools:
        for module in MODULES.get(tool, [tool]):
            importlib.import_module(module)
    if "guppy" in tools:
        from guppy import hpy

        hpy()
    global HEAP
    HEAP = KINDS[kind](int(objects))
    gc.collect()
    print(json.dumps({"python": "{}.{}.{}".format(*sys.version_info)}), flush=True)
    for line in sys.stdin:
        print(json.dumps(measured(TOOLS[line.strip()])), flush=True)


HEAP: object = None

if __name__ == "__main__":
    main()
