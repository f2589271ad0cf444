"""Files of CSV as packed records: texts read as the types of fields."""

import csv
import datetime
import io
import sys

import deadweight as dw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st


def of(text, **how):
    return dw.scan_csv(io.BytesIO(text.encode()), **how)


class Everything(dw.Record):
    small: dw.u1
    whole: int
    ratio: float
    narrow: dw.f4
    flag: bool
    text: str
    data: bytes
    word: dw.category
    day: datetime.date
    at: datetime.datetime


HEADER = "small,whole,ratio,narrow,flag,text,data,word,day,at\n"


def test_each_type_is_read_from_its_text():
    rows = of(
        HEADER
        + '255,-9223372036854775808,1e-3,0.5,true,"a ""b"", c",é,no,2024-02-29,2024-02-29T12:30:00.000001\n'
        + "0, 7 ,inf,-0,0,,,,0001-01-01,1969-12-31 23:59\n"
    ).to_records(Everything)
    assert [row._asdict() for row in rows] == [
        Everything(
            255,
            -(2**63),
            0.001,
            0.5,
            True,
            'a "b", c',
            "é".encode(),
            "no",
            datetime.date(2024, 2, 29),
            datetime.datetime(2024, 2, 29, 12, 30, 0, 1),
        )._asdict(),
        Everything(
            0,
            7,
            float("inf"),
            -0.0,
            False,
            "",
            b"",
            "",
            datetime.date(1, 1, 1),
            datetime.datetime(1969, 12, 31, 23, 59),
        )._asdict(),
    ]


def test_nothing_is_none_where_there_may_be_none():
    class Row(dw.Record):
        number: int | None
        text: str | None
        data: bytes | None
        word: dw.category | None
        at: datetime.datetime | None

    rows = of('number,text,data,word,at\n,,,,\n"","","","",""\n').to_records(Row)
    assert rows[0] == Row(None, None, None, None, None)
    assert rows[1] == Row(None, "", b"", "", None), "a text in quotes is one"


@pytest.mark.parametrize(
    ("field", "text", "reason"),
    [
        ("u1", "256", "256 does not fit into u1"),
        ("u1", "-1", "-1 does not fit into u1"),
        ("i8", "1.0", '"1.0" is no i8'),
        ("i8", "", '"" is no i8'),
        ("u8", "9" * 40, "9" * 40 + " does not fit into u8"),
        ("f8", "1,5", '"1,5" is no f8'),
        ("f4", "1e39", "1e39 does not fit into f4"),
        ("f4", "1e400", "1e400 does not fit into f4"),
        ("bool", "yes", '"yes" is no bool'),
        ("date", "29.2.2024", '"29.2.2024" is no date'),
        ("datetime", "2024-02-30 12:00", '"2024-02-30 12:00" is no datetime'),
        ("datetime", "2024-02-29T12:00:00Z", '"2024-02-29T12:00:00Z" is no datetime'),
    ],
)
def test_an_error_names_line_byte_column_text_and_type(field, text, reason):
    record = dw.Record.of({"id": "u1", "value": field})
    data = f'id,value\n1,"{text}"\n'
    with pytest.raises(ValueError) as raised:
        of("\n" + data).to_records(record)
    assert str(raised.value) == f'<BytesIO>:3: byte 10: column "value": {reason}'
    collecting = of(data, bad_rows="collect")
    assert len(collecting.to_records(record)) == 0
    [bad] = collecting.bad_rows
    assert (bad.record, bad.line, bad.offset, bad.reason) == (2, 2, 9, f'column "value": {reason}')


def test_bytes_that_are_no_text_are_bytes_in_a_field_of_bytes():
    data = b"a,b\ncaf\xe9,1\n"
    assert dw.scan_csv(io.BytesIO(data)).to_records(dw.Record.of({"a": "bytes"}))[0].a == b"caf\xe9"
    with pytest.raises(ValueError, match='column "a": bytes that are no UTF-8'):
        dw.scan_csv(io.BytesIO(data)).to_records(dw.Record.of({"a": "str"}))
    latin = dw.scan_csv(io.BytesIO(data), encoding="latin-1")
    assert latin.to_records(dw.Record.of({"a": "str"}))[0].a == "café"


def test_columns_go_by_name_and_those_with_a_default_may_be_missing():
    class Row(dw.Record):
        b: int
        a: str
        more: float | None
        rate: float = 1.5

    rows = of("a,x,b\none,ignored,1\n").to_records(Row)
    assert rows[0] == Row(1, "one", None, 1.5)
    assert of("a,x,b\none,,1\n").select("b", "a").to_records(Row)[0] == Row(1, "one", None, 1.5)
    with pytest.raises(KeyError, match="has no column 'b': it has 'a', 'x'"):
        of("a,x\none,1\n").to_records(Row)
    with pytest.raises(ValueError, match="several columns 'b'"):
        of("b,a,b\n").to_records(Row)
    assert of("1,one\n", header=["b", "a"]).to_records(Row)[0].a == "one"


def test_what_no_text_says_is_refused_before_anything_is_read():
    class Row(dw.Record):
        tags: list[str]

    with pytest.raises(TypeError, match=r"Row\.tags: no text says a value of type object"):
        of("tags\na\n").to_records(Row)
    with pytest.raises(TypeError, match="timedelta"):
        of("t\na\n").to_records(dw.Record.of({"t": "timedelta"}))
    for wrong in (dict, Row(["a"]), "Row"):
        with pytest.raises(TypeError, match="a subclass of Record"):
            of("tags\na\n").to_records(wrong)
    with pytest.raises(KeyError, match="no column for any field"):
        of("a\n1\n").to_records(dw.Record.of({"b": "str | None"}))


