"""Files in parts: together they are the file, and their records those of the file."""

import bz2
import csv
import gzip
import io
import os
import random
from itertools import pairwise
from multiprocessing import get_context

import deadweight as dw
import pytest


def some_lines(chance, most):
    return b"".join(b"x" * chance.randrange(most) + b"\n" for _ in range(chance.randrange(200)))


@pytest.mark.parametrize("align", [b"\n", b"x", None])
def test_chunks_together_are_the_file(tmp_path, align):
    chance = random.Random(11)
    path = tmp_path / "file"
    for _ in range(20):
        data = some_lines(chance, chance.choice([1, 10, 2_000])) + b"no end" * chance.randrange(2)
        size = chance.choice([1, 7, 1_000, 10**7])
        path.write_bytes(data)
        for source in (path, io.BytesIO(gzip.compress(data))):
            chunks = list(dw.chunks(source, size, align))
            assert b"".join(chunks) == data
            assert all(chunks)
            for chunk, following in pairwise(chunks):
                if align is None:
                    assert len(chunk) == size
                else:
                    assert chunk.endswith(align)
                    # Longer than asked for only where one record is.
                    assert len(chunk) <= size or align not in chunk[:-1]
                    assert len(chunk) + following.index(align) + 1 > size if align in following else True


def test_chunks_have_a_bound(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"short\n" + b"x" * 5_000_000 + b"\nshort")
    assert [len(chunk) for chunk in dw.chunks(path, "1 MB")] == [6, 5_000_001, 5]
    chunks = dw.chunks(path, "1 MB", longest="2 MB")
    assert next(chunks) == b"short\n"
    with pytest.raises(
        ValueError, match=r"what begins at byte 6 has no b'\\n' in its first 2000000 bytes. `longest="
    ):
        next(chunks)
    assert list(chunks) == []


def test_chunks_of_what_cannot_be_read(tmp_path):
    with pytest.raises(FileNotFoundError):
        dw.chunks(tmp_path / "missing")
    with pytest.raises(IsADirectoryError):
        dw.chunks(tmp_path)
    with pytest.raises(TypeError, match="text file"):
        dw.chunks(io.StringIO())
    for wrong in ({"size": 0}, {"size": "5 parsecs"}, {"align": b""}, {"align": b"\r\n"}):
        with pytest.raises(ValueError, match=r"never end|not a size|one byte"):
            dw.chunks("/dev/null", **wrong)
    assert list(dw.chunks("/dev/null")) == []
    assert next(dw.chunks("/dev/zero", 10, None)) == bytes(10)


def test_splits_are_the_file(tmp_path):
    chance = random.Random(12)
    path = tmp_path / "file"
    for _ in range(40):
        data = some_lines(chance, chance.choice([1, 10, 5_000])) + b"no end" * chance.randrange(2)
        path.write_bytes(data)
        count = chance.choice([1, 2, 3, 17, 1000])
        parts = dw.splits(path, count)
        assert len(parts) <= count
        assert [start for start, _ in parts] == [0, *(end for _, end in parts)][: len(parts)]
        assert all(data[end - 1 : end] == b"\n" for _, end in parts[:-1])
        lines = [line for part in parts for line in dw.lines(path, encoding=None, keepends=True, part=part)]
        assert lines == list(io.BytesIO(data))
        assert b"".join(chunk for part in parts for chunk in dw.chunks(path, part=part)) == data


def records(dialect, chance):
    note = ["plain", "with, comma", "two\nlines", "a; b", 'a "quote"', "", "\r\n"]
    out = io.StringIO()
    rows = [[str(number), chance.choice(note) * chance.randrange(1, 40)] for number in range(2_000)]
    csv.writer(out, dialect).writerows(rows)
    return rows, out.getvalue().encode()


class Semicolons(csv.excel):
    delimiter = ";"


