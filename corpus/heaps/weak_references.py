"""Weak references, live and dead, with callbacks, proxies, and the collections made of them."""

import weakref


class Thing:
    pass


class Slotted:
    __slots__ = ("__weakref__", "value")


def forget(reference):
    pass


kept = [Thing() for _ in range(5)]
slotted = Slotted()
slotted.value = [1]
plain = weakref.ref(kept[0])
with_callback = weakref.ref(kept[1], forget)
dead = weakref.ref(Thing())
to_slotted = weakref.ref(slotted)
proxy = [weakref.proxy(kept[2])]
callable_proxy = [weakref.proxy(forget)]
values = weakref.WeakValueDictionary((n, thing) for n, thing in enumerate(kept))
keys = weakref.WeakKeyDictionary((thing, [n]) for n, thing in enumerate(kept))
members = weakref.WeakSet(kept)
method = weakref.WeakMethod(keys.get)
finalizer = weakref.finalize(kept[3], forget, [1])
