"""The services that benches/collector_services.py asks, each with so many live objects that the collector sees.

A FastAPI under uvicorn, in this process: `collector_services_target.py SOCKET`; and a Django for workers of
gunicorn: `gunicorn --preload collector_services_target:django()`. DEADWEIGHT_OBJECTS and DEADWEIGHT_TUNED (0 or 1)
say how.
"""

from __future__ import annotations

import gc
import os
import socket
import sys
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import deadweight as dw

TUNED = os.environ["DEADWEIGHT_TUNED"] == "1"
ROWS = 500


class Product:
    """One of two objects that the collector sees."""

    __slots__ = ("number", "tags")

    def __init__(self, number: int) -> None:
        self.number = number
        self.tags = [number]


class Node:
    """Of a document whose parts know each other: it goes when the collector finds it."""

    __slots__ = ("children", "parent")

    def __init__(self, parent: Node | None) -> None:
        self.parent = parent
        self.children: list[Node] = []
        if parent is not None:
            parent.children.append(self)


products = [Product(number) for number in range(int(os.environ["DEADWEIGHT_OBJECTS"]) // 2)]
# What a request found stays for the next hundred.
recent: deque[list[dict[str, Any]]] = deque(maxlen=100)


def search(number: int) -> dict[str, Any]:
    """Makes a thousand objects of neighbouring products, and a document of four hundred."""
    start = number * 7919 % (len(products) - ROWS)
    rows = [{"number": product.number, "tags": list(product.tags)} for product in products[start : start + ROWS]]
    recent.append(rows)
    document = Node(None)
    for _ in range(199):
        Node(document)
    return {"found": len(rows), "parts": len(document.children), "rows": rows[:10]}


def fastapi() -> Any:
    """Searches; from `/begin` on, the pauses of the collector are measured, and `/end` says what they were."""
    from fastapi import FastAPI

    @asynccontextmanager
    async def loaded(_: object) -> AsyncIterator[None]:
        tuned = dw.collector.tune("web") if TUNED else None
        yield
        if tuned is not None:
            tuned.undo()

    app = FastAPI(lifespan=dw.asgi.lifespan(loaded, every=None))
    # Not that of the lifespan: it has seen the collections of `tune`, before the first request.
    pauses = dw.collector.monitor()

    @app.get("/search/{number}")
    async def found(number: int) -> dict[str, Any]:
        return search(number)

    @app.get("/begin")
    async def begin() -> dict[str, Any]:
        pauses.start()
        return {}

    @app.get("/end")
    async def end() -> dict[str, Any]:
        pauses.stop()
        return {
            "longest": max(row.longest for row in pauses.generations),
            "total": pauses.total,
            "elapsed": pauses.elapsed,
        }

    return app


def serve(descriptor: int) -> None:
    """On a socket that listens already."""
    import uvicorn

    # A connection that the load leaves idle shall be good for the next request.
    config = uvicorn.Config(fastapi(), log_level="error", access_log=False, timeout_keep_alive=600)
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=descriptor)])


def django() -> Callable[..., Any]:
    """Searches; `/collect` has the worker that answers make a full collection, and says which it is.

    Made in the parent, before it forks.
    """
    from django.conf import settings
    from django.core.handlers.wsgi import WSGIHandler
    from django.http import HttpRequest, JsonResponse
    from django.urls import path

    def found(_: HttpRequest, number: int) -> JsonResponse:
        return JsonResponse(search(number))

    def collect(_: HttpRequest) -> JsonResponse:
        gc.collect()
        return JsonResponse({"pid": os.getpid()})

    urls = (path("search/<int:number>", found), path("collect", collect))
    middleware = ["django.middleware.common.CommonMiddleware"]
    settings.configure(ROOT_URLCONF=urls, MIDDLEWARE=middleware, ALLOWED_HOSTS=["*"], SECRET_KEY="x")
    import django

    django.setup()
    application = WSGIHandler()
    if TUNED:
        dw.collector.tune("fork")
    return application


if __name__ == "__main__":
    serve(int(sys.argv[1]))
