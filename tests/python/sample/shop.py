"""A small shop that leaks in ten ways, each by one function."""

import functools
import logging
import threading

SEEN = []
SESSIONS = {}
HOOKS = []
PENDING = []
FAILED = []
LOCAL = threading.local()
LOG = logging.getLogger("shop")
CALLBACKS = {}


class Order:
    """What is left behind."""

    def __init__(self):
        self.lines = [str(number) for number in range(10)]


class Catalogue:
    @functools.lru_cache(maxsize=None)
    def price(self, article):
        return Order(), article


class Plugin:
    registry = []

    def __init__(self):
        self.order = Order()
        Plugin.registry.append(self)


class Keeper(logging.Handler):
    def __init__(self):
        super().__init__()
        self.order = Order()

    def emit(self, record):
        pass


class Node:
    """In a circle with another, and its finaliser brings both back."""

    GRAVE = []

    def __init__(self):
        self.order = Order()
        self.other = self

    def __del__(self):
        Node.GRAVE.append(self)


def module_list():
    SEEN.append(Order())


def cache_on_a_method():
    Catalogue().price("tea")


def closure():
    order = Order()

    def later():
        return order

    HOOKS.append(later)


def dict_by_id():
    order = Order()
    SESSIONS[id(order)] = order


def logging_handler():
    LOG.addHandler(Keeper())


def class_attribute():
    Plugin()


def callbacks():
    CALLBACKS.setdefault("ordered", []).append(Order().__init__)


def thread_local():
    LOCAL.__dict__.setdefault("orders", []).append(Order())


def generator():
    def lines(order):
        yield from order.lines

    started = lines(Order())
    next(started)
    PENDING.append(started)


def traceback():
    order = Order()
    try:
        raise ValueError(len(order.lines))
    except ValueError as error:
        FAILED.append(error)


def finaliser():
    Node()
