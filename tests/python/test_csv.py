"""Files of CSV: columns, rows, what is counted and checked, and what becomes of bad rows."""

import errno
import gc
import gzip
import io
import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import weakref

import deadweight as dw
import pytest

TEXT = 'id,price,note\n7,1.5,"a, b"\n8,,"two\nlines"\n9,2,x,y\n10,3,café\n'


@pytest.fixture
def prices(tmp_path):
    path = tmp_path / "prices.csv"
    path.write_text(TEXT, encoding="utf-8")
    return path


def of(text, **how):
    data = text if isinstance(text, bytes) else text.encode()
    return dw.scan_csv(io.BytesIO(data), **how)


def test_rows_are_named_tuples_of_texts(prices):
    scan = dw.scan_csv(prices, bad_rows="skip")
    rows = list(scan)
    assert rows == [("7", "1.5", "a, b"), ("8", "", "two\nlines"), ("10", "3", "café")]
    assert rows[0].note == "a, b"
    assert rows[0]._fields == scan.columns == ("id", "price", "note")
    assert list(scan) == rows, "a file is read anew each time"
    assert scan.skipped == 1


def test_what_is_given_may_be_a_path_a_file_or_what_is_compressed(prices, tmp_path):
    packed = tmp_path / "packed"
    packed.write_bytes(gzip.compress(TEXT.encode()))
    for source in (prices, str(prices), os.fsencode(prices), packed):
        assert dw.scan_csv(source).count() == 4
    with prices.open("rb") as file:
        scan = dw.scan_csv(file)
        assert scan.count() == 4
        with pytest.raises(ValueError, match=r"prices\.csv can be read once, and was"):
            scan.count()
    with prices.open() as file, pytest.raises(TypeError, match="buffer"):
        dw.scan_csv(file)


def test_standard_input_is_read_once(prices):
    script = """
import deadweight as dw
scan = dw.scan_csv("-")
print(scan.columns, [row.id for row in scan])
try:
    scan.count()
except ValueError as error:
    print(error)
"""
    good = prices.read_bytes().replace(b",y", b"")
    ran = subprocess.run([sys.executable, "-c", script], input=good, capture_output=True, timeout=60, check=True)
    first, then = ran.stdout.decode().splitlines()
    assert first == "('id', 'price', 'note') ['7', '8', '9', '10']"
    assert then.endswith("can be read once, and was")


def test_columns_are_chosen_by_name_or_number(prices):
    scan = dw.scan_csv(prices, bad_rows="skip")
    assert next(iter(scan.select("note", "id"))) == ("a, b", "7")
    assert next(iter(scan.select(-1, 0))) == ("a, b", "7")
    assert scan.select("note", "id").select("id").columns == ("id",)
    with pytest.raises(KeyError, match="no column 'age': it has 'id', 'price', 'note'"):
        scan.select("age")
    with pytest.raises(KeyError, match="there is no number 3"):
        scan.select(3)
    with pytest.raises(TypeError, match="select takes"):
        scan.select()


def test_names_may_be_empty_or_twice_the_same():
    text = "id,,id,two words,class\n1,2,3,4,5\n"
    scan = of(text)
    assert scan.columns == ("id", "", "id", "two words", "class")
    [row] = scan
    assert row == ("1", "2", "3", "4", "5")
    assert row._fields == ("id", "_1", "_2", "_3", "_4")
    with pytest.raises(ValueError, match=r"several columns 'id': select one by number \(0, 2\)"):
        of(text).select("id")
    assert list(of(text).select(2, "", "two words")) == [("3", "2", "4")]


def test_a_header_ends():
    for bad_rows in ("raise", "skip"):
        with pytest.raises(ValueError, match="<BytesIO>: the header: a quote that is not closed"):
            of('a,"b\n1,2\n3,4\n', bad_rows=bad_rows)
    rows = of('a,"b\n1,2\n3,4\n', header=False, bad_rows="skip")
    assert (rows.columns, list(rows), rows.skipped) == (("column_1", "column_2"), [], 1)
    assert list(of(b"1,caf\xe9\n2,b\n", header=False, bad_rows="skip")) == [("2", "b")]


