"""Rounds of one test alike: what a round leaves in pytest's own objects, and in unittest's, is undone; and
its fixtures have names."""

from __future__ import annotations

import contextlib
import inspect
import logging
import sys
import unittest
import warnings
from collections.abc import Callable, Generator
from types import ModuleType
from typing import Any

import pytest

from deadweight._names import full_name

_FIXTURES = "pytest fixture"


@contextlib.contextmanager
def as_it_was(item: pytest.Function, number: int) -> Generator[None]:
    """Around a round: what it leaves in pytest's own fixtures is no leak of the program. It is undone, unless
    the round failed."""
    fixtures = list(item.funcargs.values())
    with contextlib.ExitStack() as stack:
        if number > 0:
            # pytest keeps each warning until the test is over: those of the first round will do. What a
            # test records itself it is to get again, though it was told once.
            records = any(isinstance(fixture, pytest.WarningsRecorder) for fixture in fixtures)
            stack.enter_context(warnings.catch_warnings(record=not records))
            stack.enter_context(_subtests_not_reported(item))
            stack.enter_context(_finished_with_the_round(item))
        for fixture in fixtures:
            if isinstance(fixture, pytest.MonkeyPatch):
                stack.enter_context(_patches_of_a_round(fixture))
        yield
    for fixture in fixtures:
        if isinstance(fixture, pytest.LogCaptureFixture | pytest.WarningsRecorder):
            fixture.clear()
        elif isinstance(fixture, pytest.CaptureFixture):
            fixture.readouterr()
    for handler in logging.getLogger().handlers:
        reset = getattr(handler, "reset", None)
        if type(handler).__module__ == "_pytest.logging" and callable(reset):
            reset()


@contextlib.contextmanager
def named(fixtures: dict[str, object]) -> Generator[None]:
    """Fixtures are attributes of a module meanwhile, which no ``import`` finds: paths begin with modules.
    Those of pytest itself are left out: they lead to all that pytest has."""
    module, outer = ModuleType(_FIXTURES), sys.modules.get(_FIXTURES)
    for name, value in fixtures.items():
        if not full_name(type(value)).startswith("_pytest."):
            setattr(module, name, value)
    sys.modules[_FIXTURES] = module
    try:
        yield
    finally:
        if outer is None:
            sys.modules.pop(_FIXTURES, None)
        else:
            # Of the run of pytest that this one is within.
            sys.modules[_FIXTURES] = outer


@contextlib.contextmanager
def _subtests_not_reported(item: pytest.Function) -> Generator[None]:
    """The subtests of the first round are reported, and pytest keeps each report. In later rounds they are
    just code: one that fails ends its round as any other failure does."""
    instance = getattr(item, "instance", None)
    places: list[tuple[Any, str]] = [(item.funcargs.get("subtests"), "test")]
    if isinstance(instance, unittest.TestCase):
        places.append((instance, "subTest"))

    def plain(*args: Any, **kwargs: Any) -> contextlib.AbstractContextManager[None]:
        return contextlib.suppress(unittest.SkipTest, pytest.skip.Exception)

    with contextlib.ExitStack() as stack:
        for owner, name in places:
            if hasattr(owner, name):
                setattr(owner, name, plain)
                stack.callback(delattr, owner, name)
        yield


@contextlib.contextmanager
def _finished_with_the_round(item: pytest.Function) -> Generator[None]:
    """What a later round leaves to be done after the test is done after the round; what it tells the report,
    the first has told."""
    properties = len(item.user_properties)
    finalizers: list[Callable[[], object]] = []

    def after_the_round(fin: Callable[[], object]) -> None:
        finalizers.append(fin)

    item.addfinalizer = after_the_round  # type: ignore[method-assign]
    try:
        with _cleanups_of_a_round(getattr(item, "instance", None)):
            yield
    finally:
        del item.addfinalizer
        del item.user_properties[properties:]
        with contextlib.ExitStack() as stack:
            for finalizer in finalizers:
                stack.callback(finalizer)


@contextlib.contextmanager
def _cleanups_of_a_round(instance: object) -> Generator[None]:
    """The same for ``addCleanup`` of a ``unittest.TestCase``."""
    if not isinstance(instance, unittest.TestCase):
        yield
        return
    # As `TestCase.doCleanups` has them, which would put an error aside.
    cleanups: list[tuple[Callable[..., object], tuple[Any, ...], dict[str, Any]]] = vars(instance)["_cleanups"]
    before = len(cleanups)
    try:
        yield
    finally:
        added = cleanups[before:]
        if any(inspect.iscoroutinefunction(function) for function, _, _ in added):
            raise RuntimeError("what addAsyncCleanup is given cannot be awaited after each round")
        del cleanups[before:]
        with contextlib.ExitStack() as stack:
            for function, args, kwargs in added:
                stack.callback(function, *args, **kwargs)


@contextlib.contextmanager
def _patches_of_a_round(patches: pytest.MonkeyPatch) -> Generator[None]:
    """As ``MonkeyPatch.context`` does, for the one that the test has."""
    kept = {name: getattr(patches, name) for name in ("_setattr", "_setitem", "_cwd", "_savesyspath")}
    for name in kept:
        setattr(patches, name, [] if name.startswith("_set") else None)
    try:
        yield
    finally:
        patches.undo()
        for name, value in kept.items():
            setattr(patches, name, value)
