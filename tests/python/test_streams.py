"""Streams of records: the same whether Rust or Python does a step, and nothing is lost without a word."""

import contextlib
import csv
import enum
import gc
import io
import json
import os
import random
import subprocess
import sys
import weakref

import deadweight as dw
import pytest

LINES = [
    {"ts": 1, "level": "ERROR", "user": {"id": 7}},
    {"ts": 2, "level": "INFO", "user": {"id": 8}},
    {"ts": 3, "level": "ERROR", "user": None},
    {"ts": 4, "user": {"id": 7}},
    [5],
]


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "app.log"
    path.write_text("".join(f"{json.dumps(line)}\n" for line in LINES))
    return path


def write(path, *lines):
    path.write_bytes(b"\n".join(lines))
    return path


def in_python(lines):
    """The same records, with something of Python before the first step."""
    return lines.map(lambda line: line)


def objects(lines):
    """The same, with something of Python between parsing and the next step."""
    return lines.parse_json().filter(lambda record: True)


def every_way(path):
    """Records of JSON, to which all further steps mean the same."""
    yield dw.lines(path).parse_json()
    yield in_python(dw.lines(path)).parse_json()
    yield in_python(dw.lines(path, encoding=None)).parse_json()
    yield objects(dw.lines(path))


def test_a_pipeline_gives_what_a_generator_gives(log):
    for records in every_way(log):
        assert list(records) == LINES
        assert list(records.where(level="ERROR").select("ts", "user.id")) == [(1, 7), (3, None)]
        assert list(records.where(level=["INFO", "DEBUG"]).select("ts")) == [2]
        assert list(records.filter(path="user.id", equals=7).select("ts")) == [1, 4]
        assert list(records.filter(path=("user", "id"), in_={7, 8}).select("ts")) == [1, 2, 4]
        assert list(records.where(user=None).select("ts")) == [3]
        assert list(records.where(level="ERROR", ts=3).batched(2)) == [(LINES[2],)]
        assert list(records.select("ts").batched(2)) == [(1, 2), (3, 4), (None,)]


VALUES = [
    None,
    True,
    False,
    0,
    1,
    -1,
    2**53,
    2**53 + 1,
    2**80,
    0.0,
    -0.0,
    1.0,
    0.5,
    1e300,
    2.0**80,
    "",
    "a",
    "1",
    "é\n",
]


def test_values_are_compared_as_python_compares_them(tmp_path):
    path = write(tmp_path / "log", *(json.dumps({"value": value}).encode() for value in [*VALUES, [1], {"a": 1}]))
    for records in every_way(path):
        for value in VALUES:
            found = list(records.where(value=value).select("value"))
            assert list(map(repr, found)) == [repr(other) for other in VALUES if other == value], value
            found = list(records.where(value=[other for other in VALUES if other != value]).select("value"))
            assert list(map(repr, found)) == [repr(other) for other in VALUES if other != value], value
        assert list(records.where(value=[])) == []
        assert list(records.where(value=(0.5, "a")).select("value")) == [0.5, "a"]


def test_values_of_classes_that_are_numbers_or_texts_are_what_they_are(tmp_path):
    Level = enum.Enum("Level", {"ERROR": "ERROR"}, type=str)
    Code = enum.IntEnum("Code", {"GONE": 410})
    path = write(tmp_path / "log", b'{"level": "ERROR", "code": 410}')
    assert len(list(dw.lines(path).parse_json().where(level=Level.ERROR, code=Code.GONE))) == 1
    with pytest.raises(TypeError, match=r"not bytes: filter\(callable\) takes anything"):
        dw.lines(path).parse_json().where(level=b"ERROR")


def test_texts_that_are_no_utf_8_and_paths_that_lead_too_deep_are_refused_at_once(log):
    records = dw.lines(log).parse_json()
    for refused in [
        lambda: records.where(level="\ud800"),
        lambda: records.select("\ud800"),
        lambda: records.select("." * 300_000),
    ]:
        with pytest.raises(ValueError, match=r"half of a surrogate pair|at most 100 keys, not 300,001"):
            refused()


