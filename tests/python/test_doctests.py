"""What the pages and the docstrings show is what the package does: every example is run."""

import doctest
import importlib
import inspect
import pathlib
import pkgutil

import deadweight
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
# `...` stands for what differs from run to run.
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
# These import what may not be installed.
OPTIONAL = {"deadweight.pytest_plugin", "deadweight._ipython"}
MODULES = sorted(
    name
    for _, name, _ in pkgutil.iter_modules(deadweight.__path__, "deadweight.")
    if name not in OPTIONAL and not name.endswith(("_core", "__main__"))
)


@pytest.mark.parametrize(
    "page",
    ["docs/python.md", "docs/records.md", "docs/files.md", "docs/lifetimes.md", "docs/collector.md", "README.md"],
)
def test_pages(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    failed, tried = doctest.testfile(str(ROOT / page), module_relative=False, optionflags=OPTIONS)
    assert tried > 0
    assert failed == 0


@pytest.mark.parametrize("name", ["deadweight", *MODULES])
def test_docstrings(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    failed, _ = doctest.testmod(importlib.import_module(name), optionflags=OPTIONS)
    assert failed == 0


def test_every_page_function_is_documented():
    names = ("python.md", "records.md", "files.md", "lifetimes.md")
    page = "".join((ROOT / "docs" / name).read_text() for name in names)
    functions = [name for name in deadweight.__all__ if inspect.isroutine(getattr(deadweight, name))]
    assert [name for name in functions if f"{name}(" not in page] == []
