"""Rows of CSV as `csv.reader` has them, and, of plain files, pandas, Polars and DuckDB."""

import codecs
import csv
import io
import json
import pathlib
import unittest

import deadweight as dw
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st


def theirs(data, **how):
    with io.TextIOWrapper(io.BytesIO(data), encoding="utf-8", newline="") as file:
        return list(csv.reader(file, **how))


def ours(data, **how):
    scan = dw.scan_csv(io.BytesIO(data), header=False, bad_rows="collect", **how)
    return [list(row) for row in scan], scan


# Of a zero byte, Python 3.10 says that it cannot read it; csv.reader keeps a byte-order mark.
PIECES = [
    '"',
    '""',
    ",",
    "\n",
    "\r",
    "\r\n",
    "x",
    " ",
    "word",
    "é",
    '"a\nb"',
    '"a,""b"',
    '"closed"late',
    "\\",
    "'",
    "\t",
]


@given(st.lists(st.sampled_from(PIECES), max_size=60).map("".join))
@example('a"b,c\n')
@example('"a"b"c",d\n')
@example('"a" "b",d\n')
@example("\n\na,b\n\r\r\nc,d")
def test_whatever_is_in_a_file_rows_are_those_of_csv_reader(text):
    data = text.encode()
    # Lines with nothing in them are rows of no fields there, and none here.
    rows = [row for row in theirs(data) if row]
    found, scan = ours(data)
    bad = {row.record: row for row in scan.bad_rows}
    assert len(found) + len(bad) == len(rows)
    good = iter(found)
    for number, row in enumerate(rows, 1):
        if number not in bad:
            assert next(good) == row
            assert len(row) == len(rows[0])
        elif "quote" not in bad[number].reason:
            assert len(row) != len(rows[0])
        else:
            # It is not closed: another row would be a part of it.
            assert number == len(rows)
            assert len(theirs(data + b"\nx")) == len(theirs(data))


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)