def test_any_key_can_be_asked_for(tmp_path):
    path = write(tmp_path / "log", b'{"self": 1, "function": 2}')
    assert len(list(dw.lines(path).parse_json().where(self=1, function=2))) == 1


def scalars(chance):
    return chance.choice(
        [
            chance.randrange(-(10**40), 10**40),
            chance.randrange(-5, 5),
            chance.uniform(-1, 1) * 10 ** chance.randrange(-300, 300),
            chance.random(),
            "".join(chance.choices('ab"\\/é\u2028𝄞\ud800\x00\x7f', k=chance.randrange(6))),
            True,
            None,
        ]
    )


def things(chance, depth=3):
    kind = chance.random()
    if depth == 0 or kind < 0.5:
        return scalars(chance)
    if kind < 0.7:
        return [things(chance, depth - 1) for _ in range(chance.randrange(4))]
    return {chance.choice("abcé"): things(chance, depth - 1) for _ in range(chance.randrange(5))}


def test_objects_are_those_of_json_loads(tmp_path):
    chance = random.Random(4711)
    texts = [
        json.dumps(
            things(chance), ensure_ascii=chance.random() < 0.5, separators=chance.choice([(",", ":"), None])
        )
        for _ in range(2000)
    ]
    texts = [text for text in texts if "\ud800" not in text]
    texts += [
        '{"a": 1, "a": 2}',
        '{"a": {"b": 1}, "a": {}}',
        "-0",
        "-0.0",
        "1e999",
        "1E5",
        '"\\ud83d\\ude00"',
        "0.1e-7",
    ]
    path = write(tmp_path / "log", *(text.encode() for text in texts))
    truth = [json.loads(text) for text in texts]
    records = dw.lines(path).parse_json()
    assert list(map(repr, records)) == list(map(repr, truth))

    def at(value, *keys):
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        return value

    selected = list(records.select("a", "b", "a.b", "é.c"))
    assert list(map(repr, selected)) == [
        repr((at(value, "a"), at(value, "b"), at(value, "a", "b"), at(value, "é", "c"))) for value in truth
    ]


def test_a_name_with_a_dot_is_a_tuple(tmp_path):
    path = write(tmp_path / "log", b'{"a.b": 1, "a": {"b": 2}}')
    for records in every_way(path):
        assert list(records.select("a.b", ("a.b",))) == [(2, 1)]
        assert list(records.filter(path=("a.b",), equals=2)) == []


BAD = [b'{"a": 1}', b"{", b"", b'{"a": 2, "b": nope}', b'{"a": 3, "b": "\xff"}', b'{"a": 4}']


def test_what_is_no_json_is_raised_after_the_records_before_it(tmp_path):
    path = write(tmp_path / "log", *BAD)
    found = []
    with pytest.raises(ValueError, match=r"log: line 2, byte 9: no JSON: EOF while parsing an object at column 1"):
        found.extend(dw.lines(path).parse_json().select("a"))
    assert found == [1]
    # Even where nothing would have been asked of it.
    with pytest.raises(ValueError, match="line 2"):
        list(dw.lines(path).parse_json().where(a=5))


def test_what_is_json_and_no_value_of_python_is_bad_too(tmp_path):
    many, deep = b"9" * 5000, b"[" * 200_000 + b"]" * 200_000
    # 3.10 has integers of any length.
    bad = [b'{"a": 2, "b": %b}' % value for value in ([deep] if sys.version_info < (3, 11) else [many, deep])]
    path = write(tmp_path / "log", b'{"a": 1}', *bad, b"{", b'{"a": 3}')
    for way in [dw.lines(path), in_python(dw.lines(path))]:
        stream = way.parse_json(on_error="collect").filter(lambda record: True)
        assert list(stream) == [{"a": 1}, {"a": 3}]
        (count,) = (count for count in stream.passed if count.step.startswith("parse_json"))
        assert (count.taken, count.given, count.errors) == (3 + len(bad), 2, 1 + len(bad))
        assert [bad.line for bad in stream.errors] == list(range(2, 3 + len(bad)))
    where = dw.lines(path).parse_json(on_error="skip").where(a=[1, 2]).select("b")
    assert list(where) == [None]
    assert [(row.taken, row.given, row.errors) for row in where.passed][1:] == [(2, 1, 0), (1, 1, 0)]
    found = []
    with pytest.raises(ValueError, match=r"log: line 2, byte 9: (ValueError|RecursionError): ") as raised:
        found.extend(dw.lines(path).parse_json())
    assert found == [{"a": 1}]
    assert raised.value.__cause__ is not None


