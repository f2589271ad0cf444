"""Rows of typed fields, kept in columns."""

# What is ours on a class of rows begins with an underscore: all other names may be fields.
# pyright: reportPrivateUsage=false

from __future__ import annotations

import copy
import operator
import pickle
import sys
import typing
import weakref
from collections.abc import Iterable, Iterator, Mapping, MutableSequence
from os import PathLike
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, overload

from deadweight import _core
from deadweight._core import Column
from deadweight._dtypes import field_types
from deadweight._packed import PackedFrom, packed_from
from deadweight._record_fields import Field, annotated, fields_of
from deadweight._text import size

if TYPE_CHECKING:
    from typing_extensions import Self, dataclass_transform
else:

    def dataclass_transform(**_):
        return lambda cls: cls


R = TypeVar("R", bound="Record")
N = TypeVar("N", bound="Record")


class _RecordType(type):
    """Makes classes of rows: what they have are places in columns, so that they have no ``__dict__``, and
    for each annotation an attribute that reads and writes its column."""

    def __new__(
        mcs,
        name: str,
        bases: tuple[type, ...],
        namespace: dict[str, Any],
        *,
        fields: list[Field] | None = None,
        **keywords: Any,
    ) -> _RecordType:
        if keywords:
            raise TypeError(f"{name}: a class of rows takes no keywords: {', '.join(keywords)}")
        if namespace.setdefault("__slots__", ()) != ():
            raise TypeError(f"{name}: rows have fields, not slots of their own")
        made = super().__new__(mcs, name, bases, namespace)
        if bases == (_core.Row,):
            return made
        inherited = {field[0]: field for field in _inherited(made)}
        own = {field[0]: field for field in (annotated(made, _names(1)) if fields is None else fields)}
        by_name = inherited | own
        _check(made, by_name)
        if fields is None:
            _check_defaults(made, by_name.values(), own)
        for field in inherited.keys() & namespace.keys() - own.keys():
            raise TypeError(f"{name}.{field} is an inherited field: annotate it anew, or take another name")
        schema = _core.Schema(list(by_name.values()))
        for place, field in enumerate(by_name):
            setattr(made, field, _core.Attribute(schema, place))
        names = tuple(by_name)
        more = {"_schema": schema, "_fields": names, "__match_args__": names, "_made": fields is not None}
        for attribute, value in (more | {"_defaults": by_name}).items():
            setattr(made, attribute, value)
        return made

    def __init__(
        cls,
        name: str,
        bases: tuple[type, ...],
        namespace: dict[str, Any],
        *,
        fields: list[Field] | None = None,
        **keywords: Any,
    ) -> None:
        super().__init__(name, bases, namespace)

    def __setattr__(cls, name: str, value: Any) -> None:
        # The first that `_process_class` in Lib/dataclasses.py sets: nothing of the class has changed yet.
        if name == "__dataclass_params__":
            raise TypeError(f"{cls.__name__}: rows have all that @dataclass gives: take it away")
        super().__setattr__(name, value)

    @property
    def __signature__(cls) -> Any:
        """What a call takes, for ``help`` and `inspect.signature`, which else would see any arguments."""
        from deadweight._record_fields import signature

        known: dict[str, Field] = getattr(cls, "_defaults", {})
        ours = [base for base in cls.__mro__ if base not in (_core.Row, object)]
        is_plain = not any({"__new__", "__init__"} & vars(base).keys() for base in ours)
        found = signature(known.values()) if known and is_plain else None
        if found is None:
            raise AttributeError("__signature__")
        return found


def _inherited(made: type) -> Iterator[Field]:
    for base in reversed(made.__mro__[1:]):
        yield from vars(base).get("_defaults", {}).values()


def _names(outer: int) -> dict[str, Any]:
    """What names mean where a class is defined: annotations may be text, and the class local to a function."""
    frame = sys._getframe(outer + 1)
    return {**frame.f_globals, **frame.f_locals}


# What each class of rows has besides fields.
_OF_CLASSES = ("_schema", "_fields", "_made", "_defaults")


def _check(made: type, names: Iterable[str]) -> None:
    # Not those of the metaclass, which rows do not have; but ours of the container, which has columns by name too.
    taken = {*dir(Record), *_OF_CLASSES, *[name for name in dir(Records) if name.startswith("_")]}
    for name in names:
        if not isinstance(name, str):  # pyright: ignore[reportUnnecessaryIsInstance]  # of a mapping
            raise TypeError(f"{made.__name__}: the name of a field is a str: {name!r}")
        if name.startswith("__") and name.endswith("__"):
            raise ValueError(f"{made.__name__}: such names are Python's own: {name!r}")
        if name in taken:
            raise ValueError(f"{made.__name__}: rows have an attribute of that name: {name!r}")


