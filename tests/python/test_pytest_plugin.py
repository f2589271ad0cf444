"""The pytest plugin, in real runs of pytest: over the sample project, and over small ones."""

import os
import shutil
import subprocess
import sys
import textwrap
from importlib.util import find_spec
from pathlib import Path

import pytest

SAMPLE = Path(__file__).parent / "sample"

# Where each leak is held.
LEAKS = {
    "test_module_list": "shop.SEEN",
    "test_cache_on_a_method": "shop.Catalogue.price",
    "test_closure": "shop.HOOKS",
    "test_dict_by_id": "shop.SESSIONS",
    "test_logging_handler": "shop.LOG.handlers",
    "test_class_attribute": "shop.Plugin.registry",
    "test_callbacks": "shop.CALLBACKS",
    "test_thread_local": "orders",
    "test_generator": "shop.PENDING",
    "test_traceback": "shop.FAILED",
    "test_finaliser": "shop.Node.GRAVE",
}


def run(folder, *arguments):
    """A run of its own: what the tests around it have loaded is not there."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rA", *arguments]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "200"}
    environment.pop("PYTEST_ADDOPTS", None)
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    return done.returncode, done.stdout + done.stderr


def project(tmp_path, code):
    (tmp_path / "app.py").write_text("cache = []\n")
    (tmp_path / "test_app.py").write_text("import app\nimport pytest\n" + textwrap.dedent(code))
    return tmp_path


def section(output, name):
    """What pytest says of one failed test."""
    start = output.index(f"_ {name} _")
    return output[start:].split("\n___")[0].split("\n===")[0]


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    """Elsewhere, so that no settings of this project are found."""
    return shutil.copytree(SAMPLE, tmp_path_factory.mktemp("sample") / "shop", dirs_exist_ok=True)


@pytest.fixture(scope="module")
def leaky(sample):
    return run(sample, "test_leaks.py")


def test_every_seeded_leak_fails(leaky):
    status, output = leaky
    assert status == 1, output
    assert f"{len(LEAKS)} failed" in output and "passed" not in output.splitlines()[-1], output


@pytest.mark.parametrize("name", LEAKS)
def test_a_seeded_leak_is_found_with_its_holder(leaky, name):
    said = section(leaky[1], name)
    assert LEAKS[name] in said, said
    assert "B a round" in said, said


def test_what_is_clean_passes(sample):
    status, output = run(sample, "test_clean.py")
    assert status == 0, output


def test_the_option_looks_at_every_test(tmp_path):
    folder = project(
        tmp_path,
        """
        import unittest

        def test_leaks():
            app.cache.append(object())

        def test_once(tmp_path):
            (tmp_path / "folder").mkdir()

        def test_skips_itself():
            if app.cache:
                pytest.skip("not now")

        class TestOld(unittest.TestCase):
            def setUp(self):
                self.list = []

            def test_fine(self):
                self.list.append(1)
        """,
    )
    assert run(folder)[0] == 0
    status, output = run(folder, "--deadweight-all")
    assert status == 1, output
    assert "app.cache" in section(output, "test_leaks")
    assert "1 failed" in output
    assert "1 test passes once but not again" in output and "test_once" in output


def test_doctests_are_counted_as_not_looked_at(tmp_path):
    folder = project(
        tmp_path,
        """
        def twice(number):
            '''
            >>> app.cache.append(twice(2))
            '''
            return 2 * number

        def test_fine():
            assert twice(2) == 4
        """,
    )
    (folder / "page.txt").write_text(">>> 1 + 1\n2\n")
    options = ["--doctest-modules", "--doctest-glob=*.txt"]
    status, output = run(folder, *options, "--deadweight-all")
    assert status == 0 and "3 passed" in output, output
    assert "2 tests are no functions, such as doctests: not looked at" in output, output
    assert "not looked at" not in run(folder, *options)[1]


def test_what_is_to_be_done_after_the_test_is_no_leak(tmp_path):
    folder = project(
        tmp_path,
        """
        import unittest

        done = []

        class TestOld(unittest.TestCase):
            def test_cleanups(self):
                self.addCleanup(done.append, "cleanup")
                self.addCleanup(done.clear)

        class TestAsync(unittest.IsolatedAsyncioTestCase):
            async def test_cleanups(self):
                self.addCleanup(len, ())

            async def test_async_cleanups(self):
                async def nothing():
                    pass

                self.addAsyncCleanup(nothing)

        def test_finalizer(request):
            request.addfinalizer(lambda: done.append("finalizer"))
            request.addfinalizer(done.clear)

        def test_property(record_property):
            record_property("name", "value")

        def test_all_is_done():
            assert done == ["finalizer"]
        """,
    )
    assert run(folder)[0] == 0
    for option in ["--deadweight-all", "--junitxml=report.xml"]:
        status, output = run(folder, "--deadweight-all", option)
        assert status == 0 and "6 passed" in output, output
        assert "1 test passes once but not again" in output and "test_async_cleanups" in output, output
    assert (folder / "report.xml").read_text().count("<property ") == 2


def test_async_methods_of_unittest(tmp_path):
    folder = project(
        tmp_path,
        """
        import unittest

        class TestAsync(unittest.IsolatedAsyncioTestCase):
            async def test_leaks(self):
                app.cache.append(object())

            async def test_fine(self):
                pass
        """,
    )
    status, output = run(folder, "--deadweight-all")
    assert status == 1
    assert "1 failed, 1 passed" in output, output
    assert "app.cache: 1 object more after every round" in section(output, "TestAsync.test_leaks")


def test_subtests_are_told_once(tmp_path):
    folder = project(
        tmp_path,
        """
        import unittest

        times = []

        class TestOld(unittest.TestCase):
            def test_many(self):
                for number in range(20):
                    with self.subTest(number=number):
                        if number == 7:
                            self.skipTest("not this one")
                        assert number < 20

            def test_once(self):
                with self.subTest():
                    app.cache.append(object())
                    assert len(app.cache) == 1

        def test_many(subtests):
            for number in range(20):
                with subtests.test(number=number):
                    assert number < 20

        def test_leaks(subtests):
            with subtests.test():
                app.cache.append(object())

        @pytest.mark.no_leaks
        def test_marked(subtests):
            times.append(None)
            with subtests.test():
                assert len(times) < 6
        """,
    )
    verbose = ("-o", "verbosity_subtests=1")
    _, output = run(folder, *verbose, "-k", "test_many or test_once")
    assert "3 passed, 1 skipped" in output and "40 subtests passed" in output, output
    status, output = run(folder, *verbose, "-k", "test_many or test_once", "--deadweight-all")
    assert status == 0, output
    assert "3 passed, 1 skipped" in output and "40 subtests passed" in output, output
    assert "1 test passes once but not again" in output and "TestOld::test_once" in output, output
    status, output = run(folder, *verbose, "-k", "test_leaks or test_marked", "--deadweight-all")
    assert status == 1
    assert "2 failed" in output and "2 subtests passed" in output, output
    assert "app.cache" in section(output, "test_leaks")
    assert "assert len(times) < 6" in section(output, "test_marked")
    assert "in round 6 of the test" in section(output, "test_marked")


@pytest.mark.skipif(not find_spec("xdist"), reason="needs pytest-xdist")
def test_beside_xdist(sample):
    status, output = run(sample, "-n", "2", "-k", "test_module_list or test_closure or test_bounded_cache")
    assert status == 1
    assert "2 failed, 1 passed" in output, output
    assert "shop.SEEN" in section(output, "test_module_list")


def test_allow_and_rounds(tmp_path):
    folder = project(
        tmp_path,
        """
        times = {"allowed": 0}

        @pytest.mark.no_leaks(rounds=4, warmup=1, allow=["app.cache"])
        def test_allowed():
            times["allowed"] += 1
            app.cache.append([])

        def test_it_ran_so_often():
            assert times["allowed"] == 5

        @pytest.mark.no_leaks
        def test_fails_by_itself():
            assert not app.cache

        @pytest.mark.no_leaks(rounds=1)
        def test_too_few():
            pass

        @pytest.mark.no_leaks(allow="app.cache")
        def test_text():
            pass

        @pytest.mark.no_leaks(round=5)
        def test_misspelt():
            pass

        @pytest.mark.no_leaks(rounds="5")
        def test_no_number():
            pass

        @pytest.mark.no_leaks(allow=[app])
        def test_no_path():
            pass

        @pytest.mark.max_peak("lots")
        def test_no_size():
            pass

        @pytest.mark.max_peak
        def test_nothing_said():
            pass

        @pytest.mark.max_peak(0.9)
        def test_part():
            pass
        """,
    )
    status, output = run(folder)
    assert status == 1
    assert "9 failed, 2 passed" in output, output
    assert "During handling" not in output and "__init__" not in output and "_max_peak" not in output, output
    assert "cannot be interpreted as an integer" in section(output, "test_no_number")
    assert "allow takes paths and names of types" in section(output, "test_no_path")
    assert "missing a required argument: 'most'" in section(output, "test_nothing_said")
    assert "It is written max_peak(most)" in section(output, "test_nothing_said")
    assert "not a size: 0.9" in section(output, "test_part")
    assert "two rounds or more" in section(output, "test_too_few")
    assert "list of paths" in section(output, "test_text")
    assert "'round'" in section(output, "test_misspelt")
    assert "not a size: 'lots'" in section(output, "test_no_size")


def test_what_a_test_hangs_on_objects_of_pytest_is_a_leak(tmp_path):
    folder = project(
        tmp_path,
        """
        @pytest.fixture(scope="session", autouse=True)
        def kept(request):
            for owner in (request.config, request.session, request.config.pluginmanager):
                owner.kept = []

        @pytest.mark.no_leaks
        def test_config(request):
            request.config.kept.append(bytearray(1000))

        @pytest.mark.no_leaks
        def test_session(request):
            request.session.kept.append(bytearray(1000))

        @pytest.mark.no_leaks
        def test_plugins(pytestconfig):
            pytestconfig.pluginmanager.kept.append(bytearray(1000))

        @pytest.mark.no_leaks
        def test_nothing(request, pytestconfig):
            request.config.kept[:] = [bytearray(1000)]
        """,
    )
    status, output = run(folder)
    assert status == 1
    assert "3 failed, 1 passed" in output, output
    for name in ("test_config", "test_session", "test_plugins"):
        assert "kept: 1 bytearray more" in section(output, name), output


def test_max_retained(tmp_path):
    folder = project(
        tmp_path,
        """
        class Session:
            def __init__(self):
                self.data = bytearray(100_000)

        @pytest.mark.max_retained("app.cache", "1 MB")
        def test_much():
            app.cache.extend(Session() for _ in range(20))

        @pytest.mark.max_retained("test_app.Session", "3 MB")
        @pytest.mark.max_retained("app.cache", 3e6)
        def test_not_so_much():
            pass

        @pytest.mark.max_retained("test_app.Session", "500 kB")
        def test_type():
            pass

        class Nobody:
            pass

        @pytest.mark.max_retained(Session, "500 kB")
        def test_class():
            pass

        @pytest.mark.max_retained(Nobody, "1 kB")
        @pytest.mark.max_retained("test_app.Nobody", 0)
        def test_no_instances():
            pass

        @pytest.mark.max_retained("app.table['sessions']", "1 kB")
        def test_key():
            app.table = {"sessions": bytearray(2000)}

        @pytest.mark.max_retained("app.cash", "1 MB")
        def test_no_such_name():
            pass

        @pytest.mark.max_retained("ap.cache", "1 MB")
        def test_misspelt():
            pass

        @pytest.mark.max_retained(5, "1 MB")
        def test_number():
            pass
        """,
    )
    status, output = run(folder)
    assert status == 1
    assert "7 failed, 2 passed" in output, output
    said = section(output, "test_much")
    assert "app.cache retains 2.0 MB, more than 1.0 MB" in said, said
    assert "app.cache" in section(output, "test_type")
    assert "test_app.Session retains 2.0 MB" in section(output, "test_class")
    assert "app.table['sessions'] retains" in section(output, "test_key")
    said = section(output, "test_no_such_name")
    assert "max_retained: `app` (module) has no `.cash`; nearest: `.cache`" in said, said
    said = section(output, "test_misspelt")
    assert "max_retained: no type and no module is called `ap.cache`" in said, said
    assert "it takes a path or a class, not 5" in section(output, "test_number")


def test_fixtures_have_their_names(tmp_path):
    folder = project(
        tmp_path,
        """
        import sys

        class Client:
            def __init__(self):
                self.calls = []

        @pytest.fixture(scope="session")
        def sess():
            return []

        @pytest.fixture
        def client():
            return Client()

        @pytest.mark.no_leaks
        def test_session(sess, request):
            sess.append(object())

        @pytest.mark.no_leaks
        def test_attribute(client, monkeypatch):
            client.calls.append(object())

        @pytest.mark.no_leaks(allow=["'pytest fixture'.sess"])
        def test_allowed(sess):
            sess.append(object())

        def test_nothing_is_left():
            assert "pytest fixture" not in sys.modules
        """,
    )
    status, output = run(folder)
    assert status == 1
    assert "2 failed, 2 passed" in output, output
    assert "'pytest fixture'.sess: 1 object more after every round" in section(output, "test_session")
    assert "'pytest fixture'.client.calls: 1 object more" in section(output, "test_attribute")


def test_max_peak(tmp_path):
    folder = project(
        tmp_path,
        """
        @pytest.mark.max_peak("5 MB")
        def test_much():
            bytearray(8_000_000)

        @pytest.mark.max_peak("10 MB")
        def test_enough():
            bytearray(8_000_000)

        @pytest.mark.max_peak("10 MB")
        @pytest.mark.no_leaks(rounds=2)
        def test_each_round_by_itself():
            app.kept = bytearray(6_000_000)
            del app.kept
        """,
    )
    status, output = run(folder)
    assert status == 1
    assert "1 failed, 2 passed" in output, output
    said = section(output, "test_much")
    assert "the test had 8.0 MB from Python's allocators at its peak, more than 5.0 MB" in said, said


def test_the_fixture_is_the_package(tmp_path):
    folder = project(
        tmp_path,
        """
        def test_fixture(deadweight):
            assert deadweight.sizeof([]) > 0
            assert deadweight.snapshot().why("app.cache").count == 1
        """,
    )
    status, output = run(folder)
    assert status == 0, output


ASYNC = """
    async def leak():
        app.cache.append(object())

    async def fine():
        return [object()]

    @MARK
    @pytest.mark.no_leaks(rounds=3, warmup=1)
    @pytest.mark.parametrize("number", [1, 2])
    async def test_leaks(number):
        await leak()

    @MARK
    @pytest.mark.no_leaks(rounds=3, warmup=1)
    async def test_fine():
        await fine()
