"""Four threads that churn, collect, fork and map all the time, and check what they did themselves.

Says `ready`, and to each line it is sent `right`, or what went wrong. Used by the tests and by scripts/soak.
"""

import collections
import gc
import mmap
import os
import random
import sys
import threading
import time
import warnings

# From 3.12 on Python advises against what the third thread does.
warnings.simplefilter("ignore")
sys.setswitchinterval(1e-4)
rounds = [0, 0, 0, 0]
wrong = []


class Node:
    def __init__(self, n):
        self.n = n
        self.twin = [self, str(n), {n: (n, str(n))}]


class Slotted:
    __slots__ = ("n", "other")

    def __init__(self, n):
        self.n, self.other = n, [n]


def churn(random):
    kept = {}
    while True:
        for _ in range(300):
            n = random.randrange(3000)
            kept[n] = random.choice([Node, Slotted])(n)
            kept.pop(random.randrange(3000), None)
        for n, held in kept.items():
            if held.n != n:
                wrong.append(("churn", n, held.n))
        rounds[0] += 1
        yield


def collect(random):
    while True:
        ring = [Node(n) for n in range(200)]
        for one, next in zip(ring, ring[1:] + ring[:1], strict=False):
            one.next = next
        if [one.next.n for one in ring] != [*range(1, 200), 0]:
            wrong.append("ring")
        del ring, one, next
        gc.collect(random.randrange(3))
        rounds[1] += 1
        yield


def fork(random):
    while True:
        child = os.fork()
        if child == 0:
            os._exit(sum([1, 2, 3]))
        _, status = os.waitpid(child, 0)
        if os.waitstatus_to_exitcode(status) != 6:
            wrong.append(("fork", status))
        rounds[2] += 1
        yield


def maps(random):
    while True:
        room = mmap.mmap(-1, random.randrange(1, 600) << 12)
        value = random.randrange(1, 256)
        room[:] = bytes([value]) * len(room)
        _held = collections.deque(bytearray(random.randrange(1, 200_000)) for _ in range(20))
        if room[-1] != value or room[0] != value:
            wrong.append("map")
        room.close()
        rounds[3] += 1
        yield


def forever(work, seed):
    try:
        for _ in work(random.Random(seed)):
            pass
    except BaseException as error:
        wrong.append(repr(error))


for seed, work in enumerate([churn, collect, fork, maps]):
    threading.Thread(target=forever, args=(work, seed), daemon=True).start()
while min(rounds) < 3:
    time.sleep(0.01)
print("ready", flush=True)
for _line in sys.stdin:
    before = min(rounds)
    since = time.monotonic()
    while min(rounds) < before + 2 and time.monotonic() < since + 60:
        time.sleep(0.005)
    if min(rounds) < before + 2:
        wrong.append(("stands still", rounds))
    print(wrong[:5] if wrong else "right", flush=True)
