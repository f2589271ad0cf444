"""Marks and a fixture for pytest: tests that fail when a program keeps, or takes, too much.

- ``@pytest.mark.no_leaks(rounds=5, warmup=2, allow=[...])`` repeats the test function, with its fixtures
  made once, and fails if anything grows in every round.
  ``'pytest fixture'.name`` in a path is the test's fixture of that name.
- ``@pytest.mark.max_retained("app.cache", "10 MB")``: what a path, or all objects of a class, keep alive after
  the test. A path that leads to nothing fails.
- ``@pytest.mark.max_peak("24 MB")``: the most that the test has from Python's allocators at a time, beyond
  what there was when it began. Native memory is not among it; NumPy's buffers are from NumPy 2.5 on.
- ``--deadweight-all`` looks for leaks in every test function and method. One that cannot be repeated is named at
  the end, where doctests, and other tests that are no functions, are counted: they are not looked at.
- The fixture ``deadweight`` is the package.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import inspect
import sys
import unittest
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from operator import index
from types import ModuleType
from typing import Any, TypeVar

import pytest

import deadweight as dw
from deadweight._growth import is_below, paths_of
from deadweight._limits import parse_size
from deadweight._names import full_name
from deadweight._rounds import as_it_was, named
from deadweight._text import counted, size

_Taken = TypeVar("_Taken")
_NOT_REPEATED = "deadweight: not repeated"
_NO_FUNCTION = "deadweight: no function"

MARKS = (
    "no_leaks(rounds=5, warmup=2, allow=()): repeat the test and fail if anything grows in every round; "
    "allow names paths or types that may",
    "max_retained(what, most): fail if a path or class keeps more than so much alive after the test",
    "max_peak(most): fail if the test has more than so much from Python's allocators at a time",
)


@dataclass(frozen=True, slots=True)
class _NoLeaks:
    rounds: int = 5
    warmup: int = 2
    allow: Sequence[str] = ()

    def __post_init__(self) -> None:
        paths_of(self.allow)
        if index(self.rounds) < 2 or index(self.warmup) < 0:
            raise ValueError("it takes two rounds or more, and no less than 0 to warm up")


@dataclass(slots=True)
class _Checks:
    """What a test is held to."""

    no_leaks: _NoLeaks | None = None
    for_all: bool = False
    """By the option, not by a mark: a test that cannot be repeated is left alone."""
    retained: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])
    peak: int | None = None


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds ``--deadweight-all``."""
    group = parser.getgroup("deadweight")
    group.addoption("--deadweight-all", action="store_true", help="look for leaks: each test function is repeated")


def pytest_configure(config: pytest.Config) -> None:
    """Makes the marks known."""
    for line in MARKS:
        config.addinivalue_line("markers", line)


