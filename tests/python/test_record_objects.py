"""Columns of objects: what no other column holds."""

import copy
import gc
import pickle
import typing
import weakref
from datetime import datetime

import deadweight as dw
import pytest


class Thing:
    def __init__(self, name):
        self.name = name

    def __eq__(self, other):
        return isinstance(other, Thing) and self.name == other.name

    __hash__ = None


class Holder(dw.Record):
    number: int
    what: object
    tags: list[str]


def holders():
    return dw.Records(Holder, [(1, Thing("a"), ["x"]), (2, None, []), (3, 2**100, ["y", "z"])])


WANTED = [
    list,
    dict[str, int],
    int | str,
    complex,
    list | None,
    object,
    Thing,
    typing.Any,
    typing.Literal["a", 1],
    typing.Optional[Thing],  # noqa: UP045
    "object",
]


@pytest.mark.parametrize("wanted", WANTED)
def test_any_other_annotation_is_an_object(wanted):
    assert dw.Records(dw.Record.of({"x": wanted})).types == {"x": "object"}


def test_a_new_type_is_what_it_is_made_of():
    assert dw.Records(dw.Record.of({"x": typing.NewType("Id", int)})).types == {"x": "i8"}


def test_the_objects_themselves_come_back():
    thing = Thing("a")
    rows = dw.Records(Holder, [(1, thing, [])])
    assert rows[0].what is thing
    assert rows.what[0] is thing
    assert next(iter(rows)).what is thing
    rows[0].what = 7
    assert rows.what.tolist() == [7]
    rows.what[0] = thing
    rows[0].tags.append("kept")
    assert rows[0]._astuple() == (1, thing, ["kept"])
    assert rows.pop().what is thing
    assert Holder(1, thing, []).what is thing


def test_none_is_a_value():
    rows = holders()
    assert rows.what.tolist() == [Thing("a"), None, 2**100]
    assert rows.what.null_count == 0
    rows[0].what = None
    assert rows[0].what is None
    assert rows.types == {"number": "i8", "what": "object", "tags": "object"}


def test_rows_move_with_their_objects():
    rows, plain = holders(), [(row.number, row.what, row.tags) for row in holders()]

    def both(change):
        change(rows)
        change(plain)
        assert [row._astuple() for row in rows] == [tuple(row) for row in plain]

    both(lambda rows: rows.insert(1, (9, "new", ["n"])))
    both(lambda rows: rows.reverse())
    both(lambda rows: rows.extend([(10, {}, [])] * 3))
    both(lambda rows: rows.__delitem__(slice(1, 6, 2)))
    both(lambda rows: rows.__setitem__(slice(0, 2), [(11, b"", ["q"])]))
    both(lambda rows: rows.__setitem__(0, (12, rows[1], ["r"]) if rows is plain else (12, plain[1], ["r"])))
    both(lambda rows: rows.pop(0))
    assert rows[[True] + [False] * (len(rows) - 1)].what[0] is rows[0].what
    assert rows[::-1].tags.tolist() == [row[2] for row in plain[::-1]]


def test_what_is_refused_changes_nothing():
    rows = holders()
    with pytest.raises(OverflowError, match='row 3, field "number"'):
        rows.append((2**70, Thing("b"), []))
    with pytest.raises(ValueError, match="row 3 has 2 values, not 3"):
        rows.append((1, 2))
    assert rows == holders()


def test_between_containers_of_objects_and_of_values():
    values, objects = dw.Record.of({"x": int}), dw.Record.of({"x": object})
    mixed = dw.Records(objects, [(1,), (2,)])
    mixed.extend(dw.Records(values, [(3,)]))
    mixed[3:] = dw.Records(values, [(4,)])
    assert mixed.x.tolist() == [1, 2, 3, 4]
    plain = dw.Records(values, mixed)
    plain.extend(mixed)
    assert plain.x.tolist() == [1, 2, 3, 4] * 2
    mixed.append(("five",))
    with pytest.raises(TypeError, match="row 12, field \"x\": 'five' is no i8"):
        plain.extend(mixed)


