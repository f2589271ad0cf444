"""Generators, coroutines and async generators, suspended, running, not started and finished; threads at work."""

import asyncio
import inspect
import sys
import threading
import time
import types


def ticks(start):
    rows = [start]
    for n in range(10):
        yield rows, n


def delegating():
    inner_rows = ["inner"]
    yield from ticks(inner_rows)


@types.coroutine
def pause():
    yield ["paused"]


async def fetch(url):
    response = [url]
    await pause()
    return response


async def stream():
    chunk = ["chunk"]
    yield chunk


suspended = ticks(1)
next(suspended)
fresh = ticks(2)
finished = ticks(3)
list(finished)
nested = delegating()
next(nested)
coroutine = fetch("http://example")
coroutine.send(None)
unstarted = fetch("later")
async_stream = stream()
asend = async_stream.asend(None)
expression = (x for x in [[1], [2]])
next(expression)
inspected = ticks(4)
next(inspected)
frame = inspected.gi_frame
frame_locals = inspect.getgeneratorlocals(inspected)

release = threading.Event()
started = threading.Barrier(4)
local = threading.local()


def work(payload):
    private = [payload] * 3
    local.value = [payload]
    temporaries = sorted([3, 1, 2], key=lambda n: n)
    started.wait()
    release.wait()
    return private, temporaries


threads = [threading.Thread(target=work, args=({"job": n},), daemon=True) for n in range(3)]
for thread in threads:
    thread.start()
started.wait()
# Until they all wait for good: a thread at work would not be the same a moment later.
while len(release._cond._waiters) < 3:
    time.sleep(0.01)
time.sleep(0.3)


def deep(n):
    if n:
        return deep(n - 1)
    return sys._getframe()


kept = deep(5)
