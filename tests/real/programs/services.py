"""Services under uvicorn, by the code of docs/lifetimes.md; prints what they say of the collector as JSON."""

import asyncio
import gc
import json
import pathlib
import re
import sys
import urllib.request
from contextlib import asynccontextmanager

import deadweight as dw
import uvicorn

PAGE = pathlib.Path(__file__).resolve().parents[3] / "docs/lifetimes.md"
SHOWN = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.S)


def shown(word, names):
    """Runs the example with the word in it."""
    (code,) = [code for code in SHOWN if word in code]
    exec(code, names)
    return names


@asynccontextmanager
async def my_lifespan(app):
    yield {"mine": 1}


def answer(request):
    if request.scope["path"].endswith("/collect"):
        gc.collect()
    return {"pauses": request.scope["state"]["deadweight_request"].count}


def fastapi():
    from fastapi import FastAPI, Request

    names = {"FastAPI": FastAPI, "Request": Request, "dw": dw, "my_lifespan": my_lifespan, "log": print}
    app = shown("FastAPI(", names)["app"]

    async def quick(request: Request):
        return answer(request)

    app.get("/quick")(quick)
    app.get("/collect")(quick)
    return app


def starlette():
    from starlette.applications import Starlette
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    async def quick(request):
        return JSONResponse(answer(request))

    async def collector(request):
        service = request.state.deadweight
        said = {"pauses": service.monitor.to_dict(), "requests": service.requests.to_dict()}
        return JSONResponse(said | {"mine": request.state.mine})

    routes = [Route("/quick", quick), Route("/collect", quick), Route("/collector", collector)]
    app = Starlette(routes=routes, lifespan=dw.asgi.lifespan(my_lifespan))
    app.add_middleware(dw.asgi.Middleware, header="server-timing")
    return app


def django():
    from django.conf import settings
    from django.core.asgi import get_asgi_application
    from django.http import JsonResponse
    from django.urls import path

    def quick(request):
        return JsonResponse(answer(request))

    def collector(request):
        service = request.scope["state"]["deadweight"]
        return JsonResponse({"pauses": service.monitor.to_dict(), "requests": service.requests.to_dict()})

    settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="x")
    global urlpatterns
    urlpatterns = [path("quick", quick), path("collect", quick), path("collector", collector)]
    names = {"dw": dw, "get_asgi_application": get_asgi_application}
    return shown("get_asgi_application", names)["application"]


def get(port, path):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as response:
        return json.load(response), response.headers.get("server-timing")


async def ask(make, loop):
    before = gc.get_threshold()
    server = uvicorn.Server(uvicorn.Config(make(), port=0, loop="none", log_level="error"))
    serving = asyncio.ensure_future(server.serve())
    while not server.started:
        assert not serving.done(), "it has not started"
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    put_off = gc.get_threshold() != before
    # Else a young collection might hit the quick one too.
    gc.disable()
    said = {path: await asyncio.to_thread(get, port, path) for path in ("/quick", "/collect", "/collector")}
    gc.enable()
    server.should_exit = True
    await serving
    row = {"service": make.__name__, "loop": loop, "put_off": put_off, "back": gc.get_threshold() == before}
    return row | said


async def quiet():
    """A schedule in a loop that is none of asyncio's own."""
    async with dw.collector.schedule(every=0.01, latest=3600) as collections:
        while not collections.run:
            gc.collect(1)
            await asyncio.sleep(0.02)
    return {"run": collections.run, "late": collections.late}


def metrics():
    """What two libraries make of a monitor."""
    from opentelemetry import metrics
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader
    from prometheus_client import REGISTRY, generate_latest

    reader = InMemoryMetricReader()
    metrics.set_meter_provider(MeterProvider([reader]))
    with dw.collector.monitor() as pauses:
        shown("create_observable_counter", {"pauses": pauses})
        shown("prometheus_client", {"pauses": pauses})
        gc.collect()
        gc.collect()
    found = json.loads(reader.get_metrics_data().to_json())
    return {
        "told": pauses.to_dict(),
        "opentelemetry": found["resource_metrics"][0]["scope_metrics"][0]["metrics"],
        "prometheus": generate_latest(REGISTRY).decode(),
    }


def main():
    import uvloop

    for make in (starlette, fastapi, django):
        print(json.dumps(asyncio.run(ask(make, "asyncio"))))
    print(json.dumps(uvloop.run(ask(starlette, "uvloop"))))
    print(json.dumps(uvloop.run(asyncio.wait_for(quiet(), 120))))
    print(json.dumps(metrics()))


if __name__ == "__main__":
    sys.exit(main())