def test_equality_is_that_of_the_objects():
    rows = holders()
    assert rows == holders()
    rows[0].what = Thing("b")
    assert rows != holders()
    assert rows[0] != holders()[0]
    assert rows[1] == holders()[1]


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickles(protocol):
    rows = holders()
    assert pickle.loads(pickle.dumps(rows, protocol)) == rows
    assert pickle.loads(pickle.dumps(rows[0], protocol)) == rows[0]
    packed = dw.pack([{"x": 1}, {"x": "1"}], types={"x": object})
    back = pickle.loads(pickle.dumps(packed, protocol))
    assert (back.x.tolist(), back.record) == ([1, "1"], packed.record)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda rows: pickle.loads(pickle.dumps(rows))])
def test_copies_of_what_leads_back_to_itself(copied):
    rows = holders()
    rows[0].what = rows
    rows[1].what = shared = [Thing("s")]
    rows[2].what = shared
    other = copied(rows)
    assert other[0].what is other
    assert other[1].what is other[2].what
    assert other[1].what == shared
    assert other[1].what is not shared
    assert copy.copy(rows)[1].what is shared


def test_cycles_are_collected():
    rows, thing = holders(), Thing("c")
    thing.rows = rows
    rows[0].what = thing
    gone = [weakref.ref(rows), weakref.ref(thing)]
    del rows, thing
    assert all(ref() is not None for ref in gone)
    gc.collect()
    assert all(ref() is None for ref in gone)


def test_cycles_through_a_row_of_its_own_are_collected():
    thing = Thing("c")
    thing.row = Holder(1, thing, [])
    gone = weakref.ref(thing)
    del thing
    gc.collect()
    assert gone() is None


def test_the_collector_tracks_one_object_and_sees_what_it_holds():
    rows, thing = holders(), Thing("d")
    rows[0].what = thing
    assert gc.is_tracked(rows)
    assert thing in gc.get_referents(rows)
    row = Holder(1, thing, [])
    assert any(found is thing for found in gc.get_referents(row))


def test_objects_are_let_go():
    rows, things = holders(), [Thing(str(number)) for number in range(4)]
    gone = [weakref.ref(thing) for thing in things]
    rows.extend((0, thing, []) for thing in things)
    del things
    rows[3].what = None
    del rows[4]
    rows.pop()
    assert [ref() is None for ref in gone] == [True, True, False, True]
    rows.clear()
    assert gone[2]() is None


def test_an_object_that_looks_at_its_container_as_it_goes():
    seen = []

    class Looks:
        def __del__(self):
            seen.append((len(rows), rows[0].number))

    rows = holders()
    for change in [
        lambda: rows.__delitem__(-1),
        lambda: rows.pop() and None,
        lambda: setattr(rows[-1], "what", None),
        lambda: rows.__setitem__(-1, (1, None, [])),
        lambda: rows.what.__setitem__(-1, None),
    ]:
        rows.append((1, Looks(), []))
        change()
    assert [number for _, number in seen] == [1] * 5


def test_neither_arrow_nor_a_file_has_objects(tmp_path):
    rows = holders()
    for refused in [lambda: rows.save(tmp_path / "x"), rows.__arrow_c_schema__, rows.__arrow_c_stream__]:
        with pytest.raises(TypeError, match='field "what": objects are nothing that Arrow or a file has'):
            refused()
    assert list(tmp_path.iterdir()) == []


def test_arrow_has_the_columns_beside_objects():
    pa = pytest.importorskip("pyarrow")
    rows = holders()
    assert pa.array(rows.number).to_pylist() == [1, 2, 3]
    with pytest.raises(TypeError, match='field "what": objects are nothing that Arrow'):
        pa.array(rows.what)


