"""``Bus``: calls handlers, and keeps no object alive for having one."""

from __future__ import annotations

import threading
import warnings
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import FunctionType, MethodType
from typing import Any, Generic, ParamSpec, TypeAlias, TypeVar, cast

from deadweight._finalize import no_weak_reference

P = ParamSpec("P")
F = TypeVar("F", bound=Callable[..., Any])
Weak: TypeAlias = "weakref.WeakMethod[Callable[..., Any]]"
Held: TypeAlias = "Weak | Callable[..., Any]"


@dataclass(frozen=True, slots=True)
class BusStats:
    """What became of the handlers of a bus."""

    connected: int
    """Handlers that are called now."""
    dead: int
    """Handlers that were methods of objects that are gone."""
    emitted: int
    """How often it was emitted."""


class Bus(Generic[P]):
    """Handlers that are called one after the other, in the order in which they were connected.

    Methods of an object are held weakly: they go with the object. Functions are held strongly, lambdas and
    functions within functions too: nobody else would hold them. One that has ``self`` in its closure keeps that
    object alive, and is warned of.

    >>> import deadweight as dw
    >>> class Window:
    ...     def on_change(self, name): return f"{name} has changed"
    >>> window = Window()
    >>> bus = dw.Bus()
    >>> bus.connect(window.on_change) and None
    >>> bus.emit("title")
    ['title has changed']
    >>> del window
    >>> bus.emit("title"), bus.stats().dead
    ([], 1)
    """

    __slots__ = ("__weakref__", "_dead", "_emitted", "_gone", "_handlers", "_lock")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._handlers: tuple[Held, ...] = ()
        # Filled by the death of an object, which can come at any moment: so without the lock.
        self._gone: deque[Weak] = deque()
        self._dead = self._emitted = 0

    def connect(self, handler: F) -> F:
        """Adds a handler, and gives it back: it can be a decorator. One that is there already is not added again.

        Raises:
            TypeError: it cannot be called, or is a method of an object to which there is no weak reference.
        """
        if not callable(handler):
            raise TypeError(f"a bus takes something that can be called, not {type(handler).__name__}")
        held = _held(handler, self._gone.append)
        if held is handler:
            _warn_of_self(handler)
        with self._lock:
            self._sweep()
            if handler not in list(self._live()):
                self._handlers = (*self._handlers, held)
        return handler

    def disconnect(self, handler: Callable[..., Any]) -> bool:
        """Takes a handler off; False if it was not connected."""
        with self._lock:
            self._sweep()
            kept = tuple(held for held in self._handlers if _handler_of(held) != handler)
            found = len(kept) < len(self._handlers)
            self._handlers = kept
        return found

    def emit(self, *args: P.args, **kwargs: P.kwargs) -> list[Any]:
        """Calls every handler that there was when this began, and gives what they give.

        An exception of one is raised here, and the rest are not called.
        """
        with self._lock:
            self._sweep()
            self._emitted += 1
            handlers = self._handlers
        # One may die while others are called.
        live = (_handler_of(held) for held in handlers)
        return [handler(*args, **kwargs) for handler in live if handler is not None]

    def stats(self) -> BusStats:
        """How many handlers there are, and how many are gone."""
        with self._lock:
            self._sweep()
            return BusStats(connected=len(self._handlers), dead=self._dead, emitted=self._emitted)

    def __len__(self) -> int:
        return self.stats().connected

    def __bool__(self) -> bool:
        # A bus without handlers is a bus.
        return True

    def __contains__(self, handler: object) -> bool:
        return handler in list(self._live())

    def __iter__(self) -> Iterator[Callable[..., Any]]:
        return self._live()

    def __repr__(self) -> str:
        stats = self.stats()
        return f"<Bus: {stats.connected} handlers, {stats.dead} dead>"

    def _live(self) -> Iterator[Callable[..., Any]]:
        return (handler for handler in map(_handler_of, self._handlers) if handler is not None)

    def _sweep(self) -> None:
        gone: set[int] = set()
        while self._gone:
            gone.add(id(self._gone.popleft()))
        if gone:
            kept = tuple(held for held in self._handlers if id(held) not in gone)
            self._dead += len(self._handlers) - len(kept)
            self._handlers = kept


def _held(handler: Callable[..., Any], gone: Callable[[Weak], object]) -> Held:
    # A method of a class is the class's, which stays.
    if isinstance(handler, MethodType) and not isinstance(handler.__self__, type):
        try:
            return weakref.WeakMethod(handler, gone)
        except TypeError:
            raise TypeError(no_weak_reference(handler.__self__)) from None
    return handler


def _handler_of(held: Held) -> Callable[..., Any] | None:
    return cast("Weak", held)() if isinstance(held, weakref.WeakMethod) else held


def _warn_of_self(handler: object) -> None:
    if not isinstance(handler, FunctionType) or "self" not in handler.__code__.co_freevars:
        return
    cell = (handler.__closure__ or ())[handler.__code__.co_freevars.index("self")]
    try:
        kept = type(cell.cell_contents).__qualname__
    except ValueError:
        return
    method = "on_event" if handler.__name__ == "<lambda>" else handler.__name__
    warnings.warn(
        f"{handler.__qualname__} has self in its closure: the bus keeps that {kept} alive until it is "
        f"disconnected. A method of it, as in connect(self.{method}), is held weakly",
        stacklevel=3,
    )
