"""Classes that are refused by name: those whose makers have their own idea of what an instance is."""

from __future__ import annotations

_BY_BASE = {
    ("_thread", "_local"): "each thread has a dict of its own, and slots would be shared by all",
    ("builtins", "BaseException"): "Python gives every instance of an exception a dict",
    ("django", "ModelBase"): "Django keeps the fields of a model in the instance's dict",
    ("enum", "EnumMeta"): "the members of an enum are made with their class, and there are few of them",
    ("enum", "EnumType"): "the members of an enum are made with their class, and there are few of them",
    ("pydantic", "ModelMetaclass"): "pydantic keeps the fields of a model in the instance's dict",
    ("sqlalchemy", "DeclarativeAttributeIntercept"): "SQLAlchemy keeps the state of a mapped object in its dict",
    ("sqlalchemy", "DeclarativeBaseNoMeta"): "SQLAlchemy keeps the state of a mapped object in its dict",
    ("sqlalchemy", "DeclarativeMeta"): "SQLAlchemy keeps the state of a mapped object in its dict",
    ("typing", "_TypedDictMeta"): "what a TypedDict makes are plain dicts",
    ("typing_extensions", "_TypedDictMeta"): "what a TypedDict makes are plain dicts",
}
"""Package and name of a metaclass or of a base, to the reason."""
_BY_ATTRIBUTE = {
    "__mapper__": "SQLAlchemy keeps the state of a mapped object in its dict",
    "__attrs_attrs__": "attrs makes slots itself, by @attrs.define or @attr.s(slots=True)",
    "__pydantic_validator__": "pydantic makes slots itself, by pydantic.dataclasses.dataclass(slots=True)",
}


# Of `type.__flags__` (Include/object.h): made at run time, and, of those, not to be changed.
_HEAP_TYPE, _IMMUTABLE_TYPE = 1 << 9, 1 << 8


def is_by_statement(cls: type) -> bool:
    """Whether a class was made as by a class statement, and not in C."""
    return bool(cls.__flags__ & _HEAP_TYPE) and not cls.__flags__ & _IMMUTABLE_TYPE


def refused(cls: type) -> str | None:
    """Why a class is refused, whatever it has in it."""
    if vars(cls).get("_is_protocol"):
        return "a Protocol has no instances of its own"
    metaclass: type = type(cls)
    for kind in (*metaclass.__mro__, *cls.__mro__):
        reason = _BY_BASE.get((str(kind.__module__).partition(".")[0], kind.__name__))
        if reason:
            return reason
    if not is_by_statement(cls):
        return "it was not made by a class statement"
    if not cls.__dictoffset__:
        return "its instances have no dict already"
    return next((reason for name, reason in _BY_ATTRIBUTE.items() if name in vars(cls)), None)