def test_a_header_may_be_missing_or_given():
    text = "1,2\n3,4\n"
    assert of(text, header=False).columns == ("column_1", "column_2")
    assert list(of(text, header=False)) == list(of(text, header=["a", "b"])) == [("1", "2"), ("3", "4")]
    assert of(text, header=False).count() == of(text, header=("a", "b")).count() == 2
    assert of(text).count() == 1
    with pytest.raises(ValueError, match="<BytesIO>:1: byte 0: 2 fields, not 3"):
        list(of(text, header=["a", "b", "c"]))
    for header in ("ab", b"ab", None, [], [1, 2]):
        with pytest.raises(TypeError, match="header is True, False, or the names"):
            of(text, header=header)


def test_parts_together_have_the_rows_of_the_file(tmp_path):
    path = tmp_path / "parts.csv"
    path.write_text("id,note\n" + "".join(f'{n},"two\nlines {n}"\n' for n in range(100)))
    record = dw.Record.of({"id": "u1", "note": "str"})
    whole = dw.scan_csv(path)
    cuts = [0, *(path.read_bytes().index(b"\n%d," % n) + 1 for n in (1, 30, 77)), path.stat().st_size]
    parts = [dw.scan_csv(path, part=part) for part in itertools.pairwise(cuts)]
    assert [part.count() for part in parts] == [1, 29, 47, 23]
    assert {part.columns for part in parts} == {("id", "note")}
    assert [row for part in parts for row in part] == list(whole)
    assert [row for part in parts for row in part.to_records(record)] == list(whole.to_records(record))
    assert parts[1].select("id").to_records().types == {"id": "u1"}
    with pytest.raises(TypeError, match="a path is wanted"):
        of("a\n1\n", part=(0, 4)).count()
    with pytest.raises(OSError, match=r"no part from byte 0 to 1000000. Split it again"):
        dw.scan_csv(path, part=(0, 10**6)).count()


def test_one_part_has_the_header_however_many_lines_come_before_it(tmp_path):
    path = tmp_path / "late.csv"
    path.write_text("\n\n\n\nid,note\n1,a\n2,b\n")
    for cut in range(path.stat().st_size):
        if cut > 4 and path.read_bytes()[cut - 1 : cut] != b"\n":
            continue
        parts = [dw.scan_csv(path, part=part) for part in ((0, cut), (cut, path.stat().st_size))]
        assert sum(part.count() for part in parts) == 2
        assert [row for part in parts for row in part] == [("1", "a"), ("2", "b")]
        assert [row.id for part in parts for row in part.to_records()] == [1, 2]
    parts = dw.splits(path, 5, "excel")
    assert sum(dw.scan_csv(path, part=part).count() for part in parts) == 2
    assert sum(len(list(dw.lines(path, part=part).parse_csv())) for part in parts) == 2


def test_rows_are_measured_by_the_columns(tmp_path):
    path = tmp_path / "parts.csv"
    path.write_text("a,b\n1\n2,3\n4,5\n6,7,8\n")
    whole = dw.scan_csv(path).check()
    assert (whole.rows, whole.bad, whole.fields) == (4, 2, 2)
    parts = [dw.scan_csv(path, part=part, bad_rows="skip") for part in ((0, 4), (4, 14), (14, 20))]
    checked = [part.check() for part in parts]
    assert [(check.rows, check.bad, check.fields) for check in checked] == [(0, 0, 2), (3, 1, 2), (1, 1, 2)]
    assert [len(list(part)) for part in parts] == [check.rows - check.bad for check in checked]
    [row] = checked[1].bad_rows
    assert (row.line, row.offset) == (None, 4)
    assert str(checked[1]).startswith(f"{path}: byte 4: 1 field, not 2\n")
    with pytest.raises(ValueError, match=r"parts\.csv: byte 14: 3 fields, not 2"):
        list(dw.scan_csv(path, part=(14, 20)))
    stream = dw.lines(path, part=(14, 20)).parse_csv(on_error="collect")
    assert (list(stream), [(bad.line, bad.offset) for bad in stream.errors]) == ([], [(None, 14)])
    [row] = of("1\n2,3\n4,5\n", header=["a", "b"]).check().bad_rows
    assert (row.record, row.reason) == (1, "1 field, not 2")


