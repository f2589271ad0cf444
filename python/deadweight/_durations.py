"""Lengths of time, as people write and read them. Seconds between."""

from __future__ import annotations

import re
from datetime import timedelta

_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


def parse_seconds(time: str | float | timedelta) -> float:
    """More than none: a number of seconds, one with a unit such as ``50 ms``, or a ``timedelta``."""
    found: float | None = None
    if isinstance(time, timedelta):
        found = time.total_seconds()
    elif isinstance(time, str):
        match = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([a-zµ]+)\s*", time)
        unit = _UNITS.get(match[2]) if match else None
        if match and unit:
            found = float(match[1]) * unit
    elif isinstance(time, int | float) and not isinstance(time, bool):  # pyright: ignore[reportUnnecessaryIsInstance]
        found = float(time)
    # Not a number is not within any limits.
    if found is None or not 0 < found <= 365 * 86400:
        raise ValueError(f"not a length of time: {time!r}. Such are written 0.05 (seconds), '50 ms' or '30 s'")
    return found


def duration(seconds: float) -> str:
    """With the unit that suits it, in three digits or so."""
    unit, scale = ("µs", 1e6) if seconds < 1e-3 else ("ms", 1e3) if seconds < 1 else ("s", 1.0)
    value = seconds * scale
    digits = 0 if value >= 100 or value == 0 else 1 if value >= 10 else 2
    return f"{value:,.{digits}f} {unit}"
