"""The collector in ASGI services, by the protocol alone: no server and no framework."""

import asyncio
import gc
from contextlib import asynccontextmanager

import deadweight as dw
import pytest

asgi = dw.asgi

pytestmark = pytest.mark.usefixtures("collector_as_it_was")


async def ask(app, path="/", state=None, kind="http"):
    """One request; gives what the application has sent."""
    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {"type": kind, "path": path, "headers": []}
    if state is not None:
        scope["state"] = dict(state)
    await app(scope, receive, send)
    return sent


async def answer(scope, receive, send):
    """Answers what the collector did meanwhile, and collects if it is asked to."""
    if scope["path"] == "/slow":
        gc.collect()
    pauses = scope["state"]["deadweight_request"]
    assert repr(pauses).startswith(f"{pauses.count} pause") and "since the request began" in repr(pauses)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"a", b"b")]})
    await send({"type": "http.response.body", "body": b"%d" % pauses.count})


def run(main):
    return asyncio.run(asyncio.wait_for(main, 120))


def test_lifespan_has_both_for_as_long_as_it_lasts():
    before = gc.get_threshold()
    told = []

    @asynccontextmanager
    async def inner(app):
        told.append((app, gc.get_threshold() != before))
        yield {"database": 1}
        told.append("left")

    async def main():
        async with asgi.lifespan(inner, over="1 s")("the app") as state:
            gc.collect()
            service = state["deadweight"]
            assert state["database"] == 1
            assert service.monitor.running and service.monitor.count >= 1
        assert not service.monitor.running
        return service

    service = run(main())
    assert told == [("the app", True), "left"]
    assert isinstance(service, asgi.Service)
    assert isinstance(service.schedule, dw.collector.schedule)


def test_lifespan_may_do_without_each():
    before = gc.get_threshold()

    @asynccontextmanager
    async def inner(app):
        yield

    async def main():
        async with asgi.lifespan(every=None)(None) as state:
            assert gc.get_threshold() == before
        assert set(state) == {"deadweight"} and state["deadweight"].schedule is None
        async with asgi.lifespan(inner)(None) as state:
            assert set(state) == {"deadweight"}

    run(main())


def test_lifespan_freezes_what_is_there_once_all_has_started():
    made = []

    @asynccontextmanager
    async def inner(app):
        made.extend([[] for _ in range(10_000)])
        yield

    async def main():
        async with asgi.lifespan(inner, freeze=True)(None):
            assert gc.get_freeze_count() > 10_000
            assert not any(it is made[0] for it in gc.get_objects())
        assert gc.get_freeze_count() < 10_000

    run(main())


def test_a_lifespan_that_fails_leaves_nothing():
    @asynccontextmanager
    async def inner(app):
        raise KeyError
        yield

    async def main():
        with pytest.raises(KeyError):
            async with asgi.lifespan(inner)(None):
                pass
        with pytest.raises(ZeroDivisionError):
            async with asgi.lifespan()(None):
                raise ZeroDivisionError

    run(main())


def test_what_makes_no_sense_is_refused_before_the_service_starts():
    for wrong in ({"over": "x"}, {"on_slow": print}, {"every": 0}, {"when": "x"}, {"latest": "soon"}):
        with pytest.raises(ValueError):
            asgi.lifespan(**wrong)
    for header in ("", "a b", "a:b", "ä\n"):
        with pytest.raises(ValueError, match="name of a header"):
            asgi.Middleware(answer, header=header)


def test_requests_that_a_pause_hit_are_told():
    app = asgi.Middleware(answer, header="Server-Timing")

    async def main():
        gc.disable()
        try:
            async with asgi.lifespan(every=None)(app) as state:
                quick = await ask(app, "/quick", state)
                slow = await ask(app, "/slow", state)
            return quick, slow, state["deadweight"].requests
        finally:
            gc.enable()

    quick, slow, requests = run(main())
    assert quick[0]["headers"] == [(b"a", b"b")] and quick[1]["body"] == b"0"
    (_, (name, value)) = slow[0]["headers"]
    assert (name, slow[1]["body"]) == (b"server-timing", b"1")
    assert value.startswith(b"gc;dur=") and float(value[7:]) > 0
    assert (requests.count, requests.hit, requests.unanswered) == (2, 1, 0)
    (hit,) = requests.hits
    assert (hit.path, hit.pauses) == ("/slow", 1)
    assert 0 < hit.waited == requests.waited == requests.longest < hit.took
    assert requests.to_dict()["hits"] == [hit.to_dict()]
    assert str(requests).startswith("2 requests, 1 of them waited for the collector")
    assert app.requests is None


