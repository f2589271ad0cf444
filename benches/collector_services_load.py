"""Requests to a service on this machine: at their times, however long those before them take."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any


class Client:
    """Connections that are kept for the next request."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def get(self, path: str) -> dict[str, Any]:
        """What it answers."""
        if self._idle:
            reader, writer = self._idle.pop()
        else:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        status, *fields = (await reader.readuntil(b"\r\n\r\n")).decode().splitlines()
        if status.split()[1] != "200":
            raise SystemExit(f"bench: {path}: {status}")
        headers = dict(field.lower().split(": ", 1) for field in fields if field)
        body = await reader.readexactly(int(headers["content-length"]))
        if headers.get("connection") == "close":
            writer.close()
        else:
            self._idle.append((reader, writer))
        answer: dict[str, Any] = json.loads(body)
        return answer

    async def search(self, rate: float, seconds: float) -> list[float]:
        """Seconds from when each was due to the end of its answer, so many a second, sorted."""
        start = time.perf_counter() + 0.1

        async def one(number: int) -> float:
            due = start + number / rate
            await asyncio.sleep(due - time.perf_counter())
            await self.get(f"/search/{number}")
            return time.perf_counter() - due

        return sorted(await asyncio.gather(*map(one, range(int(rate * seconds)))))

    def close(self) -> None:
        """No request is under way."""
        for _, writer in self._idle:
            writer.close()


async def latencies(port: int, rate: float, seconds: float) -> tuple[list[float], dict[str, Any]]:
    """Of requests to the FastAPI, once it is warm; and what it says of the pauses meanwhile."""
    client = Client(port)
    await client.search(rate, 3)
    await client.get("/begin")
    took = await client.search(rate, seconds)
    said = await client.get("/end")
    client.close()
    return took, said


async def collected(port: int, workers: int) -> list[int]:
    """The workers of the Django, each after some requests and a full collection."""
    client = Client(port)
    for number in range(60 * workers):
        await client.get(f"/search/{number}")
    pids: set[int] = set()
    for _ in range(1000):
        # At the same time: a worker that collects answers nobody else.
        answers = await asyncio.gather(*(client.get("/collect") for _ in range(workers)))
        pids.update(answer["pid"] for answer in answers)
        if len(pids) == workers:
            return sorted(pids)
    raise SystemExit(f"bench: of {workers} workers only {len(pids)} answer")