def test_bad_rows_are_left_out_with_all_their_values():
    record = dw.Record.of({"a": "u1", "b": "str", "c": "u1"})
    scan = of('a,b,c\n1,x,2\n3,y,bad\n4,z\n5,w,6\n7,"v\n', bad_rows="collect")
    rows = scan.to_records(record)
    assert [row._astuple() for row in rows] == [(1, "x", 2), (5, "w", 6)]
    assert (scan.skipped, [bad.line for bad in scan.bad_rows]) == (3, [3, 4, 6])


def test_batches_are_all_rows_so_many_at_a_time():
    record = dw.Record.of({"n": "u4"})
    text = "n\n" + "".join(f"{n}\n" for n in range(25))
    batches = list(of(text).batches(record, 10))
    assert [len(batch) for batch in batches] == [10, 10, 5]
    assert [row.n for batch in batches for row in batch] == list(range(25))
    assert len(list(of("n\n").batches(record))) == 0
    with pytest.raises(ValueError, match="at least one row"):
        of(text).batches(record, 0)


def test_records_of_nothing_are_none():
    record = dw.Record.of({"n": "u4"})
    assert len(of("n\n").to_records(record)) == 0
    with pytest.raises(KeyError, match="no column 'n'"):
        of("").to_records(record)


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
ROWS = st.tuples(
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.booleans(),
    TEXTS.map(lambda text: text.replace("\0", "")),
    st.dates(),
    st.datetimes(),
)


@settings(max_examples=50)
@given(st.lists(ROWS, max_size=20), st.sampled_from(["T", " "]))
def test_what_python_writes_is_read_back(rows, separator):
    record = dw.Record.of({"i": "i8", "f": "f8", "b": "bool", "t": "str", "d": "date", "w": "datetime"})
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(record._fields)
    writer.writerows((*row[:5], row[5].isoformat(separator)) for row in rows)
    found = of(file.getvalue()).to_records(record)
    assert [row._astuple() for row in found] == rows


@pytest.mark.skipif(sys.version_info < (3, 11), reason="it reads fractions of three or six digits only")
@given(
    st.from_regex(
        r"[0-9]{4}-[01][0-9]-[0-3][0-9]([T ][0-2][0-9]:[0-6][0-9](:[0-6][0-9](\.[0-9]{1,7})?)?)?", fullmatch=True
    )
)
def test_a_time_is_what_python_reads(text):
    """Python reads more forms."""
    try:
        value = of(f'w\n"{text}"\n').to_records(dw.Record.of({"w": "datetime"}))[0].w
    except ValueError:
        lost = len(text) == 27 and text[-1] != "0"
        if not (lost or "T24" in text or " 24" in text):
            with pytest.raises(ValueError):
                datetime.datetime.fromisoformat(text)
    else:
        assert datetime.datetime.fromisoformat(text) == value


def test_without_a_class_columns_get_the_types_that_their_texts_say(tmp_path):
    path = tmp_path / "types.csv"
    path.write_text(
        "id,code,score,ok,day,at,word,name,none\n"
        + "".join(
            f"{n},{n:03},{n / 4},{str(n % 2 == 0).lower()},2024-01-{n % 28 + 1:02},2024-01-01T00:{n % 60:02},"
            f"{'yes' if n % 3 else ''},name {n},\n"
            for n in range(300)
        )
    )
    rows = dw.scan_csv(path).to_records()
    assert rows.types == {
        "id": "u2",
        "code": "str",
        "score": "f8",
        "ok": "bool",
        "day": "date",
        "at": "datetime",
        "word": "category | None",
        "name": "str",
        "none": "bool | None",
    }
    assert rows[5].code == "005"
    assert (rows[0].word, rows[1].word, rows[299].score) == (None, "yes", 74.75)
    assert dw.scan_csv(path).select("id", "score").to_records().types == {"id": "u2", "score": "f8"}
    with pytest.raises(TypeError, match="can be read only once"):
        of("a\n1\n").to_records()
    once = of("a\n1\n")
    with pytest.raises(TypeError, match="can be read only once"):
        once.to_records()
    assert len(once.to_records(dw.Record.of({"a": "u1"}))) == 1, "that has read nothing"


class Growing:
    """A file that has one more bad row each time somebody opens it."""

    def __init__(self, path):
        self.path, self.bad = path, 0

    def __fspath__(self):
        with self.path.open("a") as file:
            file.write("x,y\n")
        self.bad += 1
        return str(self.path)


def test_without_a_class_what_was_skipped_is_of_the_rows(tmp_path):
    path = tmp_path / "grows.csv"
    path.write_text("a\n1\n2\n")
    growing = Growing(path)
    scan = dw.scan_csv(growing, bad_rows="skip")
    assert len(scan.to_records()) == 2
    assert scan.skipped == growing.bad - 1, "the types were looked for after the rows were opened"


def test_without_a_class_bad_rows_are_what_they_are_with_one(tmp_path):
    path = tmp_path / "bad.csv"
    path.write_text("a,b\n1,2\nx\n3,4\n")
    scan = dw.scan_csv(path, bad_rows="collect")
    assert [row._astuple() for row in scan.to_records()] == [(1, 2), (3, 4)]
    assert (scan.skipped, scan.bad_rows[0].line) == (1, 3)
    with pytest.raises(ValueError, match=r"bad\.csv:3: byte 8: 1 field, not 2"):
        dw.scan_csv(path).to_records()
