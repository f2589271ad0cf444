"""Weighs a Python program from inside: what objects hold, what holds them, what could go."""

from deadweight._core import (
    BadRecords,
    BadSnapshot,
    Mapped,
    Match,
    NoSuchProcess,
    NotEnoughMemory,
    NotPermitted,
    NotThere,
    PauseTooLong,
    Peak,
    Regex,
    Unsupported,
    Vector,
    __version__,
    mapped,
    peak,
    regex,
    sizeof,
    why,
)

# Type checkers take it for true. The module `typing` takes longer to import than all the rest.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from deadweight import asgi, collector
    from deadweight._answers import Census, CensusRow, Change, Diff, HeldPath, Step, Tree, TreeRow, Why
    from deadweight._bus import Bus, BusStats
    from deadweight._cache import Cache, CacheStats, CacheWarning
    from deadweight._cached import Cached, cached
    from deadweight._cached_method import CachedMethod, cached_method
    from deadweight._calls import CacheInfo
    from deadweight._closures import Closure, Closures, closures
    from deadweight._csv import CsvScan, scan_csv
    from deadweight._csv_answers import BadRow, CsvCheck
    from deadweight._dtypes import category, f4, f8, i1, i2, i4, i8, u1, u2, u4, u8
    from deadweight._finalize import finalize
    from deadweight._growth import Growth, Leak, StillGrowing, growth
    from deadweight._heap import Heap, Node, Nodes, load, snapshot
    from deadweight._lines import Lines, lines
    from deadweight._packed import PackedFrom
    from deadweight._parts import chunks, splits
    from deadweight._pressure import Pressure, on_pressure
    from deadweight._records import Record, Records, pack
    from deadweight._sizes import Block, DeepSize, Layout, Part, TypeSize, deepsizeof, layout
    from deadweight._slots import CannotSlot, slots
    from deadweight._slots_advice import SlotsAdvice, explain_slots
    from deadweight._slots_plan import Blocker
    from deadweight._specimens import Sizes, SpecimenSize, sizes
    from deadweight._stream import Passed, Stream
    from deadweight._stream_run import BadLine, StepCount
    from deadweight._weak_cache import WeakCache, WeakCacheStats

__all__ = [
    "BadLine",
    "BadRecords",
    "BadRow",
    "BadSnapshot",
    "Block",
    "Blocker",
    "Bus",
    "BusStats",
    "Cache",
    "CacheInfo",
    "CacheStats",
    "CacheWarning",
    "Cached",
    "CachedMethod",
    "CannotSlot",
    "Census",
    "CensusRow",
    "Change",
    "Closure",
    "Closures",
    "CsvCheck",
    "CsvScan",
    "DeepSize",
    "Diff",
    "Growth",
    "Heap",
    "HeldPath",
    "Layout",
    "Leak",
    "Lines",
    "Mapped",
    "Match",
    "NoSuchProcess",
    "Node",
    "Nodes",
    "NotEnoughMemory",
    "NotPermitted",
    "NotThere",
    "PackedFrom",
    "Part",
    "Passed",
    "PauseTooLong",
    "Peak",
    "Pressure",
    "Record",
    "Records",
    "Regex",
    "Sizes",
    "SlotsAdvice",
    "SpecimenSize",
    "Step",
    "StepCount",
    "StillGrowing",
    "Stream",
    "Tree",
    "TreeRow",
    "TypeSize",
    "Unsupported",
    "Vector",
    "WeakCache",
    "WeakCacheStats",
    "Why",
    "__version__",
    "asgi",
    "cached",
    "cached_method",
    "category",
    "chunks",
    "closures",
    "collector",
    "deepsizeof",
    "explain_slots",
    "f4",
    "f8",
    "finalize",
    "growth",
    "i1",
    "i2",
    "i4",
    "i8",
    "layout",
    "lines",
    "load",
    "mapped",
    "on_pressure",
    "pack",
    "peak",
    "regex",
    "scan_csv",
    "sizeof",
    "sizes",
    "slots",
    "snapshot",
    "splits",
    "u1",
    "u2",
    "u4",
    "u8",
    "why",
]

# Imported when first asked for: they want dataclasses and json, which take longer than all the rest.
_LAZY = {
    "deadweight._answers": (
        "Census",
        "CensusRow",
        "Change",
        "Diff",
        "HeldPath",
        "Step",
        "Tree",
        "TreeRow",
        "Why",
    ),
    "deadweight._bus": (
        "Bus",
        "BusStats",
    ),
    "deadweight._cache": (
        "Cache",
        "CacheStats",
        "CacheWarning",
    ),
    "deadweight._cached": (
        "Cached",
        "cached",
    ),
    "deadweight._cached_method": (
        "CachedMethod",
        "cached_method",
    ),
    "deadweight._calls": ("CacheInfo",),
    "deadweight._closures": (
        "Closure",
        "Closures",
        "closures",
    ),
    "deadweight._csv": (
        "CsvScan",
        "scan_csv",
    ),
    "deadweight._csv_answers": (
        "BadRow",
        "CsvCheck",
    ),
    "deadweight._dtypes": (
        "category",
        "f4",
        "f8",
        "i1",
        "i2",
        "i4",
        "i8",
        "u1",
        "u2",
        "u4",
        "u8",
    ),
    "deadweight._finalize": ("finalize",),
    "deadweight._growth": (
        "Growth",
        "Leak",
        "StillGrowing",
        "growth",
    ),
    "deadweight._heap": (
        "Heap",
        "Node",
        "Nodes",
        "load",
        "snapshot",
    ),
    "deadweight._lines": (
        "Lines",
        "lines",
    ),
    "deadweight._packed": ("PackedFrom",),
    "deadweight._parts": (
        "chunks",
        "splits",
    ),
    "deadweight._pressure": (
        "Pressure",
        "on_pressure",
    ),
    "deadweight._records": (
        "Record",
        "Records",
        "pack",
    ),
    "deadweight._sizes": (
        "Block",
        "DeepSize",
        "Layout",
        "Part",
        "TypeSize",
        "deepsizeof",
        "layout",
    ),
    "deadweight._slots": (
        "CannotSlot",
        "slots",
    ),
    "deadweight._slots_advice": (
        "SlotsAdvice",
        "explain_slots",
    ),
    "deadweight._slots_plan": ("Blocker",),
    "deadweight._specimens": (
        "Sizes",
        "SpecimenSize",
        "sizes",
    ),
    "deadweight._stream": (
        "Passed",
        "Stream",
    ),
    "deadweight._stream_run": (
        "BadLine",
        "StepCount",
    ),
    "deadweight._weak_cache": (
        "WeakCache",
        "WeakCacheStats",
    ),
}
_MODULES = {name: module for module, names in _LAZY.items() for name in names}


if not TYPE_CHECKING:
    # Type checkers would take any name for one of ours.
    def __getattr__(name: str) -> object:
        from importlib import import_module

        if name in ("asgi", "collector"):
            return import_module(f"deadweight.{name}")
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value: object = getattr(import_module(_MODULES[name]), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    private = {"TYPE_CHECKING", "_LAZY", "_MODULES"}
    return sorted({*globals(), *__all__} - private)


def load_ipython_extension(shell: object) -> None:
    """For ``%load_ext deadweight``: adds ``%sizeof``, ``%%growth`` and ``%%peak``."""
    from deadweight._ipython import load as load_magics

    load_magics(shell)
