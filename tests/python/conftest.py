"""What the tests of the package have in common."""

import gc
import re
import signal

import pytest

# A project for tests to run: it leaks.
collect_ignore = ["sample"]

# A shell starts what runs in the background with interrupts ignored, and all that this starts inherits it: tests
# that interrupt would wait for ever.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items):
    """Files that load most libraries come last: with these there are several times as many objects, and all
    that looks through the heap takes as much longer."""

    def libraries(path):
        return len(set(re.findall(r"importorskip\((.+?)\)", path.read_text())))

    loads = {path: libraries(path) for path in {item.path for item in items}}
    items.sort(key=lambda item: loads[item.path])


@pytest.fixture
def collector_as_it_was():
    """The test leaves the collector set as it found it."""
    before = gc.isenabled(), gc.get_threshold(), list(gc.callbacks)
    yield
    assert (gc.isenabled(), gc.get_threshold(), gc.callbacks) == before
