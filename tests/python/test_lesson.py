"""The lesson: its programs do what they say, and its page says what this interpreter does."""

import array
import csv
import gc
import importlib.util
import json
import pathlib
import re
import subprocess
import sys

import deadweight as dw
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
LESSON = ROOT / "examples/lesson"
VERSION = ".".join(map(str, sys.version_info[:3]))


def load(name):
    """The program as a module: its classes must be found by name."""
    spec = importlib.util.spec_from_file_location(f"lesson_{name}", LESSON / f"{name}.py")
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("program", sorted(path.name for path in LESSON.glob("[0-9]_*.py")))
def test_programs_end_with_their_row(program):
    done = subprocess.run([sys.executable, LESSON / program], capture_output=True, text=True, check=True)
    assert re.fullmatch(r"\|( [^|]+ \|){3}", done.stdout.splitlines()[-1])


def test_records_weigh_what_was_allocated():
    objects = load("1_objects")
    things, allocated = objects.records()
    # Before anything looks at `__dict__`.
    deep = objects.with_deadweight(things)
    # Measuring itself leaves an int or two.
    assert abs(deep.requested - allocated) < 1000
    assert objects.as_taught(things) < allocated / 4
    before = dw.sizeof(things[0])
    objects.as_taught_with_dict(things)
    if sys.version_info >= (3, 11):
        assert dw.sizeof(things[0]) + dw.sizeof(things[0].__dict__) > before


def test_slots_save_what_was_not_allocated():
    slots = load("2_slots")
    things, deep, allocated = {}, {}, {}
    for kind in (slots.UserRecord, slots.SlottedRecord):
        # Before anything looks at `__dict__`.
        things[kind], allocated[kind] = slots.records(kind)
        deep[kind] = slots.with_deadweight(things[kind])
        # The country is one constant, and the class's: it was there before. Measuring itself leaves an int or two.
        assert abs(deep[kind].requested - allocated[kind]) < 1000
    saved = 1 - deep[slots.SlottedRecord].total / deep[slots.UserRecord].total
    assert 0 < saved < slots.as_taught() / 2
    advice = dw.explain_slots(slots.UserRecord)
    assert (advice.count, advice.worth_it) == (slots.COUNT, True)
    assert advice.saving == deep[slots.UserRecord].total - deep[slots.SlottedRecord].total
    with pytest.raises(AttributeError):
        slots.ByHand(1).rename("somebody")