def _check_defaults(made: type, fields: Iterable[Field], own: Iterable[str]) -> None:
    last = None
    for name, _, nullable, default in fields:
        if default:
            last = name
        elif last is not None and name in own and not nullable:
            raise TypeError(
                f"{made.__name__}.{name} has no default, and comes after {last}, which has one: such come last"
            )


@dataclass_transform(eq_default=True)
class Record(_core.Row, metaclass=_RecordType):
    """Base of classes whose instances are rows: of a :class:`Records`, or on their own.

    Fields are annotations: ``int``, ``float``, ``bool``, ``str``, ``bytes``, ``datetime``, ``date``,
    ``timedelta``, narrower numbers (``dw.u1`` to ``dw.u8``, ``dw.i1`` to ``dw.i8``, ``dw.f4``), ``dw.category``
    for text of which there is little, and each of them ``| None``. Type checkers see the Python types. The
    values of any other annotation are kept as the objects that they are.

    >>> import deadweight as dw
    >>> class User(dw.Record):
    ...     user_id: dw.u4
    ...     name: str
    ...     score: float = 0.0
    >>> ada = User(7, "Ada")
    >>> ada.score += 1.5
    >>> ada
    User(user_id=7, name='Ada', score=1.5)
    >>> ada.user_id = -1
    Traceback (most recent call last):
        ...
    OverflowError: field "user_id": -1 does not fit into u4
    """

    if TYPE_CHECKING:
        _schema: ClassVar[_core.Schema]
        _fields: ClassVar[tuple[str, ...]]
        _made: ClassVar[bool]
        _defaults: ClassVar[dict[str, Field]]

    @staticmethod
    def of(source: Any, name: str | None = None) -> type[Any]:
        """A class of rows with the fields of a dataclass, a TypedDict, a structured NumPy dtype, or a
        mapping of names to types.

        >>> import deadweight as dw
        >>> Point = dw.Record.of({"x": "f4", "y": "f4"}, name="Point")
        >>> Point(1, 2)
        Point(x=1.0, y=2.0)
        """
        found: str = name or getattr(source, "__name__", None) or "Row"
        return _made(found, tuple(fields_of(source)))

    def _asdict(self) -> dict[str, Any]:
        """The values by name."""
        return dict(zip(self._fields, self._astuple(), strict=True))

    def _replace(self, **values: Any) -> Self:
        """A row of its own, with some values replaced."""
        return type(self)(**(self._asdict() | values))

    __replace__ = _replace  # of `copy.replace`, from 3.13 on

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Record) or not _alike(type(self), type(other)):
            return NotImplemented
        return self._astuple() == other._astuple()

    __hash__ = None  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]

    @recursive_repr()
    def __repr__(self) -> str:
        try:
            named = self._asdict()
        except (RuntimeError, OSError) as error:
            # It has no values any more. Whoever shows it, as a debugger does, is not to fail by that.
            return f"<{type(self).__name__}: {error}>"
        values = ", ".join(f"{name}={value!r}" for name, value in named.items())
        return f"{type(self).__name__}({values})"

    def __copy__(self) -> Self:
        return type(self)(*self._astuple())

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        memo[id(self)] = copied = self.__copy__()
        for name in _objects(type(self)):
            setattr(copied, name, copy.deepcopy(getattr(self, name), memo))
        return copied

    def __reduce__(self) -> tuple[Any, ...]:
        # By name: the class may have got more fields when it is read.
        return _row, (*_named(type(self)), self._asdict())


def _alike(one: type[Record], other: type[Record]) -> bool:
    """Whether rows of both can be equal. A class that `of` or `pack` has made is its name and its fields' names:
    how wide their columns are depends on other rows."""
    if one is other:
        return True
    return one._made and other._made and one.__name__ == other.__name__ and one._fields == other._fields


def _objects(record: type[Record]) -> list[str]:
    """The fields whose values are objects."""
    return [name for name, kind, _ in record._schema.fields if kind == "object"]


def _new(name: str, fields: list[Field]) -> type[Record]:
    return typing.cast("type[Record]", _RecordType(name, (Record,), {"__module__": __name__}, fields=fields))


