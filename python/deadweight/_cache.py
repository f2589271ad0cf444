"""``Cache``: a mapping with a bound, by entries and by bytes."""

from __future__ import annotations

import operator
import sys
import warnings
from collections.abc import Callable, ItemsView, Iterator, MutableMapping, ValuesView
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, cast, overload

from deadweight import _core
from deadweight._limits import parse_size
from deadweight._text import size

if TYPE_CHECKING:
    from typing_extensions import Self

K = TypeVar("K")
V = TypeVar("V")
T = TypeVar("T")
_UNWEIGHED = "nothing is weighed in a cache without max_bytes or weigher"
_CAUSES = ("maxsize", "max_bytes", "shrink", "replaced")
WHAT_COUNTS = (
    "Without a weigher, all that it leads to counts: what owns it, as a parent, a session or a logger, too"
)


class CacheWarning(UserWarning):
    """A cache refuses what alone weighs more than it may hold. It is told once of each cache."""

    # The name by which it is caught.
    __module__ = "deadweight"


@dataclass(frozen=True, slots=True)
class CacheStats:
    """What is in a cache, and what became of what was."""

    entries: int
    """How many there are."""
    bytes: int | None
    """What they weigh; None if nothing is weighed."""
    estimated: int
    """How many of them lead to more objects than are weighed, so that their weight is an estimate."""
    hits: int
    misses: int
    evictions: dict[str, int]
    """How many were let go for ``maxsize``, for ``max_bytes``, to ``shrink``, or ``replaced`` by another value."""
    refused: int
    """Values that were not kept: one alone weighed more than ``max_bytes``, or ``maxsize`` is 0."""
    errors: int
    """Exceptions of ``on_evict``."""


class Cache(_core.Cache, MutableMapping[K, V]):
    """A mapping that lets go of what was used longest ago when there are too many entries, or too many bytes.

    Entries weigh what ``deepsizeof(key, value)`` gives when they come in, without classes, modules and functions;
    what several entries share counts for each. Past 10,000 objects an entry's weight is an estimate. ``reweigh()``
    sees what has grown since. Nothing is weighed unless ``max_bytes`` or ``weigher`` is given.

    What would be over ``max_bytes`` all alone is not kept, nor what was there for its key before: ``stats()``
    counts it. Reading an entry makes it the last to go; ``in``, ``peek`` and iteration do not. Iteration begins
    with the entry that goes next. It may be used from several threads. Classes that derive from it give bounds in
    ``__new__``, as ``return super().__new__(cls, maxsize=100)``.

    Args:
        maxsize: the most entries; None for any number.
        max_bytes: the most bytes, as a number or as ``"256 MB"``; None for any number.
        weigher: called with key and value, gives bytes in place of the deep size.
        on_evict: called with key, value and cause after an entry was let go: ``"maxsize"``, ``"max_bytes"``,
            ``"shrink"`` or ``"replaced"``; not for what was deleted, popped or cleared. Its exceptions go to
            `sys.unraisablehook`; what is to end the program is raised.

    >>> import deadweight as dw
    >>> pages = dw.Cache(maxsize=1_000, max_bytes="1 MB")
    >>> for number in range(50):
    ...     pages[number] = bytes(100_000)
    >>> len(pages), list(pages)[-1]
    (9, 49)
    >>> pages.stats().evictions["max_bytes"]
    41
    """

    __slots__ = ("__weakref__",)

    def __new__(
        cls,
        maxsize: int | None = None,
        max_bytes: int | str | None = None,
        weigher: Callable[[K, V], int] | None = None,
        on_evict: Callable[[K, V, str], object] | None = None,
    ) -> Self:
        for name, given in (("weigher", weigher), ("on_evict", on_evict)):
            if given is not None and not callable(given):
                raise TypeError(f"{name} takes something that can be called, not {type(given).__name__}")
        try:
            bounds = at_most(maxsize), bytes_at_most(max_bytes)
        except (TypeError, ValueError) as error:
            if cls.__init__ is vars(Cache)["__init__"]:
                raise
            raise type(error)(f"{error}. {_bounds_of(cls)}") from None
        refused = _refused if weigher is None else _refused_by_weigher
        return super().__new__(cls, *bounds, weigher, on_evict, refused)

    if not TYPE_CHECKING:
        # Checkers say it of themselves. What `__new__` took comes here too, unless a class has an `__init__`.
        def __init__(self, *given: Any, **named: Any) -> None:
            if (given or named) and type(self).__init__ is not Cache.__init__:
                raise TypeError(_bounds_of(type(self)))

    if TYPE_CHECKING:

        def __iter__(self) -> Iterator[K]: ...
        def __getitem__(self, key: K, /) -> V: ...
        def __setitem__(self, key: K, value: V, /) -> None: ...
        def __delitem__(self, key: K, /) -> None: ...
        @overload
        def get(self, key: K, default: None = None, /) -> V | None: ...
        @overload
        def get(self, key: K, default: V | T, /) -> V | T: ...
        def get(self, key: Any, default: Any = None, /) -> Any: ...
        @overload
        def peek(self, key: K, default: None = None, /) -> V | None: ...
        @overload
        def peek(self, key: K, default: V | T, /) -> V | T: ...
        def peek(self, key: Any, default: Any = None, /) -> Any: ...
        @overload
        def pop(self, key: K, /) -> V: ...
        @overload
        def pop(self, key: K, default: V | T, /) -> V | T: ...
        def pop(self, key: Any, /, *default: Any) -> Any: ...
        def setdefault(self, key: K, default: V, /) -> V: ...  # type: ignore[override]
        def popitem(self) -> tuple[K, V]: ...

    def values(self) -> ValuesView[V]:
        return _Values(self)

    def items(self) -> ItemsView[K, V]:
        return _Items(self)

    def shrink(self, to: int | str) -> int:
        """Lets go of the entries used longest ago, until what is left is a part or a number of bytes.

        Args:
            to: ``"50%"`` of the bytes that are there, or of the entries if nothing is weighed; or bytes, as a
                number or as ``"10 MB"``.

        Returns:
            How many went.
        """
        stats = self.stats()
        if isinstance(to, str) and to.strip().endswith("%"):
            part = part_of(to)
            if stats.bytes is None:
                return self._shrink(int(stats.entries * part), None)
            return self._shrink(None, int(stats.bytes * part))
        if stats.bytes is None:
            raise ValueError(f"{_UNWEIGHED}: shrink to a part, not {to!r}")
        return self._shrink(None, parse_size(to))

    def reweigh(self) -> int:
        """Weighs all entries again, and lets go of what is too much now. Gives the bytes that are left.

        Raises:
            ValueError: nothing is weighed here.
        """
        if self.stats().bytes is None:
            raise ValueError(_UNWEIGHED)
        self._reweigh()
        return cast(int, self.stats().bytes)

    def stats(self) -> CacheStats:
        """What is in it, and what became of what was."""
        entries, weight, estimated, hits, misses, gone, refused, errors = self._stats()
        evictions: dict[str, int] = dict(zip(_CAUSES, gone, strict=True))
        return CacheStats(entries, weight, estimated, hits, misses, evictions, refused, errors)

    def __reduce__(self) -> NoReturn:
        raise TypeError(not_copied(self))

    def __repr__(self) -> str:
        stats = self.stats()
        weight = "" if stats.bytes is None else f", {size(stats.bytes)}"
        kept = f"{stats.entries:,} entries{weight}"
        return f"<{type(self).__name__}: {kept}, {stats.hits:,} hits, {stats.misses:,} misses>"


