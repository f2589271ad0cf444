"""Type parameters and type aliases, which have syntax of their own from 3.12 on."""


def first[T](items: list[T]) -> T:
    return items[0]


class Stack[T: int]:
    def __init__(self):
        self.items = [1]


type Pairs[K, *V, **P] = dict[K, list[int]]

stack = Stack[int]()
alias = Pairs
value = Pairs.__value__
