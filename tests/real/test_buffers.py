"""A buffer belongs to its owner once; what looks into it weighs nothing of it."""

import pytest
import test_programs as real

# What each object of tables.py asked for its data.
OWNERS = {
    "image": 1000 * 1000 * 8,
    "records": 1000 * 12,
    "raw": 3_000_000,
    "numbers": 250_000 * 8,
    "stream": 1_000_000,
}
VIEWS = ("window", "every_other", "over_raw", "view")
# The allocator maps large blocks by whole pages; the object itself and its shape, or a dtype of
# two fields, take less than 700 bytes more.
PAGE = 4096
BESIDE = 700


@pytest.fixture(scope="module", params=real.MINORS)
def tables(request):
    with real.started("tables", request.param) as program:
        yield program


@pytest.mark.parametrize("name", OWNERS)
def test_the_owner_has_its_buffer_once(tables, name):
    held = tables.read("why", f"__main__.{name}")["retained_bytes"]
    assert OWNERS[name] < held < OWNERS[name] + PAGE + BESIDE


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_has_nothing_of_it(tables, name):
    assert 0 < tables.read("why", f"__main__.{name}")["retained_bytes"] < BESIDE