def test_what_is_raised_is_counted(tmp_path):
    path = write(tmp_path / "log", b'{"a": 1}', b"{")
    for parse in [dw.lines(path).parse_json(), in_python(dw.lines(path)).parse_json()]:
        with pytest.raises(ValueError, match="no JSON"):
            list(parse)
        assert [(row.taken, row.given, row.errors) for row in parse.passed][-1] == (2, 1, 1)


@pytest.mark.parametrize("way", [lambda lines: lines, in_python])
def test_what_is_no_json_is_skipped_or_collected(tmp_path, way):
    path = write(tmp_path / "log", *BAD)
    skipping = way(dw.lines(path, encoding=None)).parse_json(on_error="skip").select("a")
    assert list(skipping) == [1, 4]
    assert skipping.errors == ()
    row = next(row for row in skipping.passed if row.step.startswith("parse_json"))
    assert (row.taken, row.given, row.errors) == (5, 2, 3)
    collecting = way(dw.lines(path, encoding=None)).parse_json(on_error="collect", keep=2).select("a")
    assert list(collecting) == [1, 4]
    first, second = collecting.errors
    assert (first.source, first.line, first.offset, first.sample) == (str(path), 2, 9, b"{")
    assert (second.line, second.offset, second.sample) == (4, 12, BAD[3])
    assert "no JSON: expected ident at column" in second.reason
    # The next iteration begins anew.
    assert list(collecting) == [1, 4]
    assert len(collecting.errors) == 2


def test_errors_of_callables_are_raised_skipped_or_collected(log):
    records = dw.lines(log).parse_json()
    with pytest.raises(TypeError) as raised:
        list(records.map(lambda record: record["user"]["id"]))
    if sys.version_info >= (3, 11):
        (note,) = raised.value.__notes__
        assert "app.log, line 3, byte" in note
    stream = records.map(lambda record: record["user"]["id"], on_error="collect", keep=1)
    assert list(stream) == [7, 8, 7]
    (bad,) = stream.errors
    text = log.read_bytes().splitlines()[2]
    assert (bad.line, bad.offset, bad.sample) == (3, log.read_bytes().index(text), text)
    assert bad.reason.startswith("TypeError: ")
    assert [(row.taken, row.given, row.errors) for row in stream.passed] == [(5, 5, 0), (5, 3, 2)]
    kept = dw.lines(log).filter(lambda line: 1 / (len(line) - 3), on_error="skip")
    assert len(list(kept)) == 4
    assert [row.errors for row in kept.passed] == [1]


def test_of_a_batch_the_place_is_where_it_begins(tmp_path):
    paths = [write(tmp_path / str(number), b"0", b"1", b"2") for number in range(2)]
    for lines in [dw.lines(paths).parse_json(), in_python(dw.lines(paths))]:
        stream = lines.batched(2).map(lambda batch: 1 / 0, on_error="collect")
        assert list(stream) == []
        places = [(str(paths[0]), 1), (str(paths[0]), 3), (str(paths[1]), 2)]
        assert [(bad.source, bad.line) for bad in stream.errors] == places
        stream = lines.map(int).map(lambda number: 1 / number, on_error="collect").batched(4)
        assert [len(batch) for batch in stream] == [4]
        assert [(bad.source, bad.line) for bad in stream.errors] == [(str(path), 1) for path in paths]


def test_each_step_keeps_as_many_errors_as_it_is_told(log):
    def fails(record):
        raise KeyError(record["ts"])

    records = dw.lines(log).parse_json().filter(lambda record: isinstance(record, dict))
    first = records.map(lambda record: fails(record) if record["ts"] < 3 else record, on_error="collect", keep=1)
    both = first.map(lambda record: fails(record), on_error="collect", keep=1)
    assert list(both) == []
    assert [bad.reason for bad in both.errors] == ["KeyError: 1", "KeyError: 3"]


