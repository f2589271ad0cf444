"""Pickles of Records, as the standard library's tests ask of any class: every protocol, both implementations."""

import copy
import pickle
import pickletools
from datetime import date, datetime, timedelta

import deadweight as dw
import pytest


class Every(dw.Record):
    a: dw.i1
    b: dw.u8
    c: dw.f4
    d: float
    e: bool
    f: str
    g: bytes
    h: dw.category
    i: datetime
    j: date
    k: timedelta
    m: int | None = None
    n: str | None = None

    def shout(self):
        return self.f.upper()


class Labelled(dw.Records):
    """With attributes of its own."""


LOW = Every(
    -128, 0, -0.0, float("-inf"), False, "", b"", "", datetime.min, date.min, timedelta(microseconds=-(2**63))
)
HIGH = Every(
    127,
    2**64 - 1,
    1.5,
    1e308,
    True,
    "a\0b😀" * 50,
    bytes(range(256)),
    "ñ",
    datetime.max,
    date.max,
    timedelta(1),
    7,
    "x",
)
ROWS = {"none": [], "one": [LOW], "some": [LOW, HIGH, LOW], "many": [HIGH, LOW] * 2000}
PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)
DUMPS = {"C": pickle.dumps, "Python": pickle._dumps}
LOADS = {"C": pickle.loads, "Python": pickle._loads}


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("loads", LOADS)
@pytest.mark.parametrize("dumps", DUMPS)
@pytest.mark.parametrize("which", ROWS)
def test_rows_come_back(which, dumps, loads, protocol):
    rows = dw.Records(Every, ROWS[which])
    again = LOADS[loads](DUMPS[dumps](rows, protocol))
    assert type(again) is dw.Records
    assert again.record is Every
    assert again == rows
    assert repr(list(again)) == repr(ROWS[which])
    again.append(HIGH)
    assert len(rows) == len(ROWS[which])
    for row in (HIGH, *rows[-1:]):
        alone = LOADS[loads](DUMPS[dumps](row, protocol))
        assert (type(alone), alone, alone.shout()) == (Every, row, row.shout())


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_pickle_keeps_to_its_protocol(protocol):
    pickled = pickle.dumps([dw.Records(Every, ROWS["some"]), HIGH], protocol)
    assert max(opcode.proto for opcode, _, _ in pickletools.genops(pickled)) <= protocol
    assert pickle.loads(pickletools.optimize(pickled)) == [dw.Records(Every, ROWS["some"]), HIGH]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_what_is_there_twice_is_there_twice(protocol):
    rows = dw.Records(Every, ROWS["some"])
    for again in (
        pickle.loads(pickle.dumps([rows, {"the same": rows}], protocol)),
        copy.deepcopy([rows, {"the same": rows}]),
    ):
        assert again[0] is again[1]["the same"]
        assert again[0] == rows
        assert again[0] is not rows


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_classes_that_cannot_be_imported(protocol):
    """Those that `pack` and `of` made are pickled by their fields; one of a function cannot be, as ever."""
    packed = dw.pack([{"id": 1, "name": "Ada"}, {"id": 2, "at": datetime(2024, 1, 1)}], name="Found")
    again = pickle.loads(pickle.dumps([packed, packed[0]], protocol))
    assert again == [packed, packed[0]]
    assert again[0].record is again[1].__class__ is packed.record

    class Local(dw.Record):
        a: int

    with pytest.raises((pickle.PicklingError, AttributeError)):
        pickle.dumps(dw.Records(Local), protocol)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_subclasses_keep_what_they_have(protocol):
    rows = Labelled(Every, ROWS["some"])
    rows.label = ["north"]
    for again in (pickle.loads(pickle.dumps(rows, protocol)), copy.copy(rows), copy.deepcopy(rows)):
        assert type(again) is Labelled
        assert again == rows
        assert again.label == ["north"]
    assert copy.copy(rows).label is rows.label
    assert copy.deepcopy(rows).label is not rows.label


def test_out_of_band_buffers():
    rows = dw.Records(Every, ROWS["many"])
    buffers = []
    pickled = pickle.dumps(rows, 5, buffer_callback=buffers.append)
    assert len(pickled) < 1000
    assert sum(buffer.raw().nbytes for buffer in buffers) > rows.nbytes
    plain = [bytes(buffer) for buffer in buffers]
    writable = [bytearray(buffer) for buffer in buffers]
    for given in (buffers, plain, writable, map(memoryview, plain)):
        assert pickle.loads(pickled, buffers=given) == rows
    again = pickle.loads(pickled, buffers=writable)
    kept = copy.copy(again)
    again[0].a = 5
    again.append(LOW)
    assert (again[0].a, len(again)) == (5, len(rows) + 1)
    assert kept == rows
    with pytest.raises(pickle.UnpicklingError):
        pickle.loads(pickled)
    for wrong in (b"", plain[0][: len(plain[0]) // 2], b"\0" * len(plain[0])):
        with pytest.raises(dw.BadRecords):
            pickle.loads(pickled, buffers=[wrong])


def test_pickles_that_are_cut_or_damaged_raise():
    rows = dw.Records(Every, ROWS["some"])
    pickled = pickle.dumps(rows)
    for end in range(0, len(pickled), 7):
        with pytest.raises((pickle.UnpicklingError, EOFError, dw.BadRecords)):
            pickle.loads(pickled[:end])
    (buffer,) = [bytes(buffer) for buffer in out_of_band(rows)]
    damaged = 0
    for at in range(0, len(buffer), 5):
        wrong = bytearray(buffer)
        wrong[at] ^= 0xFF
        try:
            again = dw._core.read_records(bytes(wrong))
            [repr(row) for row in dw.Records(Every, again)]
        except (dw.BadRecords, ValueError, TypeError, OverflowError):
            damaged += 1
    assert damaged > 0


def out_of_band(rows):
    buffers = []
    pickle.dumps(rows, 5, buffer_callback=buffers.append)
    return buffers


def test_pickled_while_a_buffer_is_out_or_out_of_a_file(tmp_path):
    rows = dw.Records(Every, ROWS["some"])
    with memoryview(rows.a) as view:
        view[1] = 7
        again = pickle.loads(pickle.dumps(rows))
        view[1] = 8
    assert [row.a for row in again] == [-128, 7, -128]
    rows.save(tmp_path / "rows.arrow")
    opened = dw.Records.open(tmp_path / "rows.arrow", Every)
    pickled = pickle.dumps(opened)
    del opened
    (tmp_path / "rows.arrow").unlink()
    assert pickle.loads(pickled) == rows


def of_version(kind, **more):
    """The class `Versioned`, as one version of a program has it."""
    own = {"a": int, "b": kind} if more else {"b": kind, "a": int}
    added = {name: type(value) for name, value in reversed(more.items())}
    body = {"__annotations__": own | added, "__module__": __name__, **more}
    return type(dw.Record)("Versioned", (dw.Record,), body)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("kind", [str, object])
def test_a_pickle_may_lack_what_has_a_default(kind, protocol, monkeypatch):
    before = of_version(kind)
    monkeypatch.setitem(globals(), "Versioned", before)
    rows = dw.Records(before, [("x", 1), ("y", 2)])
    pickles = pickle.dumps(rows, protocol), pickle.dumps(rows[1], protocol)
    after = of_version(kind, c=7, d="new")
    monkeypatch.setitem(globals(), "Versioned", after)
    again, row = map(pickle.loads, pickles)
    assert list(again) == [after(a=1, b="x"), after(a=2, b="y")]
    assert row == again[1]
    assert (row.c, row.d) == (7, "new")
