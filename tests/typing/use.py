"""What a user's type checker sees of the package. Checked by mypy --strict and pyright, never run."""

import csv
import io
import sys
from array import array
from typing import Any

import deadweight as dw
from typing_extensions import Self, assert_type

assert_type(dw.sizeof([]), int)
weight = dw.deepsizeof([], {}, stop=(type,))
assert_type(weight, dw.DeepSize)
assert_type(weight.by_type, tuple[dw.TypeSize, ...])
assert_type(weight.exclusive, int)
assert_type(weight.to_dict(), dict[str, Any])
assert_type(dw.layout(1).blocks[0].parts, tuple[dw.Part, ...])
assert_type(dw.sizes("dict").cached_ints, tuple[int, int])

heap = dw.snapshot(pid=1)
assert_type(heap, dw.Heap)
assert_type(heap["dict"], dw.Nodes)
assert_type(heap["dict"][0], dw.Node)
assert_type(heap["dict"][:2], dw.Nodes)
assert_type(heap.census()["dict"].retained, int)
assert_type(heap.diff(dw.load("x.dwsnap")), dw.Diff)
assert_type(heap.why("dict").paths, tuple[dw.HeldPath, ...])
assert_type(dw.why(heap, values=True), dw.Why)

growth = dw.growth(warmup=1, values=True)
for number in growth.rounds():
    assert_type(number, int)
assert_type(growth.leaks, tuple[dw.Leak, ...])
for closure in dw.closures(holding=int):
    assert_type(closure.count, int)
with dw.peak() as taken:
    assert_type(taken, dw.Peak)
assert_type(taken.peak, int)
with dw.on_pressure(path="p") as watch:
    assert_type(watch.files, list[str])

pages: dw.Cache[int, bytes] = dw.Cache(maxsize=10, max_bytes="1 MB", weigher=lambda key, value: key + len(value))
assert_type(pages[1], bytes)
assert_type(pages.get(1), bytes | None)
assert_type(pages.peek(1), bytes | None)
assert_type(pages.pop(1, b""), bytes)
assert_type(pages.setdefault(1, b""), bytes)
assert_type(pages.stats().evictions, dict[str, int])
assert_type(list(pages.items()), list[tuple[int, bytes]])
assert_type(pages.shrink("50%"), int)
documents: dw.WeakCache[str, Warning] = dw.WeakCache(hot=5)
assert_type(documents["a"], Warning)
assert_type(documents.get("a"), Warning | None)
assert_type(documents.stats().hot, int)


@dw.cached
def doubled(x: int, more: str = "") -> list[int]:
    return [2 * x]


@dw.cached(maxsize=None, max_bytes="1 MB", typed=True)
async def later(x: int) -> bytes:
    return bytes(x)


async def ask() -> None:
    assert_type(await later(1), bytes)


