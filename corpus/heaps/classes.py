"""Classes of every make: metaclasses, slots, enums, dataclasses, abstract and generic ones."""

import abc
import collections
import dataclasses
import enum
import typing


class Meta(type):
    def __new__(cls, name, bases, namespace):
        made = super().__new__(cls, name, bases, namespace)
        made.registry = [name]
        return made


class Made(metaclass=Meta):
    table = {"a": [1]}


class Base(abc.ABC):
    @abc.abstractmethod
    def run(self): ...


class Concrete(Base):
    def run(self):
        return 1


class Colour(enum.Enum):
    RED = [1]
    GREEN = [2]


class Bits(enum.IntFlag):
    A = 1
    B = 2


@dataclasses.dataclass
class Record:
    name: str
    tags: list = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True)
class Fixed:
    number: int


T = typing.TypeVar("T", bound=int)


class Box(typing.Generic[T]):
    def __init__(self, item):
        self.item = item


class Typed(typing.NamedTuple):
    left: int
    right: list


class Shape(typing.TypedDict):
    side: int


class Left: ...


class Right: ...


class Diamond(Left, Right):
    __slots__ = ()


made = Made()
Base.register(int)
issubclass(list, Base)
issubclass(Concrete, Base)
concrete = Concrete()
colours = list(Colour)
bits = Bits.A | Bits.B
records = [Record(str(n), [n]) for n in range(20)]
fixed = Fixed(10**12)
box = Box[int]([1])
alias = typing.List[int]
generic = list[int]
union = typing.Union[int, str]
if hasattr(int, "__or__"):
    modern_union = int | str
literal = typing.Literal["a", 1]
typed = Typed(1, [2])
shape = Shape(side=3)
diamond = Diamond()
dynamic = type("Dynamic", (Left,), {"attr": [1], "__slots__": ("one", "two")})
dynamic_instance = dynamic()
dynamic_instance.one = [1]
many_attributes = type("Wide", (), {f"a{n}": [n] for n in range(100)})
user_dict = collections.UserDict(a=[1])
