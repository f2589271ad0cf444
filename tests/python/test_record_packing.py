"""pack: the narrowest types that lose nothing, from rows of any shape."""

import collections
import csv
import dataclasses
import decimal
import enum
import functools
import sqlite3
import types
from datetime import date

import deadweight as dw
import pytest

Named = collections.namedtuple("Named", "a b")


@dataclasses.dataclass
class Data:
    a: int
    b: str


class Attributes:
    def __init__(self, a, b):
        self.a, self.b = a, b


class Slots:
    __slots__ = ("a", "b")

    def __init__(self, a, b):
        self.a, self.b = a, b


class Packed(dw.Record):
    a: int
    b: str


SHAPES = [lambda a, b: {"a": a, "b": b}, Named, Data, Attributes, Slots, Packed]


@pytest.mark.parametrize("shape", SHAPES)
def test_rows_of_every_shape(shape):
    rows = dw.pack(shape(number * 100, f"text {number}") for number in range(20))
    assert rows.types == {"a": "u2", "b": "str"}
    assert [row._astuple() for row in rows] == [(number * 100, f"text {number}") for number in range(20)]


def test_tuples_are_named_by_whoever_knows():
    assert dw.pack([(1, "x")]).types == {"field_0": "u1", "field_1": "str"}
    assert dw.pack([(1, "x")], names=["a", "b"]).types == {"a": "u1", "b": "str"}
    with pytest.raises(ValueError, match="row 1 has 1 values, not 2"):
        dw.pack([(1, 2), (1,)])


@pytest.mark.parametrize(
    ("values", "type_"),
    [
        ([0, 255], "u1"),
        ([-1, 127], "i1"),
        ([-1, 128], "i2"),
        ([2**40], "u8"),
        ([-(2**40)], "i8"),
        ([1, 2.5], "f8"),
        ([True, False], "bool"),
        ([b"x"], "bytes"),
        ([date(2000, 1, 1)], "date"),
        (["x", "y"] * 100, "category"),
        ([str(number) for number in range(100)], "str"),
        ([None, 3], "u1 | None"),
        ([float("nan")], "f8"),
    ],
)
def test_the_narrowest_type(values, type_):
    rows = dw.pack({"x": value} for value in values)
    assert rows.types == {"x": type_}
    assert repr(list(rows.x)) == repr([float(value) if type_ == "f8" else value for value in values])


@pytest.mark.parametrize(
    "values", [[1, "x"], [True, 1], ["x", b"x"], [2**53 + 1, 0.5], [-1, 2**63], [1, [2]], [2**64]]
)
def test_values_that_no_column_holds(values):
    with pytest.raises((TypeError, OverflowError), match='field "x"'):
        dw.pack([{"x": value} for value in values])


def test_missing_keys_and_late_ones():
    rows = dw.pack([{"a": 1}, {"b": "x"}, {"a": 3, "b": "y", "c": 1.5}])
    assert [row._astuple() for row in rows] == [(1, None, None), (None, "x", None), (3, "y", 1.5)]


def test_types_can_be_told():
    rows = dw.pack([{"a": 1, "b": "x"}], types={"a": dw.i8, "b": "category"})
    assert rows.types == {"a": "i8", "b": "category"}
    with pytest.raises(OverflowError, match='row 0, field "a": -1 does not fit into u4'):
        dw.pack([{"a": -1}], types={"a": "I"})
    with pytest.raises(TypeError, match='row 1, field "a"'):
        dw.pack([{"a": 1}, {}], types={"a": int})
    with pytest.raises(ValueError, match='no row has a field "z"'):
        dw.pack([{"a": 1}], types={"z": int})


def test_nothing_to_pack():
    assert dw.pack([]).types == {}
    assert dw.pack([], types={"a": int}).types == {"a": "i8"}
    assert len(dw.pack(iter([{}, {}]))) == 2


