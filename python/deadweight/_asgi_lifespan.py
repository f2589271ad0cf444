"""``asgi.lifespan``: the collector's settings for as long as a service runs."""

from __future__ import annotations

import gc
import traceback
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal, TypeAlias

from deadweight._asgi_requests import SERVICE, App, Receive, Requests, Scope, Send
from deadweight._monitor import monitor
from deadweight._paused import ITS_OWN
from deadweight._schedule import schedule
from deadweight._slow_pauses import Pause

Lifespan: TypeAlias = Callable[[Any], AbstractAsyncContextManager[Mapping[str, Any] | None]]


@dataclass(frozen=True, slots=True)
class Service:
    """What is in the state of each scope as ``deadweight``."""

    monitor: monitor
    schedule: schedule | None
    requests: Requests


def lifespan(
    inner: Lifespan | None = None,
    *,
    over: str | float | timedelta | None = None,
    on_slow: Callable[[Pause], object] | None = None,
    every: str | float | timedelta | None = 30,
    when: Literal["idle"] | Callable[[], object] = "idle",
    latest: str | float | timedelta | None = None,
    freeze: bool = False,
) -> Callable[[Any], AbstractAsyncContextManager[dict[str, Any]]]:
    """A lifespan for Starlette, FastAPI and others that take one: a `monitor` and a `schedule` while it lasts.

    ``FastAPI(lifespan=dw.asgi.lifespan())``. It yields a state with ``deadweight``, a `Service`, beside what
    ``inner`` yields, and in place of what that has by this name: ``request.state.deadweight.monitor``. With
    `Middleware`, no collection is run while a request has had no answer, unless ``latest`` has passed.

    Args:
        inner: the application's own lifespan, entered within this one.
        over, on_slow: as `monitor` has them.
        every, when, latest: as `schedule` has them; ``every=None`` for no schedule.
        freeze: once all has started, collect and `gc.freeze` what is there, which later collections leave out; at
            the end it is unfrozen, unless something was frozen before.

    Raises:
        ValueError: as `monitor` and `schedule` do.
    """
    # Refused here, not when the service starts.
    monitor(over, on_slow)
    if every is not None:
        schedule(every, when, latest=latest)

    @asynccontextmanager
    async def running(app: Any) -> AsyncGenerator[dict[str, Any], None]:
        requests = Requests()

        def good() -> bool:
            return not requests.unanswered and (when == "idle" or bool(when()))

        async with AsyncExitStack() as stack:
            pauses = stack.enter_context(monitor(over, on_slow))
            planned = None
            if every is not None:
                planned = await stack.enter_async_context(schedule(every, good, latest=latest))
            state = None if inner is None else await stack.enter_async_context(inner(app))
            if freeze:
                if gc.get_freeze_count() < ITS_OWN:
                    stack.callback(gc.unfreeze)
                gc.collect()
                gc.freeze()
            yield {**(state or {}), SERVICE: Service(pauses, planned, requests)}

    return running


def with_lifespan(app: App, lifespan: Lifespan) -> App:
    """An ASGI application with a lifespan, for one that knows of none, as Django's: all else is passed on.

    ``application = dw.asgi.with_lifespan(get_asgi_application(), dw.asgi.lifespan())``
    """

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await app(scope, receive, send)
            return
        await receive()
        step = "startup"
        try:
            async with lifespan(app) as state:
                if "state" in scope:
                    scope["state"].update(state or {})
                await send({"type": "lifespan.startup.complete"})
                step = "shutdown"
                await receive()
        except BaseException:
            await send({"type": f"lifespan.{step}.failed", "message": traceback.format_exc()})
            raise
        await send({"type": "lifespan.shutdown.complete"})

    return wrapped
