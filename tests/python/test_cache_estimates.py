"""What more than 10,000 objects weigh: within a factor of two, however containers are nested."""

import random

import deadweight as dw
import pytest


def text(number):
    return f"some text {number:06d}"


def columns(count, length):
    return {f"column {column}": [text(number) for number in range(length)] for column in range(count)}


def pages(count, length):
    return [[{"k": text(number)} for number in range(length)] for _ in range(count)]


def blobs_and_users(*order):
    parts = {
        "blobs": [bytes(2000) for _ in range(8000)],
        "users": [{"id": 1000 + number, "name": text(number)} for number in range(15_000)],
    }
    return {name: parts[name] for name in order}


def graph(is_held):
    chance = random.Random(1)
    nodes = [{"id": text(number)} for number in range(20_000)]
    for node in nodes:
        node["next"] = chance.sample(nodes, 3)
    return nodes if is_held else nodes[0]


def by_two_ways():
    rows = [{"id": 1000 + number, "v": text(number)} for number in range(30_000)]
    return {"rows": rows, "by": {row["v"]: row for row in rows}}


def shared(count):
    values = [{"name": text(number), "data": bytes(500)} for number in range(count)]
    return [{"number": 1000 + number, "value": values[number % count]} for number in range(30_000)]


def posting_lists():
    chance = random.Random(2)
    return {
        text(word): [chance.randrange(1000, 10**6) for _ in range(20_000 // (word + 1) + 1)]
        for word in range(3000)
    }


def tree(depth):
    return [depth * 1000.5] if not depth else [depth * 1000.5, tree(depth - 1), tree(depth - 1)]


def linked(length, node=lambda number, after: [text(number), after]):
    head = None
    for number in range(length):
        head = node(number, head)
    return head


class Row:
    def __init__(self, number):
        self.id, self.name, self.tags = number + 1000, text(number), [text(number)]


SHAPES = {
    **{f"3 columns of {n}": lambda n=n: columns(3, n) for n in (3300, 5000, 8000, 9999, 20_000, 100_000)},
    "5 columns": lambda: columns(5, 20_000),
    "10 columns": lambda: columns(10, 2000),
    "3 lists": lambda: list(columns(3, 20_000).values()),
    "100 pages": lambda: pages(100, 500),
    "500 pages": lambda: pages(500, 100),
    "20 pages": lambda: pages(20, 3000),
    "groups of tuples": lambda: {group: [(text(n), n * 1.5) for n in range(5000)] for group in range(10)},
    "blobs, users": lambda: blobs_and_users("blobs", "users"),
    "users, blobs": lambda: blobs_and_users("users", "blobs"),
    "rows and index": lambda: {
        "rows": [{"id": 1000 + n, "v": text(n)} for n in range(30_000)],
        "index": {text(n): n for n in range(30_000)},
    },
    "rows by two ways": by_two_ways,
    "floats, 30 x 10,000": lambda: [[random.random() for _ in range(10_000)] for _ in range(30)],
    "floats, 300 x 1,000": lambda: [[random.random() for _ in range(1000)] for _ in range(300)],
    "instances": lambda: [[Row(number) for number in range(1000)] for _ in range(20)],
    "wide rows": lambda: [{f"c{column}": text(n) + str(column) for column in range(40)} for n in range(3000)],
    "200 shared values": lambda: shared(200),
    "5,000 shared values": lambda: shared(5000),
    "a large shared value": lambda: [[text(n), BLOB] for n in range(30_000)],
    "posting lists": posting_lists,
    "sets": lambda: {n: {1000 + n * 7 + part for part in range(10)} for n in range(5000)},
    "a binary tree": lambda: tree(15),
}
BLOB = bytes(1_000_000)


def weight(value):
    cache = dw.Cache(max_bytes="1000 GB")
    cache[1] = value
    assert cache.stats().estimated == 1
    return cache.stats().bytes / dw.deepsizeof(value).total


@pytest.mark.parametrize("shape", SHAPES)
def test_an_estimate_is_right_within_a_factor_of_two(shape):
    value = SHAPES[shape]()
    if shape == "3 columns of 3300":
        cache = dw.Cache(max_bytes="1 GB")
        cache[1] = value
        assert cache.stats().estimated == 0 and cache.stats().bytes == dw.deepsizeof(value).total
    else:
        assert 0.5 <= weight(value) <= 2


def test_of_chains_and_nets_an_estimate_may_be_low_but_is_not_high():
    def pair(number, after):
        return {"value": (text(number), 1.5), "next": after}

    chains = linked(12_000), linked(50_000), linked(50_000, pair)
    for value in (*chains, graph(True), graph(False)):
        assert 0.05 <= weight(value) <= 2


def test_a_bound_in_bytes_holds_of_what_is_estimated():
    cache = dw.Cache(max_bytes="30 MB")
    for number in range(10):
        cache[number] = pages(20, 3000)
    held = dw.deepsizeof(cache).total
    assert len(cache) > 0 and held <= 60_000_000
    assert cache.reweigh() <= 30_000_000