# Classes that were made by `of` or `pack` cannot be imported: a pickle has their fields instead, and there is
# one such class at a time.
_by_fields: weakref.WeakValueDictionary[tuple[str, tuple[Field, ...]], type[Record]] = (
    weakref.WeakValueDictionary()
)


def _made(name: str, fields: tuple[Field, ...]) -> type[Record]:
    known = _by_fields.get((name, fields))
    return _by_fields.setdefault((name, fields), _new(name, list(fields))) if known is None else known


def _named(record: type[Record]) -> tuple[Any, Any]:
    """How a pickle calls a class: itself, or name and fields."""
    if not record._made:
        return record, None
    return record.__name__, tuple(record._defaults.values())


def _class(record: Any, fields: tuple[Field, ...] | None) -> type[Record]:
    return record if fields is None else _made(record, fields)


def _row(record: Any, fields: Any, values: dict[str, Any]) -> Record:
    return _class(record, fields)(**values)


def _records(kind: type[Records[Any]], record: Any, fields: Any, file: Any) -> Records[Any]:
    # Of bytes that a pickle has out of band, those themselves: they are not copied then.
    whole = memoryview(file).obj
    if isinstance(whole, bytes) and len(whole) == memoryview(file).nbytes:
        file = whole
    return kind.__new__(kind, _class(record, fields), _core.read_records(file))


def _empty(kind: type[Records[Any]], record: Any, fields: Any) -> Records[Any]:
    return kind.__new__(kind, _class(record, fields))


if TYPE_CHECKING:

    class _Sequence(_core.Rows, MutableSequence[R]): ...
else:

    class _Sequence(_core.Rows, Generic[R]):
        # All methods of a MutableSequence, but not registered as one: Polars and others would go through
        # what is a Sequence row by row, and not ask for its columns.
        __slots__ = ()
        count = MutableSequence.count
        remove = MutableSequence.remove
        __contains__ = MutableSequence.__contains__
        __reversed__ = MutableSequence.__reversed__
        __iadd__ = MutableSequence.__iadd__


def _state(rows: Records[Any]) -> dict[str, Any] | None:
    """What a user's subclass has besides rows."""
    return getattr(rows, "__dict__", None)


