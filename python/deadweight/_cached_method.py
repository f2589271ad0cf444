"""``cached_method``: a method that keeps its results with the object, and goes with it."""

from __future__ import annotations

import functools
import os
import threading
import weakref
from collections.abc import Callable
from types import FunctionType
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Protocol, TypeAlias, TypeVar, cast, overload

from deadweight._cache import Cache
from deadweight._calls import CacheInfo, cache_for, check_function, info_of, is_async
from deadweight._core import Call, Row

if TYPE_CHECKING:
    from typing_extensions import Self

    from deadweight._runs import Runs

S = TypeVar("S")
S_contra = TypeVar("S_contra", contravariant=True)
P = ParamSpec("P")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)
_CacheOf: TypeAlias = "Callable[[Any], Cache[Any, Any]]"

PLACE = "_deadweight_caches"
"""The attribute of an object where its caches are. In a class with ``__slots__`` it is one of them."""
_CLASS_PLACE = "_deadweight_class_caches"
"""That of a class, for its class methods: instances would take the other for theirs."""
_HEAP_TYPE = 1 << 9
"""In ``__flags__`` of a class that is not compiled in (Py_TPFLAGS_HEAPTYPE, Include/object.h)."""
_making = threading.RLock()
"""Entered again by a finalizer that calls such a method: a collection may begin while it is held."""


def _after_fork() -> None:
    """In a forked child, whichever thread held it is gone."""
    global _making
    _making = threading.RLock()


os.register_at_fork(after_in_child=_after_fork)


class CachedMethod(Protocol[S_contra, P, R_co]):
    """A method that keeps its results with each object."""

    __wrapped__: Callable[..., Any]

    def __call__(self, instance: S_contra, /, *args: P.args, **kwargs: P.kwargs) -> R_co: ...
    @overload
    def __get__(self, instance: None, owner: type[Any] | None = None, /) -> Self: ...
    @overload
    def __get__(self, instance: Any, owner: type[Any] | None = None, /) -> Callable[P, R_co]: ...
    def cache_info(self, instance: S_contra, /) -> CacheInfo: ...
    def cache_clear(self, instance: S_contra, /) -> None: ...
    def cache_parameters(self) -> dict[str, Any]: ...


class _Caches(dict[Any, "Cache[Any, Any]"]):
    """The caches of one object, by method. Copies of the object have the very same attribute: whose it is tells
    that it is not theirs. Pickled it is empty and nobody's."""

    __slots__ = ("of",)

    def __init__(self, of: Callable[[], Any] = lambda: None) -> None:
        self.of = of

    def __reduce__(self) -> tuple[Any, ...]:
        return (_Caches, ())

    def __deepcopy__(self, _: object) -> _Caches:
        return _Caches()

    # One takes no part in whether objects are equal.
    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Caches)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None


@overload
def cached_method(maxsize: Callable[Concatenate[S, P], R], /) -> CachedMethod[S, P, R]: ...
@overload
def cached_method(
    maxsize: int | None = 128,
    max_bytes: int | str | None = None,
    typed: bool = False,
    weigher: Callable[[Any, Any], int] | None = None,
) -> Callable[[Callable[Concatenate[S, P], R]], CachedMethod[S, P, R]]: ...
def cached_method(
    maxsize: Callable[..., Any] | int | None = 128,
    max_bytes: int | str | None = None,
    typed: bool = False,
    weigher: Callable[[Any, Any], int] | None = None,
) -> Any:
    """Keeps the results of a method, for each object apart: they go with the object, and never keep it.

    The object need not be hashable. Its caches are an attribute of it, ``_deadweight_caches``, that its copies
    and pickles do not take over. A class with ``__slots__`` and no ``__dict__`` needs that among them, and
    ``__weakref__``; :func:`slots` gives it them by ``weakref=True, extra=("_deadweight_caches",)``. A
    :class:`Record` has no room. Bounds are of each object. ``async`` methods are as with :func:`cached`. With
    ``property``, ``classmethod`` and ``staticmethod`` it may stand on either side, but below ``staticmethod``
    only if the first argument has room for a cache: it is taken for the object.

    In ``__del__`` of an object that the garbage collector found, results are computed anew: weak references to it
    are gone by then.

    The method has ``cache_info(object)``, ``cache_clear(object)``, ``cache_parameters()`` and ``__wrapped__``, in
    the class: ``Report.total.cache_info(report)``.

    Args:
        maxsize: the most results of an object; None for any number.
        max_bytes: the most bytes that arguments and results of an object hold, as a number or as ``"64 MB"``.
        typed: whether ``x.f(True)`` and ``x.f(1)`` are always two.
        weigher: called with the arguments, as they are kept, and the result; gives bytes in place of the deep
            size.

    Raises:
        TypeError: where it is called, the object has no room for its caches.

    >>> import deadweight as dw
    >>> class Report:
    ...     rows = ["one", "two"]
    ...     @dw.cached_method
    ...     def total(self):
    ...         return sum(map(len, self.rows))
    >>> report = Report()
    >>> report.total(), report.total(), Report.total.cache_info(report)
    (6, 6, CacheInfo(hits=1, misses=1, maxsize=128, currsize=1))
    """
    if isinstance(maxsize, property | classmethod | staticmethod) or callable(maxsize):
        return cached_method()(cast(Any, maxsize))
    # What is wrong with the bounds is said where they are written.
    Cache[Any, Any](maxsize, max_bytes, weigher)
    parameters = {"maxsize": maxsize, "max_bytes": max_bytes, "typed": typed}

    def decorate(function: Any) -> Any:
        inside = function
        if isinstance(function, property):
            getter = decorate(function.fget)
            return property(getter, function.fset, function.fdel, function.__doc__)
        if isinstance(function, classmethod):
            return classmethod(decorate(inside.__func__))
        if isinstance(function, staticmethod):
            from deadweight._cached import cached

            made: Any = cached(maxsize, max_bytes, typed, weigher=weigher)(inside.__func__)
            return staticmethod(made)
        check_function(function, "cached_method")
        make = cache_for(function, maxsize, max_bytes, weigher)

        def cache_of(instance: Any) -> Cache[Any, Any]:
            caches = _caches_of(instance)
            try:
                return caches[call]
            except KeyError:
                # Of several threads all get the one that came first.
                return caches.setdefault(call, make())

        call: Any
        runs: Runs | None = None
        if is_async(function):
            call, runs = _remembering_async(function, cache_of, typed)
        else:
            call = _remembering(function, cache_of, typed)
        functools.update_wrapper(call, function)

        def cache_info(*instance: Any) -> CacheInfo:
            """How often a result of the object was there, and how many are."""
            return info_of(cache_of(_only(instance, "cache_info", function)))

        def cache_clear(*instance: Any) -> None:
            """Forgets all results of the object, and what was counted."""
            cache = cache_of(_only(instance, "cache_clear", function))
            if runs is not None:
                runs.clear(cache)
            cache._reset()

        def cache_parameters() -> dict[str, Any]:
            """What it was made with."""
            return dict(parameters)

        call.cache_info, call.cache_clear, call.cache_parameters = cache_info, cache_clear, cache_parameters
        return call

    return decorate


