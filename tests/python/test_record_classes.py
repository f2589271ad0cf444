"""Classes of rows: from annotations, and from what already has fields."""

import dataclasses
import inspect
import pickle
import pydoc
import sys
import typing
from datetime import datetime
from typing import Annotated, ClassVar, Final, Literal, Optional, TypedDict

import deadweight as dw
import pytest


class Base(dw.Record):
    a: dw.u1
    b: str = "x"


class Derived(Base):
    c: Optional[float]  # noqa: UP045 - as older code has it
    limit: ClassVar[int] = 3

    @property
    def twice(self):
        return self.a * 2


def test_fields_are_inherited():
    row = Derived(7, c=1)
    assert (row.a, row.b, row.c, row.twice, row.limit) == (7, "x", 1.0, 14, 3)
    assert Derived._fields == Derived.__match_args__ == ("a", "b", "c")
    assert dw.Records(Derived).types == {"a": "u1", "b": "str", "c": "f8 | None"}
    assert isinstance(row, Base)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: Base(), 'no value for field "a"'),
        (lambda: Base(1, "x", 3), "takes 2 values, not 3"),
        (lambda: Base(1, a=2), "two values for field 'a'"),
        (lambda: Base(1, b="", z=2), r"Base\(\) has no field 'z'$"),
        (lambda: Base(z=2), r"Base\(\) has no field 'z'$"),
        (lambda: Base(1)._replace(aa=2), r"Base\(\) has no field 'aa'$"),
        (lambda: dw.Records(int), "no fields"),
        (lambda: dw.Records(dw.Record), "no fields"),
        (lambda: dw.Record(), "no fields"),
    ],
)
def test_calls_that_make_no_row(call, text):
    with pytest.raises(TypeError, match=text):
        call()


@pytest.mark.parametrize("wrong", [7, None, "u9", object(), ...])
def test_types_that_no_column_has(wrong):
    with pytest.raises(TypeError, match="no column holds"):
        dw.Record.of({"a": wrong})


@pytest.mark.parametrize(
    "name",
    [
        *(
            "of",
            "_asdict",
            "_replace",
            "_fields",
            "_schema",
            "_defaults",
            "_made",
            "_within",
            "_packed",
            "_detach",
        ),
        *("__class__", "__hash__", "__len__", "__unheard_of__"),
    ],
)
def test_names_that_rows_have_already(name):
    with pytest.raises(ValueError, match=repr(name)):
        dw.Record.of({name: int})


class Private:
    def __init__(self, number):
        self._id = number
        self.__secret = number + 1


def test_names_may_begin_with_an_underscore():
    class Document(dw.Record):
        _id: dw.u4
        _source: str = ""

    documents = dw.Records(Document, [{"_id": 7}, (8, "x")])
    assert (documents[0]._id, documents._id.tolist(), documents["_source"].tolist()) == (7, [7, 8], ["", "x"])
    documents[1]._id = 9
    assert documents[1] == Document(_id=9, _source="x")
    packed = dw.pack([Private(1), Private(2)])
    assert packed[1]._asdict() == {"_id": 2, "_Private__secret": 3}
    assert pickle.loads(pickle.dumps(packed)) == packed


def test_names_that_are_keywords_are_columns_all_the_same():
    rows = dw.pack([{"class": 1, "two words": 2, "append": 3}])
    assert getattr(rows[0], "class") == 1
    assert list(rows["two words"]) == [2]
    assert list(rows["append"]) == [3]


def test_rows_of_no_fields():
    class Empty(dw.Record):
        pass

    rows = dw.Records(Empty, [(), {}])
    assert len(rows) == 2
    assert rows[0] == Empty()
    assert rows.nbytes == 0


def test_from_a_dataclass():
    @dataclasses.dataclass
    class Point:
        x: dw.f4
        name: str = "p"

    Row = dw.Record.of(Point)
    assert Row.__name__ == "Point"
    assert Row(1) == Row(1.0, "p")
    assert dw.Records(Row, [Point(0.5), Point(1.5, "q")])[1] == Row(1.5, "q")


def test_from_a_typed_dict():
    class Movie(TypedDict, total=False):
        title: str
        year: Annotated[int, dw.u2]

    rows = dw.Records(dw.Record.of(Movie), [{"title": "Alien", "year": 1979}, {"title": "Dune"}])
    assert list(rows.year) == [1979, None]


def test_from_a_dtype():
    np = pytest.importorskip("numpy")
    dtype = np.dtype([("a", "u2"), ("b", "f4"), ("c", "U5"), ("d", "M8[us]"), ("e", "?")])
    rows = dw.Records(dw.Record.of(dtype))
    assert rows.types == {"a": "u2", "b": "f4", "c": "str", "d": "datetime", "e": "bool"}
    rows.extend(np.zeros(2, dtype).tolist())
    assert rows[1]._astuple() == (0, 0.0, "", datetime(1970, 1, 1), False)


