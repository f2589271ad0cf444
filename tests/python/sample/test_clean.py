"""None of these leaks, whatever is gathered for the test as a whole."""

import logging
import os
import warnings
from functools import lru_cache

import pytest
import shop

pytestmark = pytest.mark.no_leaks(rounds=3, warmup=1)


@lru_cache(maxsize=8)
def bounded(number):
    return [number]


def test_allocates():
    assert len([shop.Order() for _ in range(100)]) == 100


def test_cycle():
    one, two = [], []
    one.append(two)
    two.append(one)


def test_bounded_cache(request):
    for number in range(20):
        bounded(number)


def test_patches(monkeypatch):
    monkeypatch.setattr(shop, "SEEN", [])
    monkeypatch.setenv("SHOP", "1")
    shop.SEEN.append(shop.Order())
    assert os.environ["SHOP"] == "1"


def test_logs(caplog, capsys):
    logging.getLogger("shop.clean").warning("as often as it is run")
    print("so is this")
    assert len(caplog.records) == 1
    assert capsys.readouterr().out == "so is this\n"


def test_logs_without_a_fixture():
    logging.getLogger("shop.clean").warning("as often as it is run")


def test_warns(recwarn):
    warnings.warn("each time", stacklevel=1)
    assert len(recwarn) == 1


def test_warns_without_a_fixture():
    warnings.warn("each time", stacklevel=1)


@pytest.mark.parametrize("number", [1, 2])
def test_parameters(number):
    assert number


class TestClass:
    @pytest.fixture(autouse=True)
    def once(self):
        self.rounds = 0

    def test_fixtures_are_made_once(self):
        self.rounds += 1

    def test_rounds(self, request):
        request.node.stash.setdefault(KEY, [0])[0] += 1


KEY = pytest.StashKey()
