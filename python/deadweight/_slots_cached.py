"""A cached property whose value is kept in a slot."""

from __future__ import annotations

import functools
from types import MemberDescriptorType
from typing import Any


class CachedSlot(functools.cached_property[Any]):
    """Stands in the class where the slot of this name would be, and has it."""

    def __init__(self, found: functools.cached_property[Any], slot: MemberDescriptorType) -> None:
        super().__init__(found.func)
        self.__set_name__(slot.__objclass__, slot.__name__)
        self.slot = slot

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self
        try:
            return self.slot.__get__(instance)
        except AttributeError:
            pass
        value = self.func(instance)
        self.slot.__set__(instance, value)
        return value

    def __set__(self, instance: Any, value: Any) -> None:
        self.slot.__set__(instance, value)

    def __delete__(self, instance: Any) -> None:
        self.slot.__delete__(instance)
