"""What benches/collector.py measures, in the interpreter that is measured: prints it as JSON. Seconds."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import sys
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator

import deadweight as dw

COLLECTIONS = 20_000
ROUNDS = 7
SERVICES = {"served": None, "served, schedule": 1.0}


class Record:
    """One of two objects that the collector sees."""

    __slots__ = ("number", "tags")

    def __init__(self, number: int) -> None:
        self.number = number
        self.tags = [number]


@contextlib.contextmanager
def callback() -> Iterator[None]:
    """The least that a callback can do."""

    def nothing(phase: str, info: dict[str, int]) -> None:
        pass

    gc.callbacks.append(nothing)
    try:
        yield
    finally:
        gc.callbacks.remove(nothing)


@contextlib.contextmanager
def off() -> Iterator[None]:
    """No collections at all; nor the one that is due as soon as it is on again."""
    gc.disable()
    yield


async def worst(objects: int, every: float | None) -> float:
    """The longest that a request has to wait for the collector, of a service with so many live objects.

    Two requests at a time, then some milliseconds without any; each leaves 3,000 objects that stay for the next
    hundred.
    """
    live = [[number] for number in range(objects)]
    recent = deque[object](maxlen=100)

    async def app(scope: object, receive: object, send: Callable[[dict[str, object]], Awaitable[None]]) -> None:
        recent.append([{"number": [number]} for number in range(1500)])
        await asyncio.sleep(0.001)
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body"})

    async def nowhere(message: object) -> None:
        pass

    watched = dw.asgi.Middleware(app)
    async with dw.asgi.lifespan(every=every)(app) as state:
        for _ in range(500):
            scopes = ({"type": "http", "path": "/", "state": dict(state)} for _ in range(2))
            await asyncio.gather(*(watched(scope, None, nowhere) for scope in scopes))
            await asyncio.sleep(0.004)
    assert len(live) == objects
    return state["deadweight"].requests.longest


def main() -> None:
    """In turn, so that what disturbs one disturbs all."""
    objects = int(sys.argv[1])
    watched = {"none": contextlib.nullcontext, "monitor": dw.collector.monitor, "callback": callback}
    loading = {"off": off, "as it is": contextlib.nullcontext, "paused": dw.collector.paused}
    least = dict.fromkeys((*watched, *loading), float("inf"))
    for _ in range(ROUNDS):
        for name, way in watched.items():
            with way():
                began = time.thread_time()
                for _ in range(COLLECTIONS):
                    # There is nothing in it.
                    gc.collect(0)
                least[name] = min(least[name], (time.thread_time() - began) / COLLECTIONS)
    for _ in range(3):
        for name, way in loading.items():
            gc.collect()
            began = time.thread_time()
            with way():
                kept = [Record(number) for number in range(objects // 2)]
            least[name] = min(least[name], time.thread_time() - began)
            gc.enable()
            del kept
    none = least.pop("none")
    more = {name: least[name] - none for name in ("monitor", "callback")}
    waits = {name: asyncio.run(worst(objects * 2 // 5, every)) for name, every in SERVICES.items()}
    print(json.dumps(least | more | waits))


if __name__ == "__main__":
    main()
