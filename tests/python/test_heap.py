"""Heaps of this process, of another one, and of a file."""

import gc
import json
import os
import re
import stat
import subprocess
import sys
import threading
import time
import types
from datetime import timedelta

import deadweight as dw
import pytest


class Kept:
    def __init__(self, number):
        self.number = number
        self.payload = bytearray(100)


KEPT = [Kept(number) for number in range(1000)]


def test_census_counts_what_the_interpreter_counts():
    gc.collect()
    heap = dw.snapshot()
    row = heap.census()[f"{__name__}.Kept"]
    assert row.count == 1000
    assert row.held == sum(dw.sizeof(kept) for kept in KEPT)
    assert heap.census()["bytearray"].count >= 1000
    assert heap.method == "clone"
    assert heap.pid == os.getpid()
    assert heap.python == sys.version.split()[0]
    assert len(heap) > len(gc.get_objects())


def test_why_and_tree_and_paths():
    heap = dw.snapshot()
    why = heap.why("Kept")
    assert why.count == 1000
    assert why.paths[0].path == f"{__name__}.KEPT[*]"
    assert [step.type for step in why.paths[0].steps][-1] == f"{__name__}.Kept"
    assert why.retained >= 1000 * dw.deepsizeof(Kept(10**6)).total - 1000 * 32
    assert heap.tree(f"{__name__}.KEPT").rows
    assert heap.why(f"{__name__}.KEPT").count == 1
    for answer in (why, heap.tree(), heap.census()):
        json.dumps(answer.to_dict())
        assert str(answer)
    with pytest.raises(LookupError):
        heap["NoSuchThing"]
    with pytest.raises(ValueError, match="by must be"):
        heap.census(by="colour")


def test_a_tree_of_a_module_is_that_of_its_names():
    heap = dw.snapshot()
    names = heap.tree(f"{__name__}.__dict__")
    assert heap.tree(__name__).rows == names.rows
    assert names.retained == names.rows[0].retained == heap[f"{__name__}.__dict__"][0].retained
    kept = heap.tree(f"{__name__}.KEPT")
    assert kept.retained == heap[id(KEPT)][0].retained < names.retained < heap.tree().retained


def test_a_heap_says_how_long_it_took():
    """Not what its memory is: that is in the program's, of which it is a part."""
    begun = time.monotonic()
    heap = dw.snapshot()
    cost = heap.to_dict()["cost"]
    assert 0 < cost["elapsed_ms"] <= (time.monotonic() - begun) * 1000
    assert cost["cpu_ms"] is None
    assert cost["peak_bytes"] is None
    assert re.search(r"deadweight itself took [\d,.]+ m?s$", str(heap), re.MULTILINE)


SUMS_OF_ITSELF = """
import json, mmap, tempfile
import deadweight as dw

file = tempfile.TemporaryFile()
file.write(bytes(16 << 20))
file.flush()
shared = mmap.mmap(file.fileno(), 16 << 20)
assert not any(shared[:: mmap.PAGESIZE])
ballast = bytearray(b"x") * (32 << 20)

def resident():
    with open("/proc/self/smaps_rollup") as lines:
        return next(int(line.split()[1]) << 10 for line in lines if line.startswith("Rss:"))

def wiped_on_fork():
    found = last = 0
    with open("/proc/self/smaps") as lines:
        for line in lines:
            name, _, rest = line.partition(":")
            if name == "Rss":
                last = int(rest.split()[0]) << 10
            elif name == "VmFlags" and "wf" in rest.split():
                found += last
    return found

first = dw.snapshot().to_dict()
# What is set up once.
for _ in range(2):
    dw.snapshot().to_dict()
before, heap, after = resident(), dw.snapshot(), resident()
print(json.dumps([first, before, after, wiped_on_fork(), heap.method, heap.to_dict()]))
"""


def test_resident_memory_is_the_programs_own_not_its_clones():
    """The kernel copies no pages of files to a clone, and says that two have all others."""
    done = subprocess.run([sys.executable, "-c", SUMS_OF_ITSELF], capture_output=True, text=True, check=True)
    first, before, after, wiped, method, document = json.loads(done.stdout)
    assert method == "clone"
    # Nor does a clone have what the C library keeps for random numbers, a page: a child has its own.
    assert wiped <= 4096
    assert min(before, after) - wiped <= document["rss_bytes"] <= max(before, after) - wiped
    # How much of libraries is shared changes as other programs begin and end. The ballast is its own.
    assert 32 << 20 <= document["uss_bytes"] <= document["pss_bytes"] <= document["rss_bytes"]
    rows = {row["kind"]: row["bytes"] for row in document["account"]}
    assert sum(rows.values()) == document["rss_bytes"]
    assert rows["file_backed"] >= 16 << 20
    assert document["gaps"] == first["gaps"] == []


