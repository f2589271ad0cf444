"""The garbage collector: when it runs, for how long, and what to do about it."""

from __future__ import annotations

from deadweight._paused import paused

__all__ = ["paused"]
