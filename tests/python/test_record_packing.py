"""pack: the narrowest types that lose nothing, from rows of any shape."""

import collections
import dataclasses
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


@pytest.mark.parametrize("wrong", [[7], [{1: 2}], [object()], 7])
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
