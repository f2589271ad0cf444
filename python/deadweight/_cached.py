"""``cached``: a function that keeps its results, within bounds."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, TypeAlias, TypeVar, overload

from deadweight._cache import Cache
from deadweight._calls import CacheInfo, cache_for, check_function, info_of, is_async
from deadweight._core import Call
from deadweight._weak_cache import WeakCache

if TYPE_CHECKING:
    from typing_extensions import Self

    from deadweight._runs import Runs

P = ParamSpec("P")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)
_AnyCache: TypeAlias = "Cache[Any, Any] | WeakCache[Any, Any]"


class Cached(Protocol[P, R_co]):
    """A function that keeps its results."""

    __wrapped__: Callable[..., Any]
    cache: _AnyCache
    """Where they are: to ``shrink`` it, and for its ``stats``."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co: ...
    @overload
    def __get__(self, instance: None, owner: type[Any] | None = None, /) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type[Any] | None = None, /) -> Callable[..., R_co]: ...
    def cache_info(self) -> CacheInfo: ...
    def cache_clear(self) -> None: ...
    def cache_parameters(self) -> dict[str, Any]: ...


@overload
def cached(maxsize: Callable[P, R], /) -> Cached[P, R]: ...
@overload
def cached(
    maxsize: int | None = 128,
    max_bytes: int | str | None = None,
    typed: bool = False,
    weak: bool = False,
    weigher: Callable[[Any, Any], int] | None = None,
) -> Callable[[Callable[P, R]], Cached[P, R]]: ...
def cached(
    maxsize: Callable[..., Any] | int | None = 128,
    max_bytes: int | str | None = None,
    typed: bool = False,
    weak: bool = False,
    weigher: Callable[[Any, Any], int] | None = None,
) -> Any:
    """Keeps the results of a function, as `functools.lru_cache` does, within a number of bytes too.

    The function has ``cache_info()``, ``cache_clear()``, ``cache_parameters()`` and ``__wrapped__`` as with
    ``lru_cache``, and ``cache``, the :class:`Cache`. Threads that call it with the same arguments at a time may
    all run it, and are all given the result that came first.

    Of an ``async`` function the results are kept, and not the coroutines. Calls with the same arguments at a time
    wait for one run, in each event loop; it is cancelled when all that wait for it are. All of them are misses.
    What failed or was cancelled is not kept.

    A result that with its arguments weighs more than ``max_bytes`` is given and not kept: `CacheWarning` tells of
    the first, and ``refused`` of ``cache_info()`` counts them.

    Args:
        maxsize: the most results; None for any number.
        max_bytes: the most bytes that arguments and results hold, as a number or as ``"64 MB"``.
        weak: whether results are kept only while somebody else uses them: one for the same arguments, however many
            ask. They must take weak references. No bound applies then. Those of an ``async`` function live for
            one more turn of the loop.
        typed: whether ``f(True)`` and ``f(1)`` are always two.
        weigher: called with the arguments, as they are kept, and the result; gives bytes in place of the deep
            size.

    >>> import deadweight as dw
    >>> @dw.cached(max_bytes="64 MB")
    ... def page(number):
    ...     return f"page {number} " * 100
    >>> page(1) is page(1)
    True
    >>> page.cache_info()
    CacheInfo(hits=1, misses=1, maxsize=128, currsize=1)
    """
    if callable(maxsize):
        return cached()(maxsize)
    if weak and (max_bytes is not None or weigher is not None):
        raise TypeError(
            "results that are held weakly are not the cache's to weigh: leave out max_bytes and weigher"
        )

    # What is wrong with the bounds is said where they are written.
    Cache[Any, Any](maxsize, max_bytes, weigher)
    parameters = {"maxsize": None if weak else maxsize, "max_bytes": max_bytes, "typed": typed, "weak": weak}

    def decorate(function: Callable[..., Any]) -> Any:
        check_function(function, "cached")
        cache: _AnyCache = WeakCache(hot=0) if weak else cache_for(function, maxsize, max_bytes, weigher)()
        call: Any
        runs: Runs | None = None
        if is_async(function):
            call, runs = _remembering_async(function, cache, typed)
        else:
            call = _remembering(function, cache, typed)
        functools.update_wrapper(call, function)

        def cache_info() -> CacheInfo:
            """How often a result was there, and how many are."""
            return info_of(cache)

        def cache_clear() -> None:
            """Forgets all results, and what was counted."""
            if runs is not None:
                runs.clear(cache)
            cache._reset()

        def cache_parameters() -> dict[str, Any]:
            """What it was made with."""
            return dict(parameters)

        call.cache = cache
        call.cache_info, call.cache_clear, call.cache_parameters = cache_info, cache_clear, cache_parameters
        return call

    return decorate


def _remembering(function: Callable[..., Any], cache: _AnyCache, typed: bool) -> Callable[..., Any]:
    recall, remember = cache._recall, cache._remember

    def call(*args: Any, **kwargs: Any) -> Any:
        found = recall(args, kwargs, typed)
        return found if type(found) is not Call else remember(found, function(*args, **kwargs))

    return call


def _remembering_async(
    function: Callable[..., Any], cache: _AnyCache, typed: bool
) -> tuple[Callable[..., Any], Runs]:
    # Only who has async functions needs asyncio.
    from deadweight._runs import Runs

    runs = Runs()

    async def call(*args: Any, **kwargs: Any) -> Any:
        found = cache._recall(args, kwargs, typed)
        if type(found) is not Call:
            return found
        return await runs.result(cache, found, lambda: function(*args, **kwargs))

    return call, runs