class Records(_Sequence[R]):
    """Rows of one class, kept as typed columns: a list of objects to look at, at a fifth of the memory.

    ``rows`` may be instances of the class, tuples in the order of its fields, dicts and other mappings, or
    any objects with such attributes. A field is a column too: ``users.score``, or ``users["score"]``.

    What is taken out by number is a view: to change it is to change the container. Rows that are
    deleted or inserted leave views taken before without a place; they raise RuntimeError.

    >>> import deadweight as dw
    >>> class User(dw.Record):
    ...     user_id: dw.u4
    ...     name: str
    >>> users = dw.Records(User, [(7, "Ada"), {"user_id": 8, "name": "Bob"}])
    >>> users[1].name = "Rob"
    >>> users
    <Records of User: 2 rows, 26 B>
    >>> list(users.name), users.nbytes
    (['Ada', 'Rob'], 26)
    """

    __slots__ = ("__weakref__", "_packed")
    _packed: PackedFrom | None

    def __init__(  # pyright: ignore[reportInconsistentConstructor]  # `__new__` says what is missing
        self, record: type[R], rows: Iterable[Any] | _core.Table = (), /
    ) -> None:
        if not isinstance(rows, _core.Table):
            self.extend(rows)

    if TYPE_CHECKING:

        @overload
        def __getitem__(self, key: int) -> R: ...
        @overload
        def __getitem__(self, key: str) -> Column: ...  # pyright: ignore[reportOverlappingOverload]
        @overload
        def __getitem__(self, key: Iterable[Any] | slice) -> Records[R]: ...
        def __getitem__(self, key: Any) -> Any: ...
        def __iter__(self) -> Iterator[R]: ...
        def __getattr__(self, name: str) -> Column: ...
        @overload
        def __setitem__(self, key: str, value: Iterable[Any], /) -> None: ...
        @overload
        def __setitem__(self, key: int | slice, value: Any, /) -> None: ...
        def __setitem__(self, key: Any, value: Any, /) -> None: ...
        def pop(self, index: int = -1, /) -> R: ...
        @property
        def record(self) -> type[R]: ...

    @classmethod
    def from_columns(cls, record: type[N], /, **columns: Iterable[Any]) -> Records[N]:
        """Rows of columns, each by the name of its field: values one for each row.

        Numbers of an array (``array.array``, NumPy's) are taken by its buffer, all together. Fields of which
        there is no column have their default. Raises as :meth:`append` does, ValueError if columns differ in
        length or a field without a default has none, and TypeError if there is no field of a name.

        >>> import deadweight as dw
        >>> class Point(dw.Record):
        ...     x: float
        ...     name: str = ""
        >>> points = dw.Records.from_columns(Point, x=[1, 2.5])
        >>> points.name = ["a", "b"]
        >>> points[1]
        Point(x=2.5, name='b')
        """
        return cls._of(_core.records_from_columns(record, columns), record, "Row")

    def __setattr__(self, name: str, values: Iterable[Any], /) -> None:
        # What has a method's name is a column by `rows[name]` alone, as when it is read.
        if name in self.record._fields and not any(name in vars(kind) for kind in type(self).__mro__):
            self[name] = values
        else:
            super().__setattr__(name, values)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self.record._fields})

    def index(self, value: Any, start: int = 0, stop: int = sys.maxsize, /) -> int:
        """The number of the first row that is equal to ``value``, of those from ``start`` to ``stop``."""
        first, last, _ = slice(start, stop).indices(len(self))
        for number in range(first, last):
            if number < len(self) and self[number] == value:
                return number
        raise ValueError(f"no row is equal to {value!r}")

    @overload
    @classmethod
    def open(cls, path: str | PathLike[str], record: None = None, *, copy: bool = False) -> Records[Any]: ...
    @overload
    @classmethod
    def open(cls, path: str | PathLike[str], record: type[N], *, copy: bool = False) -> Records[N]: ...
    @classmethod
    def open(
        cls, path: str | PathLike[str], record: type[Record] | None = None, *, copy: bool = False
    ) -> Records[Any]:
        """The rows of an Arrow file (IPC), where they lie in it: nothing is read until it is looked at, and
        processes share one copy in memory. What is changed is changed in memory, not in the file.

        The file's length is looked at before each access: if it was cut short, OSError is raised. An array
        over a column cannot look; ``copy=True`` reads all rows instead. Raises :exc:`BadRecords` of a file
        that is none or is damaged, and ValueError if its fields are not those of ``record``: only those that
        have a default there need not be in the file.
        """
        rows = cls._of(_core.open_records(path), record, "Row")
        if copy:
            rows._detach()
        return rows

    @overload
    @classmethod
    def from_arrow(cls, source: Any, record: None = None) -> Records[Any]: ...
    @overload
    @classmethod
    def from_arrow(cls, source: Any, record: type[N]) -> Records[N]: ...
    @classmethod
    def from_arrow(cls, source: Any, record: type[Record] | None = None) -> Records[Any]:
        """The rows of any table with ``__arrow_c_stream__``, over its own memory until they are changed.

        Raises OverflowError with row and field of a date or a time that is beyond year 9999 or finer than
        microseconds, TypeError of a column whose type records do not hold.
        """
        return cls._of(_core.records_from_arrow(source), record, "Row")

    @classmethod
    def _of(cls, table: _core.Table, record: type[Record] | None, name: str) -> Records[Any]:
        if record is None:
            record = _made(name, tuple((*field, ()) for field in table.fields))
        return cls.__new__(cls, record, table)

    @property
    def types(self) -> dict[str, str]:
        """The types of the columns by name, such as ``u4`` or ``datetime | None``."""
        fields = self.record._schema.fields
        return {name: f"{kind} | None" if nullable else kind for name, kind, nullable in fields}

    @property
    def packed_from(self) -> PackedFrom | None:
        """What :func:`pack` was given, if this came of it and that was a list: what it took, and takes now."""
        return getattr(self, "_packed", None)

    def to_numpy(self) -> Any:
        """A structured NumPy array: a copy. Text, bytes, and columns with rows that have no value, are objects."""
        from deadweight._arrays import structured

        return structured(self)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _core.Rows):
            return NotImplemented
        if self.record is not other.record:
            alike = len(self) == len(other) and _alike(self.record, other.record)
            return alike and all(map(operator.eq, self, typing.cast("Records[Any]", other)))
        if not self._same(other):
            return False
        return all(self[name].tolist() == other[name].tolist() for name in _objects(self.record))

    __hash__ = None  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]

    def __repr__(self) -> str:
        rows = "1 row" if len(self) == 1 else f"{len(self):,} rows"
        return f"<Records of {self.record.__name__}: {rows}, {size(self.nbytes)}>"

    def __str__(self) -> str:
        """With a line for each column, of name, type and bytes; and what the rows took before they were packed."""
        lines = [(name, kind, size(self[name].nbytes)) for name, kind in self.types.items()]
        widths = [max((len(line[place]) for line in lines), default=0) for place in range(3)]
        columns = [f"  {n:<{widths[0]}}  {k:<{widths[1]}}  {b:>{widths[2]}}" for n, k, b in lines]
        before = [] if self.packed_from is None else [f"  {self.packed_from}"]
        return "\n".join([repr(self)[1:-1], *columns, *before])

    def __copy__(self) -> Records[R]:
        made = self[:]
        if more := _state(self):
            vars(made).update(more)
        return made

    def __deepcopy__(self, memo: dict[int, Any]) -> Records[R]:
        made = memo[id(self)] = self[:]
        for name in _objects(self.record):
            column = made[name]
            for row, value in enumerate(self[name]):
                column[row] = copy.deepcopy(value, memo)
        if more := _state(self):
            vars(made).update(copy.deepcopy(more, memo))
        return made

    def __reduce_ex__(self, protocol: typing.SupportsIndex) -> tuple[Any, ...]:
        if _objects(self.record):
            # Row by row, after the container itself: objects may lead back to it.
            return _empty, (type(self), *_named(self.record)), _state(self), (row._asdict() for row in self)
        file = self._dump()
        whole = pickle.PickleBuffer(file) if int(protocol) >= 5 else file
        return _records, (type(self), *_named(self.record), whole), _state(self)