def test_an_iteration_that_is_left_closes_its_file(tmp_path):
    path = write(tmp_path / "log", *[b'{"a": 1}'] * 3)

    def is_open():
        links = (f"/proc/self/fd/{number}" for number in os.listdir("/proc/self/fd"))
        return str(path) in [os.readlink(link) for link in links if os.path.islink(link)]

    for stream in [
        dw.lines(path).parse_json(),
        dw.lines(path).map(str),
        dw.lines(path).parse_json().map(str).batched(2),
        dw.lines(path).parse_csv(),
        dw.lines(path).parse_csv().map(str),
    ]:
        iterator = iter(stream)
        next(iterator)
        assert is_open()
        del iterator
        assert not is_open()
        assert stream.passed.rows[0].taken > 0


def test_an_error_that_is_raised_keeps_nothing(tmp_path):
    class Held:
        pass

    path = write(tmp_path / "log", b"1")
    held = Held()
    alive = weakref.ref(held)

    def fails(line, held=held):
        raise KeyError(line)

    stream = dw.lines(path).map(fails)
    gc.disable()
    try:
        with contextlib.suppress(KeyError):
            list(stream)
        del stream, fails, held
        assert alive() is None
    finally:
        gc.enable()


def test_what_was_passed_can_be_asked_for_while_records_are_sought(tmp_path):
    path = write(tmp_path / "log", *[b'{"a": 1}'] * 4)
    seen = []

    class Slow(io.BytesIO):
        def read(self, size):
            seen.append((stream.passed.rows[0].taken, stream.errors, len(str(stream)) > 0))
            return super().read(9)

    stream = dw.lines(Slow(path.read_bytes())).parse_json(on_error="collect").where(a=1)
    assert len(list(stream)) == 4
    taken = [row[0] for row in seen]
    assert taken == sorted(taken)
    # The last has no end until nothing comes any more.
    assert taken[-1] == 3


def test_a_plan_is_printed_and_then_what_was_passed(log):
    stream = dw.lines(log).parse_json(on_error="skip").where(level="ERROR").select("ts", "user.id").batched(10_000)
    plan = str(stream).splitlines()
    assert plan[1:] == [
        "  parse_json(on_error='skip')",
        "  where(level='ERROR')",
        "  select('ts', 'user.id')",
        "  batched(10_000)",
    ]
    assert repr(stream) == str(stream)
    assert [row.taken for row in stream.passed] == [0, 0, 0, 0]
    assert list(stream) == [((1, 7), (3, None))]
    assert [(row.taken, row.given) for row in stream.passed] == [(5, 5), (5, 2), (2, 2), (2, 1)]
    assert str(stream).splitlines()[1].split() == ["in", "out", "errors"]
    assert str(stream).splitlines()[2].split()[-3:] == ["5", "5", "0"]
    many = dw.lines(bytes(log)).parse_json().filter(path="user.id", in_=set(range(10_000)))
    assert len(str(many)) < 200
    assert str(many).startswith(f"<lines of {log}>")


@pytest.mark.parametrize("way", [lambda lines: lines, in_python])
def test_counts_are_those_of_all_sources(tmp_path, way):
    paths = [write(tmp_path / str(number), b'{"a": 1}', b"{", b'{"a": 2}') for number in range(3)]
    stream = way(dw.lines(paths)).parse_json(on_error="collect", keep=2).where(a=1)
    assert len(list(stream)) == 3
    counts = [(row.taken, row.given, row.errors) for row in stream.passed][-2:]
    assert counts == [(9, 6, 3), (6, 3, 0)]
    assert [(bad.source, bad.line) for bad in stream.errors] == [(str(paths[0]), 2), (str(paths[1]), 2)]


def test_a_stream_is_lazy_and_begins_anew_over_files(log, tmp_path):
    stream = dw.lines(tmp_path / "later").parse_json().select("ts")
    (tmp_path / "later").write_bytes(log.read_bytes())
    assert list(stream) == list(stream) == [1, 2, 3, 4, None]
    first, second = iter(stream), iter(stream)
    assert [next(first), next(second), next(first)] == [1, 1, 2]


