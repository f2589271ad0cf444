"""How much memory is used, of how much: of this program, its control group, the machine."""

from __future__ import annotations

import operator
import os
import re
from dataclasses import dataclass
from typing import Any, SupportsIndex

_UNITS = {
    **dict.fromkeys(("", "B"), 1),
    **{f"{letter}B": 1000**power for power, letter in enumerate("KMGT", 1)},
    **{f"{letter}IB": 1024**power for power, letter in enumerate("KMGT", 1)},
}


def parse_size(text: str | float) -> int:
    """Bytes: a whole number, or one with a unit such as ``10 MB`` or ``24MiB``."""
    found: int | None = None
    if isinstance(text, SupportsIndex) and not isinstance(text, bool):
        found = operator.index(text)
    elif isinstance(text, str):
        match = re.fullmatch(r"\s*([0-9][0-9_,]*(?:\.[0-9]+)?)\s*([a-zA-Z]*)\s*", text)
        unit = _UNITS.get(match[2].upper()) if match else None
        if match and unit:
            found = round(float(match[1].replace(",", "").replace("_", "")) * unit)
    elif isinstance(text, float) and text.is_integer():
        found = int(text)
    if found is None:
        raise ValueError(f"not a size: {text!r}. Sizes are written 500000, 10 MB or 24 MiB")
    if found < 0:
        raise ValueError(f"a size is not negative: {text!r}")
    return found


_LEAST_LIMIT = 1 << 20
"""No interpreter runs in so few bytes."""


@dataclass(frozen=True, slots=True)
class Limit:
    """A part of what there is, or resident bytes."""

    part: float | None
    size: int | None

    def look(self) -> tuple[float, dict[str, Any]]:
        """How near it is (1 is reached), and what was measured."""
        rss = resident()
        facts: dict[str, Any] = {"rss_bytes": rss}
        if self.size is not None:
            return rss / self.size, facts
        shares = [0.0]
        for used, most, name in [cgroup(), machine()]:
            if most:
                facts[f"{name}_used_bytes"], facts[f"{name}_limit_bytes"] = used, most
                shares.append(used / most)
        return max(shares) / (self.part or 1.0), facts

    def __str__(self) -> str:
        return f"{self.size} bytes" if self.part is None else f"{self.part:.4g} of what there is"


def parse_limit(limit: str | float) -> Limit:
    """``"90%"``, or a size."""
    if isinstance(limit, str) and limit.strip().endswith("%"):
        try:
            part = float(limit.strip()[:-1]) / 100
        except ValueError:
            part = -1.0
        if not 0 < part <= 1:
            raise ValueError(f"not a part of memory: {limit!r}. Limits are written 90% or 2 GB")
        return Limit(part=part, size=None)
    try:
        size = parse_size(limit)
    except ValueError:
        raise ValueError(f"not a limit: {limit!r}. Limits are written 90% or 2 GB") from None
    if size < _LEAST_LIMIT:
        raise ValueError(f"{size} bytes is less than any interpreter has: a part of what there is is written 90%")
    return Limit(part=None, size=size)


def resident() -> int:
    """Resident bytes of this process."""
    text = _read("/proc/self/statm")
    return int(text.split()[1]) * os.sysconf("SC_PAGE_SIZE") if text else 0


def machine() -> tuple[int, int, str]:
    """What is used of the machine's memory, and how much there is."""
    rows = dict(re.findall(r"^(MemTotal|MemAvailable): +(\d+) kB$", _read("/proc/meminfo"), re.MULTILINE))
    total, free = int(rows.get("MemTotal", 0)) * 1024, int(rows.get("MemAvailable", 0)) * 1024
    return total - free, total, "machine"


def cgroup() -> tuple[int, int, str]:
    """What is used of the tightest limit of a control group that we are in, and that limit; or zeros."""
    tightest = (0, 0, "cgroup")
    for folder in _groups():
        for most_file, used_file, cache in (
            ("memory.max", "memory.current", "inactive_file"),
            ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
        ):
            most, used = _read(f"{folder}/{most_file}").strip(), _read(f"{folder}/{used_file}").strip()
            # Version 1 says "no limit" by a number that no machine has.
            if not most.isdigit() or not used.isdigit() or int(most) >= 1 << 60 or int(most) == 0:
                continue
            # What the kernel can drop at once does not press.
            stat = re.search(rf"^{cache} (\d+)$", _read(f"{folder}/memory.stat"), re.MULTILINE)
            now = max(int(used) - (int(stat[1]) if stat else 0), 0)
            if not tightest[1] or now / int(most) > tightest[0] / tightest[1]:
                tightest = (now, int(most), "cgroup")
    return tightest


def _groups() -> list[str]:
    """Folders of our control group and all above it."""
    found: list[str] = []
    for line in _read("/proc/self/cgroup").splitlines():
        parts = line.split(":", 2)
        if len(parts) != 3 or (parts[1] and "memory" not in parts[1].split(",")):
            continue
        base = "/sys/fs/cgroup/memory" if parts[1] else "/sys/fs/cgroup"
        at = parts[2].rstrip("/")
        while True:
            found.append(base + at)
            if not at:
                break
            at = at.rpartition("/")[0]
    return found


def pressure_now() -> float | None:
    """Percent of the last ten seconds in which some task of our group, or of the machine, waited for
    memory; None where the kernel does not tell."""
    for folder in [*_groups()[:1], ""]:
        text = _read(f"{folder}/memory.pressure" if folder else "/proc/pressure/memory")
        if match := re.search(r"^some avg10=([0-9.]+)", text, re.MULTILINE):
            return float(match[1])
    return None


def _read(path: str) -> str:
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return file.read()
    except OSError:
        return ""