CODES = {
    "b": "i1",
    "h": "i2",
    "i": "i4",
    "l": "i8",
    "q": "i8",
    "B": "u1",
    "H": "u2",
    "I": "u4",
    "L": "u8",
    "Q": "u8",
}


@pytest.mark.parametrize(("code", "name"), [*CODES.items(), ("f", "f4"), ("d", "f8")])
def test_type_codes_of_array(code, name):
    import array

    rows = dw.Records(dw.Record.of({"x": code}))
    assert rows.types == {"x": name}
    assert memoryview(rows.x).itemsize == array.array(code).itemsize


def test_slots_and_unresolvable_annotations_are_refused():
    with pytest.raises(TypeError, match="not slots of their own"):

        class Wrong(dw.Record):
            __slots__ = ("a",)
            a: int


def test_defaults_of_dataclasses_are_taken_and_factories_refused():
    class Row(dw.Record):
        number: int
        name: str = dataclasses.field(repr=False)
        score: float = dataclasses.field(default=3.0)

    assert Row(1, "a") == Row(1, "a", 3.0)
    with pytest.raises(TypeError, match=r"Tagged\.tags: all rows have one default"):

        class Tagged(dw.Record):
            tags: list = dataclasses.field(default_factory=list)

    @dataclasses.dataclass
    class Plain:
        tags: list = dataclasses.field(default_factory=list)

    with pytest.raises(TypeError, match=r"Plain\.tags: all rows have one default"):
        dw.Record.of(Plain)


def test_annotations_may_say_more_than_types():
    class Row(dw.Record):
        number: Annotated[int, "of the house"]
        small: Annotated[int, "u1"]
        name: Final[str]
        lasted: Annotated[float, "h"]
        kind: Annotated[str, "d", "category"]

    assert dw.Records(Row).types == {
        "number": "i8",
        "small": "u1",
        "name": "str",
        "lasted": "f8",
        "kind": "category",
    }
    if sys.version_info >= (3, 11):

        class Told(TypedDict):
            number: typing.NotRequired[int]
            name: typing.Required[str]

        assert dw.Record.of(Told)._schema.fields == [("number", "i8", True), ("name", "str", False)]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="syntax of 3.12")
def test_annotations_may_be_aliases():
    namespace = {}
    exec("type UserId = int\ntype Maybe = UserId | None\ntype Tags = list[Tags]\n", namespace)
    fields = {name: namespace[name] for name in ("UserId", "Maybe", "Tags")} | {"text": typing.LiteralString}
    types = {"UserId": "i8", "Maybe": "i8 | None", "Tags": "object", "text": "str"}
    assert dw.Records(dw.Record.of(fields)).types == types


TOLD = {
    "int": "i8",
    "float": "f8",
    "<i4": "i4",
    ">u2": "u2",
    "|b1": "bool",
    "?": "bool",
    "uint32": "u4",
    "float32": "f4",
    "M8[us]": "datetime",
    "<m8[us]": "timedelta",
    "datetime64[D]": "date",
    "U12": "str",
    "S": "bytes",
    "O": "object",
    "u4 | None": "u4 | None",
    "I | None": "u4 | None",
    "category | None": "category | None",
    "O | None": "object",
}


@pytest.mark.parametrize(("name", "kind"), TOLD.items())
def test_names_of_types(name, kind):
    assert dw.Records(dw.Record.of({"x": name})).types == {"x": kind}
    assert dw.pack([], types={"x": name}).types == {"x": kind}
    # Where annotations are not evaluated, they come with their quotes.
    for annotation in (name, repr(name)):
        assert dw.Records(type(dw.Record)("Row", (dw.Record,), {"__annotations__": {"x": annotation}})).types == {
            "x": kind
        }


@pytest.mark.parametrize("name", ["M8[ns]", "i3", "U1x", "u4 | str", "None", "", " | None", "c16"])
def test_names_of_no_types(name):
    with pytest.raises(TypeError, match="no column holds"):
        dw.Record.of({"x": name})


def test_names_of_dtypes_are_what_the_dtypes_are():
    np = pytest.importorskip("numpy")
    for name, kind in TOLD.items():
        if "None" not in name and not (name == "int" and np.dtype(int).itemsize < 8):
            assert dw.Records(dw.Record.of({"x": np.dtype(name)})).types == {"x": kind}


class Kinds(dw.Record):
    a: "u4"  # noqa: F821
    b: "I | None"  # noqa: F821
    c: "<i4"  # noqa: F722
    d: "float"


def test_annotations_may_be_names_of_types():
    assert dw.Records(Kinds).types == {"a": "u4", "b": "u4 | None", "c": "i4", "d": "f8"}
    Q = str

    class Own(dw.Record):
        a: "Q"

    assert dw.Records(Own).types == {"a": "str"}


