"""Paths that hold something, drawn: a tree from left to right, as SVG of our own and as DOT.

Paths that begin alike are drawn once up to where they part. Of very many paths the heaviest are drawn,
and the others are counted in boxes of their own beside where they part from what is drawn.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from deadweight._text import escaped, size

if TYPE_CHECKING:
    from deadweight._answers import HeldPath, Step, Why

# Pixels. A letter of the commonest monospaced fonts is 0.602 of its size wide.
_FONT = 12
_LETTER = 7.3
_LINE = 16
_PAD = 8
_GAP_X = 44
_GAP_Y = 10
_MARGIN = 12
_HEAD = 28

_LONGEST = 36
"""Letters of a label; what is longer is cut, and whole when pointed at."""
_GROUPS = 12
"""Boxes for paths that are not drawn."""

_FILL = {"root": "#dde8f6", "step": "#ffffff", "end": "#fdeed9", "rest": "#f2f2f2"}


@dataclass(slots=True, eq=False)
class Branch:
    """A box of the picture, and what hangs on it."""

    kind: Literal["root", "step", "end", "rest"]
    lines: list[str]
    children: dict[tuple[str, str], Branch] = field(default_factory=dict["tuple[str, str]", "Branch"])
    retained: int = 0
    """The most that one path through it retains."""
    conservative: bool = False
    """Found by scanning, not by a known layout."""
    skips: bool = False
    """Steps before it are left out."""
    undrawn: list[HeldPath] = field(default_factory=list["HeldPath"])
    """Paths that part from the picture here."""

    def walk(self) -> Iterator[Branch]:
        """It and all behind it, each before those that hang on it."""
        yield self
        for child in self.children.values():
            yield from child.walk()


@dataclass(frozen=True, slots=True)
class Box:
    """Where a branch is drawn. Pixels, from the upper left corner."""

    branch: Branch
    x: float
    y: float
    width: float
    height: float
    parent: int | None
    """The number of the box it hangs on."""

    @property
    def middle(self) -> float:
        """Where lines meet it."""
        return self.y + self.height / 2


def tree(paths: Sequence[HeldPath], most: int) -> list[Branch]:
    """Paths as trees, one for each root: the heaviest ``most`` of them, and the others counted."""
    if most < 1:
        raise ValueError(f"most must be at least 1, not {most}")
    top = Branch("root", [])
    for path in paths[:most]:
        branch = top
        for step, skips in _steps(path):
            new = Branch("root" if branch is top else "step", [step.edge, step.type], skips=skips)
            branch = branch.children.setdefault((step.edge, step.type), new)
            branch.conservative |= step.conservative
            branch.retained = max(branch.retained, path.retained)
        if branch is top:
            branch = top.children.setdefault(("", ""), Branch("end", ["nothing reaches them"]))
        branch.kind = "end"
        mark = "~" if path.trust == "modelled" else ""
        branch.lines.append(f"{_objects(path.count)} · {mark}{size(path.retained)} retained")
    above: dict[Branch, Branch] = {}
    for path in paths[most:]:
        branch = top
        for step, _ in _steps(path):
            child = branch.children.get((step.edge, step.type))
            if child is None:
                break
            above[child] = branch
            branch = child
        branch.undrawn.append(path)
    _gather(top, above)
    return list(top.children.values())


def _gather(top: Branch, above: dict[Branch, Branch]) -> None:
    """Counts the undrawn paths, in few boxes: the smallest groups join those nearer to the root."""
    groups = [branch for branch in top.walk() if branch.undrawn]
    while len(groups) > _GROUPS:
        least = min((group for group in groups if group is not top), key=lambda group: len(group.undrawn))
        groups.remove(least)
        nearer = above[least]
        if not nearer.undrawn:
            groups.append(nearer)
        nearer.undrawn += least.undrawn
        least.undrawn = []
    for group in groups:
        count = len(group.undrawn)
        objects = sum(path.count for path in group.undrawn)
        # Two paths may lead to the same bytes.
        retained = sum(path.retained for path in group.undrawn)
        lines = [
            f"{count:,} more path{'s' if count > 1 else ''}",
            f"{_objects(objects)} · ≤ {size(retained)} retained",
        ]
        group.children["", "rest"] = Branch("rest", lines)


def _steps(path: HeldPath) -> Iterator[tuple[Step, bool]]:
    """The steps that are shown, and whether others before it are left out: ``.x`` stands for
    ``.__dict__`` and ``.x``, and ``.<closure>.x`` for the cell and what is in it."""
    last = len(path.steps) - 1
    for place, step in enumerate(path.steps):
        after = path.steps[place + 1].edge if place < last else ""
        hidden = (
            (step.edge == ".__dict__" and after.startswith(".") and after != ".__dict__")
            or (step.edge == ".__closure__" and after.startswith(".<closure>"))
            or (place > 0 and step.edge == ".cell_contents" and path.steps[place - 1].type == "cell")
        )
        if hidden:
            continue
        if step.type == "cell" and after == ".cell_contents":
            step = replace(step, type=path.steps[place + 1].type)
        yield step, path.shortened and place == last


def boxes(why: Why, most: int) -> list[Box]:
    """Where everything goes, each box after the one it hangs on.

    A column for each number of steps, as wide as its widest box. Each branch has a band of the picture
    to itself, in which its own box is in the middle: so no two boxes can touch.
    """
    roots = tree(why.paths, most)
    widths: list[float] = []
    _measure(roots, 0, widths)
    lefts = [float(_MARGIN)]
    for width in widths:
        lefts.append(lefts[-1] + width + _GAP_X)
    found: list[Box] = []
    top = float(_MARGIN + _HEAD)
    for root in roots:
        top = _place(root, 0, top, None, lefts, found) + _GAP_Y
    return found


def _measure(branches: Iterable[Branch], depth: int, widths: list[float]) -> None:
    for branch in branches:
        if len(widths) <= depth:
            widths.append(0.0)
        widths[depth] = max(widths[depth], _width(branch))
        _measure(branch.children.values(), depth + 1, widths)


def _width(branch: Branch) -> float:
    return max(_letters(cut(line)) for line in branch.lines) * _LETTER + 2 * _PAD


def _place(
    branch: Branch, depth: int, top: float, parent: int | None, lefts: list[float], found: list[Box]
) -> float:
    """Gives a branch the band that begins at ``top``, and tells where it ends."""
    number = len(found)
    height = len(branch.lines) * _LINE + _PAD
    found.append(Box(branch, lefts[depth], top, _width(branch), height, parent))
    end = top - _GAP_Y
    for child in branch.children.values():
        end = _place(child, depth + 1, end + _GAP_Y, number, lefts, found)
    end = max(end, top + height)
    found[number] = replace(found[number], y=top + (end - top - height) / 2)
    return end


def to_svg(why: Why, most: int) -> str:
    """The picture as one ``<svg>`` element, which needs nothing else."""
    placed = boxes(why, most)
    heading = head(why)
    width = max([box.x + box.width for box in placed] + [_MARGIN + _letters(heading) * _LETTER]) + _MARGIN
    height = max([box.y + box.height for box in placed] + [float(_MARGIN + _HEAD)]) + _MARGIN
    heaviest = max([box.branch.retained for box in placed], default=0) or 1
    lines = [_line(box, placed[box.parent], heaviest) for box in placed if box.parent is not None]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" role="img" '
        f'font-family="ui-monospace, Menlo, Consolas, DejaVu Sans Mono, monospace" font-size="{_FONT}">',
        f"<title>{escaped(heading)}</title>",
        f'<rect class="paper" width="{width:.0f}" height="{height:.0f}" fill="#ffffff"/>',
        f'<text x="{_MARGIN}" y="{_MARGIN + _FONT}" fill="#1a1a1a" font-weight="bold">{escaped(heading)}</text>',
        *lines,
        *(_drawn(box) for box in placed),
        "</svg>",
    ]
    return "\n".join(parts)


def _line(box: Box, parent: Box, heaviest: int) -> str:
    """From the right of one box to the left of the next: thicker where more is retained."""
    start, end = parent.x + parent.width, box.x
    half = (start + end) / 2
    thick = 1 + 3 * box.branch.retained / heaviest
    dashes = ' stroke-dasharray="4 3"' if box.branch.conservative or box.branch.skips else ""
    return (
        f'<path d="M{start:.1f} {parent.middle:.1f}C{half:.1f} {parent.middle:.1f} {half:.1f} {box.middle:.1f} '
        f'{end:.1f} {box.middle:.1f}" fill="none" stroke="#7a8594" stroke-width="{thick:.1f}"{dashes}/>'
    )


def _drawn(box: Box) -> str:
    branch = box.branch
    stroke = "2" if branch.kind == "end" else "1"
    dashes = ' stroke-dasharray="4 3"' if branch.kind == "rest" else ""
    texts: list[str] = []
    for row, line in enumerate(branch.lines):
        weight = ' font-weight="bold"' if row == 0 else ""
        y = box.y + _PAD / 2 + (row + 1) * _LINE - 4
        texts.append(
            f'<text x="{box.x + _PAD:.1f}" y="{y:.1f}" fill="#1a1a1a"{weight}>{escaped(cut(line))}</text>'
        )
    return (
        f"<g><title>{escaped(_whole(branch))}</title>"
        f'<rect class="{branch.kind}" x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" '
        f'height="{box.height:.1f}" rx="4" fill="{_FILL[branch.kind]}" stroke="#4a5564" '
        f'stroke-width="{stroke}"{dashes}/>' + "".join(texts) + "</g>"
    )


def to_dot(why: Why, most: int) -> str:
    """The same for graphviz."""
    lines = [
        "digraph why {",
        "  rankdir=LR;",
        f"  label={_quoted([head(why)])};",
        '  node [shape=box, style="rounded,filled", fontname=monospace];',
    ]
    for number, box in enumerate(boxes(why, most)):
        branch = box.branch
        shown = [cut(line) for line in branch.lines]
        style = ', style="rounded,filled,dashed"' if branch.kind == "rest" else ""
        whole = _quoted(branch.lines)
        lines.append(
            f'  n{number} [label={_quoted(shown)}, tooltip={whole}, fillcolor="{_FILL[branch.kind]}"{style}];'
        )
        if box.parent is not None:
            dashed = " [style=dashed]" if branch.conservative or branch.skips else ""
            lines.append(f"  n{box.parent} -> n{number}{dashed};")
    return "\n".join([*lines, "}", ""])


def head(why: Why) -> str:
    """What is drawn, in one line."""
    more = why.count - sum(path.count for path in why.paths)
    tail = f" · {more:,} of them by other paths" if more > 0 else ""
    return f"{why.query} · {_objects(why.count)} · {size(why.held)} held, {size(why.retained)} retained{tail}"


def _objects(count: int) -> str:
    return f"{count:,} object{'s' if count != 1 else ''}"


def _whole(branch: Branch) -> str:
    notes = ["found by scanning, not by a known layout"] if branch.conservative else []
    notes += ["steps before it are left out"] if branch.skips else []
    return " · ".join([*branch.lines, *notes])


def cut(text: str) -> str:
    """A label of bearable length: its beginning and its end, which tells more."""
    if _letters(text) <= _LONGEST:
        return text
    front, back, room = "", "", _LONGEST - 1
    for letter in text:
        if _letters(front + letter) > room // 3:
            break
        front += letter
    for letter in reversed(text):
        if _letters(front + letter + back) > room:
            break
        back = letter + back
    return f"{front}…{back}"


def _letters(text: str) -> int:
    """How many letters wide a text is: those of East Asia are two."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def _quoted(lines: list[str]) -> str:
    """A string of DOT, with line ends between the lines and none in them."""
    clean = (" ".join(line.split()).replace("\\", "\\\\").replace('"', '\\"') for line in lines)
    return '"' + "\\n".join(clean) + '"'
