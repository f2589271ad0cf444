"""Descriptors that stand in a class where a slot would, and keep what they are given in that slot."""

from __future__ import annotations

import functools
from types import MemberDescriptorType
from typing import Any


class KeptInSlot:
    """What is set is in the slot. What is read where nothing is set is a subclass's affair."""

    slot: MemberDescriptorType

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self.of_class()
        try:
            return self.slot.__get__(instance)
        except AttributeError:
            pass
        return self.of_unset(instance)

    def __set__(self, instance: Any, value: Any) -> None:
        self.slot.__set__(instance, value)

    def __delete__(self, instance: Any) -> None:
        self.slot.__delete__(instance)

    def of_class(self) -> Any:
        raise NotImplementedError

    def of_unset(self, instance: Any) -> Any:
        raise NotImplementedError


class CachedSlot(KeptInSlot, functools.cached_property[Any]):
    """A cached property: computed where nothing is set, and set then."""

    def __init__(self, found: functools.cached_property[Any], slot: MemberDescriptorType) -> None:
        super().__init__(found.func)
        self.__set_name__(slot.__objclass__, slot.__name__)
        self.slot = slot

    def of_class(self) -> Any:
        return self

    def of_unset(self, instance: Any) -> Any:
        value = self.func(instance)
        self.slot.__set__(instance, value)
        return value


class DefaultSlot(KeptInSlot):
    """A default that only the class has: a field of a dataclass that its ``__init__`` does not set."""

    def __init__(self, default: Any, slot: MemberDescriptorType) -> None:
        self.default = default
        self.slot = slot

    def of_class(self) -> Any:
        return self.default

    def of_unset(self, instance: Any) -> Any:
        return self.default