class _Values(ValuesView[V]):
    _mapping: Cache[Any, V]

    def __iter__(self) -> Iterator[V]:
        return self._mapping._values()

    def __contains__(self, value: object) -> bool:
        return any(value is it or value == it for it in self)


class _Items(ItemsView[K, V]):
    _mapping: Cache[K, V]

    def __iter__(self) -> Iterator[tuple[K, V]]:
        return self._mapping._items()

    def __contains__(self, item: object) -> bool:
        match cast(Any, item):
            case (key, value):
                found = self._mapping.peek(key, _NOTHING)
                return found is not _NOTHING and (found is value or found == value)
            case _:
                return False


_NOTHING: Any = object()


def not_copied(cache: object) -> str:
    """Why there are no copies and pickles."""
    return (
        f"a {type(cache).__name__} is neither copied nor pickled: what it keeps is worth keeping once, in one "
        f"process. A class that has one leaves it out in __getstate__ and makes a new one in __setstate__"
    )


def _bounds_of(cls: type) -> str:
    return (
        f"The bounds of a cache are given in __new__: {cls.__qualname__} has that too, with the arguments of its "
        f"__init__, as def __new__(cls, *args): return super().__new__(cls, maxsize=100)"
    )


def _refused(weight: int, most: int) -> None:
    _warn(weight, most, f" {WHAT_COUNTS}.")


def _refused_by_weigher(weight: int, most: int) -> None:
    _warn(weight, most, "")


def _warn(weight: int, most: int, why: str) -> None:
    warnings.warn(
        f"an entry was not kept: it weighs {weight:,} bytes, and the whole cache has max_bytes={most:,}.{why} "
        f"stats().refused counts them",
        CacheWarning,
        stacklevel=3,
    )


def at_most(number: int | None, name: str = "maxsize") -> int | None:
    """A bound in entries, None for none.

    Raises:
        ValueError: it is negative.
        TypeError: it is no whole number.
    """
    if number is None:
        return None
    try:
        # Those of NumPy too.
        number = operator.index(number)
    except TypeError:
        raise TypeError(f"{name} takes a whole number, not {type(number).__name__}") from None
    if number < 0:
        raise ValueError(f"{name} is not negative: {number}")
    if number > sys.maxsize:
        raise ValueError(f"{name} is more than there can be: {number}. None is for no bound")
    return number


def bytes_at_most(number: int | str | None) -> int | None:
    """A bound in bytes."""
    return None if number is None else at_most(parse_size(number), "max_bytes")


def part_of(text: str) -> float:
    """A share, as ``50%``."""
    try:
        part = float(text.strip()[:-1]) / 100
    except ValueError:
        part = -1.0
    if not 0 <= part <= 1:
        raise ValueError(f"not a part of a cache: {text!r}. Parts are written 50%")
    return part
