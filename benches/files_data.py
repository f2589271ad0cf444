"""Files to measure with, and what is in them: a block of distinct rows or lines, over and over."""

from __future__ import annotations

import array
import csv
import io
import json
import random
from dataclasses import dataclass
from pathlib import Path

WORDS = [
    "alpha",
    "request",
    "served",
    "cache",
    "timeout",
    "user",
    "session",
    "retry",
    "upstream",
    "commit",
    "page",
]
BLOCK = 4_000_000
OFTEN = "ERROR"
RARELY = "NEEDLE-4711"
EXPRESSION = "ERROR app.[a-z]+"


@dataclass(frozen=True)
class Made:
    """A file, and the truth about it."""

    path: Path
    size: int
    truth: dict[str, int]


def make_csv(path: Path, size: int) -> Made:
    """Rows of six fields, of which 1 % have a comma and 0.1 % a line end in quotes; the last has no line end."""
    chance = random.Random(4711)
    rows: list[str] = []
    left = BLOCK
    while left > 0:
        number, kind = chance.randrange(10**8), chance.random()
        note = " ".join(chance.choices(WORDS, k=3))
        if kind < 0.011:
            note = f'"{note}{", " if kind < 0.01 else chr(10)}{chance.choice(WORDS)}"'
        score, active = chance.random() * 100, chance.choice(("true", "false"))
        rows.append(f"{number},user{number},user{number}@example.com,{score:.3f},{active},{note}\n")
        left -= len(rows[-1])
    block = "".join(rows)
    times = max(1, size // len(block))
    with open(path, "w", encoding="ascii", newline="") as file:
        file.write("id,name,email,score,active,note\n")
        for _ in range(times - 1):
            file.write(block)
        file.write(block.removesuffix("\n"))
    count = sum(1 for _ in csv.reader(io.StringIO(block, newline=""))) * times
    return Made(path, path.stat().st_size, {"rows": count, "bad": 0})


def make_log(path: Path, size: int) -> Made:
    """Lines of which 2 % have a word that is looked for, and one in each block has another."""
    chance = random.Random(4711)
    lines: list[str] = []
    left = BLOCK
    while left > 0:
        level = chance.choices(("ERROR", "WARN", "INFO"), (2, 8, 90))[0]
        second, said = chance.randrange(60), " ".join(chance.choices(WORDS, k=chance.randrange(4, 12)))
        rare = f" {RARELY}" if not lines else ""
        lines.append(f"2026-11-28T12:34:{second:02}.000Z {level} app.{chance.choice(WORDS)} {said}{rare}\n")
        left -= len(lines[-1])
    block = "".join(lines)
    times = max(1, size // len(block))
    with open(path, "w", encoding="ascii", newline="") as file:
        for _ in range(times):
            file.write(block)
    often = block.count(OFTEN) * times
    truth = {"often": often, "rarely": times, "expression": often, "lines": len(lines) * times}
    return Made(path, path.stat().st_size, truth)


def make_events(path: Path, size: int) -> Made:
    """Lines of JSON as programs log them, 2 % of which are errors."""
    chance = random.Random(4711)
    lines: list[str] = []
    left = BLOCK
    while left > 0:
        record = {
            "ts": f"2026-11-28T12:34:{chance.randrange(60):02}.{chance.randrange(1000):03}Z",
            "level": chance.choices((OFTEN, "WARN", "INFO"), (2, 8, 90))[0],
            "logger": f"app.{chance.choice(WORDS)}",
            "user": {"id": chance.randrange(10**8), "name": f"user{chance.randrange(1000)}"},
            "message": " ".join(chance.choices(WORDS, k=chance.randrange(4, 10))),
            "ms": round(chance.random() * 100, 3),
            "ok": chance.random() < 0.9,
        }
        lines.append(json.dumps(record) + "\n")
        left -= len(lines[-1])
    times = max(1, size // sum(map(len, lines)))
    with open(path, "w", encoding="ascii", newline="") as file:
        for _ in range(times):
            file.writelines(lines)
    errors = sum(json.loads(line)["level"] == OFTEN for line in lines)
    return Made(path, path.stat().st_size, {"errors": errors * times})


def make_numbers(path: Path, size: int) -> Made:
    """Floating-point numbers of 8 bytes, as `array.tofile` writes them."""
    count = size // 8
    with open(path, "wb") as file:
        array.array("d", range(count)).tofile(file)
    return Made(path, 8 * count, {"numbers": count})