def test_a_file_that_gets_other_columns_is_told(tmp_path):
    path = tmp_path / "replaced.csv"
    path.write_text("a,b\n1,2\n")
    scan = dw.scan_csv(path)
    assert list(scan) == [("1", "2")]
    path.write_text("b,a\n2,1\n")
    with pytest.raises(ValueError, match=r"replaced\.csv has other columns"):
        list(scan)


@pytest.mark.parametrize("text", ["", "\n\r\n", "\ufeff"])
def test_what_is_empty_has_no_columns_and_no_rows(text):
    for header in (True, False):
        assert (of(text, header=header).columns, of(text, header=header).count()) == ((), 0)
        assert list(of(text, header=header)) == []
    checked = of(text).check()
    assert (checked.rows, checked.fields, checked.bad) == (0, 0, 0)


def test_a_bad_row_is_raised_where_it_stands_after_those_before_it(prices):
    rows = iter(dw.scan_csv(prices))
    assert [next(rows).id, next(rows).id] == ["7", "8"]
    with pytest.raises(ValueError, match=r"prices\.csv:5: byte 42: 4 fields, not 3$"):
        next(rows)
    assert list(rows) == [], "it is over, as after an exception of a generator"


def test_bad_rows_are_collected_with_what_they_are():
    text = b'id,name\n1,a\n2\n3,"b\n4",c\n5,caf\xe9\n6,"open\n7,d\n'
    scan = of(text, bad_rows="collect")
    assert [row.id for row in scan] == ["1"]
    assert scan.skipped == 4
    assert [(bad.record, bad.line, bad.offset, bad.sample) for bad in scan.bad_rows] == [
        (3, 3, 12, "2"),
        (4, 4, 14, '3,"b\n4",c'),
        (5, 6, 24, "5,caf\ufffd"),
        (6, 7, 31, '6,"open\n7,d\n'),
    ]
    assert [bad.reason for bad in scan.bad_rows] == [
        "1 field, not 2",
        "3 fields, not 2",
        'column "name": bytes that are no UTF-8 (Latin-1?)',
        "a quote that is not closed: all that follows is one field",
    ]
    skipping = of(text, bad_rows="skip")
    assert (len(list(skipping)), skipping.skipped, skipping.bad_rows) == (1, 4, ())


def test_of_bad_rows_a_thousand_are_kept_and_all_counted():
    scan = of("a,b\n" + "1\n" * 2500, bad_rows="collect")
    assert list(scan) == []
    assert (scan.skipped, len(scan.bad_rows), scan.bad_rows[-1].line) == (2500, 1000, 1001)


def test_bytes_that_are_no_text():
    text = "id,café\n1,naïve\n".encode("latin-1")
    for columns in (of(text, encoding="latin-1").columns, of(text, encoding="ISO-8859-1").columns):
        assert columns == ("id", "café")
    assert list(of(text, encoding="latin-1")) == [("1", "naïve")]
    with pytest.raises(ValueError, match="the header: field 2 of 2: bytes that are no UTF-8"):
        of(text)
    assert list(of(text, errors="replace")) == [("1", "na\ufffdve")]
    assert list(of(text, header=["id", "name"], bad_rows="skip").select("id")) == [("id",), ("1",)], (
        "not looked at"
    )
    assert list(of(text, header=["id", "name"], encoding=None)) == [(b"id", b"caf\xe9"), (b"1", b"na\xefve")]
    with pytest.raises(ValueError, match=r"encoding must be 'utf-8' or 'latin-1', or None .*, not .utf-16."):
        of(text, encoding="utf-16")
    with pytest.raises(ValueError, match="errors must be"):
        of(text, errors="ignore")


