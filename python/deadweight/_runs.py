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

    __slots__ = ("__weakref__", "task", "waiting")

    def __init__(self, task: asyncio.Task[Any]) -> None:
        self.task = task
        self.waiting = 0


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
            run = self._by_call[at] = _Run(asyncio.ensure_future(_remembered(cache, call, make)))
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

    def _forget(self, at: tuple[int, int, Any], run: _Run, _: object = None) -> None:
        if self._by_call.get(at) is run:
            del self._by_call[at]


async def _remembered(cache: Any, call: Call, make: Callable[[], Awaitable[Any]]) -> Any:
    return cache._remember(call, await make())
