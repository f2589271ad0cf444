"""Lesson 3, generators: how is a log that is larger than memory gone through?

As usually taught: a generator instead of a list, a step a generator. That takes no memory, which is what matters;
but each line still becomes a dict, of which two values are wanted and most often none.
With deadweight: the same steps as a stream. What it leaves out never becomes an object of Python; printed, it says
how many records came to each step.
"""

import json
import random
import tempfile
import time
import tracemalloc
from pathlib import Path

import deadweight as dw

COUNT = 5_000


def write_log(path):
    chance = random.Random(4711)
    with open(path, "w") as file:
        for number in range(COUNT):
            record = {
                "ts": f"2026-11-28T12:{number // 60 % 60:02}:{number % 60:02}.000Z",
                "level": "ERROR" if number % 50 == 0 else "INFO",
                "user": {"id": chance.randrange(10**6), "name": f"user {number % 100}"},
                "message": " ".join(chance.choices(["request", "served", "from", "cache", "upstream"], k=9)),
                "seconds": round(chance.random(), 3),
            }
            file.write(json.dumps(record) + "\n")


def as_a_list(path):
    """What is to be avoided."""
    with open(path) as file:
        records = [json.loads(line) for line in file]
    errors = [record for record in records if record["level"] == "ERROR"]
    return [(record["ts"], record["user"]["id"]) for record in errors]


def as_taught(path):
    with open(path) as file:
        records = (json.loads(line) for line in file)
        errors = (record for record in records if record["level"] == "ERROR")
        yield from ((record["ts"], record["user"]["id"]) for record in errors)


def with_deadweight(path):
    return dw.lines(path).parse_json().where(level="ERROR").select("ts", "user.id")


def peak(call, path):
    """Bytes that objects of Python take at most, while all that comes is gone through."""
    # What is imported then stays, and is not meant.
    next(iter(call(path)))
    tracemalloc.start()
    for _ in call(path):
        pass
    taken = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return taken


def cpu_time(call, path):
    began = time.process_time()
    for _ in call(path):
        pass
    return time.process_time() - began


def main():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "app.log")
        write_log(path)
        for call in (as_a_list, as_taught, with_deadweight):
            print(f"{call.__name__}: {peak(call, path) / 1e6:.2f} MB at most")
        stream = with_deadweight(path)
        assert list(stream) == list(as_taught(path)) == as_a_list(path)
        print(stream.passed)
        before, after = (f"{1000 * cpu_time(call, path):.0f} ms" for call in (as_taught, with_deadweight))
    print(f"| {COUNT:,} lines of JSON by generators, then by a stream | {before} | {after} |")


if __name__ == "__main__":
    main()