def test_what_encoding_says_is_believed(tmp_path):
    path = tmp_path / "latin.csv"
    path.write_bytes("id,größe\n1,naïve\n2,x,\n".encode("latin-1"))
    assert dw.scan_csv(path, encoding="latin-1").check().bad == 1
    assert dw.scan_csv(path, encoding=None).check().bad == 3
    assert dw.scan_csv(path, encoding=None).count() == 2
    rows = dw.scan_csv(path, encoding=None, bad_rows="skip")
    assert (rows.columns, list(rows)) == (("id", "gr\ufffd\ufffde"), [(b"1", b"na\xefve")])
    for read in (
        lambda: dw.scan_csv(path, encoding="cp1252"),
        lambda: dw.lines(path, encoding="cp1252").parse_csv(),
    ):
        with pytest.raises(ValueError, match="`iconv -f cp1252 -t UTF-8` makes it UTF-8"):
            read()


def test_check_says_what_the_command_says(prices, capfdbinary):
    checked = dw.scan_csv(prices).check()
    assert (checked.rows, checked.fields, checked.bad, checked.faults["ragged"]) == (4, 3, 1, 1)
    [row] = checked.bad_rows
    assert (row.record, row.line, row.offset, row.reason) == (4, 5, 42, "4 fields, not 3")
    from deadweight import _core

    assert _core.run(["deadweight", "files", "check", str(prices)]) == 0
    assert _core.run(["deadweight", "files", "check", "--json", str(prices)]) == 0
    written = capfdbinary.readouterr().out.decode()
    assert written.startswith(f"{checked}\n")
    assert json.loads(written.removeprefix(f"{checked}\n")) == checked.to_dict()
    assert repr(checked) == str(checked)
    assert "4 fields, not 3" in checked._repr_html_()
    few = of("a,b\n" + "1\n" * 50).check(top=3)
    assert (few.bad, len(few.bad_rows), few.to_dict()["files"][0]["bad_rows_left_out"]) == (50, 3, 47)


def test_other_bytes_may_separate_and_quote():
    assert list(of("a\tb\n'x\ty'\tz\n", delimiter="\t", quote="'")) == [("x\ty", "z")]
    for mark, wrong in itertools.product(("delimiter", "quote"), ("", "::", "é", "\n")):
        with pytest.raises(ValueError, match=f"the {mark} is one character of ASCII"):
            of("a", **{mark: wrong})
    with pytest.raises(ValueError, match="two different characters"):
        of("a", quote=",")
    with pytest.raises(TypeError, match=r"quoting cannot be turned off: .* name a character"):
        of("a", quote=None)
    assert list(of('a\tb\n"x\ty"\n', delimiter="\t", quote="\x01")) == [('"x', 'y"')]


def test_a_record_has_a_bound():
    text = 'a\n"' + "x" * 5000 + '"\n'
    with pytest.raises(ValueError, match=r"record 2 at byte 2 is longer than 4000 bytes.*`longest=`"):
        list(of(text, longest=4000))
    assert list(of(text, longest="6 kB")) == [("x" * 5000,)]
    # Rows before it are given, however many are looked at together.
    rows = iter(of("a\n" + "1\n" * 105 + "x" * 50 + "\n", longest=10))
    assert [row.a for row in itertools.islice(rows, 105)] == ["1"] * 105
    with pytest.raises(ValueError, match="record 107 at byte 212 is longer than 10 bytes"):
        next(rows)


def test_bad_input_is_told_as_open_tells_it(tmp_path):
    with pytest.raises(FileNotFoundError) as raised:
        dw.scan_csv(tmp_path / "missing.csv")
    assert (raised.value.errno, raised.value.filename) == (errno.ENOENT, str(tmp_path / "missing.csv"))
    with pytest.raises(IsADirectoryError):
        dw.scan_csv(tmp_path)
    with pytest.raises(ValueError, match="UTF-16"):
        of("a,b\n".encode("utf-16"))
    cut_off = gzip.compress(b"a,b\n" + b"1,2\n" * 100_000)[:-20]
    with pytest.raises(ValueError, match="gzip that ends at byte"):
        list(of(cut_off))
    with pytest.raises(ValueError, match="more than 1000 bytes"):
        of(gzip.compress(b"a,b\n" + b"1,2\n" * 1000), max_unpacked="1 kB").count()
    with pytest.raises(ValueError, match="bad_rows must be"):
        of("a", bad_rows="ignore")
    with pytest.raises(TypeError, match="`read`"):
        dw.scan_csv(7)


