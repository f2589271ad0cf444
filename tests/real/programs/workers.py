"""Services for workers of gunicorn. Each has objects that its parent loads, and says what it is like at /said."""

import gc
import os
import re
from contextlib import asynccontextmanager
from pathlib import Path

import deadweight as dw

PAGE = Path(__file__).resolve().parents[3] / "docs/collector.md"
kept = [[number] for number in range(1_000_000)]


def said():
    """After a full collection."""
    gc.collect()
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()[1:]
    sizes = {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines)}
    return {
        "pid": os.getpid(),
        "enabled": gc.isenabled(),
        "thresholds": gc.get_threshold(),
        "frozen": gc.get_freeze_count(),
        "private": sizes["Private_Clean"] + sizes["Private_Dirty"],
        "pss": sizes["Pss"],
    }


def django():
    from django.conf import settings
    from django.core.wsgi import get_wsgi_application
    from django.http import JsonResponse
    from django.urls import path

    urls = (path("said", lambda request: JsonResponse(said())),)
    settings.configure(ROOT_URLCONF=urls, ALLOWED_HOSTS=["*"], SECRET_KEY="x")
    return get_wsgi_application()


def fastapi():
    """By the code of docs/collector.md."""
    from fastapi import FastAPI

    (code,) = [code for code in re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.S) if "FastAPI(" in code]
    names = {"FastAPI": FastAPI, "asynccontextmanager": asynccontextmanager, "dw": dw, "load": lambda: kept}
    exec(code, names)
    app = names["app"]
    app.get("/said")(said)
    return app


def starlette():
    from starlette.applications import Starlette
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    async def answer(request):
        pauses = request.state.deadweight.monitor
        return JSONResponse(said() | {"collections": sum(row.count for row in pauses.generations)})

    return Starlette(routes=[Route("/said", answer)], lifespan=dw.asgi.lifespan())