def test_values_of_a_table_are_objects_where_a_field_has_such(tmp_path):
    pa = pytest.importorskip("pyarrow")
    day = datetime(2024, 2, 29)
    table = pa.table({"what": ["a", None], "number": [1.0, 2.0], "tags": [None, day]})
    table = pa.concat_tables([table, table])

    class Loose(dw.Record):
        number: int | None
        what: object
        tags: object
        more: object = "more"

    expected = [(1, "a", None, "more"), (2, None, day, "more")] * 2
    rows = dw.Records(Loose)
    rows.extend(table)
    rows[1:3] = table[1:3]
    dw.Records.from_arrow(table).save(tmp_path / "x")
    for taken in (rows, dw.Records(Loose, table), dw.Records.open(tmp_path / "x", Loose)):
        assert [row._astuple() for row in taken] == expected
        assert taken.types["what"] == "object"
        taken.what[0] = ["anything"]
    nested = pa.table({"number": [1], "what": [[1, 2]], "tags": ["b"]})
    with pytest.raises(
        TypeError, match=r'field "what" has the Arrow type .*; rows that come one by one can have it'
    ):
        dw.Records(Loose, nested)
    assert dw.Records(Loose, nested.to_pylist()).what.tolist() == [[1, 2]]


def test_records_with_objects_are_packed():
    class Mixed(dw.Record):
        number: int
        what: object
        score: dw.f4
        none: dw.u2 | None

    things = [Thing("a"), None, 2**100]
    rows = dw.Records(Mixed, [(at, thing, 0.5, None) for at, thing in enumerate(things)])
    packed = dw.pack(rows)
    assert packed.types == {"number": "u1", "what": "object", "score": "f4", "none": "u2 | None"}
    assert packed.what.tolist() == things
    assert packed.number.tolist() == [0, 1, 2]
    assert dw.pack(rows, types={"number": "f8"}).types["number"] == "f8"
    assert dw.pack(rows[:0]).types == rows.types
    assert dw.pack(rows[1:2], types={"what": "str | None"}).what.tolist() == [None]
    with pytest.raises(TypeError, match="a table has names already"):
        dw.pack(rows, names=["a", "b", "c", "d"])


def test_a_numpy_array_of_objects_is_a_copy():
    np = pytest.importorskip("numpy")
    rows = dw.Records(Holder, [(1, [1, 2], []), (2, [3, 4], [])])
    array = np.asarray(rows.what)
    assert (array.dtype, array.shape, array[1]) == (np.dtype(object), (2,), [3, 4])
    assert array[0] is rows[0].what
    array[0] = None
    assert rows[0].what == [1, 2]
    assert rows.what.to_numpy().tolist() == [[1, 2], [3, 4]]
    assert rows.to_numpy()["what"][1] is rows[1].what
    with pytest.raises(BufferError):
        memoryview(rows.what)
    assert dw.Records(dw.Record.of(np.dtype([("x", object)]))).types == {"x": "object"}


def test_pack_keeps_objects_where_it_is_told_to():
    rows = [{"x": 1}, {"x": "1"}, {}, {"x": [2]}]
    with pytest.raises(TypeError, match='row 1, field "x"'):
        dw.pack(rows)
    packed = dw.pack(rows, types={"x": object})
    assert packed.types == {"x": "object"}
    assert packed.x.tolist() == [1, "1", None, [2]]
    assert packed.x[3] is rows[3]["x"]


def test_a_default_that_all_rows_would_share():
    with pytest.raises(ValueError, match="all rows would have the same list"):

        class Shared(dw.Record):
            tags: list[str] = []  # noqa: RUF012


def test_a_row_that_holds_itself_is_shown_and_copied():
    own = Holder(1, None, [])
    own.what = own
    assert repr(own) == "Holder(number=1, what=..., tags=[])"
    copied = copy.deepcopy(own)
    assert copied.what is copied is not own
    rows = dw.Records(Holder, [(1, None, [])])
    rows[0].what = rows[0]
    assert repr(rows[0]) == "Holder(number=1, what=Holder(number=1, what=..., tags=[]), tags=[])"