def keeps_with_object(function: FunctionType) -> bool:
    """Whether it is what `cached_method` has made of a method."""
    return function.__globals__ is globals() and hasattr(function, "cache_parameters")


def _only(given: tuple[Any, ...], what: str, method: Any) -> Any:
    if len(given) != 1:
        name = method.__qualname__.rpartition("<locals>.")[2]
        raise TypeError(f"{what} takes the object whose results they are: {name}.{what}(object)")
    return given[0]


def _remembering(function: Any, cache_of: _CacheOf, typed: bool) -> Callable[..., Any]:
    def call(self: Any, /, *args: Any, **kwargs: Any) -> Any:
        cache = cache_of(self)
        found = cache._recall(args, kwargs, typed)
        return found if type(found) is not Call else cache._remember(found, function(self, *args, **kwargs))

    return call


def _remembering_async(function: Any, cache_of: _CacheOf, typed: bool) -> tuple[Callable[..., Any], Runs]:
    # Only who has async functions needs asyncio.
    from deadweight._runs import Runs

    runs = Runs()

    async def call(self: Any, /, *args: Any, **kwargs: Any) -> Any:
        cache = cache_of(self)
        found = cache._recall(args, kwargs, typed)
        if type(found) is not Call:
            return found
        return await runs.result(cache, found, lambda: function(self, *args, **kwargs))

    return call, runs


def _caches_of(instance: Any) -> _Caches:
    place = PLACE
    read: Callable[[Any, str], Any] = object.__getattribute__
    write: Callable[[Any, str, Any], None] = object.__setattr__
    if isinstance(instance, type):
        place, read, write = _CLASS_PLACE, _own_attribute, type.__setattr__
    # Past `__getattr__` and `__setattr__` of the class, which may stand for another object or forbid changes.
    try:
        caches: _Caches = read(instance, place)
        if caches.of() is instance:
            return caches
    except AttributeError:
        pass
    # Not let go of before the lock is: what is in it may call such a method as it goes, in whichever thread.
    before: Any = None
    try:
        made = _Caches(weakref.ref(instance))
        with _making:
            try:
                before = read(instance, place)
                if before.of() is instance:
                    return cast(_Caches, before)
            except AttributeError:
                pass
            write(instance, place, made)
    except (AttributeError, TypeError):
        raise TypeError(_no_room(instance)) from None
    return made


def _own_attribute(owner: type, name: str) -> Any:
    # A class that derives from it would find it too.
    try:
        return vars(owner)[name]
    except KeyError:
        raise AttributeError(name) from None


def _no_room(instance: object) -> str:
    if isinstance(instance, type):
        return f"{instance.__qualname__} is built in: there is no room in it for caches"
    kind = type(instance)
    none = f"{kind.__qualname__!r} objects have no room for caches"
    if issubclass(kind, Row):
        return f"{none}: what a row has are values in columns. dw.cached keeps the results of a function of these"
    if not kind.__flags__ & _HEAP_TYPE:
        return f"{none}: of a function, or a static method, dw.cached keeps the results"
    if issubclass(kind, tuple | int | bytes):
        # Their instances have no fixed size: type_new of Objects/typeobject.c.
        base = kind.__mro__[-2].__qualname__
        return (
            f"{none}: what derives from {base} takes no weak reference. dw.cached keeps the results of a function"
        )
    return (
        f"{none}: add {PLACE!r} and '__weakref__' to the class's __slots__, with dw.slots as "
        f"dw.slots(weakref=True, extra=({PLACE!r},)), above @dataclass too. Of a static method dw.cached keeps "
        f"the results"
    )