def test_a_record_is_given_as_soon_as_it_is_there():
    program = (
        "import deadweight as dw\n"
        "for ts in dw.lines('-').parse_json().where(level='ERROR').select('ts'):\n"
        "    print(ts, flush=True)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        for number in range(3):
            child.stdin.write(b'{"level": "INFO"}\n{"level": "ERROR", "ts": %d}\n' % number)
            child.stdin.flush()
            assert int(child.stdout.readline()) == number
        child.stdin.close()
        assert child.wait() == 0


def test_objects_with_read_are_streamed_once(log):
    file = io.BytesIO(log.read_bytes())
    stream = dw.lines(file).parse_json().select("ts")
    assert (list(stream), list(stream)) == ([1, 2, 3, 4, None], [])


def test_other_encodings_are_decoded_first(tmp_path):
    path = write(tmp_path / "log", '{"name": "é"}'.encode("latin-1"))
    assert list(dw.lines(path, encoding="latin-1").parse_json().where(name="é").select("name")) == ["é"]
    assert list(dw.lines(path, errors="replace").parse_json().select("name")) == ["\ufffd"]
    with pytest.raises(ValueError, match="UTF-8"):
        list(dw.lines(path).parse_json())


def test_parts_of_a_file_give_all_records(tmp_path):
    path = write(tmp_path / "log", *(b'{"number": %d}' % number for number in range(1000)))
    found = []
    for part in dw.splits(path, 3):
        found.extend(dw.lines(path, part=part).parse_json().select("number"))
    assert found == list(range(1000))
    start = dw.splits(path, 3)[1]
    stream = dw.lines(path, part=start).parse_json().map(lambda record: 1 / 0, on_error="collect", keep=1)
    assert list(stream) == []
    assert (stream.errors[0].line, stream.errors[0].offset) == (None, start[0])


def test_many_records_in_small_and_large_lines(tmp_path):
    chance = random.Random(4711)
    records = [{"number": number, "text": "x" * chance.choice([1, 100, 100_000])} for number in range(300)]
    path = write(tmp_path / "log", *(json.dumps(record).encode() for record in records))
    assert list(dw.lines(path).parse_json()) == records
    odd = dw.lines(path).parse_json().filter(lambda record: record["number"] % 2).select("number")
    assert list(odd.batched(100)) == [tuple(range(1, 200, 2)), tuple(range(201, 300, 2))]


def test_steps_that_make_no_sense_are_refused_at_once(log):
    lines = dw.lines(log)
    records = lines.parse_json()
    with pytest.raises(ValueError, match="where wants names, and lines have none: parse_json"):
        lines.where(level="ERROR")
    with pytest.raises(ValueError, match=r"select comes before select\('ts'\): tuples have no names"):
        records.select("ts").select("ts")
    with pytest.raises(ValueError, match="parsed already"):
        records.parse_json()
    with pytest.raises(ValueError, match="at least one record, not 0"):
        records.batched(0)
    with pytest.raises(ValueError, match=r"parse_json comes before batched\(9\): tuples are no lines"):
        lines.batched(9).parse_json()
    with pytest.raises(ValueError, match="delimiter"):
        lines.parse_csv(delimiter="ab")
    with pytest.raises(ValueError, match="takes UTF-8 and Latin-1, and no cp1252"):
        dw.lines(log, encoding="cp1252").parse_csv()
    with pytest.raises(ValueError, match="'strict' or 'replace', not"):
        dw.lines(log, errors="ignore").parse_csv()
    assert len(list(records.batched(2**70))) == 1
    with pytest.raises(ValueError, match='on_error is "raise"'):
        lines.parse_json(on_error="ignore")
    for wrong in [
        lambda: records.where(),
        lambda: records.select(),
        lambda: records.filter(),
        lambda: records.map("ts"),
        lambda: records.filter(path="ts"),
        lambda: records.filter(path="ts", equals=[1]),
        lambda: records.filter(path="ts", in_=1),
        lambda: records.filter(len, path="ts", equals=1),
        lambda: records.select(1),
        lambda: records.where(ts=object()),
        lambda: records.batched(2.5),
        lambda: records.map(str, keep=1.5),
        lambda: lines.parse_csv(header="id"),
    ]:
        with pytest.raises(TypeError):
            wrong()


PEOPLE = b'id,name,note\n7,"Lovelace, Ada","two\nlines"\n8,Bob\n9,Eve,x\n'


def test_records_of_csv_are_those_of_the_standard_library(tmp_path):
    path = write(tmp_path / "people.csv", b"id,name,note", b'7,"Lovelace, Ada","two', b'lines"', b"9,Eve,x")
    with open(path, newline="") as file:
        truth = list(csv.DictReader(file))
    people = dw.lines(path).parse_csv()
    assert list(people) == list(people) == truth
    assert list(people.where(name=["Eve", "Bob"]).select("id", "note")) == [("9", "x")]
    assert list(people.where(id=9)) == []
    assert list(people.select("note", "nothing").batched(2)) == [(("two\nlines", None), ("x", None))]
    assert list(people.map(lambda record: int(record["id"])).filter(lambda number: number > 8)) == [9]
    no_header = dw.lines(path).parse_csv(header=False).select("column_2")
    assert list(no_header) == ["name", "Lovelace, Ada", "Eve"]
    named = dw.lines([path, path]).parse_csv(header=["a", "b", "c"]).where(a="9").select("c")
    assert list(named) == ["x", "x"]
    assert [(row.taken, row.given) for row in named.passed] == [(6, 6), (6, 2), (2, 2)]


def test_bad_records_of_csv_are_raised_skipped_or_collected(tmp_path):
    path = tmp_path / "people.csv"
    path.write_bytes(PEOPLE)
    found = []
    with pytest.raises(ValueError, match=r"people\.csv.*2 fields, not 3"):
        found.extend(dw.lines(path).parse_csv().select("id"))
    assert found == ["7"]
    stream = dw.lines([path, path]).parse_csv(on_error="collect", keep=1).where(id=["7", "9"])
    assert [record["id"] for record in stream] == ["7", "9", "7", "9"]
    assert [(row.taken, row.given, row.errors) for row in stream.passed] == [(6, 4, 2), (4, 4, 0)]
    (bad,) = stream.errors
    assert (bad.source, bad.line, bad.offset, bad.sample) == (str(path), 4, PEOPLE.index(b"8,Bob"), b"8,Bob")
    mapped = dw.lines(path).parse_csv(on_error="skip").map(lambda record: 1 / 0, on_error="collect")
    assert list(mapped) == []
    assert [(bad.source, bad.offset) for bad in mapped.errors] == [(str(path), None)] * 2
    with pytest.raises(ValueError, match="directly after the lines"):
        dw.lines(path).map(str).parse_csv()


def test_a_name_of_a_column_is_one_key(tmp_path):
    path = write(tmp_path / "people.csv", b"user.id,name", b"7,Ada", b"8,Bob")
    people = dw.lines(path).parse_csv()
    assert list(people.select("user.id")) == ["7", "8"]
    assert list(people.filter(path="user.id", equals="8").filter(len).select("name", "user.id")) == [("Bob", "8")]
    nested = people.map(lambda record: {"user": {"id": record["user.id"]}})
    assert list(nested.select("user.id")) == ["7", "8"]


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_the_sample_of_a_bad_row_is_what_is_in_the_file(tmp_path, encoding):
    path = write(tmp_path / "people.csv", b"a,b", b"1,\xe9", b"\xff\xe9,2,3")
    stream = dw.lines(path, encoding=encoding).parse_csv(on_error="collect")
    list(stream)
    assert stream.errors[-1].sample == b"\xff\xe9,2,3"
    part = (path.read_bytes().index(b"\xff"), path.stat().st_size)
    stream = dw.lines(path, encoding=encoding, part=part).parse_csv(on_error="collect")
    assert list(stream) == []
    assert [(bad.line, bad.offset) for bad in stream.errors] == [(None, part[0])]