@pytest.mark.parametrize("named", [{"a": 3}, Data(3, "x"), Attributes(3, "x"), types.MappingProxyType({"a": 3})])
@pytest.mark.parametrize("unnamed", [(1, 2), [1, 2]])
def test_items_without_names_among_rows_with_names(unnamed, named):
    with pytest.raises(TypeError, match=f"row 2: a {type(named).__name__} among tuples.* names="):
        dw.pack([unnamed, unnamed, named])
    with pytest.raises(TypeError, match="row 1: items without names among rows with names: names="):
        dw.pack([named, unnamed])


def test_names_bring_items_and_names_together():
    rows = dw.pack([(1, "x"), {"b": "y", "a": 2}, [3, "z"], Attributes(4, "w")], names=["a", "b"])
    assert [row._astuple() for row in rows] == [(1, "x"), (2, "y"), (3, "z"), (4, "w")]
    rows = dw.pack([{"b": "x", "a": 1}, Named(2, "y")])
    assert [row._asdict() for row in rows] == [{"b": "x", "a": 1}, {"b": "y", "a": 2}]


def test_rows_that_are_lists():
    rows = dw.pack(csv.reader(["1,x", "2,y"]), names=["a", "b"])
    assert [row._asdict() for row in rows] == [{"a": "1", "b": "x"}, {"a": "2", "b": "y"}]
    assert dw.pack([[1, "x"]]).types == {"field_0": "u1", "field_1": "str"}
    with pytest.raises(ValueError, match="row 1 has 1 values, not 2"):
        dw.pack([[1, 2], [1]])


def of_sqlite(a, b):
    connection = sqlite3.connect(":memory:")
    connection.row_factory = sqlite3.Row
    row = connection.execute("SELECT ? AS a, ? AS b", (a, b)).fetchone()
    connection.close()
    return row


@pytest.mark.parametrize(
    "mapping",
    [
        of_sqlite,
        lambda a, b: types.MappingProxyType({"a": a, "b": b}),
        lambda a, b: collections.ChainMap({"a": a}, {"b": b}),
        lambda a, b: collections.UserDict(a=a, b=b),
    ],
)
def test_mappings_that_are_no_dicts(mapping):
    source = [mapping(number, f"text {number}") for number in range(3)]
    rows = dw.pack(source)
    assert rows.types == {"a": "u1", "b": "str"}
    assert [(row.a, row.b) for row in rows] == [(number, f"text {number}") for number in range(3)]
    appended = dw.Records(Packed, source)
    appended.append(source[0])
    assert appended.a.tolist() == [0, 1, 2, 0]


def test_a_field_may_be_called_as_a_method_of_mappings():
    rows = dw.pack([dw.Record.of({"keys": int, "values": str})(1, "x")])
    assert rows[0]._asdict() == {"keys": 1, "values": "x"}


def test_a_generator_is_not_gathered():
    alive = 0
    most = 0

    class Counted(dict):
        def __del__(self):
            nonlocal alive
            alive -= 1

    def source():
        nonlocal alive, most
        for number in range(1000):
            alive += 1
            most = max(most, alive)
            yield Counted(a=number)

    assert len(dw.pack(source())) == 1000
    assert most <= 2


@pytest.mark.parametrize("wrong", [[7], [{1: 2}], [object()], 7, [types.MappingProxyType({1: 2})]])
def test_what_is_no_row(wrong):
    with pytest.raises(TypeError):
        dw.pack(wrong)


def test_a_structured_array():
    np = pytest.importorskip("numpy")
    rows = np.zeros(10_000, [("a", "i8"), ("b", "f4"), ("c", "U3")])
    rows["a"] = np.arange(10_000)
    packed = dw.pack(rows)
    assert packed.types == {"a": "u2", "b": "f4", "c": "category"}
    assert packed.a.to_numpy().tolist() == rows["a"].tolist()
    assert dw.pack(rows[:2], names=iter(["x", "y", "z"])).types == {"x": "u1", "y": "f4", "z": "str"}


