"""Names of classes, as heaps have them."""

from __future__ import annotations


def full_name(kind: type) -> str:
    """Module and qualified name; of builtins the name alone."""
    # The descriptors of `type` itself: a metaclass may have said something else.
    module: object = type.__dict__["__module__"].__get__(kind)
    name: str = type.__dict__["__qualname__"].__get__(kind)
    return f"{module}.{name}" if type(module) is str and module != "builtins" else name
