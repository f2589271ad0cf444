"""Texts of more than 2 GiB in one column, which 32-bit offsets cannot count: only at length, in 5 GB of memory."""

import os

import deadweight as dw
import pytest

TEXT = "x" * (1 << 20)
ROWS = 2_100


def available():
    with open("/proc/meminfo") as meminfo:
        return next(int(line.split()[1]) * 1024 for line in meminfo if line.startswith("MemAvailable"))


@pytest.mark.skipif("DEADWEIGHT_AT_LENGTH" not in os.environ, reason="takes 5 GB: only at length")
@pytest.mark.skipif(available() < 12 << 30, reason="two versions at a time need more memory than is available")
def test_texts_of_more_than_two_gibibytes(tmp_path):
    class Page(dw.Record):
        number: dw.u4
        text: str

    def text(number):
        return f"{number:08}{TEXT}"

    pages = dw.Records(Page, ((number, text(number)) for number in range(ROWS)))
    assert pages.nbytes > 2 << 30
    assert [page.text[:8] for page in pages] == [f"{number:08}" for number in range(ROWS)]
    # On both sides of the place where a second blob begins, and elsewhere.
    assert all(pages[number].text == text(number) for number in (0, 5, *range(2_045, 2_050), ROWS - 1))
    pages[5].text = "short"
    del pages[10:20]
    expected = [number for number in range(ROWS) if not 10 <= number < 20]
    pages.save(tmp_path / "pages.arrow")
    opened = dw.Records.open(tmp_path / "pages.arrow")
    os.unlink(tmp_path / "pages.arrow")
    for rows in (pages, opened):
        assert list(rows.number) == expected
        assert rows[5].text == "short"
        assert rows[6].text == text(6)
        assert rows[-1].text == text(ROWS - 1)
    assert [page.text[:8] for page in pages[2_000:]] == [f"{number:08}" for number in expected[2_000:]]