@pytest.fixture(name="deadweight")
def _deadweight() -> ModuleType:
    """The package ``deadweight``."""
    return dw


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Puts a function in place of the test's that does what the marks ask for. Whoever runs tests (the
    plugins for asyncio, anyio) runs that one."""
    if not isinstance(item, pytest.Function):
        if item.config.getoption("--deadweight-all"):
            item.user_properties.append((_NO_FUNCTION, item.nodeid))
        return (yield)
    checks = _checks_of(item)
    if checks is None:
        return (yield)
    function: Callable[..., Any] = item.obj
    item.obj = checked = _checked(function, item, checks)
    with contextlib.ExitStack() as stack:
        stack.callback(setattr, item, "obj", function)
        case = getattr(function, "__self__", None)
        if isinstance(case, unittest.TestCase) and inspect.iscoroutinefunction(function):
            # Of these pytest does not run `item.obj`: unittest looks the method up by itself.
            setattr(case, item.name, checked)
            stack.callback(delattr, case, item.name)
        return (yield)


def _checks_of(item: pytest.Function) -> _Checks | None:
    checks = _Checks()
    mark = None
    try:
        if (mark := item.get_closest_marker("no_leaks")) is not None:
            checks.no_leaks = _taken(_NoLeaks, mark)
        elif item.config.getoption("--deadweight-all"):
            checks.no_leaks, checks.for_all = _NoLeaks(), True
        for mark in item.iter_markers("max_retained"):
            checks.retained.append(_taken(_max_retained, mark))
        if (mark := item.get_closest_marker("max_peak")) is not None:
            checks.peak = _taken(_max_peak, mark)
    except (TypeError, ValueError) as error:
        name = mark.name if mark is not None else "deadweight"
        usage = "".join(line.partition(":")[0] for line in MARKS if line.startswith(f"{name}("))
        message = f"@pytest.mark.{name}: {error}\nIt is written {usage}"
        raise pytest.fail.Exception(message, pytrace=False) from None
    asked = checks.no_leaks or checks.retained or checks.peak is not None
    return checks if asked else None


def _taken(takes: Callable[..., _Taken], mark: pytest.Mark) -> _Taken:
    # A call would name a function of ours in its error.
    inspect.signature(takes).bind(*mark.args, **mark.kwargs)
    return takes(*mark.args, **mark.kwargs)


def _max_retained(what: str | type, most: str | float) -> tuple[str, int]:
    if isinstance(what, type):
        return full_name(what), parse_size(most)
    if not isinstance(what, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"it takes a path or a class, not {what!r:.80}")
    return what, parse_size(most)


def _max_peak(most: str | float) -> int:
    return parse_size(most)


def _checked(function: Callable[..., Any], item: pytest.Function, checks: _Checks) -> Callable[..., Any]:
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def run_async(*args: Any, **fixtures: Any) -> None:
            rounds = _Rounds(item, checks)
            with named(item.funcargs):
                for _ in rounds:
                    with rounds.one():
                        await function(*args, **fixtures)
                rounds.judge()

        return run_async

    @functools.wraps(function)
    def run(*args: Any, **fixtures: Any) -> None:
        rounds = _Rounds(item, checks)
        with named(item.funcargs):
            for _ in rounds:
                with rounds.one():
                    function(*args, **fixtures)
            rounds.judge()

    return run


class _Rounds:
    """The rounds of one test, and what came of them."""

    def __init__(self, item: pytest.Function, checks: _Checks) -> None:
        self._item = item
        self._checks = checks
        self._done = 0
        self._over = False
        self._growth: dw.Growth | None = None
        self._peak = 0

    def __iter__(self) -> Iterator[int]:
        asked = self._checks.no_leaks
        if asked is None:
            yield 0
            return
        if self._checks.for_all and not (yield from self._may_grow(asked)):
            return
        growth = dw.growth(warmup=0 if self._checks.for_all else asked.warmup)
        for number in growth.rounds(asked.rounds):
            yield number
            if self._over:
                return
        self._growth = growth

    def _may_grow(self, asked: _NoLeaks) -> Generator[int, None, bool]:
        """Whether there are more blocks of memory after every round. It costs next to nothing to see
        that there are not, and few tests leak: the others are looked at closely."""
        # What there was before is no garbage of this test: the collector need not go through it.
        freezes = gc.get_freeze_count() == 0
        if freezes:
            gc.freeze()
        try:
            for number in range(asked.warmup):
                yield number
                if self._over:
                    return False
            before = _blocks()
            for number in range(asked.rounds):
                yield number
                now = _blocks()
                if self._over or now <= before:
                    return False
                before = now
            return True
        finally:
            if freezes:
                gc.unfreeze()

    @contextlib.contextmanager
    def one(self) -> Generator[None]:
        """One round."""
        repeated = self._checks.no_leaks is not None
        aside = as_it_was(self._item, self._done) if repeated else contextlib.nullcontext()
        try:
            with aside, self._measured():
                yield
        except BaseException as error:
            # Beside exceptions, outcomes of pytest such as a skip.
            ordinary = isinstance(error, Exception | pytest.fail.Exception | pytest.skip.Exception)
            if not ordinary or not self._leaves(error):
                raise
        self._done += 1

    def _leaves(self, error: BaseException) -> bool:
        """Whether to be content with the first round: the test passed, but is not made to be repeated."""
        if self._done == 0:
            return False
        if not self._checks.for_all:
            note = f"deadweight: in round {self._done + 1} of the test (no_leaks repeats it with its fixtures)"
            # As `add_note` does, which 3.10 has not.
            notes: list[str] = [*getattr(error, "__notes__", []), note]
            error.__notes__ = notes  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
            return False
        self._over = True
        self._item.user_properties.append((_NOT_REPEATED, self._item.nodeid))
        return True

    @contextlib.contextmanager
    def _measured(self) -> Generator[None]:
        if self._checks.peak is None:
            yield
            return
        with dw.peak() as measured:
            yield
        self._peak = max(self._peak, measured.peak)

    def judge(self) -> None:
        """Fails the test if it keeps or takes more than it may."""
        found: list[str] = []
        most = self._checks.peak
        if most is not None and self._peak > most:
            found.append(
                f"the test had {size(self._peak)} from Python's allocators at its peak, more than {size(most)}"
            )
        if self._growth is not None and self._checks.no_leaks is not None:
            try:
                own = [leak.path for leak in self._growth.leaks if _is_pytests_own(leak.path)]
                self._growth.assert_none(allow=[*self._checks.no_leaks.allow, *own])
            except dw.StillGrowing as error:
                # For a test without a mark, a cache of Python's own is nothing to fail for, nor what is
                # found only by scanning memory that has no names.
                named = [leak for leak in error.leaks if leak.cache is None and not leak.holder.startswith("<")]
                if named or not self._checks.for_all:
                    found.append(str(error))
        if self._checks.retained:
            found += _too_much_retained(self._checks.retained)
        if found:
            pytest.fail("\n".join(found), pytrace=False)


def _is_pytests_own(path: str) -> bool:
    """What pytest's modules keep is no leak of the program, but for what hangs on its settings: one of these
    modules leads there, and tests are given them as ``request.config``."""
    return is_below(path, "_pytest") and not is_below(path, "_pytest.assertion.util._config")


def _blocks() -> int:
    gc.collect()
    return sys.getallocatedblocks()


def _too_much_retained(asked: list[tuple[str, int]]) -> list[str]:
    gc.collect()
    heap = dw.snapshot(values=any(key in what for what, _ in asked for key in ("['", '["')))
    found: list[str] = []
    for what, most in asked:
        try:
            why = heap.why(what)
        except dw.NotThere as error:
            found.append(f"max_retained: {error}")
            continue
        if why.retained > most:
            rows = "\n".join(
                f"  {path.path}: {counted(path.count, 'object')}, {size(path.retained)} retained"
                for path in why.paths[:5]
            )
            found.append(f"{what} retains {size(why.retained)}, more than {size(most)}:\n{rows}")
            if why.count == 1:
                found.append(str(heap.tree(what, depth=3, top=4)))
    return found


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Names the tests that could not be looked at. Reports come from workers of xdist too."""
    once, others = (_noted(terminalreporter, key) for key in (_NOT_REPEATED, _NO_FUNCTION))
    if once or others:
        terminalreporter.section("deadweight")
    if once:
        tests = "1 test passes" if len(once) == 1 else f"{len(once)} tests pass"
        terminalreporter.line(f"{tests} once but not again with the same fixtures: not looked at")
        for name in once:
            terminalreporter.line(f"  {name}")
    if others:
        tests = "1 test is no function" if len(others) == 1 else f"{len(others)} tests are no functions"
        terminalreporter.line(f"{tests}, such as doctests: not looked at")


def _noted(terminalreporter: pytest.TerminalReporter, wanted: str) -> list[str]:
    """Names of the tests with such a note."""
    names = {
        str(value)
        for reports in terminalreporter.stats.values()
        for report in reports
        for key, value in getattr(report, "user_properties", [])
        if key == wanted
    }
    return sorted(names)
