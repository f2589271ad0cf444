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
    "blob": 2_000_000,
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


def test_objects_in_structures_are_held_by_the_array(tables):
    answer = tables.read("why", "__main__.Item")
    assert [(path["path"], path["count"]) for path in answer["paths"]] == [("__main__.orders[*]", 400)]
    assert not any(step["conservative"] for step in answer["paths"][0]["steps"])


def test_an_item_of_a_structure_holds_the_array_it_looks_into(tables):
    answer = tables.read("why", "__main__.Sold")
    assert [(path["path"], path["count"]) for path in answer["paths"]] == [("__main__.sold[*].base[0]", 50)]
    assert not any(step["conservative"] for step in answer["paths"][0]["steps"])


def test_a_frame_of_pandas_has_its_block_once(tables):
    # Its manager, block and two axes, and what they have remembered.
    beside = 4096
    assert 0 < tables.read("why", "__main__.frame")["retained_bytes"] - 100_000 * 8 * 8 < PAGE + beside
