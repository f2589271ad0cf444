"""Whatever is done to Records, a list of dataclasses comes to the same: any steps, any types."""

import copy
import dataclasses
import math
import os
import pickle
import tempfile
from datetime import date, datetime, timedelta
from pathlib import Path

import deadweight as dw
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

MOST = timedelta(microseconds=2**63 - 1)


def whole(low, high):
    return st.sampled_from([low, high, 0, 1]) | st.integers(low, high)


# What a field is annotated with, and what goes into it.
PLAIN = {
    "i1": (dw.i1, whole(-(2**7), 2**7 - 1)),
    "i2": (dw.i2, whole(-(2**15), 2**15 - 1)),
    "i4": (dw.i4, whole(-(2**31), 2**31 - 1)),
    "i8": (dw.i8, whole(-(2**63), 2**63 - 1)),
    "u1": (dw.u1, whole(0, 2**8 - 1)),
    "u2": (dw.u2, whole(0, 2**16 - 1)),
    "u4": (dw.u4, whole(0, 2**32 - 1)),
    "u8": (dw.u8, whole(0, 2**64 - 1)),
    "f4": (dw.f4, st.floats(width=32)),
    "f8": (dw.f8, st.floats()),
    "bool": (bool, st.booleans()),
    "str": (str, st.text(max_size=8)),
    "bytes": (bytes, st.binary(max_size=8)),
    "category": (dw.category, st.sampled_from(["", "no", "a\0b", "😀"]) | st.text(max_size=2)),
    # Of a time that is there twice, which one (`fold`) is a matter of time zones, and not kept.
    "datetime": (datetime, st.datetimes().map(lambda at: at.replace(fold=0))),
    "date": (date, st.dates()),
    "timedelta": (timedelta, st.timedeltas(-MOST - timedelta.resolution, MOST)),
}
KINDS = PLAIN | {f"{kind} | None": (type_ | None, st.none() | some) for kind, (type_, some) in PLAIN.items()}
SPANS = {
    kind: (-(2 ** (8 * int(kind[1]) - 1)), 2 ** (8 * int(kind[1]) - 1) - 1) for kind in ("i1", "i2", "i4", "i8")
}
SPANS |= {kind: (0, 2 ** (8 * int(kind[1])) - 1) for kind in ("u1", "u2", "u4", "u8")}
NUMBERS = [*SPANS, "f4", "f8"]
FIELDS = ("a", "b", "c", "d")


def exact(values):
    """Tells 1 from True and from 1.0, 0.0 from -0.0, and takes one NaN for another."""
    return [(type(value), repr(value)) for value in values]


def outcome(does):
    try:
        return does()
    except Exception as error:
        return type(error)


class Stream:
    """An Arrow stream that was asked for, and is read later."""

    def __init__(self, rows):
        self.capsule = rows.__arrow_c_stream__()

    def __arrow_c_stream__(self, requested_schema=None):
        return self.capsule


COPIES = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "slice": lambda rows: rows[:],
    "mask": lambda rows: rows[[True] * len(rows)],
    "again": lambda rows: dw.Records(rows.record, rows),
    "row by row": lambda rows: dw.Records(rows.record, iter(rows)),
    "columns": lambda rows: dw.Records.from_columns(rows.record, **{name: rows[name] for name in rows.types}),
    "arrow": lambda rows: dw.Records.from_arrow(rows, rows.record),
    "later": lambda rows: dw.Records.from_arrow(Stream(rows), rows.record),
    **{
        f"pickle {protocol}": lambda rows, protocol=protocol: pickle.loads(pickle.dumps(rows, protocol))
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
    },
}


