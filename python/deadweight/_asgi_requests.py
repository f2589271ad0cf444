"""``asgi.Middleware``: which requests the collector made wait."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from deadweight._durations import duration
from deadweight._monitor import monitor
from deadweight._table import Printed
from deadweight._text import counted

if TYPE_CHECKING:
    from deadweight._asgi_lifespan import Service

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

SERVICE = "deadweight"
"""What `lifespan` puts into a scope's state, by this name."""
REQUEST = "deadweight_request"
"""What `Middleware` puts there."""

_KEPT = 100


@dataclass(frozen=True, slots=True)
class Hit:
    """A request that had to wait for the collector. Times are seconds."""

    path: str
    pauses: int
    waited: float
    took: float
    """From the request to the end of its response."""

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as ``json`` takes it."""
        return asdict(self)


class RequestPauses(Printed):
    """Pauses since a request began. It is in the scope's state as ``deadweight_request``."""

    __slots__ = ("_count", "_monitor", "_total")

    def __init__(self, pauses: monitor) -> None:
        self._monitor = pauses
        self._count, self._total = pauses.count, pauses.total

    @property
    def count(self) -> int:
        """Pauses so far."""
        return self._monitor.count - self._count

    @property
    def total(self) -> float:
        """Seconds of them."""
        return self._monitor.total - self._total

    def __str__(self) -> str:
        return f"{counted(self.count, 'pause')} since the request began, {duration(self.total)} in all"


class Requests(Printed):
    """What `Middleware` counts. Times are seconds."""

    __slots__ = ("_hits", "count", "hit", "longest", "unanswered", "waited")

    count: int
    """Requests whose responses were sent to the end, or that came to no response."""
    hit: int
    """Those of them that had to wait for the collector."""
    waited: float
    """For how long, of all."""
    longest: float
    """For how long, of the one that had to wait longest."""
    unanswered: int
    """Requests whose responses have not begun."""

    def __init__(self) -> None:
        self.count = self.hit = self.unanswered = 0
        self.waited = self.longest = 0.0
        self._hits: deque[Hit] = deque(maxlen=_KEPT)

    @property
    def hits(self) -> tuple[Hit, ...]:
        """The last hundred that had to wait, oldest first."""
        return tuple(self._hits)

    def add(self, path: str, pauses: RequestPauses, took: float) -> None:
        """One that came to its end."""
        count, waited = pauses.count, pauses.total
        self.count += 1
        if count:
            self.hit += 1
            self.waited += waited
            self.longest = max(self.longest, waited)
            self._hits.append(Hit(path, count, waited, took))

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as ``json`` takes it."""
        return {
            "count": self.count,
            "hit": self.hit,
            "waited": self.waited,
            "longest": self.longest,
            "hits": [hit.to_dict() for hit in self._hits],
        }

    def __str__(self) -> str:
        return (
            f"{counted(self.count, 'request')}, {self.hit:,} of them waited for the collector, "
            f"{duration(self.waited)} in all, {duration(self.longest)} at most"
        )


class Middleware:
    """Around an ASGI application: says which requests the collector made wait.

    While a request is answered, its scope's state has ``deadweight_request``, a `RequestPauses` with ``count`` and
    ``total`` so far (``request.state.deadweight_request`` of Starlette and FastAPI). All requests are counted in
    ``requests`` of the `Service` that `lifespan` has put into the state; without that, of one with a monitor of
    its own from the first request on.

    Only HTTP is looked at; all else is passed on.

    Args:
        app: the application.
        header: a header for responses whose request had to wait until they began: ``"server-timing"``, which
            browsers show. Its value is ``gc;dur=`` and milliseconds.

    Raises:
        ValueError: ``header`` is no name of a header.
    """

    __slots__ = ("_header", "_own", "app")

    def __init__(self, app: App, *, header: str | None = None) -> None:
        self.app = app
        if header is not None and not header.replace("-", "").isalnum():
            raise ValueError(f"header is the name of a header, as 'server-timing', not {header!r}")
        self._header = None if header is None else header.lower().encode("ascii")
        self._own: Service | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        service = state.get(SERVICE) or self._service()
        pauses = state[REQUEST] = RequestPauses(service.monitor)
        requests, began = service.requests, time.perf_counter()
        answered = ended = False

        def end() -> None:
            nonlocal ended
            if not ended:
                ended = True
                requests.add(scope.get("path", ""), pauses, time.perf_counter() - began)

        async def sent(message: MutableMapping[str, Any]) -> None:
            nonlocal answered
            if message["type"] == "http.response.start" and not answered:
                answered = True
                requests.unanswered -= 1
                if self._header is not None and pauses.count:
                    value = b"gc;dur=%.3f" % (1000 * pauses.total)
                    message = {**message, "headers": [*message.get("headers", ()), (self._header, value)]}
            await send(message)
            # The application may have more to do, for which nobody waits.
            if message["type"] == "http.response.body" and not message.get("more_body", False):
                end()

        requests.unanswered += 1
        try:
            await self.app(scope, receive, sent)
        finally:
            requests.unanswered -= not answered
            end()

    def _service(self) -> Service:
        """Not before the first request: what is made as the module is loaded may be forked."""
        if self._own is None:
            from deadweight._asgi_lifespan import Service

            self._own = Service(monitor(), None, Requests())
            self._own.monitor.start()
        return self._own

    @property
    def requests(self) -> Requests | None:
        """Of those that came without a `Service` in their state; None if there was none."""
        return None if self._own is None else self._own.requests
