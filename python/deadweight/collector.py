"""The garbage collector: when it runs, for how long, and what to do about it."""

from __future__ import annotations

from deadweight._monitor import GenerationPauses, ThreadPauses, monitor
from deadweight._paused import paused
from deadweight._schedule import schedule
from deadweight._slow_pauses import Pause
from deadweight._tune import Change, Tuned, tune

__all__ = [
    "Change",
    "GenerationPauses",
    "Pause",
    "ThreadPauses",
    "Tuned",
    "monitor",
    "paused",
    "schedule",
    "tune",
]
