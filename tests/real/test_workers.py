"""Workers of gunicorn share what their parent has loaded, by the code of docs/collector.md."""

import concurrent.futures
import contextlib
import json
import os
import re
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator

import pytest
import test_libraries as libraries
import test_programs as real

PACKAGES = (
    "django==5.2.19",
    "fastapi==0.165.0",
    "gunicorn==27.0.1",
    "starlette==1.10.0",
    "uvicorn==0.54.0",
    "uvicorn-worker==0.4.0",
)
PAGE = real.ROOT / "docs/collector.md"
(TUNED,) = [code for code in re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.S) if "preload_app" in code]
WORKERS = 2
OBJECTS = 1_000_000


@pytest.fixture(scope="module", params=real.MINORS)
def python(request):
    """An interpreter with the frameworks and the package."""
    minor = request.param
    venv = real.ROOT / f".deadweight/real/workers-{minor}"
    subprocess.run([real.ROOT / "scripts/make-venv", venv, real.interpreter(minor), "pip", *PACKAGES], check=True)
    inside = venv / "bin/python"
    install = ["-m", "pip", "install", "-q", "--no-deps", "--force-reinstall", libraries.wheel(minor, inside)]
    subprocess.run([inside, *install], check=True)
    return inside


@contextlib.contextmanager
def started(python, service, configuration, folder) -> Iterator[int]:
    """The port of a service, which listens before its workers are there."""
    (folder / "gunicorn.conf.py").write_text(configuration)
    kind = "sync" if service == "django" else "uvicorn_worker.UvicornWorker"
    with socket.create_server(("127.0.0.1", 0)) as listening:
        descriptor = listening.fileno()
        serve = [
            "--workers",
            str(WORKERS),
            "--worker-class",
            kind,
            "--bind",
            f"fd://{descriptor}",
            "--no-control-socket",
        ]
        command = [python, "-m", "gunicorn", *serve, "--pythonpath", real.PROGRAMS, f"workers:{service}()"]
        process = subprocess.Popen(command, cwd=folder, env=os.environ, pass_fds=[descriptor])
        port = listening.getsockname()[1]
    try:
        yield port
    finally:
        process.terminate()
        assert process.wait(60) == 0


def ask(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/said", timeout=60) as response:
        return json.load(response)


def workers(python, service, configuration, folder):
    """What each of the workers says."""
    found = {}
    with (
        started(python, service, configuration, folder) as port,
        # At the same time: one that is busy answers nobody else.
        concurrent.futures.ThreadPoolExecutor(WORKERS) as threads,
    ):
        end = time.monotonic() + 60
        while time.monotonic() < end:
            for row in threads.map(ask, [port] * WORKERS):
                # What it said first: each answer has it do more.
                found.setdefault(row["pid"], row)
            if len(found) == WORKERS:
                return list(found.values())
    raise AssertionError(f"only {len(found)} of {WORKERS} workers answer")


@pytest.mark.parametrize("service", ["django", "starlette", "fastapi"])
def test_workers_share_what_their_parent_froze(python, service, tmp_path):
    plain = workers(python, service, "preload_app = True", tmp_path)
    tuned = workers(python, service, TUNED, tmp_path)
    assert all(row["enabled"] for row in plain + tuned)
    assert all(row["frozen"] >= OBJECTS for row in tuned)
    # A million lists are 64 MB and more, into which a collection writes.
    assert max(row["private"] for row in tuned) < min(row["private"] for row in plain) / 2
    assert max(row["pss"] for row in tuned) < min(row["pss"] for row in plain)


def test_a_worker_has_a_lifespan_of_its_own(python, tmp_path):
    for row in workers(python, "starlette", TUNED, tmp_path):
        # That which it made to answer; its parent's are not among them.
        assert 1 <= row["collections"] < 100
    for row in workers(python, "fastapi", TUNED, tmp_path):
        # The third is of the schedule.
        assert row["thresholds"][:2] == [10_000, 20]