"""


@pytest.mark.parametrize(
    ("module", "mark"),
    [("pytest_asyncio", "pytest.mark.asyncio"), ("anyio", "pytest.mark.anyio")],
)
def test_async_tests(tmp_path, module, mark):
    pytest.importorskip(module)
    folder = project(tmp_path, ASYNC.replace("MARK", mark))
    (folder / "conftest.py").write_text(
        "import pytest\n@pytest.fixture\ndef anyio_backend():\n    return 'asyncio'\n"
    )
    status, output = run(folder)
    assert status == 1
    assert "2 failed, 1 passed" in output, output
    assert "app.cache" in section(output, "test_leaks[1]")


@pytest.mark.skipif(not find_spec("pytest_memray"), reason="needs pytest-memray")
def test_beside_pytest_memray(tmp_path):
    folder = project(
        tmp_path,
        """
        @pytest.mark.limit_memory("24 MB")
        @pytest.mark.no_leaks(rounds=3, warmup=1)
        def test_both():
            app.cache.append(object())

        @pytest.mark.limit_memory("1 MB")
        @pytest.mark.no_leaks(rounds=3, warmup=1)
        def test_theirs():
            bytearray(5_000_000)
        """,
    )
    status, output = run(folder, "--memray")
    assert status == 1
    assert "2 failed" in output, output
    assert "app.cache" in section(output, "test_both")
    assert "MiB" in section(output, "test_theirs")