assert_type(doubled(1, more=""), list[int])
assert_type(doubled.cache_info(), dw.CacheInfo)
assert_type(doubled.cache_info().maxsize, int | None)
doubled.cache_clear()
dw.on_pressure(path="p", shrink=[pages, documents, doubled.cache])
doubled("1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
pages["1"] = b""  # type: ignore[index]  # pyright: ignore[reportArgumentType]


class Report:
    @dw.cached_method
    def total(self, start: int = 0) -> float:
        return start / 2

    @dw.cached_method(maxsize=2)
    def rows(self, name: str) -> list[str]:
        return [name]

    @property
    @dw.cached_method
    def mean(self) -> float:
        return 1.5


assert_type(Report().total(start=1), float)
assert_type(Report().rows("a"), list[str])
assert_type(Report().mean, float)
assert_type(Report.rows.cache_info(Report()).hits, int)
Report().rows(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


@dw.slots
class Point:
    def __init__(self, x: int) -> None:
        self.x = x


@dw.slots(weakref=True, extra=["late"])
class Watched(Point):
    pass


assert_type(Point(1), Point)
assert_type(Watched(1).x, int)
advice = dw.explain_slots(Point, heap)
assert_type(advice, dw.SlotsAdvice)
assert_type(advice.blockers, tuple[dw.Blocker, ...])
assert_type(advice.saving, int)

dw.slots(1)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
dw.closures(holding=1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
weight.total = 1  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
dw.snapshot("dict")  # type: ignore[misc,arg-type]  # pyright: ignore[reportCallIssue]


class User(dw.Record):
    user_id: dw.u4
    name: str
    score: dw.f8 = 0.0


user = User(7, "Ada")
assert_type(user.user_id, int)
assert_type(user.score, float)
users = dw.Records(User, [user, (8, "Bob", 1.5)])
assert_type(users, dw.Records[User])
assert_type(users[0], User)
assert_type(users[1:], dw.Records[User])
assert_type(users[[0, 1]], dw.Records[User])
assert_type(users.pop(), User)
assert_type(users.types, dict[str, str])
assert_type(users.score.tolist(), list[Any])
for each in users:
    assert_type(each, User)
assert_type(dw.pack([{"a": 1}]), dw.Records[Any])
assert_type(dw.Records.open("x.arrow"), dw.Records[Any])
assert_type(dw.Records.open("x.arrow", User, copy=True), dw.Records[User])
assert_type(dw.Records.from_arrow(users), dw.Records[Any])
assert_type(dw.Records.from_arrow(users, User), dw.Records[User])
assert_type(dw.Records.from_columns(User, user_id=[1], name=["Ada"]), dw.Records[User])
assert_type(dw.Record.of({"x": "f4"})(x=1).x, Any)
users.score = [1.5, 2.5]
users["score"] = (float(number) for number in range(2))
users[0] = user
users[:1] = [(7, "Ada")]
users.score = 3  # type: ignore[assignment]  # pyright: ignore[reportArgumentType]
assert_type(users.packed_from, dw.PackedFrom | None)
User("Ada", 7)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

finalizer = dw.finalize(user, len, "abc")
assert_type(finalizer, dw.finalize[User, int])
assert_type(finalizer(), int | None)
dw.finalize(user, len, 3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
bus: dw.Bus[[int]] = dw.Bus()
bus.emit("one")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


@bus.connect
def handler(number: int) -> str:
    return str(number)


assert_type(handler(1), str)
with dw.collector.paused(guard=None):
    pass

with dw.collector.monitor(over="50 ms", on_slow=lambda pause: print(pause.duration)) as pauses:
    assert_type(pauses.generations, tuple[dw.collector.GenerationPauses, ...])
    assert_type(pauses.generations[0].p99, float)
    assert_type(pauses.slow, tuple[dw.collector.Pause, ...])
    assert_type(pauses.to_dict(), dict[str, Any])


async def quiet() -> None:
    async with dw.collector.schedule(every="30 s", when=lambda: True) as collections:
        assert_type(collections.longest, float)
    async with dw.asgi.lifespan(every=None)(None) as state:
        assert_type(state, dict[str, Any])


async def application(scope: Any, receive: Any, send: Any) -> None: ...


service = dw.asgi.with_lifespan(dw.asgi.Middleware(application, header="server-timing"), dw.asgi.lifespan())
dw.collector.schedule(when="quiet")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

with dw.collector.tune("web") as tuned:
    assert_type(tuned, dw.collector.Tuned)
    assert_type(tuned.pause_after, float | None)
    assert_type([change.what for change in tuned.changes], list[str])
dw.collector.tune("games")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


class Price(dw.Record):
    id: dw.u4
    price: float | None


prices = dw.scan_csv("prices.csv", header=["id", "price"], bad_rows="skip")
assert_type(prices.columns, tuple[str, ...])
assert_type(prices.count(), int)
assert_type(prices.check(top=3).bad_rows, tuple[dw.BadRow, ...])
assert_type(prices.select("id", 1), dw.CsvScan)
for row in prices:
    assert_type(row, Any)
assert_type(prices.to_records(Price), dw.Records[Price])
assert_type(prices.to_records(), dw.Records[Any])
for batch in prices.batches(Price, 1000):
    assert_type(batch, dw.Records[Price])

with dw.mapped("huge.bin") as mapped:
    assert_type(mapped[10:20], bytes)
    assert_type(mapped[10], int)
    assert_type(mapped.offsets(b"needle", overlapping=True), array[int])
    for found in mapped.finditer([b"one", b"other"]):
        assert_type((found.start, found.read()), tuple[int, bytes])
    assert_type(mapped.count(dw.regex("a+", ignore_case=True)), int)
    assert_type(list(mapped.sections(mapped.offsets(b"needle"), 16)), list[bytes])
    mapped.find("needle")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

with dw.Vector.create("out.f8", "f8", 1000) as vector:
    vector[:3] = [1.0, 2.0, 3.0]
    vector[3:5] = array("d", [4, 5])
    assert_type(vector[:3], memoryview)
    assert_type(vector.valid, int)


class Files(dw.Cache[str, bytes]):
    def __new__(cls) -> Self:
        return super().__new__(cls, maxsize=3)


class Wrong(dw.Cache[str, bytes]):
    def __init__(self) -> None:  # pyright: ignore[reportInconsistentConstructor]
        super().__init__(maxsize=3)  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]


assert_type(dw.lines("app.log"), dw.Lines[str])
assert_type(dw.lines(["app.log", b"-"], encoding="latin-1", longest="1 GB"), dw.Lines[str])
assert_type(dw.lines(io.BytesIO(), encoding=None, part=(0, 9), progress=print), dw.Lines[bytes])
for line in dw.lines("-", keepends=True):
    assert_type(line, str)
for chunk in dw.chunks(sys.stdin.buffer, size="64 MB", align=None):
    assert_type(chunk, bytes)
assert_type(dw.splits("app.csv", 4, csv.excel), list[tuple[int, int]])

errors = dw.lines("app.log").parse_json(on_error="collect").where(level=["ERROR", "FATAL"]).select("ts", "user.id")
assert_type(errors, dw.Stream[Any])
assert_type(errors.errors, tuple[dw.BadLine, ...])
assert_type(errors.passed.rows, tuple[dw.StepCount, ...])
assert_type(dw.lines("app.log", encoding=None).map(len, on_error="skip"), dw.Stream[int])
assert_type(dw.lines("app.log").filter(str.isdigit).batched(10), dw.Stream[tuple[str, ...]])
dw.lines("app.log").parse_json().filter(path="user.id", in_={1, 2}).filter(path=("user", "id"), equals=1.0)