@pytest.mark.parametrize(
    "texts",
    [["plain", "x", ""], ["é", "naïve"], ["日本", "😀 smile"], [type("Text", (str,), {})("of a subclass")]],
)
def test_texts_come_back_and_keep_nothing(texts):
    rows = [{"x": "".join([text, str(number)]), "y": text} for number, text in enumerate(texts)]
    before = [dw.sizeof(value) for row in rows for value in row.values()]
    packed = dw.pack(rows)
    assert [dw.sizeof(value) for row in rows for value in row.values()] == before
    assert [row._asdict() for row in packed] == rows


def test_keys_that_are_not_the_same_objects():
    names = ["".join(["na", "me"]) for _ in range(3)]
    rows = [{name: number, "other": None} for number, name in enumerate(names)]
    rows.append({"other": None, "name": 3})
    rows.append({"name": 4})
    assert dw.pack(rows).name.tolist() == [0, 1, 2, 3, 4]


class Text(str):
    pass


def test_dicts_that_part_from_the_first_one_at_any_field():
    """By the order of their keys, or by a value that is not read where it lies."""
    first = {"id": 1, "name": "Ada", "score": 0.5, "seen": None, "tag": "a"}
    rows = [first]
    for name, value in {"id": 2**64 - 1, "name": "Zoë", "score": 7, "seen": b"x", "tag": Text("b")}.items():
        rows += [{**first, name: value}, dict(first)]
    items = list(first.items())
    rows += [dict(items[at:] + items[:at]) for at in range(len(items))]
    assert [row._asdict() for row in dw.pack(rows)] == rows
    late = {name: value for name, value in items if name != "tag"} | {"late": 1}
    rows += [late, first]
    every = dict.fromkeys(first | late)
    assert [row._asdict() for row in dw.pack(rows)] == [every | row for row in rows]


def test_a_row_that_is_refused_leaves_the_others_whole():
    def source():
        yield {"a": 1, "b": "x"}
        yield {"a": 2, "b": 3}

    with pytest.raises(TypeError, match='row 1, field "b": 3 among values of type str'):
        dw.pack(source())


def test_what_the_rows_took():
    rows = [{"number": 10_000 + number, "name": f"name {number}"} for number in range(500)]
    packed = dw.pack(rows)
    came = packed.packed_from
    assert (came.type, came.rows, came.after, came.trust) == ("dict", 500, packed.nbytes, "measured")
    # The keys are the interpreter's, and everything else is freed with the list.
    alone = dw.sizeof(rows) + sum(dw.sizeof(row) + sum(map(dw.sizeof, row.values())) for row in rows)
    assert came.before == alone
    assert str(packed).endswith(f"\n  {came}")
    assert str(came).startswith(f"{came.before / 500:,.0f} B a row as dict → {packed.nbytes / 500:,.0f} B: ")


def test_what_somebody_else_holds_is_not_saved():
    names = [f"name {number}" for number in range(500)]
    rows = [(name,) for name in names]
    came = dw.pack(rows).packed_from
    assert came.before == dw.sizeof(rows) + sum(map(dw.sizeof, rows))
    objects = [([number],) for number in range(500)]
    kept = dw.pack(objects, types={"field_0": object})
    assert kept.packed_from.before == dw.sizeof(objects) + sum(map(dw.sizeof, objects))


def weighed(rows):
    return sum(dw.sizeof(row) + sum(map(dw.sizeof, row.values())) for row in rows)


@pytest.mark.parametrize("many", [300, 3000])
def test_rows_that_somebody_else_holds_are_not_saved(many):
    rows = [{"number": 10_000.5 + number} for number in range(many)]
    kept = rows[::2]
    came = dw.pack(rows).packed_from
    alone = dw.sizeof(rows) + weighed(rows[1::2])
    if many == 300:
        assert came.before == dw.deepsizeof(rows).exclusive == alone
    else:
        assert came.before == pytest.approx(alone, rel=0.1)
    kept += rows[1::2]
    assert dw.pack(rows).packed_from.before == dw.sizeof(rows)


