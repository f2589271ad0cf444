"""The magics, in a real IPython shell."""

import re

import deadweight as dw
import pytest
from deadweight._text import size


@pytest.fixture(scope="module")
def shell():
    interactive = pytest.importorskip("IPython.core.interactiveshell")
    shell = interactive.InteractiveShell.instance()
    shell.run_line_magic("load_ext", "deadweight")
    return shell


def misused(match):
    from IPython.core.error import UsageError

    return pytest.raises(UsageError, match=match)


def test_sizeof(shell):
    from IPython.utils.capture import capture_output

    shell.user_ns["rows"] = [str(number) for number in range(1000)]
    with capture_output() as said:
        deep = shell.run_line_magic("sizeof", "rows")
    assert deep.total == dw.deepsizeof(shell.user_ns["rows"]).total
    assert f"{dw.sizeof(shell.user_ns['rows']):,} B by itself" in said.stdout
    with misused("takes an expression"):
        shell.run_line_magic("sizeof", "")
    with pytest.raises(NameError):
        shell.run_line_magic("sizeof", "no_such_name")


def test_growth(shell):
    shell.run_cell("kept = []")
    growth = shell.run_cell_magic("growth", "3 1", "kept.append(['text' * 5])")
    assert len(shell.user_ns["kept"]) == 4
    assert [leak.holder for leak in growth.leaks] == ["__main__.kept"]
    assert not shell.run_cell_magic("growth", "", "[number for number in range(1000)]").leaks
    for line in ["many", "1", "2 -1", "2 1 1"]:
        with misused(f"how many rounds.*not '{line}'"):
            shell.run_cell_magic("growth", line, "pass")


def test_peak(shell):
    peak = shell.run_cell_magic("peak", "", "block = bytearray(3_000_000)\ndel block")
    assert 3_000_000 <= peak.peak < 3_100_000
    assert shell.display_formatter.format(peak)[0]["text/plain"] == repr(peak)
    rows = re.findall("<td[^>]*>(peak|net|rss)</td><td[^>]*>([^<]*)</td>", peak._repr_html_())
    assert rows == [("peak", "3.0 MB"), ("net", size(peak.net)), ("rss", size(peak.rss))]
    assert "text/html" not in shell.display_formatter.format(dw.peak())[0]
    with misused("takes nothing"):
        shell.run_cell_magic("peak", "3", "pass")
    with pytest.raises(ZeroDivisionError):
        shell.run_cell_magic("peak", "", "1 / 0")
    assert not peak.is_open


def keep(function=[b"kept"]):  # noqa: B006
    return function


def test_rich_output(shell):
    format_ = shell.display_formatter.format
    heap = dw.snapshot()
    growth = shell.run_cell_magic("growth", "2 1", "kept.append(['text' * 5])")
    tables = [
        heap.census(),
        heap.tree(),
        heap.diff(heap),
        growth,
        dw.closures(holding=bytes),
        dw.deepsizeof([1]),
        dw.layout([1]),
        dw.sizes("dict"),
    ]
    for table in tables:
        data, _ = format_(table)
        assert "<table>" in data["text/html"]
        assert data["text/plain"] == str(table)
    assert "__main__.kept" in format_(growth)[0]["text/html"]
    assert "keep" in format_(dw.closures(holding=bytes))[0]["text/html"]
    data, _ = format_(heap.why("list"))
    assert "<svg" in data["image/svg+xml"]