class Model(RuleBasedStateMachine):
    @initialize(kinds=st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=len(FIELDS)))
    def begin(self, kinds):
        self.fields = FIELDS[: len(kinds)]
        self.kinds = dict(zip(self.fields, kinds, strict=True))
        self.record = dw.Record.of({name: KINDS[kind][0] for name, kind in self.kinds.items()})
        self.values = st.tuples(*(KINDS[kind][1] for kind in kinds))
        # As rows of ours compare: a NaN is no other NaN, be it the same object.
        equal = {"__eq__": lambda one, two: all(a == b for a, b in zip(self.row(one), self.row(two), strict=True))}
        self.plain_row = dataclasses.make_dataclass("Plain", self.fields, eq=False, namespace=equal)
        self.rows, self.plain = dw.Records(self.record), []
        # Rows that were taken out and still know their place, and those that cannot.
        self.views, self.lost = [], []
        # What shares memory with the container or did, as something that gives rows, and what it must say.
        self.others = []
        self.folder = tempfile.TemporaryDirectory()

    def teardown(self):
        for give, expected in getattr(self, "others", ()):
            assert self.all(give()) == expected
        if hasattr(self, "folder"):
            self.folder.cleanup()

    def row(self, row):
        return [getattr(row, name) for name in self.fields]

    def all(self, rows):
        return [exact(self.row(row)) for row in rows]

    def shaped(self, data, values):
        """A row as it may be handed in."""
        shapes = [
            lambda: values,
            lambda: list(values),
            lambda: dict(zip(self.fields, values, strict=True)),
            lambda: self.record(*values),
            lambda: self.plain_row(*values),
        ]
        return data.draw(st.sampled_from(shapes))()

    def some_rows(self, data, most=4):
        return data.draw(st.lists(self.values, max_size=most))

    def somewhere(self, data):
        """A number of a row, or of one that is not there."""
        return data.draw(st.integers(-len(self.plain) - 1, len(self.plain)))

    def stretch(self, data):
        edge = st.none() | st.integers(-len(self.plain) - 2, len(self.plain) + 2)
        return slice(data.draw(edge), data.draw(edge), data.draw(st.sampled_from([None, None, 1, 2, 3, -1, -2])))

    def both(self, of_rows, of_plain):
        """Does the same to both, which must say the same or raise the same."""
        ours, theirs = outcome(of_rows), outcome(of_plain)
        if hasattr(theirs, "a"):
            ours, theirs = exact(self.row(ours)), exact(self.row(theirs))
        assert ours == theirs
        return not (isinstance(theirs, type) and issubclass(theirs, Exception))

    def moved(self, is_certain=True):
        """Views have lost their place, or may have if nothing moved after all."""
        if is_certain:
            self.lost += [view for view, _ in self.views]
        self.views = []

    @rule(data=st.data())
    def append(self, data):
        values = data.draw(self.values)
        self.rows.append(self.shaped(data, values))
        self.plain.append(self.plain_row(*values))

    @rule(data=st.data(), how=st.sampled_from(["list", "generator", "records", "iadd", "itself", "many"]))
    def extend(self, data, how):
        more = self.some_rows(data)
        if how == "many" and len(self.plain) < 30:
            # Bits are in words of 64.
            more *= 20
        if how == "itself":
            if len(self.plain) < 30:
                self.rows.extend(self.rows)
                self.plain.extend(copy.copy(row) for row in tuple(self.plain))
            return
        shaped = [self.shaped(data, values) for values in more]
        if how == "iadd":
            self.rows += shaped
        elif how == "records":
            self.rows.extend(dw.Records(self.record, shaped))
        else:
            self.rows.extend(shaped if how == "list" else iter(shaped))
        self.plain.extend(self.plain_row(*values) for values in more)

    @rule(data=st.data())
    def insert(self, data):
        values, at = data.draw(self.values), self.somewhere(data)
        self.rows.insert(at, self.shaped(data, values))
        self.plain.insert(at, self.plain_row(*values))
        self.moved()

    @rule(data=st.data())
    def pop(self, data):
        at = self.somewhere(data)
        if self.both(lambda: self.rows.pop(at), lambda: self.plain.pop(at)):
            self.moved()

    @rule(data=st.data())
    def delete(self, data):
        at = self.somewhere(data)
        if self.both(lambda: self.rows.__delitem__(at), lambda: self.plain.__delitem__(at)):
            self.moved()

    @rule(data=st.data())
    def delete_a_slice(self, data):
        stretch, before = self.stretch(data), len(self.plain)
        del self.rows[stretch], self.plain[stretch]
        self.moved(is_certain=len(self.plain) < before)

    @rule(data=st.data())
    def set_a_row(self, data):
        values, at = data.draw(self.values), self.somewhere(data)
        shaped = self.shaped(data, values)
        self.both(
            lambda: self.rows.__setitem__(at, shaped),
            lambda: self.plain.__setitem__(at, self.plain_row(*values)),
        )

    @rule(data=st.data())
    def set_a_slice(self, data):
        stretch, before = self.stretch(data), len(self.plain)
        replaced = len(self.plain[stretch])
        # As many, so that slices with a step can be set at all, or any number.
        many = data.draw(st.sampled_from([replaced, 0, 1, 3]))
        more = data.draw(st.lists(self.values, min_size=many, max_size=many)) if many < 10 else []
        shaped = [self.shaped(data, values) for values in more]
        if self.both(
            lambda: self.rows.__setitem__(stretch, shaped),
            lambda: self.plain.__setitem__(stretch, [self.plain_row(*values) for values in more]),
        ) and (len(self.plain) != before or len(more) != replaced):
            self.moved()

    @rule()
    def reverse(self):
        self.rows.reverse()
        self.plain.reverse()
        self.moved(is_certain=len(self.plain) > 1)

    @rule()
    def clear(self):
        self.rows.clear()
        self.plain.clear()
        self.moved()

    @rule(data=st.data())
    def look_for(self, data):
        known = [tuple(self.row(row)) for row in self.plain]
        values = data.draw(st.sampled_from(known) | self.values if known else self.values)
        ours, theirs = self.record(*values), self.plain_row(*values)
        start, stop = self.somewhere(data), self.somewhere(data)
        self.both(lambda: self.rows.count(ours), lambda: self.plain.count(theirs))
        self.both(lambda: ours in self.rows, lambda: theirs in self.plain)
        self.both(lambda: self.rows.index(ours), lambda: self.plain.index(theirs))
        self.both(lambda: self.rows.index(ours, start, stop), lambda: self.plain.index(theirs, start, stop))
        if data.draw(st.booleans()) and self.both(
            lambda: self.rows.remove(ours), lambda: self.plain.remove(theirs)
        ):
            self.moved()

    @precondition(lambda self: self.plain)
    @rule(data=st.data(), how=st.sampled_from(["list", "iterator"]))
    def set_a_column(self, data, how):
        name = data.draw(st.sampled_from(self.fields))
        some = data.draw(st.lists(KINDS[self.kinds[name]][1], min_size=1, max_size=4))
        values = [some[at % len(some)] for at in range(len(self.plain))]
        if how == "iterator":
            self.rows[name] = iter(values)
        else:
            setattr(self.rows, name, values)
        for row, value in zip(self.plain, values, strict=True):
            setattr(row, name, value)

    @precondition(lambda self: self.plain)
    @rule(data=st.data(), how=st.sampled_from(["view", "column", "iterator", "buffer"]))
    def set_a_value(self, data, how):
        name = data.draw(st.sampled_from(self.fields))
        at = data.draw(st.integers(0, len(self.plain) - 1))
        value = data.draw(KINDS[self.kinds[name]][1])
        if how == "column":
            self.rows[name][at] = value
        elif how == "iterator":
            for number, row in enumerate(self.rows):
                if number == at:
                    setattr(row, name, value)
        elif how == "buffer" and self.kinds[name] in NUMBERS:
            with memoryview(self.rows[name]) as view:
                if view.readonly:
                    return
                view[at] = value
                with pytest.raises(BufferError):
                    self.rows.append(self.rows[0])
        else:
            setattr(self.rows[at], name, value)
        setattr(self.plain[at], name, value)

    @precondition(lambda self: self.plain)
    @rule(data=st.data())
    def keep_a_view(self, data):
        at = data.draw(st.integers(0, len(self.plain) - 1))
        self.views.append((self.rows[at], at))

    @rule(data=st.data())
    def refuse(self, data):
        """What does not fit raises, and the container is as it was."""
        name = data.draw(st.sampled_from(self.fields))
        kind, _, nullable = self.kinds[name].partition(" ")
        wrong = [(object(), TypeError)]
        if kind in SPANS:
            low, high = SPANS[kind]
            wrong += [(low - 1, OverflowError), (high + 1, OverflowError), (1.5, TypeError)]
        if not nullable:
            wrong.append((None, TypeError))
        value, error = data.draw(st.sampled_from(wrong))
        values = dict(zip(self.fields, data.draw(self.values), strict=True)) | {name: value}
        row = data.draw(st.sampled_from([values, tuple(values.values()), list(values.values())]))
        good = data.draw(self.values)
        attempts = [
            lambda: self.rows.append(row),
            lambda: self.rows.extend([row]),
            lambda: self.rows.insert(0, row),
            lambda: self.rows.__setitem__(slice(0, 1), [good, row]),
        ]
        if self.plain:
            attempts += [
                lambda: self.rows.__setitem__(0, row),
                lambda: setattr(self.rows[0], name, value),
                lambda: self.rows[name].__setitem__(0, value),
            ]
        with pytest.raises(error, match=f'field "{name}"'):
            data.draw(st.sampled_from(attempts))()

    @rule(data=st.data())
    def select(self, data):
        assert self.all(self.rows[self.stretch(data)]) is not None
        stretch = self.stretch(data)
        assert self.all(self.rows[stretch]) == self.all(self.plain[stretch])
        mask = [data.draw(st.booleans()) for _ in self.plain]
        kept = [row for row, is_kept in zip(self.plain, mask, strict=True) if is_kept]
        assert self.all(self.rows[mask]) == self.all(kept)
        name = data.draw(st.sampled_from(self.fields))
        assert exact(self.rows[name][mask]) == exact(getattr(row, name) for row in kept)
        if self.plain:
            some = data.draw(st.lists(st.integers(-len(self.plain), len(self.plain) - 1), max_size=5))
            assert self.all(self.rows[some]) == self.all(self.plain[at] for at in some)
            gone = copy.copy(self.rows)
            del gone[some]
            left = {at % len(self.plain) for at in range(len(self.plain))} - {at % len(self.plain) for at in some}
            assert self.all(gone) == self.all(self.plain[at] for at in sorted(left))

    @rule(data=st.data())
    def sort(self, data):
        """A list is sorted in place; of Records, another is made of the rows in their new order."""
        name = data.draw(st.sampled_from(self.fields))

        def key(row):
            return repr(getattr(row, name))

        assert self.all(sorted(self.rows, key=key)) == self.all(sorted(self.plain, key=key))
        column = self.rows[name]
        order = sorted(range(len(column)), key=lambda row: repr(column[row]))
        self.go_on_with(self.rows[order])
        self.plain.sort(key=key)

    @rule(how=st.sampled_from(sorted(COPIES)))
    def go_on_with_a_copy(self, how):
        self.go_on_with(COPIES[how](self.rows))

    @rule()
    def go_on_with_a_file(self):
        path = Path(self.folder.name) / "rows.arrow"
        self.rows.save(path)
        self.go_on_with(dw.Records.open(path, self.record))

    def go_on_with(self, other):
        """Leaves a container behind, which must stay as it is."""
        assert other.record is self.record
        left = self.rows
        self.share(lambda: left)
        self.rows = other
        self.views, self.lost = [], []

    @rule()
    def lend_a_stream(self):
        stream = Stream(self.rows)
        self.share(lambda: dw.Records.from_arrow(stream, self.record))

    def share(self, give):
        if len(self.others) < 5:
            self.others.append((give, self.all(self.plain)))

    @rule(more=st.integers(0, 100))
    def make_room(self, more):
        self.rows.reserve(more)
        self.rows.shrink_to_fit()

    @invariant()
    def is_the_same(self):
        if not hasattr(self, "rows"):
            return
        assert len(self.rows) == len(self.plain)
        assert self.all(self.rows) == self.all(self.plain)
        for name in self.fields:
            column = [getattr(row, name) for row in self.plain]
            assert exact(self.rows[name]) == exact(self.rows[name].tolist()) == exact(column)
            assert self.rows[name].null_count == column.count(None)
        again = dw.Records(self.record, [tuple(self.row(row)) for row in self.plain])
        has_nan = any(isinstance(v, float) and math.isnan(v) for row in self.plain for v in self.row(row))
        assert (self.rows == again) is not has_nan
        for view, at in self.views:
            assert exact(self.row(view)) == exact(self.row(self.plain[at]))
        for view in self.lost:
            with pytest.raises(RuntimeError, match="take it anew"):
                self.row(view)


at_length = bool(os.environ.get("DEADWEIGHT_AT_LENGTH"))
Model.TestCase.settings = settings(
    max_examples=1000 if at_length else 200,
    stateful_step_count=50 if at_length else 25,
    # The same steps each time, so that nothing fails by chance; at length, others each time.
    derandomize=not at_length,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TestModel = Model.TestCase