@pytest.mark.parametrize("many", [300, 3000])
def test_rows_that_lead_back_to_themselves_are_saved(many):
    rows = [Data(10_000 + number, f"text {number}") for number in range(many)]
    for row in rows:
        row.no_field = [row]
    came = dw.pack(rows).packed_from
    assert came.before == pytest.approx(dw.deepsizeof(rows).exclusive, rel=0.05)
    assert came.before > 200 * many


@pytest.mark.parametrize("period", [2, 10, 50])
def test_what_every_so_many_rows_have_does_not_go_with_the_sample(period):
    rows = [{"number": 10_000.5 + number} for number in range(50_000)]
    for number in range(0, 50_000, period):
        rows[number]["text"] = f"{number:0{period * 200}}"
    came = dw.pack(rows).packed_from
    assert came.before == pytest.approx(dw.sizeof(rows) + weighed(rows), rel=0.2)


def test_many_rows_are_estimated():
    rows = [{"number": 10_000 + number} for number in range(50_000)]
    came = dw.pack(rows).packed_from
    whole = dw.sizeof(rows) + sum(dw.sizeof(row) + dw.sizeof(row["number"]) for row in rows)
    assert came.trust == "estimated"
    assert came.before == pytest.approx(whole, rel=0.01)
    assert str(came).startswith("≈")


def test_rows_that_are_gone_have_no_size():
    assert dw.pack({"x": number} for number in range(9)).packed_from is None
    assert dw.pack([]).packed_from is None
    assert dw.pack([{"x": 1}])[:].packed_from is None


def test_an_attribute_that_raises_is_no_missing_one():
    class Broken:
        __slots__ = ("number", "score")

        def __init__(self, number):
            self.number = number

        def __getattr__(self, name):
            raise ZeroDivisionError(name)

    class Missing(Broken):
        __slots__ = ()

        def __getattr__(self, name):
            raise AttributeError(name)

    assert list(dw.pack([Missing(1), Missing(2)]).score) == [None, None]
    with pytest.raises(ZeroDivisionError, match="score"):
        dw.pack([Broken(1)])


@pytest.mark.parametrize("value", [{"b": 1}, [1], 2**64, decimal.Decimal(1)])
def test_what_no_column_of_values_holds_is_said_with_what_to_do(value):
    with pytest.raises(TypeError, match=r'row 0, field "a": no column of values holds .*types=\{"a": object\}'):
        dw.pack([{"a": value}])
    assert dw.pack([{"a": value}], types={"a": object})[0].a == value


def test_rows_are_equal_however_wide_their_columns_are():
    narrow, wide = dw.pack([{"a": 1, "b": "x"}]), dw.pack([{"a": 1, "b": "x"}, {"a": 300, "b": None}])
    assert narrow.types != wide.types
    assert narrow[0] == wide[0]
    assert wide[0] == narrow[0]
    assert wide[1] != narrow[0]
    assert narrow[0] in wide and wide.index(narrow[0]) == 0
    assert narrow == wide[:1] and wide[:1] == narrow
    assert narrow != wide and wide[1:] != narrow
    assert dw.pack([{"a": 1}])[0] == dw.pack([{"a": 1.0}])[0]
    # The class has another name, or the fields have.
    assert dw.pack([{"a": 1}], name="A")[0] != dw.pack([{"a": 1}], name="B")[0]
    assert dw.pack([{"a": 1}])[0] != dw.pack([{"b": 1}])[0]
    assert dw.pack([{"a": 1}]) != dw.pack([{"b": 1}])
    assert dw.pack([{"a": 1, "b": 2}])[0] != dw.pack([{"b": 2, "a": 1}])[0]


