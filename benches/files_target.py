"""What people write in Python for a large file: one recipe a process.

    python files_target.py RECIPE PATH

Prints what it found, and the CPU seconds that it took without the start of the interpreter.
"""

from __future__ import annotations

import array
import csv
import mmap
import os
import struct
import sys
import time
from collections.abc import Iterable, Iterator

from files_data import OFTEN


def by_mmap(path: str) -> int:
    """Rows of a mapped file that have as many fields as its first, split at every comma."""
    rows = 0
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as whole:
        fields = whole.readline().decode().count(",")
        start = whole.tell()
        while (end := whole.find(b"\n", start)) >= 0:
            rows += len(whole[start:end].decode().split(",")) == fields + 1
            start = end + 1
    return rows


def by_csv(path: str) -> int:
    """Rows that the standard library reads."""
    with open(path, newline="", encoding="utf-8") as file:
        return sum(1 for _ in csv.reader(file)) - 1


def by_line(path: str) -> int:
    """Lines but the first."""
    with open(path, "rb") as file:
        return sum(1 for _ in file) - 1


def counted(lines: Iterable[object]) -> int:
    """How many there are, by a loop that does nothing with them."""
    number = 0
    for _ in lines:
        number += 1
    return number


def by_open(path: str) -> int:
    """Lines as text."""
    with open(path, encoding="utf-8") as file:
        return counted(file)


def by_open_bytes(path: str) -> int:
    """Lines as bytes."""
    with open(path, "rb") as file:
        return counted(file)


def by_lines(path: str) -> int:
    """Lines as text, without their ends."""
    return counted(deadweight.lines(path))


def by_lines_bytes(path: str) -> int:
    """Lines as bytes, without their ends."""
    return counted(deadweight.lines(path, encoding=None))


def by_polars(path: str) -> int:
    """The length of a scan."""
    return polars.scan_csv(path).select(polars.len()).collect().item()


def by_rows(path: str) -> int:
    """Rows as named tuples."""
    return sum(1 for _ in deadweight.scan_csv(path))


def by_records(path: str) -> int:
    """Rows packed as a class has them."""
    kinds = {"id": "u4", "name": "str", "email": "str", "score": "f8", "active": "bool", "note": "str"}
    return len(deadweight.scan_csv(path).to_records(deadweight.Record.of(kinds)))


def by_polars_read(path: str) -> int:
    """Rows of a data frame."""
    return len(polars.read_csv(path))


def by_pandas_read(path: str) -> int:
    """The same of another."""
    return len(pandas.read_csv(path))


def by_find(path: str) -> int:
    """Where a text is in a mapped file."""
    found, needle = [], OFTEN.encode()
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as whole:
        at = whole.find(needle)
        while at >= 0:
            found.append(at)
            at = whole.find(needle, at + 1)
    return len(found)


def by_stream(path: str) -> int:
    """What is selected of lines of JSON."""
    stream = deadweight.lines(path).parse_json().where(level=OFTEN).select("ts", "user.id")
    return sum(1 for _ in stream)


def errors_of(path: str) -> Iterator[tuple[str, int]]:
    """The same by a generator, which makes all of each record."""
    with open(path, "rb") as file:
        for line in file:
            record = orjson.loads(line)
            if record.get("level") == OFTEN:
                yield record["ts"], record["user"]["id"]


def by_orjson(path: str) -> int:
    """How many these are."""
    return sum(1 for _ in errors_of(path))


def numbers_of(path: str) -> array.array[float]:
    """What is to be written, in memory."""
    numbers = array.array("d")
    with open(path, "rb") as file:
        numbers.fromfile(file, os.path.getsize(path) // 8)
    return numbers


def into_vector(numbers: array.array[float], path: str) -> int:
    """All numbers into a new vector: how many its file says are valid."""
    with deadweight.Vector.create(path, "f8", len(numbers)) as vector:
        vector[:] = numbers
    return deadweight.Vector.open(path).valid


def into_file(numbers: array.array[float], path: str) -> int:
    """All numbers into a file: how many it has room for."""
    with open(path, "wb") as file:
        numbers.tofile(file)
    return os.path.getsize(path) // 8


def into_mapped(numbers: array.array[float], path: str) -> int:
    """One number after the other into a mapped file: how many it has room for."""
    with open(path, "w+b") as file:
        file.truncate(8 * len(numbers))
        with mmap.mmap(file.fileno(), 0) as view:
            for place, number in enumerate(numbers):
                struct.pack_into("<d", view, 8 * place, number)
    return os.path.getsize(path) // 8


WRITERS = {"vector": into_vector, "tofile": into_file, "pack": into_mapped}
RECIPES = {
    "mmap": by_mmap,
    "csv": by_csv,
    "line": by_line,
    "polars": by_polars,
    "rows": by_rows,
    "records": by_records,
    "polars read": by_polars_read,
    "pandas read": by_pandas_read,
    "find": by_find,
    "open": by_open,
    "open bytes": by_open_bytes,
    "lines": by_lines,
    "lines bytes": by_lines_bytes,
    "stream": by_stream,
    "orjson": by_orjson,
}

if __name__ == "__main__":
    recipe, path = sys.argv[1:]
    if recipe.startswith("polars"):
        import polars
    elif recipe.startswith("pandas"):
        import pandas
    elif recipe == "orjson":
        import orjson
    elif recipe in ("rows", "records", "lines", "lines bytes", "stream", "vector"):
        import deadweight

        # Its parts are imported when they are first asked for.
        _ = deadweight.scan_csv, deadweight.Record, deadweight.lines, deadweight.Vector
    if recipe in WRITERS:
        numbers, beside = numbers_of(path), f"{path}.{recipe}"
        began = time.process_time()
        print(WRITERS[recipe](numbers, beside), time.process_time() - began)
        os.remove(beside)
    else:
        began = time.process_time()
        print(RECIPES[recipe](path), time.process_time() - began)