def test_every_request_that_is_open_meanwhile_is_hit():
    async def waits(scope, receive, send):
        await barrier.wait()
        if scope["path"] == "/first":
            gc.collect()
        await again.wait()

    async def main():
        nonlocal barrier, again
        barrier, again = Meeting(3), Meeting(3)
        async with asgi.lifespan(every=None)(app) as state:
            await asyncio.gather(*(ask(app, path, state) for path in ("/first", "/second", "/third")))
            await ask(asgi.Middleware(nothing), "/later", state)
        return state["deadweight"].requests

    class Meeting:
        def __init__(self, count):
            self.missing, self.all = count, asyncio.Event()

        async def wait(self):
            self.missing -= 1
            if not self.missing:
                self.all.set()
            await self.all.wait()

    async def nothing(scope, receive, send):
        pass

    barrier = again = None
    app = asgi.Middleware(waits)
    gc.disable()
    try:
        requests = run(main())
    finally:
        gc.enable()
    assert {hit.path for hit in requests.hits} == {"/first", "/second", "/third"}
    assert (requests.count, requests.hit) == (4, 3)


def test_what_an_application_does_after_its_response_is_no_part_of_it():
    async def goes_on(scope, receive, send):
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"1", "more_body": True})
        count.append(state["deadweight"].requests.count)
        await send({"type": "http.response.body", "body": b"2"})
        count.append(state["deadweight"].requests.count)
        gc.collect()

    async def main():
        nonlocal state
        async with asgi.lifespan(every=None)(None) as state:
            await ask(asgi.Middleware(goes_on), "/", state)
        return state["deadweight"].requests

    state, count = {}, []
    gc.disable()
    try:
        requests = run(main())
    finally:
        gc.enable()
    assert count == [0, 1]
    assert (requests.count, requests.hit) == (1, 0)


def test_without_a_lifespan_it_has_a_monitor_of_its_own_from_the_first_request_on():
    app = asgi.Middleware(answer)
    assert not any(type(callback) is dw._core.Pauses for callback in gc.callbacks)
    gc.disable()
    try:
        assert run(ask(app, "/slow"))[1]["body"] == b"1"
        assert (app.requests.count, app.requests.hit) == (1, 1)
    finally:
        gc.enable()
        app._own.monitor.stop()


def test_a_request_that_fails_is_counted():
    async def fails(scope, receive, send):
        raise KeyError

    app = asgi.Middleware(fails)

    async def main():
        async with asgi.lifespan(every=None)(app) as state:
            with pytest.raises(KeyError):
                await ask(app, "/", state)
        return state["deadweight"].requests

    requests = run(main())
    assert (requests.count, requests.unanswered) == (1, 0)


def test_what_is_not_http_is_passed_on_as_it_is():
    seen = []

    async def other(scope, receive, send):
        seen.append((scope, receive, send))

    scope = {"type": "websocket"}
    run(asgi.Middleware(other)(scope, 1, 2))
    assert seen == [(scope, 1, 2)] and scope == {"type": "websocket"}


def test_no_collection_is_run_while_a_request_has_no_answer():
    async def main():
        asked, go = asyncio.Event(), asyncio.Event()

        async def waits(scope, receive, send):
            asked.set()
            await go.wait()
            await send({"type": "http.response.start", "status": 200})

        app = asgi.Middleware(waits)
        async with asgi.lifespan(every=0.01, latest=3600)(app) as state:
            request = asyncio.ensure_future(ask(app, "/", state))
            await asked.wait()
            schedule = state["deadweight"].schedule
            before = schedule.run
            gc.collect(1)
            await asyncio.sleep(0.3)
            assert schedule.run == before
            go.set()
            await request
            while schedule.run == before:
                await asyncio.sleep(0.01)

    run(main())


async def lifespan_protocol(app, state=None):
    """What a server does with an application; gives what it has sent."""
    sent, shutdown = [], asyncio.Event()
    messages = iter(("lifespan.startup", "lifespan.shutdown"))

    async def receive():
        kind = next(messages)
        if kind == "lifespan.shutdown":
            await shutdown.wait()
        return {"type": kind}

    async def send(message):
        sent.append(message["type"])
        shutdown.set()

    scope = {"type": "lifespan"} if state is None else {"type": "lifespan", "state": state}
    await app(scope, receive, send)
    return sent


def test_an_application_without_lifespan_is_given_one():
    def refuses(scope, receive, send):
        assert scope["type"] != "lifespan"
        return answer(scope, receive, send)

    app = asgi.with_lifespan(asgi.Middleware(refuses), asgi.lifespan())
    state = {}
    assert run(lifespan_protocol(app, state)) == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert isinstance(state["deadweight"], asgi.Service)
    assert run(lifespan_protocol(app)) == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert run(ask(app, "/slow", state))[1]["body"] == b"0", "its monitor has ended"


def test_a_lifespan_that_fails_is_told_to_the_server():
    @asynccontextmanager
    async def fails_first(app):
        raise KeyError
        yield

    @asynccontextmanager
    async def fails_last(app):
        yield
        raise KeyError

    told = []

    async def main(context):
        async def send(message):
            told.append(message["type"])

        async def receive():
            return {}

        with pytest.raises(KeyError):
            await asgi.with_lifespan(answer, context)({"type": "lifespan"}, receive, send)

    run(main(fails_first))
    run(main(asgi.lifespan(fails_last)))
    assert told == ["lifespan.startup.failed", "lifespan.startup.complete", "lifespan.shutdown.failed"]