def test_rows_of_classes_of_a_programs_own_are_of_their_class():
    class One(dw.Record):
        a: int

    class Two(dw.Record):
        a: int

    made = dw.Record.of({"a": int}, name="One")
    for other in (Two(1), made(1), dw.pack([{"a": 1}], name="One")[0]):
        assert One(1) != other and other != One(1)
    assert dw.Records(One, [(1,)]) != dw.Records(made, [(1,)])


def test_types_that_are_told_give_the_order_where_no_tuple_does():
    types = dict.fromkeys("qwertyuiop", "u1")
    packed = dw.pack([], types=types)
    assert list(packed.types) == list(types)
    packed.append(tuple(range(10)))
    assert packed[0]._asdict() == {name: number for number, name in enumerate(types)}
    assert list(dw.pack([{"a": 1, "b": "x"}], types={"b": "str", "a": "u1"}).types) == ["b", "a"]
    assert list(dw.pack([{"a": 1, "b": "x"}], types={"b": "str"}).types) == ["a", "b"]
    told = {"b": "u1", "a": "u2"}
    assert dw.pack([Named(1, 2)], types=told)[0]._astuple() == (1, 2)
    assert dw.pack([(1, 2)], names=["a", "b"], types=told)[0]._astuple() == (1, 2)


def test_a_later_batch_need_not_have_what_may_be_missing():
    first = dw.pack([{"a": 1, "b": "x", "c": [1]}, {"a": 2}], types={"c": object})
    second = dw.pack([{"a": 3}], types=first.types)
    assert second.types == first.types == {"a": "u1", "b": "str | None", "c": "object"}
    first.extend(second)
    assert first[2]._asdict() == {"a": 3, "b": None, "c": None}
    with pytest.raises(ValueError, match='no row has a field "z"'):
        dw.pack([{"a": 1}], types={"z": "str"})


class Color(enum.IntEnum):
    RED = 1
    BLUE = 2


class Mood(str, enum.Enum):
    GOOD = "good"


@pytest.mark.parametrize(("member", "plain"), [(Color.RED, int), (Mood.GOOD, str)])
def test_members_of_enums_are_no_plain_values(member, plain):
    for rows in ([{"x": member}], [(member,)], [types.SimpleNamespace(x=member)]):
        with pytest.raises(
            TypeError, match=rf"row 0.*object.* makes it one of objects, {plain.__name__} takes the"
        ):
            dw.pack(rows)
    with pytest.raises(TypeError, match='row 1, field "x"'):
        dw.pack([{"x": plain(member.value)}, {"x": member}])
    kept = dw.pack([{"x": member}], types={"x": object})
    assert kept[0].x is member
    told = dw.pack([{"x": member}], types={"x": plain})
    assert type(told[0].x) is plain and told[0].x == member


def test_what_cached_method_leaves_on_an_object_is_no_field():
    class Report:
        def __init__(self, a):
            self.a = a

        @dw.cached_method
        def double(self):
            return 2 * self.a

    class Slim:
        __slots__ = ("__weakref__", "_deadweight_caches", "a")
        __init__, double = Report.__init__, Report.double

    for kind in (Report, Slim):
        report = kind(3)
        assert report.double() == 6
        assert dw.pack([report]).types == {"a": "u1"}


class Lazy:
    def __init__(self, function):
        self.function = function

    def __set_name__(self, owner, name):
        self.name = name

    def __get__(self, instance, owner):
        if instance is None:
            return self
        return vars(instance).setdefault(self.name, self.function(instance))


class LazyAndSet(property):
    def __get__(self, instance, owner=None):
        if instance is None:
            return self
        found = vars(instance)
        return found["large"] if "large" in found else found.setdefault("large", super().__get__(instance, owner))


