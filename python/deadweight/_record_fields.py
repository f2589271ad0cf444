"""What fields a class of rows has, as its annotations say it, or what else has fields."""

from __future__ import annotations

import dataclasses
import keyword
import sys
import typing
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, get_type_hints

from deadweight._dtypes import column_type, field_types, named_type

if TYPE_CHECKING:
    from inspect import Signature

Field = tuple[str, str, bool, tuple[Any, ...]]
"""Name, type, whether rows may have no value, and the default in a tuple, or an empty one."""


def annotated(made: type, names: dict[str, Any]) -> Iterator[Field]:
    """The fields that a class itself annotates. ``names`` is what names mean where it is defined."""
    for name, hint in _hints(made, names).items():
        if typing.get_origin(hint) is ClassVar or hint is ClassVar:
            continue
        try:
            kind, nullable = column_type(hint)
        except TypeError as error:
            raise TypeError(f"{made.__name__}.{name}: {error}") from None
        default: tuple[Any, ...] = (vars(made)[name],) if name in vars(made) else ()
        if default and isinstance(default[0], dataclasses.Field):
            default = _default_of(made.__name__, name, default[0])  # pyright: ignore[reportUnknownArgumentType]
        if default and type(default[0]).__hash__ is None:
            raise ValueError(f"{made.__name__}.{name}: all rows would have the same {type(default[0]).__name__}")
        yield name, kind, nullable, default


def _hints(made: type, names: dict[str, Any]) -> dict[str, Any]:
    """The class's own annotations, and what those that are text mean."""
    own = _annotations(made)
    # `"<i4"` is no expression, and `"I"` no name that anybody has.
    told = {name: text for name, hint in own.items() if (text := _type_name(hint, names))}
    # The class has its name only when it is made.
    names = {made.__name__: made, **names}
    return {name: told.get(name) or _evaluated(made, name, hint, names) for name, hint in own.items()}


def _annotations(made: type) -> dict[str, Any]:
    """As far as they can be evaluated yet: from 3.14 on a name is looked for when it is asked for."""
    if sys.version_info >= (3, 14):
        import annotationlib

        return annotationlib.get_annotations(made, format=annotationlib.Format.FORWARDREF)
    return dict(made.__annotations__)


def _evaluated(made: type, name: str, hint: Any, names: dict[str, Any]) -> Any:
    holder = type(made.__name__, (), {"__annotations__": {name: hint}, "__module__": made.__module__})
    try:
        return get_type_hints(holder, localns=names, include_extras=True)[name]
    except NameError as error:
        said = f"{made.__name__}.{name}: {error} where the class is made"
        raise NameError(f"{said}: annotate it as object, and its values are kept as they are") from error


def _type_name(hint: Any, names: dict[str, Any]) -> str | None:
    """A text that is the name of a column's type, and of nothing that can be seen there."""
    if not isinstance(hint, str):
        return None
    # Where annotations are not evaluated, a text is one in quotes.
    text = hint.strip("'\"")
    return text if named_type(text) and text.partition(" ")[0] not in names else None


def _default_of(of: str, name: str, field: dataclasses.Field[Any]) -> tuple[Any, ...]:
    if field.default_factory is not dataclasses.MISSING:
        raise TypeError(f"{of}.{name}: all rows have one default: a default_factory makes no more than one value")
    return () if field.default is dataclasses.MISSING else (field.default,)


def fields_of(source: Any) -> list[Field]:
    """The fields of a dataclass, a TypedDict, a structured dtype, or a mapping of names to types."""
    if dataclasses.is_dataclass(source):
        hints = get_type_hints(source, include_extras=True)
        fields = dataclasses.fields(source)
        name = getattr(source, "__name__", type(source).__name__)
        told = field_types((field.name, hints[field.name]) for field in fields)
        return [(*one, _default_of(name, field.name, field)) for one, field in zip(told, fields, strict=True)]
    if typing.is_typeddict(source):
        # An item that need not be there is a value that need not be.
        optional = source.__optional_keys__
        told = field_types(get_type_hints(source, include_extras=True).items())
        return [(name, kind, none or name in optional, ()) for name, kind, none in told]
    if isinstance(source, Mapping):
        types = typing.cast("Mapping[str, Any]", source)
        return [(*told, ()) for told in field_types(types.items())]
    if getattr(source, "names", None):
        return [(*told, ()) for told in field_types((name, source[name]) for name in source.names)]
    raise TypeError(f"no dataclass, TypedDict, structured dtype or mapping: {source!r}")


def signature(fields: Iterable[Field]) -> Signature | None:
    """What a call of a class with these fields takes; None if a field has a name that no parameter can have."""
    # Only who asks for it needs `inspect`.
    from inspect import Parameter, Signature

    made: list[Parameter] = []
    some_default = by_name = False
    for name, type_, nullable, default in fields:
        if not name.isidentifier() or keyword.iskeyword(name):
            return None
        value = default[0] if default else None if nullable else Parameter.empty
        # By position it could be given only with all before it, which have defaults.
        by_name = by_name or (some_default and value is Parameter.empty)
        some_default = some_default or value is not Parameter.empty
        kind = Parameter.KEYWORD_ONLY if by_name else Parameter.POSITIONAL_OR_KEYWORD
        shown = f"{type_} | None" if nullable else type_
        made.append(Parameter(name, kind, default=value, annotation=shown))
    return Signature(made)