def test_types_are_taken_as_they_are_given():
    packed = dw.pack([{"a": 1, "b": "x"}, {"a": None, "b": "y", "c": [1]}], types={"c": object})
    assert packed.types == {"a": "u1 | None", "b": "str", "c": "object"}
    again = dw.pack([{"a": 2, "b": "z", "c": 3}], types=packed.types)
    assert again.types == packed.types
    assert dw.Records(dw.Record.of(packed.types)).types == packed.types


def test_literals_are_of_the_type_of_their_values():
    assert dw.Records(
        dw.Record.of({"a": Literal["x", "y"], "b": Literal[1, None], "c": Literal[1, "x"]})
    ).types == {"a": "str", "b": "i8 | None", "c": "object"}


def test_defaults_come_last():
    with pytest.raises(TypeError, match=r"A\.y has no default, and comes after x, which has one"):

        class A(dw.Record):
            x: int = 1
            y: int

    with pytest.raises(TypeError, match=r"B\.c has no default, and comes after b"):

        class B(Base):
            c: int

    class Fine(Base):
        a: dw.u2
        c: int | None
        d: int = 0

    assert Fine(1)._astuple() == (1, "x", None, 0)

    @dataclasses.dataclass(kw_only=True)
    class Named:
        a: int = 1
        b: int

    assert dw.Record.of(Named)(b=2)._astuple() == (1, 2)


def test_the_signature_is_of_the_fields():
    assert str(inspect.signature(Base)) == "(a: 'u1', b: 'str' = 'x')"
    assert str(inspect.signature(Derived)) == "(a: 'u1', b: 'str' = 'x', c: 'f8 | None' = None)"
    early = dw.Record.of({"a": "u1 | None", "b": int})
    assert str(inspect.signature(early)) == "(a: 'u1 | None' = None, *, b: 'i8')"
    assert early(b=1)._astuple() == (None, 1)
    assert "Base(a: " in pydoc.plain(pydoc.render_doc(Base)).replace("'", "")

    class Own(Base):
        def __init__(self, *given):
            pass

    for other in (Own, dw.Record, dw.Record.of({"not a name": int}), dw.Record.of({"class": int})):
        assert "a: " not in str(inspect.signature(other))


def test_values_of_a_row_on_its_own_are_of_no_numbered_row():
    row = Base(7)
    for wrong in (lambda: Base(-1), lambda: setattr(row, "a", -1)):
        with pytest.raises(OverflowError, match=r'^field "a": -1 does not fit into u1$'):
            wrong()
    with pytest.raises(OverflowError, match=r'^row 1, field "a": -1 does not fit into u1$'):
        dw.Records(Base, [row, row])[1].a = -1


def test_a_class_may_name_itself():
    class Node(dw.Record):
        number: dw.u4
        children: "list[Node]"
        parent: "Node | None" = None

    root = Node(1, [])
    assert Node(2, [], root).parent is root
    assert dw.Records(Node, [root]).types == {"number": "u4", "children": "object", "parent": "object"}


def test_a_name_that_nobody_knows_yet_is_said():
    with pytest.raises(
        NameError, match=r"^Node.later: name 'Later' is not defined where .*: annotate it as object"
    ):

        class Node(dw.Record):
            number: dw.u4
            later: "Later | None"  # noqa: F821

    class Open(dw.Record):
        later: object

    assert Open(Open).later is Open


@pytest.mark.skipif(sys.version_info < (3, 14), reason="annotations are evaluated at once before")
def test_names_without_quotes_that_nobody_knows_yet():
    namespace = {"dw": dw}
    exec("class Node(dw.Record):\n    number: dw.u4 | None\n    parent: Node | None = None\n", namespace)
    node = namespace["Node"]
    assert node(1, node(2)).parent.number == 2
    assert dw.Records(node).types == {"number": "u4 | None", "parent": "object"}
    with pytest.raises(
        NameError, match=r"^Node.later: name 'Later' is not defined where .*: annotate it as object"
    ):
        exec("class Node(dw.Record):\n    number: dw.u4\n    later: Later | None\n", namespace)


def test_keywords_and_a_dataclass_above_are_refused():
    with pytest.raises(TypeError, match=r"^Some: a class of rows takes no keywords: tag, more$"):

        class Some(dw.Record, tag=1, more=2):
            number: int

    class Other(dw.Record):
        number: int
        text: str = "x"

    before = dict(vars(Other))
    for made in (dataclasses.dataclass, dataclasses.dataclass(frozen=True, slots=True)):
        with pytest.raises(TypeError, match=r"^Other: rows have all that @dataclass gives: take it away$"):
            made(Other)
    assert dict(vars(Other)) == before
    assert Other(1) == Other(1, "x")
