"""``WeakCache``: values that are kept while somebody uses them, and the ones used last longer."""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, MutableMapping, ValuesView
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, cast, overload

from deadweight import _core
from deadweight._cache import at_most, not_copied, part_of

if TYPE_CHECKING:
    from typing_extensions import Self

K = TypeVar("K")
V = TypeVar("V")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class WeakCacheStats:
    """What is in a cache of weak references, and what became of what was."""

    entries: int
    """How many values are there."""
    hot: int
    """How many of them the cache itself keeps."""
    hits: int
    misses: int
    gone: int
    """Values that nobody used any more, and whose entries were taken out."""


class WeakCache(_core.WeakCache, MutableMapping[K, V]):
    """A mapping that finds values for as long as somebody else uses them, and keeps the ones used last itself.

    There is one value a key, however many use it, and what all have forgotten goes. That a value which is wanted
    again and again does not go in between, ``hot`` of them are held, those that were read or put in last.

    Values must be of a type that takes weak references: instances of classes, functions, arrays; not numbers,
    text, tuples, lists and dicts. It may be used from several threads; iteration goes through what is there when
    it begins, and leaves out what goes meanwhile. ``len`` looks at every entry.

    Args:
        hot: how many values are held; 0 for none.

    >>> import deadweight as dw
    >>> class Document:
    ...     def __init__(self, name): self.name = name
    >>> documents = dw.WeakCache(hot=1)
    >>> first = documents["first"] = Document("first")
    >>> documents["second"] = Document("second")
    >>> documents["third"] = Document("third")
    >>> sorted(documents)
    ['first', 'third']
    >>> documents["first"] is first, sorted(documents)
    (True, ['first'])
    """

    __slots__ = ("__weakref__",)

    def __new__(cls, hot: int = 1_000) -> Self:
        most = at_most(hot, "hot")
        if most is None:
            raise TypeError("a cache that holds all its values is a dict: hot takes a whole number")
        return super().__new__(cls, most)

    if TYPE_CHECKING:

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
        def setdefault(self, key: K, default: V, /) -> V: ...

    def __iter__(self) -> Iterator[K]:
        return (key for key, _ in self.items())

    def values(self) -> ValuesView[V]:
        return _Values(self)

    def items(self) -> ItemsView[K, V]:
        return _Items(self)

    def shrink(self, to: str) -> int:
        """Holds fewer values, those used last, and no more keys of values that are gone.

        Args:
            to: ``"50%"`` of what is held now.

        Returns:
            How many it let go of: they go unless somebody uses them.
        """
        if not isinstance(to, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f'nothing is weighed in a WeakCache: shrink to a part, as "50%", not {to!r}')
        return self._cool(int(self._stats()[0] * part_of(to)))

    def stats(self) -> WeakCacheStats:
        """What is in it, and what became of what was."""
        return WeakCacheStats(len(self), *self._stats())

    def __reduce__(self) -> NoReturn:
        raise TypeError(not_copied(self))

    def __repr__(self) -> str:
        stats = self.stats()
        return f"<{type(self).__name__}: {stats.entries:,} entries, {stats.hot:,} of {self.hot:,} held>"


class _Values(ValuesView[V]):
    _mapping: WeakCache[Any, V]

    def __iter__(self) -> Iterator[V]:
        return (value for _, value in self._mapping.items())

    def __contains__(self, value: object) -> bool:
        return any(value is it or value == it for it in self)


class _Items(ItemsView[K, V]):
    _mapping: WeakCache[K, V]

    def __iter__(self) -> Iterator[tuple[K, V]]:
        for key, ref in self._mapping._entries():
            value = ref()
            if value is not None:
                yield key, value
                # Nobody waits for the next one with this in hand.
                del value

    def __contains__(self, item: object) -> bool:
        match cast(Any, item):
            case (key, value):
                found = self._mapping.peek(key)
                return found is not None and (found is value or found == value)
            case _:
                return False