def test_a_stream_takes_no_more_than_generators(tmp_path):
    streams = load("3_streams")
    path = tmp_path / "app.log"
    streams.write_log(path)
    stream = streams.with_deadweight(path)
    assert list(stream) == list(streams.as_taught(path)) == streams.as_a_list(path)
    assert [(row.taken, row.given) for row in stream.passed] == [
        (streams.COUNT, streams.COUNT),
        (streams.COUNT, streams.COUNT // 50),
        (streams.COUNT // 50, streams.COUNT // 50),
    ]
    held = streams.peak(streams.as_a_list, path)
    assert streams.peak(streams.as_taught, path) < held / 20
    assert streams.peak(streams.with_deadweight, path) < held / 20


def test_packed_records_weigh_their_values():
    lesson = load("4_records")
    deep = {}
    for kind, make in lesson.KINDS.items():
        things, allocated = lesson.records(make)
        weighed = dw.deepsizeof(*things)
        deep[kind] = weighed.total
        # The countries and the names of fields were there before. Measuring itself leaves an int or two.
        assert abs(weighed.requested - allocated) < 1000
    assert deep["dicts"] > deep["dataclass"] > deep["with slots"]
    rows = [lesson.values(number) for number in range(lesson.COUNT)]
    users = lesson.packed(lesson.as_dict(*row) for row in rows)
    assert [row._astuple() for row in users] == rows
    # An id, a score, a category, and each text with where it begins.
    payload = sum(2 + 8 + 1 + 4 + len(name) + 4 + len(email) for _, name, email, _, _ in rows)
    assert payload <= users.nbytes < payload + 100
    weighed = sys.getsizeof(users)
    assert users.nbytes < weighed < users.nbytes + 3000
    assert lesson.as_taught() < weighed < deep["with slots"] / 3


def test_rows_are_counted_as_they_are_meant(tmp_path):
    lesson = load("5_files")
    path = tmp_path / "users.csv"
    path.write_text("id\n7\n")
    assert lesson.rows_with_deadweight(path)[:2] == (1, 0)
    lesson.make(path)
    with open(path, newline="") as file:
        rows = list(csv.reader(file))[1:]
    assert (len(rows), {len(row) for row in rows}) == (lesson.COUNT, {3})
    size = path.stat().st_size
    taught, errors, more = lesson.rows_as_taught(path)
    # A comma in quotes makes a row an error, a line end makes it a row and an error, and the last line is lost.
    assert (taught, errors) == (lesson.COUNT * 4 // 5, lesson.COUNT * 2 // 5 - 1)
    assert more > size * 0.9
    found, bad, more = lesson.rows_with_deadweight(path)
    assert (found, bad) == (lesson.COUNT, 0)
    assert more < size / 4
    places = lesson.places_with_deadweight(path, b"@example.com")
    assert places.tolist() == lesson.places_as_taught(path, b"@example.com")
    assert dw.deepsizeof(places).total < 9.2 * lesson.COUNT < dw.deepsizeof(places.tolist()).total / 4
    results = array.array("d", range(1000))
    lesson.results_as_taught(tmp_path / "taught", results)
    lesson.results_with_deadweight(tmp_path / "vector", results)
    assert (tmp_path / "vector").read_bytes()[128:] == (tmp_path / "taught").read_bytes() == results.tobytes()


def test_nothing_is_collected_while_records_load():
    collector = load("6_collector")
    found = {way: [row.count for row in collector.measured(way).generations] for way in collector.WAYS}
    assert sum(found["as it is"]) > sum(found["as taught"]) > sum(found["paused"]) == 0
    assert found["as it is"][2] > 0
    pauses = collector.full_collection(frozen=True)
    assert [row.count for row in pauses.generations] == [0, 0, 1]
    assert gc.get_freeze_count() < collector.COUNT


def test_a_cache_on_a_method_keeps_its_instances():
    caches = load("7_caches")
    caches.work(caches.Report)
    count, size, found = caches.kept(caches.Report)
    assert count == caches.COUNT
    assert size > caches.COUNT * 1000
    assert ".Report.total.<cache>" in found.paths[0].path
    for cured in (caches.WeakReport, caches.OwnReport):
        caches.work(cured)
        assert caches.kept(cured) == (0, 0, None)


def test_handlers_that_are_never_taken_off_are_found_by_name():
    leaks = load("8_leaks")
    found = leaks.with_deadweight(leaks.leaky_request).leaks
    assert found[0].holder == "lesson_8_leaks.bus.handlers"
    assert found[0].bytes > 2000
    (closure,) = dw.closures(holding=leaks.Order).rows[:1]
    assert closure.variable == "order"
    leaks.with_deadweight(leaks.mended_request).assert_none()


def rows():
    """The page's table: what is said, to the cells of the versions."""
    page = (ROOT / "docs/lesson.md").read_text()
    table = page.split("<!-- figures")[1].split("<!-- end -->")[0].splitlines()[1:]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table]
    return cells[0], cells[2:]


def expected(cell):
    """What a cell says of this patch release."""
    said = re.fullmatch(r"(.*?)(?: \(([\d.]+: .*)\))?", cell)
    others = dict(other.split(": ", 1) for other in (said[2] or "").split("; ") if other)
    return others.get(VERSION, said[1])


def test_the_page_says_what_this_interpreter_does():
    done = subprocess.run([sys.executable, LESSON / "figures.py"], capture_output=True, text=True, check=True)
    figures = json.loads(done.stdout)
    head, body = rows()
    column = head.index(".".join(VERSION.split(".")[:2]))
    assert [row[0] for row in body] == [text for text, _ in figures["claims"]]
    assert [row[1] for row in body] == [quoted for _, quoted in figures["claims"]]
    assert [expected(row[column]) for row in body] == figures["values"]
