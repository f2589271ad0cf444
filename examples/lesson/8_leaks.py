"""Lesson 8, finding leaks: what grows, and what holds it?

As usually taught: count the objects the collector knows, by type, before and after, and print what there is
more of. That names a type. It sees no string and no bytes, gives no size, and a cache that fills for the first
time looks like a leak.
With deadweight: `growth` runs the work in rounds and reports what grows in every one, by the path of what holds
it; `closures` names the function that keeps the objects.
"""

import collections
import gc

import deadweight as dw


class Order:
    def __init__(self, number):
        self.number = number
        self.note = f"order {number}: " + "x" * 2000


class Bus:
    """Handlers are added and never taken off."""

    def __init__(self):
        self.handlers = []

    def subscribe(self, handler):
        self.handlers.append(handler)
        return handler

    def unsubscribe(self, handler):
        self.handlers.remove(handler)


bus = Bus()


def leaky_request(number):
    order = Order(number)
    bus.subscribe(lambda: order.number)


def mended_request(number):
    order = Order(number)
    handler = bus.subscribe(lambda: order.number)
    bus.unsubscribe(handler)


def as_taught(request):
    """Types that there is more of, by the collector's list."""
    gc.collect()
    before = collections.Counter(type(thing).__qualname__ for thing in gc.get_objects())
    for number in range(5):
        request(number)
    gc.collect()
    after = collections.Counter(type(thing).__qualname__ for thing in gc.get_objects())
    return after - before


def with_deadweight(request):
    """What grows in every round."""
    growth = dw.growth(warmup=2)
    for number in growth.rounds(5):
        request(number)
    return growth


def main():
    print(f"as taught: {dict(as_taught(leaky_request))}\n")
    leaky = with_deadweight(leaky_request)
    print(f"deadweight: {leaky}\n")
    print(f"{dw.closures(holding=Order)}\n")
    mended = with_deadweight(mended_request)
    print(f"mended: {mended}\n")
    mended.assert_none()
    lost = [sum(leak.bytes for leak in growth.leaks) for growth in (leaky, mended)]
    before, after = (f"{size:,.0f} B a request" for size in lost)
    print(f"| handlers never taken off, then taken off | {before} | {after} |")


if __name__ == "__main__":
    main()