def test_a_heap_is_asked_of_a_class_a_name_a_path_or_an_address():
    heap = dw.snapshot()
    numbers = {node.address for node in heap[Kept]}
    assert numbers == {id(kept) for kept in KEPT}
    assert {node.address for node in heap[f"{__name__}.Kept"]} == numbers
    assert heap[id(KEPT)][0].object() is KEPT
    assert heap.why(Kept).count == 1000
    assert heap.tree(id(KEPT)).rows[0].type == "list"
    assert Kept in heap
    assert f"{__name__}.KEPT" in heap
    assert "NoSuchThing" not in heap
    assert "list" in heap.census()
    assert "NoSuchThing" not in heap.census()
    with pytest.raises(TypeError, match=r"not of 1\.5"):
        heap[1.5]
    with pytest.raises(TypeError, match="not iterable"):
        iter(heap)


DEEP: object = None


def test_a_tree_of_many_levels_is_no_longer_than_its_rows():
    global DEEP
    levels = 3000
    for number in range(levels):
        # The parity of ones never comes three times in a row (Thue and Morse): no two levels are one row.
        DEEP = [DEEP] if bin(number).count("1") % 2 else (DEEP,)
    try:
        tree = dw.snapshot().tree(f"{__name__}.DEEP", depth=10**6, least=0)
        deepest = tree.rows[-1].depth
        assert deepest >= levels - 1
        text = str(tree)
        assert f"level {deepest:,}: " in text and "level 40: " not in text
        assert "Below level 40, rows are indented alike and say their level" in text
        for shown in (text, tree._repr_html_()):
            assert len(shown) < len(tree.rows) * 400
    finally:
        DEEP = None


def test_a_prompt_and_a_notebook_show_rows_not_fields():
    heap = dw.snapshot()
    answers = [heap.census(), heap.tree(), heap.why(Kept), dw.deepsizeof(KEPT), dw.layout(KEPT), dw.sizes(int)]
    for answer in answers:
        assert repr(answer) == str(answer)
    for answer in [*answers, heap, heap[Kept]]:
        assert answer._repr_html_().startswith(("<table", "<pre", "<div"))
    assert heap[Kept].__repr__() == f"<1,000 objects: {__name__}.Kept>"


def test_why_an_object():
    """Not by the caller's own temporary, which from 3.14 on is a reference that counts."""
    why = dw.why(KEPT[7])
    assert why.paths[0].path == f"{__name__}.KEPT[7]"
    assert why.paths[0].example == id(KEPT[7])


def test_values_are_names():
    table = {"joe": Kept(0), "ann": Kept(1)}
    module = sys.modules["table_of"] = types.ModuleType("table_of")
    module.table = table
    try:
        for values, path in [(False, "table_of.table[#0]"), (True, "table_of.table['joe']")]:
            assert [found.path for found in dw.why(table["joe"], values=values).paths] == [path]
            assert dw.snapshot(values=values)[path][0].object() is table["joe"]
        with pytest.raises(dw.NotThere, match=r"\['joe'\]` cannot be looked up.*table\[#0\]`.*values=True"):
            dw.snapshot()["table_of.table['joe']"]
    finally:
        del sys.modules["table_of"]


def test_nodes_lead_back_to_live_objects():
    nodes = dw.snapshot()["Kept"]
    assert len(nodes) == 1000
    assert {id(node.object()) for node in nodes} == {id(kept) for kept in KEPT}
    assert all(node.held == dw.sizeof(node.object()) for node in nodes[:10])
    victim = next(node for node in nodes if node.object() is KEPT[3])
    old, KEPT[3] = KEPT[3], None
    try:
        assert victim.object() is None
    finally:
        KEPT[3] = old
    assert victim.object() is old
    assert victim.path == f"{__name__}.KEPT[3]"


def test_what_a_result_gives_is_the_callers_own():
    heap = dw.snapshot()
    for result in (heap, heap.census(), heap.tree(), heap.why("dict"), dw.sizes("dict")):
        document = result.to_dict()
        assert json.loads(json.dumps(document)) == document
        document.clear()
        assert result.to_dict()
    for ask in (heap.census, heap.tree):
        with pytest.raises(ValueError, match="top must be 0 or more, not -1"):
            ask(top=-1)