def _has_objects(rows: Any) -> bool:
    return isinstance(rows, _core.Rows) and bool(_objects(rows.record))


def _unsaid(rows: Any) -> Iterator[tuple[str, str, bool]]:
    """The fields whose type no value of the rows can say."""
    for name, kind, nullable in rows.record._schema.fields:
        nulls = rows[name].null_count
        if kind in ("object", "f4") or nulls == len(rows):
            yield name, kind, nullable and (nulls > 0 or not rows)


def pack(
    rows: Any,
    *,
    types: Mapping[str, Any] | None = None,
    names: Iterable[str] | None = None,
    name: str = "Row",
) -> Records[Any]:
    """Packs rows into :class:`Records` of the narrowest types that lose nothing of them.

    ``rows`` is any iterable of dicts and other mappings, tuples and lists, or objects, a structured NumPy
    array, or a table with ``__arrow_c_stream__``; it is gone through once. ``types`` says what some fields are
    to be, which need not be in any row if they may have no value, ``names`` how the items of tuples and lists are
    called, ``name`` how the class. Of objects of one class, the first decides which attributes are looked for;
    what a class computes, such as a cached property, is none of them.
    Values that no column holds together, and members of an enum, raise TypeError with row, field and value, unless
    ``types`` says ``object`` of that field: then they are kept as they are. What a
    list of rows took, and takes now, is printed with the result, and in its ``packed_from``.

    >>> import deadweight as dw
    >>> users = dw.pack([{"id": 7, "name": "Ada"}, {"id": 70_000, "name": "Bob", "age": 36}])
    >>> users.types
    {'id': 'u4', 'name': 'str', 'age': 'u1 | None'}
    >>> users[1]
    Row(id=70000, name='Bob', age=36)
    """
    if isinstance(rows, Mapping):
        raise TypeError("a dict is one row: pack([row]) takes rows")
    told = field_types((types or {}).items())
    if hasattr(rows, "__arrow_c_stream__"):
        if names:
            raise TypeError("a table has names already")
        if not _has_objects(rows):
            return Records._of(_core.pack_arrow(rows, told), None, name)
        # Arrow has no objects: such rows come one by one.
        names = rows.record._fields
        told += [field for field in _unsaid(rows) if field[0] not in (types or {})]
    structure = getattr(getattr(rows, "dtype", None), "names", None)
    if structure:
        from deadweight._arrays import tuples

        names = list(names or structure)
        # What was a float of four bytes is one still, and no value can say so.
        told += [
            (field, "f4", False)
            for field, own in zip(names, structure, strict=False)
            if rows.dtype[own] == "f4" and field not in (types or {})
        ]
        rows = tuples(rows)
    table = _core.pack_records(rows, None if names is None else list(names), told)
    packed = Records._of(table, None, name)
    packed._packed = packed_from(rows, packed.nbytes)
    return packed