def test_a_file_that_becomes_shorter_is_an_error_and_no_signal(tmp_path):
    path = tmp_path / "long.csv"
    path.write_bytes(b"a,b\n" + b"1,2\n" * 500_000)
    rows = iter(dw.scan_csv(path))
    next(rows)
    os.truncate(path, 400_000)
    with pytest.raises(OSError, match="became shorter"):
        sum(1 for _ in rows)


def test_what_is_read_comes_at_once():
    """Of a pipe that stays open, rows that are there already are given."""
    reading, writing = os.pipe()
    # So few that they could not tell whether it is compressed.
    os.write(writing, b"a\n1\n")
    with open(reading, "rb", buffering=0) as file:
        rows = iter(dw.scan_csv(file))
        assert next(rows) == ("1",)
        os.write(writing, b"2\n3\n5")
        assert [next(rows), next(rows)] == [("2",), ("3",)]
        os.write(writing, b"6\n")
        os.close(writing)
        assert list(rows) == [("56",)]


class Endless(io.RawIOBase):
    """Rows without end."""

    def __init__(self):
        self.begun = False

    def readinto(self, buffer):
        rows = b"1,2,3,4\n" * (len(buffer) // 8)
        buffer[: len(rows)] = rows
        self.begun = True
        return len(rows)


def test_of_columns_of_one_name_no_records_are_made(tmp_path):
    path = tmp_path / "twice.csv"
    path.write_text("id,note,id\n1,a,2\n")
    with pytest.raises(ValueError, match=r"twice\.csv has several columns 'id': select one by number \(0, 2\)"):
        dw.scan_csv(path).to_records()
    assert list(dw.scan_csv(path).select(1, 2).to_records().types) == ["note", "id"]


@pytest.mark.parametrize("length", [0, 3, 1000])
def test_progress_is_told_at_the_end(length, tmp_path):
    path = tmp_path / "small.csv"
    path.write_bytes(b"1\n" * length)
    asked = [
        lambda tell: dw.scan_csv(path, header=["id"], progress=tell).count(),
        lambda tell: dw.scan_csv(path, header=["id"], progress=tell).check(),
        lambda tell: list(dw.scan_csv(path, header=["id"], progress=tell)),
        lambda tell: list(dw.scan_csv(path, header=["id"], progress=tell).batches(dw.Record.of({"id": "u1"}), 10)),
        lambda tell: list(dw.lines(path, progress=tell)),
        lambda tell: list(dw.lines(path, progress=tell).parse_json()),
        lambda tell: list(dw.chunks(path, 10, progress=tell)),
        lambda tell: dw.mapped(path).count(b"1", progress=tell),
        lambda tell: dw.mapped(path).offsets(b"1", progress=tell),
        lambda tell: list(dw.mapped(path).finditer(b"1", progress=tell)),
        lambda tell: dw.mapped(path).find(b"2", progress=tell),
    ]
    told = []
    dw.lines(path, progress=told.append).parse_csv()
    assert told == [], "nothing is read yet"
    for ask in asked:
        told = []
        ask(told.append)
        assert told[-1:] == [2 * length]


def test_it_is_interrupted():
    endless = Endless()
    done = threading.Event()

    def interrupt():
        while not endless.begun:
            done.wait(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    scan = dw.scan_csv(endless)
    endless.begun = False
    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        scan.count()
    thread.join()


def test_progress_is_told_and_may_end_it():
    class Enough(Exception):
        pass

    told = []

    def progress(read):
        told.append(read)
        if len(told) > 2:
            raise Enough

    with pytest.raises(Enough):
        dw.scan_csv(Endless(), progress=progress).check()
    assert told == sorted(told)
    assert told[-1] > 0


def test_who_reads_within_a_read_is_told():
    class File(io.BytesIO):
        scan = None

        def read(self, size=-1):
            if self.scan is not None:
                self.scan.skipped  # noqa: B018
            return super().read(size)

    file = File(b"a,b\n" + b"1,2\n" * 20)
    scan = dw.scan_csv(file)
    rows = iter(scan)
    next(rows)
    file.scan = scan
    with pytest.raises(RuntimeError, match="<File> is read already"):
        list(rows)


MEMORY = """
import io, resource, sys
import deadweight as dw

class Rows(io.RawIOBase):
    left = int(sys.argv[1])
    def readinto(self, buffer):
        if self.left <= 0:
            return 0
        some = b'1234567,"some, text",other\\n' * (len(buffer) // 27)
        buffer[: len(some)] = some
        self.left -= len(some)
        return len(some)

class Row(dw.Record):
    a: int

def most():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

for row in dw.scan_csv(io.BytesIO(b"a,b,c\\n1,2,3\\n")).select("a"):
    pass
before = most()
how = {"header": ["a", "b", "c"]}
dw.scan_csv(Rows(), **how).count()
dw.scan_csv(Rows(), **how).check()
rows = sum(1 for row in dw.scan_csv(Rows(), **how))
packed = sum(map(len, dw.scan_csv(Rows(), **how).batches(Row, 10_000)))
print(rows, packed, most() - before)
"""


def test_memory_is_the_same_whatever_the_length():
    """Some 12 MB go through; less than half of that, of several windows and some rows, is ever held."""
    ran = subprocess.run([sys.executable, "-c", MEMORY, "12000000"], capture_output=True, timeout=120, check=True)
    rows, packed, grown = map(int, ran.stdout.split())
    assert rows == packed > 400_000
    assert grown < 6_000_000


def test_what_a_file_raises_is_raised():
    class Broken(Exception):
        pass

    class File(io.BytesIO):
        def read(self, size=-1):
            data = super().read(size)
            if not data:
                raise Broken
            return data

    rows = iter(dw.scan_csv(File(b"a,b\n1,2\n3,4\n5,6\n7,8\n")))
    assert [next(rows).a for _ in range(4)] == ["1", "3", "5", "7"]
    with pytest.raises(Broken):
        next(rows)


def test_it_says_what_it_is(prices):
    assert repr(dw.scan_csv(prices)) == f"<CsvScan of {prices}: id, price, note>"
    assert dw.scan_csv(prices).name == str(prices)


def test_what_has_ended_holds_no_file_open(prices):
    def is_open():
        names = os.listdir("/proc/self/fd")
        return any(os.path.realpath(f"/proc/self/fd/{name}") == str(prices) for name in names)

    class Row(dw.Record):
        id: int

    scan = dw.scan_csv(prices, bad_rows="skip")
    rows = iter(scan)
    next(rows)
    assert is_open()
    assert (len(list(rows)), scan.skipped, is_open()) == (2, 1, False)
    for read in (scan.count, scan.check, scan.to_records, lambda: list(scan.batches(Row, 3))):
        assert read()
        assert not is_open(), read
    failing = dw.scan_csv(prices)
    for read in (lambda: list(failing), lambda: failing.to_records(Row)):
        with pytest.raises(ValueError, match="4 fields, not 3"):
            read()
        assert not is_open()


class Holder(io.BytesIO):
    """A file that may hold what reads it."""

    def tick(self, read):
        pass


@pytest.mark.parametrize(
    "reads",
    [
        lambda held: dw.scan_csv(held),
        lambda held: iter(dw.scan_csv(held)),
        lambda held: iter(dw.lines(held)),
        lambda held: iter(dw.lines([held, held])),
        lambda held: iter(dw.chunks(held)),
        lambda held: iter(dw.lines(held).parse_json()),
        lambda held: dw.scan_csv(io.BytesIO(b"7\n8\n"), progress=held.tick),
        lambda held: iter(dw.lines(io.BytesIO(b"7\n8\n"), progress=held.tick)),
        lambda held: iter(dw.chunks(io.BytesIO(b"7\n8\n"), progress=held.tick)),
    ],
)
@pytest.mark.parametrize("begun", [False, True])
def test_what_holds_what_reads_it_is_collected(reads, begun):
    held = Holder(b"7\n8\n9\n")
    held.reading = reads(held)
    if begun and hasattr(held.reading, "__next__"):
        next(held.reading)
    gone = weakref.ref(held)
    del held
    gc.collect()
    assert gone() is None