def test_save_load_diff(tmp_path):
    path = tmp_path / "x.dwsnap"
    older = dw.snapshot()
    more = [Kept(number) for number in range(10)]
    heap = dw.snapshot()
    changed = {row.name: row for row in heap.diff(older)}
    assert changed[f"{__name__}.Kept"].count == 10
    assert heap.save(path) == path.stat().st_size
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    loaded = dw.load(path)
    assert loaded.census().to_dict() == heap.census().to_dict()
    assert loaded["Kept"][0].object() is None
    assert not heap.diff(loaded).rows
    del more
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(dw.BadSnapshot, match=r"x\.dwsnap"):
        dw.load(path)
    with pytest.raises(FileNotFoundError) as failed:
        dw.load(tmp_path / "none")
    assert str(failed.value) == f"[Errno 2] No such file or directory: '{tmp_path / 'none'}'"
    nowhere = tmp_path / "no" / "directory"
    with pytest.raises(OSError) as failed:
        heap.save(nowhere)
    assert str(failed.value) == f"[Errno 2] No such file or directory: '{nowhere}'"


def test_another_process():
    program = "class Far: pass\nkeep = [Far() for _ in range(50)]\nprint(1, flush=True)\ninput()"
    child = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert child.stdout and child.stdout.readline()
        heap = dw.snapshot(pid=child.pid)
        assert heap.method is None
        assert heap.census()["__main__.Far"].count == 50
        assert heap["Far"][0].object() is None
    finally:
        child.kill()
        child.communicate()
    with pytest.raises(ProcessLookupError):
        dw.snapshot(pid=child.pid)


def test_a_class_among_the_modules_names_nothing_else():
    """As ``typing.io`` is until 3.12: it would be the shortest path to ``object`` and its subclasses."""

    class Alone:
        pass

    sys.modules["a_class"] = Alone
    try:
        heap = dw.snapshot(values=True)
        assert heap[id(object)][0].path == "builtins.object"
        # It has a name all the same.
        assert heap[id(Alone)][0].path == "interpreter.modules['a_class']"
    finally:
        del sys.modules["a_class"]


def test_a_pause_that_would_be_too_long():
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    with child, pytest.raises(dw.PauseTooLong, match="was let go on") as raised:
        dw.snapshot(pid=child.pid, max_pause=timedelta(microseconds=1))
    assert isinstance(raised.value, TimeoutError)


def test_arguments_that_are_none():
    heap = dw.snapshot()
    for wrong in ["500ms", 0.5, 1]:
        with pytest.raises(TypeError, match="takes a timedelta, such as"):
            dw.snapshot(pid=os.getppid(), max_pause=wrong)
    for own in [None, os.getpid()]:
        with pytest.raises(ValueError, match="for other processes"):
            dw.snapshot(pid=own, max_pause=timedelta(seconds=1))
    for wrong in [True, "5", 1.5]:
        with pytest.raises(TypeError, match=f"number of a process, not {wrong!r}"):
            dw.snapshot(pid=wrong)
    for wrong in [-1, 0, 1 << 40]:
        with pytest.raises(ValueError, match=f"no process has the number {wrong}"):
            dw.snapshot(pid=wrong)
    with pytest.raises(TypeError, match=r"it is deadweight\.load\(path\), not 'old\.dwsnap'"):
        heap.diff("old.dwsnap")
    for ask in [heap.census, heap.tree, lambda top: heap.why(Kept, top=top)]:
        with pytest.raises(TypeError, match="top takes a whole number, not '5'"):
            ask(top="5")
    with pytest.raises(ValueError, match=r"leads to .* objects, not to one: ask for one by its path or address"):
        heap.tree("list")
    with pytest.raises(dw.NotThere, match="no module `numpyro` is loaded"):
        heap["numpyro.ndarray"]


def test_a_row_of_the_census_by_class_and_by_bare_name():
    census = dw.snapshot().census()
    row = census[f"{__name__}.Kept"]
    assert census[Kept] is row and census["Kept"] is row
    assert Kept in census and "Kept" in census and 5 not in census
    with pytest.raises(dw.NotThere, match=rf"no row '{__name__}\.Kep'; nearest: {__name__}\.Kept"):
        census[f"{__name__}.Kep"]
    with pytest.raises(dw.NotThere, match=r"no row '_'$"):
        census["_"]


def test_texts_name_arguments_and_no_options_of_the_command():
    heap = dw.snapshot()
    trees = str(heap.tree(top=2)), str(heap.tree(f"{__name__}.KEPT", depth=1))
    texts = [str(heap.census(top=1)), "\n".join(trees), str(heap.why("dict", top=2)), str(heap)]
    assert not any("--" in line for text in texts for line in text.splitlines() if not line.startswith("Python "))
    assert "more rows: top=N shows more" in texts[0]
    for argument in ["(least=)", "(top=)", "(depth=)"]:
        assert argument in texts[1]
    assert "by other paths: top=N shows more" in texts[2]
    assert ".to_dict() lists" in str(dw.why(sys))


def test_why_of_a_text_that_names_something():
    assert "This is of the text itself. Of what it names: deadweight.snapshot().why('Kept')" in str(dw.why("Kept"))
    assert "the text itself" not in str(dw.why("no such thing"))


