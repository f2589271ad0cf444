"""Pictures of what holds what: every path is in them, nothing overlaps, nothing breaks the markup."""

import itertools
import re
import xml.etree.ElementTree as ElementTree

import deadweight as dw
import pytest

SVG = "{http://www.w3.org/2000/svg}"
KEPT: list = []


class Held:
    pass


def hold(paths):
    """One more holder each, in so many attributes of two objects."""
    left, right = Held(), Held()
    for number in range(paths):
        setattr(left if number % 2 else right, f"attribute_{number}", [Held() for _ in range(number % 5 + 1)])
    return left, right


def picture(paths):
    global SHELF
    SHELF = hold(paths)
    try:
        return dw.snapshot().why(f"{__name__}.Held", top=1000)
    finally:
        SHELF = None


SHELF = None


def rectangles(svg):
    drawn = [rect for rect in svg.iter(f"{SVG}rect") if rect.get("class") != "paper"]
    return [tuple(float(rect.get(name)) for name in ("x", "y", "width", "height")) for rect in drawn]


@pytest.mark.parametrize("paths", [1, 5, 50, 500])
def test_boxes_do_not_overlap_and_every_path_is_counted(paths):
    why = picture(paths)
    assert paths <= len(why.paths) <= paths + 8
    svg = ElementTree.fromstring(why.to_svg())
    found = rectangles(svg)
    width, height = float(svg.get("width")), float(svg.get("height"))
    for x, y, w, h in found:
        assert x >= 0 and y >= 0 and x + w <= width and y + h <= height
    for (x, y, w, h), (x2, y2, w2, h2) in itertools.combinations(found, 2):
        assert x + w <= x2 or x2 + w2 <= x or y + h <= y2 or y2 + h2 <= y
    # Each text is inside its box: by the widest letters of the fonts that it names.
    for group in svg.iter(f"{SVG}g"):
        (rect,) = group.iter(f"{SVG}rect")
        for text in group.iter(f"{SVG}text"):
            right = float(text.get("x")) + len(text.text) * 0.602 * 12
            assert right <= float(rect.get("x")) + float(rect.get("width"))
    titles = [title.text for title in svg.iter(f"{SVG}title")]
    shown = [
        int(match[1].replace(",", ""))
        for title in titles[1:]
        if (match := re.search(r"([\d,]+) objects? ·", title))
    ]
    assert sum(shown) == why.count == sum(path.count for path in why.paths)
    assert len(found) < 200 and height < 5000, "too much to look at"


def test_all_paths_can_be_drawn():
    why = picture(50)
    assert len(rectangles(ElementTree.fromstring(why.to_svg(most=1000)))) > 50
    few = ElementTree.fromstring(why.to_svg(most=1))
    assert any("more paths" in title.text for title in few.iter(f"{SVG}title"))
    with pytest.raises(ValueError, match="at least 1"):
        why.to_svg(most=0)


def test_paths_that_begin_alike_are_merged():
    svg = ElementTree.fromstring(picture(50).to_svg(most=1000))
    titles = [title.text for title in svg.iter(f"{SVG}title")]
    assert sum(title.startswith(f"{__name__} · module") for title in titles) == 1
    assert sum(title.startswith(".SHELF · tuple") for title in titles) == 1


@pytest.mark.parametrize(
    "name", ["a<b&c>\"d'", "x" * 300, "日本語" * 40, "zero\0one\x1b[2J", "back\\slash", "\udcff"]
)
def test_odd_names_are_escaped_and_cut(name):
    global SHELF
    SHELF = type(name, (), {})() if name.isprintable() else Held()
    setattr(SHELF, name, Held())
    try:
        heap = dw.snapshot()
    finally:
        SHELF = None
    why = heap.why(f"{__name__}.Held")
    svg = ElementTree.fromstring(why.to_svg())
    assert all(len(text.text) <= 36 for group in svg.iter(f"{SVG}g") for text in group.iter(f"{SVG}text"))
    if name.isprintable():
        titles = "\n".join(title.text for title in svg.iter(f"{SVG}title"))
        assert name in titles
    assert all(letter.isprintable() or letter == "\n" for letter in why.to_dot())
    assert why._repr_svg_() == why.to_svg()
    assert "<svg" in why._repr_html_()


def test_dot_has_the_same_boxes():
    why = picture(20)
    dot = why.to_dot()
    assert dot.startswith("digraph why {")
    svg = ElementTree.fromstring(why.to_svg())
    assert len(re.findall(r"^  n\d+ \[", dot, re.MULTILINE)) == len(rectangles(svg))
    assert len(re.findall(r"^  n\d+ -> n\d+", dot, re.MULTILINE)) == len(list(svg.iter(f"{SVG}path")))


def test_tables_in_notebooks():
    heap = dw.snapshot()
    hostile = type("<script>&", (), {})
    growth = dw.growth(warmup=0)
    for _ in growth.rounds(2):
        KEPT.append(hostile())
    assert growth.leaks
    tables = (
        heap.census(),
        heap.tree(),
        heap.diff(heap),
        dw.growth(),
        growth,
        dw.deepsizeof(hostile()),
        dw.layout(hostile()),
        dw.closures(holding=hostile),
    )
    for table in tables:
        root = ElementTree.fromstring(f"<div>{table._repr_html_()}</div>")
        assert root.find("table/thead/tr") is not None
    rows = ElementTree.fromstring(f"<div>{heap.census()._repr_html_()}</div>").findall("table/tbody/tr")
    assert rows[0].find("td").text == heap.census().rows[0].name