@pytest.mark.parametrize("dialect", ["excel", "excel-tab", "unix", Semicolons, Semicolons()])
def test_splits_of_csv_have_the_records_of_the_file(tmp_path, dialect):
    rows, data = records(dialect, random.Random(13))
    path = tmp_path / "rows.csv"
    path.write_bytes(data)
    for count in (1, 2, 7, 64):
        parts = dw.splits(path, count, dialect)
        assert len(parts) == count
        texts = [b"".join(dw.chunks(path, part=part)).decode() for part in parts]
        found = [row for text in texts for row in csv.reader(io.StringIO(text, newline=""), dialect)]
        assert found == rows


def lines_of(path, part):
    return list(dw.lines(path, part=part))


def records_of(path, part):
    text = b"".join(dw.chunks(path, part=part)).decode()
    return list(csv.reader(io.StringIO(text, newline="")))


def test_workers_have_the_records_that_one_has(tmp_path):
    rows, data = records("excel", random.Random(14))
    path = tmp_path / "rows.csv"
    path.write_bytes(data)
    with get_context("spawn").Pool(2) as pool:
        of_lines = pool.starmap(lines_of, [(path, part) for part in dw.splits(path, 8)])
        of_records = pool.starmap(records_of, [(path, part) for part in dw.splits(path, 8, "excel")])
    assert len(of_lines) == len(of_records) == 8
    assert [line for part in of_lines for line in part] == list(dw.lines(path))
    assert [row for part in of_records for row in part] == rows


def test_what_cannot_be_split(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(bz2.compress(b"text\n" * 100))
    with pytest.raises(ValueError, match=r"has no length: it cannot be split.*compressed"):
        dw.splits(path, 2)
    with pytest.raises(ValueError, match="has no length"):
        list(dw.lines(path, part=(0, 10)))
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    for device in (fifo, "/dev/zero"):
        with pytest.raises(ValueError, match="has no length"):
            dw.splits(device, 2)
        with pytest.raises(ValueError, match="has no length"):
            next(dw.chunks(device, part=(0, 1)))
    with pytest.raises(FileNotFoundError):
        dw.splits(tmp_path / "missing", 2)
    with pytest.raises(TypeError, match="a path is wanted"):
        dw.splits(io.BytesIO(), 2)
    path.write_bytes(b"a,b\n")
    for count in (0, -1, 10**9):
        with pytest.raises(ValueError, match="from 1 to 100,000"):
            dw.splits(path, count)

    class Escaped(csv.excel):
        doublequote, escapechar = False, "\\"

    class Far(csv.excel):
        delimiter = "·"

    class Blank(csv.excel):
        skipinitialspace = True

    for dialect in (Escaped, Far, Blank, b"\r\n"):
        with pytest.raises(ValueError, match=r"doubled|ASCII|blank before a quote|one byte"):
            dw.splits(path, 2, dialect)
    with pytest.raises(ValueError, match=r"'\\n' is no dialect of csv \('excel', .*such as b\"\\n\""):
        dw.splits(path, 2, "\n")
    for wrong in (None, 10):
        with pytest.raises(TypeError, match=f"or a dialect of csv such as .excel., not {wrong}"):
            dw.splits(path, 2, wrong)
    for wrong in ("\n", 10):
        with pytest.raises(TypeError, match=r"records end with one byte, such as"):
            dw.chunks(path, align=wrong)
    assert dw.splits(path, 1, csv.excel()) == dw.splits(path, 1, csv.get_dialect("excel")) == [(0, 4)]


def test_parts_that_are_not_in_the_file(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"one\ntwo\n")
    assert list(dw.lines(path, part=(4, 8))) == ["two"]
    assert list(dw.lines(path, part=(8, 8))) == []
    with pytest.raises(OSError, match=r"has 8 bytes, and no part from byte 4 to 9. Split it again"):
        list(dw.lines(path, part=(4, 9)))
    for read in (dw.lines, dw.chunks, dw.scan_csv):
        for wrong in ((5, 3), (-1, 4)):
            with pytest.raises(ValueError, match="a part goes from one byte"):
                read(path, part=wrong)
        for wrong in (3, (3,), ("a", "b")):
            with pytest.raises(TypeError, match="a part is two bytes of a file"):
                read(path, part=wrong)
    with pytest.raises(ValueError, match="one file"):
        dw.lines([path, path], part=(0, 4))
    path.write_bytes(b"")
    assert dw.splits(path, 3) == []
