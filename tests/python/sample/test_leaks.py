"""Each of these is to fail, and to say where."""

import pytest
import shop

pytestmark = pytest.mark.no_leaks(rounds=3, warmup=1)


def test_module_list():
    shop.module_list()


def test_cache_on_a_method():
    shop.cache_on_a_method()


def test_closure():
    shop.closure()


def test_dict_by_id():
    shop.dict_by_id()


def test_logging_handler():
    shop.logging_handler()


def test_class_attribute():
    shop.class_attribute()


def test_callbacks():
    shop.callbacks()


def test_thread_local():
    shop.thread_local()


def test_generator():
    shop.generator()


def test_traceback():
    shop.traceback()


def test_finaliser():
    shop.finaliser()
