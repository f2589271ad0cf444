"""The garbage collector: when it runs, for how long, and what to do about it."""

from __future__ import annotations

from deadweight._paused import paused
from deadweight._tune import Change, Tuned, tune

__all__ = ["Change", "Tuned", "paused", "tune"]