@pytest.mark.parametrize("kind", [functools.cached_property, Lazy, LazyAndSet])
def test_what_a_class_computes_is_not_run(kind):
    runs = 0

    class Report:
        size = 7

        def __init__(self, a):
            self.a = a
            if a:
                self.size = a

        @kind
        def large(self):
            nonlocal runs
            runs += 1
            return "x" * 1000

    reports = [Report(number) for number in (1, 2, 0)]
    assert reports[0].large == "x" * 1000
    packed = dw.pack(reports)
    assert packed.types == {"a": "u1", "size": "u1"}
    assert [row._astuple() for row in packed] == [(1, 1), (2, 2), (0, 7)]
    assert runs == 1
    # Who names it has it.
    assert dw.pack(reports, names=["a", "large"]).large.tolist() == ["x" * 1000] * 3
    assert runs == 3


def test_a_cached_property_in_a_slot_is_not_run():
    @dw.slots
    class Report:
        def __init__(self, a):
            self.a = a

        @functools.cached_property
        def large(self):
            raise AssertionError

    assert dw.pack([Report(1), Report(2)]).types == {"a": "u1"}


def test_an_attribute_that_its_class_checks_is_a_field():
    class Checked:
        def __set_name__(self, owner, name):
            self.name = name

        def __get__(self, instance, owner):
            return vars(instance)[self.name] if instance else self

        def __set__(self, instance, value):
            vars(instance)[self.name] = value

    class Point:
        x = Checked()

        def __init__(self, x):
            self.x = x

    assert dw.pack([Point(1), Point(2)]).x.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (["x", 1], r'1 among values of type str: .*; types=\{"a": object\} keeps them as they are$'),
        ([1, "x"], r"'x' among values of type int: "),
        ([-1, 2**63], "9223372036854775808 among values of type i1: "),
        ([0.5, "x"], "'x' among values of type float: "),
        (["x", float("nan")], "nan among values of type str: .*; what has no value is None here, not NaN$"),
    ],
)
def test_values_that_do_not_go_together_are_said_in_words_of_python(values, said):
    with pytest.raises(TypeError, match=rf'^row 1, field "a": {said}'):
        dw.pack([{"a": value} for value in values])
    kept = dw.pack([{"a": value} for value in values], types={"a": object})
    assert kept.a.tolist() == values or values[1] != values[1]


def test_an_int_that_no_column_holds_is_not_to_be_taken_as_one():
    with pytest.raises(TypeError, match=r"makes it one of objects$"):
        dw.pack([{"a": 2**64}])


def test_a_type_that_no_column_has_is_said_with_the_field():
    for wrong in ("u3", 7):
        for call in (
            lambda wrong: dw.pack([], types={"a": "u1", "b": wrong}),
            lambda wrong: dw.Record.of({"b": wrong}),
        ):
            with pytest.raises(TypeError, match=f'^field "b": no column holds {wrong!r}'):
                call(wrong)
    with pytest.raises(TypeError, match="names of types are bool, bytes, category, date, "):
        dw.pack([], types={"a": "u3"})


def test_some_hundred_texts_are_a_category_in_any_order():
    texts = [f"text {number % 1000}" for number in range(20_000)]
    for rows in (texts, sorted(texts)):
        packed = dw.pack({"a": text} for text in rows)
        assert packed.types == {"a": "category"}
        assert packed.a.tolist() == rows


@pytest.mark.parametrize("key", [1, None])
def test_a_key_that_is_no_name_is_shown(key):
    with pytest.raises(TypeError, match=f"row 1: the name of a field is a str, not {key}"):
        dw.pack([{"a": 1}, {"a": 2, key: 3}])


def test_a_dict_is_one_row():
    with pytest.raises(TypeError, match=r"a dict is one row: pack\(\[row\]\)"):
        dw.pack({"a": 1})
    rows = dw.Records(Packed)
    for take in (rows.extend, lambda dict_: dw.Records(Packed, dict_)):
        with pytest.raises(TypeError, match=r"a dict is one row.*from_columns"):
            take({"a": 1, "b": "x"})
    assert not rows
