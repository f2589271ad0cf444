"""Services and metrics by the code of docs/lifetimes.md, with the real frameworks under a real server."""

import json
import subprocess

import pytest
import test_libraries as libraries
import test_programs as real

PACKAGES = (
    "django==5.2.19",
    "fastapi==0.165.0",
    "opentelemetry-sdk==1.45.2",
    "prometheus_client==0.26.0",
    "starlette==1.10.0",
    "uvicorn==0.54.0",
    "uvloop==0.23.0",
)


@pytest.fixture(scope="module", params=real.MINORS)
def said(request):
    """What the services say, a schedule in uvloop, and the libraries of metrics."""
    minor = request.param
    python = real.interpreter(minor)
    venv = real.ROOT / f".deadweight/real/services-{minor}"
    subprocess.run([real.ROOT / "scripts/make-venv", venv, python, "pip", *PACKAGES], check=True)
    inside = venv / "bin/python"
    install = ["-m", "pip", "install", "-q", "--no-deps", "--force-reinstall", libraries.wheel(minor, inside)]
    subprocess.run([inside, *install], check=True)
    command = [inside, real.PROGRAMS / "services.py"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=300)
    *services, quiet, metrics = (json.loads(line) for line in done.stdout.splitlines() if line.startswith("{"))
    return services, quiet, metrics


def test_every_service_says_which_requests_a_pause_hit(said):
    services, _, _ = said
    names = [(row["service"], row["loop"]) for row in services]
    assert names == [(name, "asyncio") for name in ("starlette", "fastapi", "django")] + [("starlette", "uvloop")]
    for row in services:
        assert row["put_off"] and row["back"]
        assert row["/quick"] == [{"pauses": 0}, None]
        body, header = row["/collect"]
        assert body == {"pauses": 1}
        # The page shows Django without a header.
        assert (header is None) == (row["service"] == "django")
        assert header is None or header.startswith("gc;dur=")
        (collector, _) = row["/collector"]
        # `freeze=True`, which the page shows of FastAPI, collects once more.
        collections = collector["pauses"]["cpython.gc.collections"][2]["value"]
        assert collections >= (2 if row["service"] == "fastapi" else 1)
        assert collector["requests"]["hit"] == 1
        assert [hit["path"] for hit in collector["requests"]["hits"]] == ["/collect"]
        assert row["service"] != "starlette" or collector["mine"] == 1


def test_uvloop_has_quiet_moments(said):
    assert said[1] == {"run": 1, "late": 0}


def test_metrics_are_what_the_monitor_says(said):
    metrics = said[2]
    told = metrics["told"]
    exported = {metric["name"]: metric["data"]["data_points"] for metric in metrics["opentelemetry"]}
    assert set(exported) == set(told)
    for name, points in exported.items():
        value = "sum" if name == "cpython.gc.duration" else "value"
        assert [(point["attributes"]["cpython.gc.generation"], point["value"]) for point in points] == [
            (point["cpython.gc.generation"], point[value]) for point in told[name]
        ]
    lines = dict(line.rsplit(" ", 1) for line in metrics["prometheus"].splitlines() if line[0] != "#")
    for point in told["cpython.gc.duration"]:
        label = f'generation="{point["cpython.gc.generation"]}"'
        assert float(lines[f"cpython_gc_duration_seconds_count{{{label}}}"]) == point["count"]
        assert float(lines[f"cpython_gc_duration_seconds_sum{{{label}}}"]) == point["sum"]
        assert float(lines[f'cpython_gc_duration_seconds_bucket{{{label},le="+Inf"}}']) == point["count"]