NO_TRACE = """
import os, signal
import deadweight as dw

def children():
    return [open(f"/proc/self/task/{task}/children").read() for task in os.listdir("/proc/self/task")]

signals = []
signal.signal(signal.SIGCHLD, lambda *_: signals.append(1))
before = set(os.listdir("/proc/self/fd")), children()
for _ in range(5):
    dw.snapshot()
assert (set(os.listdir("/proc/self/fd")), children()) == before
assert signals == []
try:
    print(os.waitpid(-1, 0))
except ChildProcessError:
    print("nobody")
"""


def test_the_clone_leaves_no_trace():
    """No child stays, no signal comes, no descriptor is left, the program's own wait meets nobody."""
    # In a process of its own: other tests leave children.
    done = subprocess.run(
        [sys.executable, "-c", NO_TRACE], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout == "nobody\n"


def test_the_clone_dies_with_us():
    """Killed in the middle of snapshots, the program leaves nobody behind."""
    program = (
        "import deadweight as dw\nkeep = list(range(10**6, 2 * 10**6))\nprint(1, flush=True)\n"
        "while True: dw.snapshot()"
    )
    for delay in (0.05, 0.2, 0.5):
        child = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
        assert child.stdout and child.stdout.readline()
        time.sleep(delay)
        child.kill()
        child.communicate()
        deadline = time.monotonic() + 10
        while left := orphans(program):
            assert time.monotonic() < deadline, left
            time.sleep(0.05)


def orphans(program):
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline") as file:
                command = file.read()
        except OSError:
            continue
        if program in command:
            found.append(pid)
    return found


def test_from_threads_at_once():
    """Snapshots during snapshots, while another thread makes and drops objects."""
    stop = threading.Event()

    def churn():
        while not stop.is_set():
            [Kept(number) for number in range(100)]

    counts = []

    def look():
        counts.append(dw.snapshot().census()[f"{__name__}.Kept"].count)

    churner = threading.Thread(target=churn)
    churner.start()
    lookers = [threading.Thread(target=look) for _ in range(3)]
    for looker in lookers:
        looker.start()
    for looker in lookers:
        looker.join()
    stop.set()
    churner.join()
    assert len(counts) == 3
    assert all(1000 <= count <= 1101 for count in counts), counts


def test_in_a_forked_child_and_after_freeze():
    program = """
import gc, os, sys
import deadweight as dw
class Kept: pass
keep = [Kept() for _ in range(10)]
assert dw.sizeof(keep) and dw.snapshot().census()["__main__.Kept"].count == 10
gc.freeze()
assert dw.snapshot().census()["__main__.Kept"].count == 10
pid = os.fork()
if pid == 0:
    keep.append(Kept())
    heap = dw.snapshot()
    ok = heap.pid == os.getpid() and heap.census()["__main__.Kept"].count == 11
    ok = ok and dw.deepsizeof(keep).count == 12
    os._exit(0 if ok else 1)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", program], check=True, timeout=120)


def test_in_place_where_no_process_can_be_made():
    """A limit on the number of processes: the copy is made with the lock held, and says so."""
    program = """
import ctypes, os, resource
import deadweight as dw
class Kept: pass
keep = [Kept() for _ in range(10)]
if os.getuid() == 0:
    # The limit does not bind root. Files stay root's to read: the interpreter may be in its home.
    os.setresuid(65534, 65534, 0)
    ctypes.CDLL(None).setfsuid(0)
resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))
heap = dw.snapshot()
print(heap.method)
assert heap.census()["__main__.Kept"].count == 10, heap.census()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("in place"), done.stdout


def test_in_place_where_the_first_child_would_rule_a_namespace():
    """A PID namespace ends with its first process: the clone must not be that."""
    program = """
import ctypes, os, sys
import deadweight as dw
NEW_PID = 0x20000000
if ctypes.CDLL(None).unshare(NEW_PID) != 0:
    sys.exit()
print(dw.snapshot().method)
pid = os.fork()
if pid == 0:
    os._exit(0)
os.waitpid(pid, 0)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert not done.stdout or "namespace" in done.stdout, done.stdout


def test_the_command():
    done = subprocess.run([sys.executable, "-m", "deadweight", "--version"], capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.startswith("deadweight ")
    done = subprocess.run([sys.executable, "-m", "deadweight", "weigh", "0"], capture_output=True, text=True)
    assert done.returncode == 2 and done.stderr.startswith("error: ")


def test_sizes():
    sizes = dw.sizes("list")
    assert sizes.cached_ints[0] == -5
    assert any(row.type == "list" for row in sizes.rows)
    assert str(sizes)


def test_a_text_that_is_asked_about_stays_as_it_is():
    text = "".join(["é", "ß"] * 100)
    before = sys.getsizeof(text)
    assert dw.why(text)
    assert sys.getsizeof(text) == before
