"""Whatever is done to a cache, an OrderedDict that is kept by hand comes to the same."""

from collections import OrderedDict

import deadweight as dw
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

# 1, 1.0 and True are one key; of the others some have one hash.
KEYS = st.integers(-2, 8) | st.sampled_from([1.0, True, "a", "b", (1, 2), 2**61 - 1, 2**61, -1])
SIZES = st.integers(0, 12)
NOTHING = object()


class Model(RuleBasedStateMachine):
    @initialize(
        maxsize=st.none() | st.integers(0, 6), max_bytes=st.none() | st.integers(0, 30), told=st.booleans()
    )
    def make(self, maxsize, max_bytes, told):
        self.gone, self.expected = [], []
        self.maxsize, self.max_bytes = maxsize, max_bytes
        on_evict = (lambda *what: self.gone.append(what)) if told else None
        self.told = told
        self.cache = dw.Cache(maxsize, max_bytes, weigher=lambda key, value: value, on_evict=on_evict)
        self.model = OrderedDict()
        self.hits = self.misses = self.refused = 0

    def evict(self, cause, while_):
        while while_():
            key, value = self.model.popitem(last=False)
            self.expected.append((key, value, cause))

    def keep(self, key, value):
        if self.maxsize == 0 or (self.max_bytes is not None and value > self.max_bytes):
            self.refused += 1
            if key in self.model:
                self.expected.append((key, self.model.pop(key), "replaced"))
            return
        if key in self.model:
            if self.model[key] is not value:
                self.expected.append((key, self.model[key], "replaced"))
            self.model[key] = value
            self.model.move_to_end(key)
        else:
            if self.maxsize is not None:
                self.evict("maxsize", lambda: len(self.model) >= self.maxsize)
            self.model[key] = value
        if self.max_bytes is not None:
            self.evict("max_bytes", lambda: sum(self.model.values()) > self.max_bytes)

    def use(self, key):
        if key not in self.model:
            self.misses += 1
            return NOTHING
        self.hits += 1
        self.model.move_to_end(key)
        return self.model[key]

    @rule(key=KEYS, value=SIZES)
    def put(self, key, value):
        self.cache[key] = value
        self.keep(key, value)

    @rule(key=KEYS, value=SIZES)
    def set_default(self, key, value):
        found = self.use(key)
        assert self.cache.setdefault(key, value) == (value if found is NOTHING else found)
        if found is NOTHING:
            self.keep(key, value)

    @rule(key=KEYS)
    def look(self, key):
        found = self.use(key)
        if found is NOTHING:
            with pytest.raises(KeyError):
                self.cache[key]
        else:
            assert self.cache[key] == found

    @rule(key=KEYS)
    def get(self, key):
        assert self.cache.get(key, NOTHING) is self.use(key)

    @rule(key=KEYS)
    def peek(self, key):
        assert self.cache.peek(key, NOTHING) is self.model.get(key, NOTHING)
        assert (key in self.cache) == (key in self.model)

    @rule(key=KEYS)
    def pop(self, key):
        assert self.cache.pop(key, NOTHING) is self.model.pop(key, NOTHING)

    @rule(key=KEYS)
    def delete(self, key):
        if key in self.model:
            del self.model[key], self.cache[key]
        else:
            with pytest.raises(KeyError):
                del self.cache[key]

    @rule()
    def pop_item(self):
        if self.model:
            assert self.cache.popitem() == self.model.popitem(last=False)

    @rule(part=st.integers(0, 100))
    def shrink(self, part):
        most = int(sum(self.model.values()) * (part / 100))
        before = len(self.model)
        self.evict("shrink", lambda: sum(self.model.values()) > most)
        assert self.cache.shrink(f"{part}%") == before - len(self.model)

    @rule()
    def weigh_again(self):
        assert self.cache.reweigh() == sum(self.model.values())

    @rule()
    def clear(self):
        self.cache.clear()
        self.model.clear()

    @invariant()
    def the_same_is_there(self):
        assert list(self.cache.items()) == list(self.model.items())
        assert [type(key) for key in self.cache] == [type(key) for key in self.model]
        stats = self.cache.stats()
        assert stats.entries == len(self.cache) == len(self.model)
        assert stats.bytes == sum(self.model.values())
        assert (stats.hits, stats.misses, stats.refused) == (self.hits, self.misses, self.refused)
        causes = [cause for _, _, cause in self.expected]
        assert stats.evictions == {cause: causes.count(cause) for cause in stats.evictions}
        assert self.gone == (self.expected if self.told else [])


TestModel = Model.TestCase
TestModel.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestModel.pytestmark = [pytest.mark.filterwarnings("ignore::deadweight.CacheWarning")]