@given(
    st.integers(1, 4).flatmap(lambda width: st.lists(st.lists(TEXTS, min_size=width, max_size=width), min_size=1)),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(['"', "'"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_what_csv_writer_writes_is_read_back(rows, delimiter, quote, quoting, end):
    file = io.StringIO(newline="")
    csv.writer(file, delimiter=delimiter, quotechar=quote, quoting=quoting, lineterminator=end).writerows(rows)
    data = file.getvalue().encode()
    # Before 3.13, it quotes no carriage return.
    assume(theirs(data, delimiter=delimiter, quotechar=quote) == rows)
    # One at the beginning is taken for the mark that it is.
    assume(not data.startswith(codecs.BOM_UTF8))
    found, scan = ours(data, delimiter=delimiter, quote=quote)
    assert (found, scan.skipped) == (rows, 0)


# What Lib/test/test_csv.py reads, in its order, where its dialect is one of ours; and what csv-spectrum has.
CASES = [
    ("", []),
    ("a,b", [["a", "b"]]),
    ("a,b\n", [["a", "b"]]),
    ("a,b\r\n", [["a", "b"]]),
    ("a,b\r", [["a", "b"]]),
    ("a,b\rc,d", [["a", "b"], ["c", "d"]]),
    ("a,b\r\nc,d", [["a", "b"], ["c", "d"]]),
    ('"ab"c', [["abc"]]),
    ("\0", [["\0"]]),
    ("a,\0b,c", [["a", "\0b", "c"]]),
    ('a,"\0b",c', [["a", "\0b", "c"]]),
    ("a,\\b,c", [["a", "\\b", "c"]]),
    ('1,",3,",5', [["1", ",3,", "5"]]),
    ('"a\nb", 7', [["a\nb", " 7"]]),
    ("no space, space,  spaces,\ttab", [["no space", " space", "  spaces", "\ttab"]]),
    ("X" * 50_000 + "," + "X" * 50_000, [["X" * 50_000] * 2]),
    ('"a\nb",b\r\nc,"x\r\nd"\r\n', [["a\nb", "b"], ["c", "x\r\nd"]]),
    ('first,address\nJohn,"120 any st., Anytown"\n', [["first", "address"], ["John", "120 any st., Anytown"]]),
    ('a,b,c\n1,"",""\n2,3,4\n', [["a", "b", "c"], ["1", "", ""], ["2", "3", "4"]]),
    ('a,b\n1,"ha ""ha"" ha"\n3,4\n', [["a", "b"], ["1", 'ha "ha" ha'], ["3", "4"]]),
    ('key,val\n1,"{""type"": ""Point""}"\n', [["key", "val"], ["1", '{"type": "Point"}']]),
    ('a,b,c\n"Once upon \na time",5,6\n', [["a", "b", "c"], ["Once upon \na time", "5", "6"]]),
    ("a,b,c\n1,2,ʤ\n", [["a", "b", "c"], ["1", "2", "ʤ"]]),
    ('"""",","\n', [['"', ","]]),
]


@pytest.mark.parametrize(("text", "rows"), CASES, ids=range(len(CASES)))
def test_cases_that_others_have(text, rows):
    found, scan = ours(text.encode())
    assert (found, scan.skipped) == (rows, 0)


CORPUS = pathlib.Path(__file__).resolve().parents[2] / "corpus/csv"


@pytest.mark.parametrize("path", sorted(CORPUS.glob("*.csv")), ids=lambda path: path.stem)
def test_files_of_the_corpus(path):
    """Named as in csv-spectrum, whose cases they have."""
    found, scan = ours(path.read_bytes())
    assert (found, scan.skipped) == (json.loads(path.with_suffix(".json").read_text()), 0)
    assert found == [row for row in theirs(path.read_bytes()) if row]


def test_where_ours_differ():
    """The table in docs/files.md: what is read otherwise than by `csv.reader`."""
    assert theirs(b"a\n\nb\n") == [["a"], [], ["b"]]
    assert ours(b"a\n\nb\n")[0] == [["a"], ["b"]]
    assert theirs(b'a\n"b\n') == [["a"], ["b\n"]]
    found, scan = ours(b'a\n"b\n')
    assert (found, scan.skipped) == ([["a"]], 1)
    assert theirs("\ufeffa\n".encode()) == [["\ufeffa"]]
    assert ours("\ufeffa\n".encode())[0] == [["a"]]
    assert theirs(b"a,b\n1\n") == [["a", "b"], ["1"]]
    found, scan = ours(b"a,b\n1\n")
    assert (found, scan.skipped) == ([["a", "b"]], 1)
    long = b"x" * (csv.field_size_limit() + 1)
    with pytest.raises(csv.Error, match="field larger than field limit"):
        theirs(long)
    assert ours(long)[0] == [[long.decode()]]


try:
    from test.test_csv import Test_Csv as Theirs
except ImportError:
    Theirs = None


@pytest.mark.skipif(Theirs is None, reason="this Python has not its own tests")
class TestAsTheInterpreters(unittest.TestCase):
    """What the tests of `csv` that come with the interpreter read, where they do."""

    def _read_test(self, input, expect, **dialect):
        found = list(csv.reader(input, **dialect))
        self.assertEqual(found, expect)
        if dialect.get("quoting") == csv.QUOTE_MINIMAL:
            del dialect["quoting"]
        is_ours = dialect.keys() <= {"delimiter", "quotechar", "strict"} and None not in dialect.values()
        if not is_ours or "\0" in dialect.values():
            return
        how = {"delimiter": dialect.get("delimiter", ","), "quote": dialect.get("quotechar", '"')}
        rows, scan = ours("".join(input).encode(), **how)
        if scan.skipped == 0:
            self.assertEqual(rows, [row for row in expect if row])
        else:
            [bad] = scan.bad_rows
            self.assertIn("not closed", bad.reason)
            self.assertRaises(csv.Error, list, csv.reader(input, strict=True, **dialect))


if Theirs is not None:
    for name in dir(Theirs):
        if name.startswith("test_read_"):
            setattr(TestAsTheInterpreters, name, getattr(Theirs, name))


PLAIN = "id,name,score\n" + "".join(f'{n},"name, {n % 7}",{n / 7}\n' for n in range(500))


@pytest.mark.parametrize("library", ["pandas", "polars", "duckdb"])
def test_a_plain_file_has_the_rows_that_libraries_read(library, tmp_path):
    module = pytest.importorskip(library)
    path = tmp_path / "plain.csv"
    path.write_text(PLAIN)
    if library == "pandas":
        rows = module.read_csv(path, dtype=str).itertuples(index=False)
    elif library == "polars":
        rows = module.read_csv(path, infer_schema=False).iter_rows()
    else:
        rows = module.read_csv(str(path), all_varchar=True).fetchall()
    assert list(map(tuple, rows)) == list(map(tuple, dw.scan_csv(path)))
