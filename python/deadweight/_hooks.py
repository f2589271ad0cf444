"""Hooks put in front of those that are there, and taken off again in any order."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable
from typing import Any


class Hook:
    """A function that is called before what was there; once off, it only passes on."""

    def __init__(self, get: Callable[[], Any], put: Callable[[Any], object], ours: Callable[..., object]) -> None:
        self._get = get
        self._put = put
        self._ours: Callable[..., object] | None = ours
        self._before = get()
        put(self)

    def __call__(self, *arguments: Any) -> None:
        # Read once: another thread may put it off meanwhile.
        ours = self._ours
        if ours is not None:
            ours(*arguments)
        if callable(self._before):
            self._before(*arguments)

    def off(self) -> None:
        """Puts back what was there before. Who has put another hook in front still calls this one."""
        self._ours = None
        if self._get() is not self:
            return
        before = self._before
        while isinstance(before, Hook) and before._ours is None:
            before = before._before
        self._put(before)


def at_signal(number: int, ours: Callable[..., object]) -> Hook:
    """Called with the signal's number and the frame. From the main thread only, and so is ``off``."""

    def put(handler: Any) -> None:
        # What C code had set cannot be put back from here.
        signal.signal(number, signal.SIG_DFL if handler is None else handler)

    return Hook(lambda: signal.getsignal(number), put, ours)


def at_uncaught(ours: Callable[..., object]) -> Hook:
    """Called with the type, the exception and its traceback."""
    return Hook(lambda: sys.excepthook, lambda hook: setattr(sys, "excepthook", hook), ours)


def at_uncaught_in_thread(ours: Callable[..., object]) -> Hook:
    """Called with ``threading.ExceptHookArgs``."""
    return Hook(lambda: threading.excepthook, lambda hook: setattr(threading, "excepthook", hook), ours)
