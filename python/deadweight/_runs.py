"""Runs of async functions that several callers wait for."""

from __future__ import annotations

import asyncio
import functools
import weakref
from collections.abc import Awaitable, Callable
from typing import Any

from deadweight._core import Call


class _Run:
    """A run of an async function that several wait for."""

    __slots__ = ("__weakref__", "is_kept", "task", "waiting")

    task: asyncio.Task[Any]

    def __init__(self) -> None:
        self.waiting = 0
        self.is_kept = True
        """Whether what it gives is to be kept: not what began before the cache was cleared."""


class Runs:
    """The runs of one async function: calls that are the same wait for one."""

    __slots__ = ("_by_call",)

    def __init__(self) -> None:
        # By loop, cache and arguments. A loop runs in one thread, and no other looks at its runs. They are held
        # by who waits for them and by their tasks, which hold loop and cache: so an id is nobody else's
        # meanwhile, and what a closed loop has left goes with it.
        self._by_call: weakref.WeakValueDictionary[tuple[int, int, Any], _Run] = weakref.WeakValueDictionary()

    async def result(self, cache: Any, call: Call, make: Callable[[], Awaitable[Any]]) -> Any:
        """What a call gives, of a run that is there or a new one."""
        at = (id(asyncio.get_running_loop()), id(cache), call.key)
        run = self._by_call.get(at)
        if run is None:
            run = self._by_call[at] = _Run()
            run.task = asyncio.ensure_future(_remembered(run, cache, call, make))
            run.task.add_done_callback(functools.partial(self._forget, at, run))
        run.waiting += 1
        try:
            return await asyncio.shield(run.task)
        except asyncio.CancelledError:
            if run.waiting == 1 and not run.task.done():
                # Who calls now is not to wait for what is cancelled.
                self._forget(at, run)
                run.task.cancel()
                await asyncio.wait([run.task])
            raise
        finally:
            run.waiting -= 1
            # What it raised leads to this frame, and from here back to it, and all that it was called with.
            del run

    def clear(self, cache: Any) -> None:
        """Nobody joins the runs of a cache any more, and what they give is not kept."""
        for at, run in list(self._by_call.items()):
            if at[1] == id(cache):
                run.is_kept = False
                self._forget(at, run)

    def _forget(self, at: tuple[int, int, Any], run: _Run, _: object = None) -> None:
        if self._by_call.get(at) is run:
            self._by_call.pop(at, None)


async def _remembered(run: _Run, cache: Any, call: Call, make: Callable[[], Awaitable[Any]]) -> Any:
    try:
        result = await make()
        return cache._remember(call, result) if run.is_kept else result
    finally:
        # What it raised leads to this frame, and the run to its task, which has what it raised.
        del run
