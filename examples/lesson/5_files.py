"""Lesson 5, mapped files: what does a look at a file that is larger than memory cost, and is it right?

As usually taught: map the file, `find` its line ends and split at commas, for "memory is one page". Rows with a
comma or a line end in quotes are errors, the last row is lost if no line end follows, and all of the file becomes
resident. Places of a pattern are a list of ints, which an empty pattern makes longer for ever. Results are packed
into another mapped file one by one.
With deadweight: `scan_csv` counts rows as they are meant, and says where those are that are none; `mapped` finds
and cuts, and maps nothing; a `Vector` is a file of numbers that takes many at once and that NumPy can open.
"""

import array
import mmap
import os
import pathlib
import struct
import tempfile
import time

import deadweight as dw

COUNT = 100_000
NOTES = ("plain", "plain", "plain", '"with, a comma"', '"of two\nlines"')


def make(path):
    """Rows of three fields that RFC 4180 allows; no line end follows the last."""
    rows = [f"{number},user{number}@example.com,{NOTES[number % len(NOTES)]}" for number in range(COUNT)]
    path.write_text("id,email,note\n" + "\n".join(rows))


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * mmap.PAGESIZE


def rows_as_taught(path):
    """Rows, what are taken for errors, and how much more memory is resident then."""
    before, rows, errors = resident(), 0, 0
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
        columns = view.readline().decode().rstrip().split(",")
        start = view.tell()
        while (end := view.find(b"\n", start)) >= 0:
            if len(view[start:end].decode().split(",")) == len(columns):
                rows += 1
            else:
                errors += 1
            start = end + 1
        return rows, errors, resident() - before


def rows_with_deadweight(path):
    before = resident()
    found = dw.scan_csv(path).check()
    return found.rows, found.bad, resident() - before


def places_as_taught(path, pattern):
    places = []
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
        place = view.find(pattern)
        while place >= 0:
            places.append(place)
            place = view.find(pattern, place + 1)
    return places


def places_with_deadweight(path, pattern):
    with dw.mapped(path) as file:
        return file.offsets(pattern)


def results_as_taught(path, results):
    with open(path, "wb") as file:
        file.truncate(8 * len(results))
    with open(path, "r+b") as file, mmap.mmap(file.fileno(), 0) as view:
        for place, result in enumerate(results):
            struct.pack_into("<d", view, 8 * place, result)


def results_with_deadweight(path, results):
    with dw.Vector.create(path, "f8", len(results)) as vector:
        vector[:] = results


def seconds(write, *arguments):
    before = time.process_time()
    write(*arguments)
    return time.process_time() - before


def main():
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "users.csv")
        # The first look imports what it needs.
        path.write_text("id\n7\n")
        rows_with_deadweight(path)
        make(path)
        print(f"{COUNT:,} rows in {os.path.getsize(path) / 1e6:.1f} MB")
        cells = []
        for way in (rows_as_taught, rows_with_deadweight):
            rows, errors, more = way(path)
            cells.append(f"{rows:,} rows, {errors:,} errors, {more / 1e6:.1f} MB resident")
            print(f"{way.__name__}: {cells[-1]}")
        for find in (places_as_taught, places_with_deadweight):
            places = find(path, b"@example.com")
            print(f"{find.__name__}: {len(places):,} in {dw.deepsizeof(places).total / 1e6:.1f} MB")
        results = array.array("d", range(COUNT))
        for write in (results_as_taught, results_with_deadweight):
            print(f"{write.__name__}: {1000 * seconds(write, path, results):.1f} ms")
    print(f"| rows of a CSV file of {COUNT:,}, by `mmap`, then by `scan_csv` | {cells[0]} | {cells[1]} |")


if __name__ == "__main__":
    main()
