"""Pairs of a common leak and what is there instead of it: what a hundred requests leave behind."""

import functools
import gc
import weakref
from contextlib import ExitStack

import deadweight as dw
import pytest

REQUESTS, ROOM = 100, 10


class Page:
    """Made by each request, and of no use after it."""

    def __init__(self, number):
        self.number = number

    @dw.cached_method
    def title(self):
        return f"page {self.number}"

    def changed(self):
        return self.number

    def refuse(self):
        with pytest.raises(ValueError, match="would keep this Page for ever"):
            dw.finalize(self, self.changed)


def on_a_method(_):
    return functools.lru_cache(maxsize=None)(Page.changed)


def on_each_object(_):
    return Page.title


def in_a_dict(_):
    pages = {}
    return lambda page: pages.setdefault(page.number, page)


def in_a_cache(_):
    pages = dw.Cache(maxsize=ROOM)
    return lambda page: pages.setdefault(page.number, page)


def in_a_cache_of_bytes(_):
    pages = dw.Cache(max_bytes=ROOM * dw.deepsizeof(Page(0)).total)
    return lambda page: pages.setdefault(page.number, page)


def in_a_weak_cache(_):
    pages = dw.WeakCache(hot=ROOM)
    return lambda page: pages.setdefault(page.number, page)


def as_results(_):
    pages = []
    found = functools.lru_cache(maxsize=None)(lambda number: pages.pop())
    return lambda page: pages.append(page) or found(page.number)


def as_results_with_a_bound(_):
    pages = []
    found = dw.cached(maxsize=ROOM)(lambda number: pages.pop())
    return lambda page: pages.append(page) or found(page.number)


def in_a_list_of_handlers(_):
    handlers = []
    return lambda page: handlers.append(page.changed)


def in_a_bus(_):
    bus = dw.Bus()
    return lambda page: bus.connect(page.changed)


def by_their_finalizer(undo):
    return lambda page: undo.callback(weakref.finalize(page, page.changed).detach)


def by_one_that_is_looked_at(_):
    def handle(page):
        page.refuse()
        dw.finalize(page, len, "what it had open")

    return handle


def kept(way):
    """How many pages are alive after the requests."""
    alive = weakref.WeakSet()
    with ExitStack() as undo:
        handle = way(undo)
        for number in range(REQUESTS):
            page = Page(number)
            alive.add(page)
            handle(page)
            del page
        gc.collect()
        return len(alive)


@pytest.mark.parametrize(
    ("leak", "instead", "left"),
    [
        (on_a_method, on_each_object, 0),
        (in_a_dict, in_a_cache, ROOM),
        (in_a_dict, in_a_cache_of_bytes, ROOM),
        (in_a_dict, in_a_weak_cache, ROOM),
        (as_results, as_results_with_a_bound, ROOM),
        (in_a_list_of_handlers, in_a_bus, 0),
        (by_their_finalizer, by_one_that_is_looked_at, 0),
    ],
)
def test_what_is_there_instead_does_not_leak(leak, instead, left):
    assert kept(leak) == REQUESTS
    assert kept(instead) == left
