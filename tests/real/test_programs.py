"""Real programs, driven with real work, weighed from outside while they run."""

import contextlib
import http.client
import json
import os
import pathlib
import subprocess
import time
from collections.abc import Iterator

import pytest

ROOT = pathlib.Path(__file__).parents[2]
PROGRAMS = ROOT / "tests/real/programs"
DEADWEIGHT = os.environ.get("DEADWEIGHT", str(ROOT / "target/release/deadweight"))
TABLES = ("numpy==2.4.6", "pandas==3.1.1")
CASES = {
    "django": (
        "django_news.py",
        ("django==5.2.19",),
        "news.middleware.AuditEntry",
        "news.middleware.Audit.seen[*]",
    ),
    "flask": ("flask_shop.py", ("flask==3.1.3",), "shop.UserRecord", "shop.sessions.by_token[*]"),
    "tables": ("tables.py", TABLES, "__main__.Report", "__main__.history[*]"),
    "service": ("service.py", (), "__main__.Subscriber", "__main__.broker.subscribers[*]"),
}
MINORS = ("3.11", "3.13")
REQUESTS = 300


def interpreter(minor: str) -> str:
    listed = subprocess.run([ROOT / "scripts/pythons", "--minors"], capture_output=True, text=True, check=True)
    for line in listed.stdout.splitlines():
        version, path = line.split("\t")
        if version.startswith(f"{minor}."):
            return path
    pytest.skip(f"no CPython {minor} here")


def drive(port: int) -> None:
    for _ in range(REQUESTS):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("GET", "/login")
        assert connection.getresponse().status == 200
        connection.close()


class Running:
    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def read(self, verb: str, *arguments: str) -> dict:
        command = [DEADWEIGHT, "-q", verb, str(self.process.pid), *arguments, "--json"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def witness(self) -> dict:
        self.process.stdin.write("count\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


@contextlib.contextmanager
def started(case: str, minor: str) -> Iterator[Running]:
    """The program, in an environment of its own, when it has done its work."""
    script, packages, _, _ = CASES[case]
    python = interpreter(minor)
    if packages:
        venv = ROOT / f".deadweight/real/{case}-{minor}"
        subprocess.run([ROOT / "scripts/make-venv", venv, python, *packages], check=True)
        python = venv / "bin/python"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "examples/demo"), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [python, PROGRAMS / script]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment,
    ) as process:
        try:
            first = process.stdout.readline().strip()
            if first != "ready":
                drive(int(first))
                # A server forgets its last request when its wait of half a second ends without another.
                time.sleep(1.5)
            yield Running(process)
        finally:
            process.kill()


@pytest.fixture(scope="module", params=[(case, minor) for minor in MINORS for case in CASES], ids="-".join)
def running(request):
    case, minor = request.param
    with started(case, minor) as program:
        yield case, program


def test_small_blocks_have_owners_and_the_account_adds_up(running):
    _, program = running
    weighed = program.read("weigh")
    small = weighed["pymalloc"]
    assert small["owned_block_bytes"] >= 0.97 * small["used_block_bytes"]
    assert sum(row["bytes"] for row in weighed["account"]) == weighed["rss_bytes"]
    assert not {gap["kind"] for gap in weighed["gaps"]} & {
        "account_difference",
        "invalid_reference",
        "unreadable",
    }


def test_why_names_module_attribute_and_container_of_the_leak(running):
    case, program = running
    _, _, leaked, path = CASES[case]
    why = program.read("why", leaked)
    assert why["count"] == REQUESTS
    assert why["paths"][0]["path"] == path
    assert why["paths"][0]["count"] == REQUESTS
    assert not any(step["conservative"] for step in why["paths"][0]["steps"])


def test_the_collector_counts_the_same(running):
    case, program = running
    truth = program.witness()
    census = program.read("census")
    assert census["tracked"] - truth["permanent"] == truth["tracked"]
    counts = {row["name"]: row["count"] for row in census["types"]}
    # Cython's types say `__module__` with a descriptor for their instances; we call them otherwise.
    theirs = {name: count for name, count in truth["types"].items() if "_cython_" not in name}
    assert theirs[CASES[case][2]] == REQUESTS
    assert len(theirs) > 100
    assert {name: counts.get(name) for name in theirs} == theirs
