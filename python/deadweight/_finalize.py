"""``finalize``: a call when an object goes, that does not keep it."""

from __future__ import annotations

import atexit
import sys
import weakref
from collections.abc import Callable
from typing import Any, Generic, ParamSpec, TypeAlias, TypeVar

from deadweight._core import Row
from deadweight._reach import name_of, way_to

T = TypeVar("T")
R = TypeVar("R")
P = ParamSpec("P")
Call: TypeAlias = tuple[Callable[..., R], tuple[Any, ...], dict[str, Any]]

_waiting: dict[finalize[Any, Any], None] = {}
"""Oldest first. A weak reference that is itself forgotten calls nothing."""


class finalize(Generic[T, R]):
    """``callback(*args, **kwargs)`` is called once: when ``obj`` goes, when this is called, or at exit.

    As `weakref.finalize` does, but for two things. A callback that leads to ``obj`` (a
    method of it, a lambda over it, an argument that holds it) is refused: it would keep ``obj`` for ever and
    never be called. And ``obj`` may be unhashable or compare as it likes: nothing of it is asked.

    An exception of the callback goes to `sys.unraisablehook`, unless the callback was called by hand: it cannot
    be raised where the object happened to go.

    Raises:
        ValueError: the callback leads to the object.
        TypeError: there can be no weak reference to the object, or the callback cannot be called.

    >>> import deadweight as dw
    >>> class Connection: ...
    >>> connection = Connection()
    >>> closing = dw.finalize(connection, print, "closed")
    >>> del connection
    closed
    >>> closing.alive
    False
    """

    __slots__ = ("_call", "_detached", "_ref", "atexit")

    atexit: bool
    """Whether it is called at exit, if the object is still there then. May be set; True at first."""

    def __init__(self, obj: T, callback: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> None:
        if not callable(callback):
            raise TypeError(f"finalize takes something that can be called, not {type(callback).__name__}")
        way = way_to(obj, callback, args, kwargs)
        if way is not None:
            raise ValueError(
                f"the callback {name_of(callback)} would keep this {type(obj).__qualname__} for ever: {way}. "
                f"Give it what it needs (a name, a file descriptor) instead of the object"
            )
        try:
            self._ref = weakref.ref(obj, self)
        except TypeError:
            raise TypeError(no_weak_reference(obj)) from None
        self._call: Call[R] | None = callback, args, kwargs
        self.atexit = True
        self._detached = False
        if not _waiting:
            atexit.register(_at_exit)
        _waiting[self] = None

    @property
    def alive(self) -> bool:
        """Whether the callback is still to be called."""
        return self._call is not None

    def __call__(self, _: object = None) -> R | None:
        """Calls the callback now, unless it was called, and gives what it gives."""
        call = self._take()
        return None if call is None else call[0](*call[1], **call[2])

    def detach(self) -> tuple[T, Callable[..., R], tuple[Any, ...], dict[str, Any]] | None:
        """Calls it off. Gives the object, the callback and its arguments; None if it was called."""
        obj, call = self._ref(), self._take()
        if call is None:
            return None
        self._detached = True
        return None if obj is None else (obj, *call)

    def peek(self) -> tuple[T, Callable[..., R], tuple[Any, ...], dict[str, Any]] | None:
        """The same, and nothing is called off."""
        obj, call = self._ref(), self._call
        return None if obj is None or call is None else (obj, *call)

    def _take(self) -> Call[R] | None:
        # One of several threads gets it: taking it out of the dict cannot be interrupted.
        if _waiting.pop(self, _waiting) is _waiting:
            return None
        call, self._call = self._call, None
        return call

    def __repr__(self) -> str:
        call = self._call
        if call is None:
            when = "detached" if self._detached else "called"
        else:
            when = f"{name_of(call[0])} when its object goes"
        return f"<finalize at {id(self):#x}: {when}>"


def no_weak_reference(obj: object) -> str:
    """Why there is none, and what to do about it."""
    why = f"there is no weak reference to {type(obj).__qualname__!r} objects"
    if isinstance(obj, Row):
        return f"{why}: a row is made anew whenever it is looked at"
    return f"{why}; a class with __slots__ needs '__weakref__' among them (dw.slots(weakref=True))"


def _at_exit() -> None:
    """Newest first, as what was made last may need what was made before. What goes after that calls nothing."""
    while due := next((it for it in reversed(_waiting) if it.atexit), None):
        try:
            due()
        except Exception as error:
            sys.excepthook(type(error), error, error.__traceback__)
    _waiting.clear()
