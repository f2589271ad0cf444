"""Weighs a Python program from inside: what objects hold, what holds them, what could go."""

from deadweight._closures import Closure, Closures, closures
from deadweight._core import (
    BadSnapshot,
    NoSuchProcess,
    NotEnoughMemory,
    NotPermitted,
    NotThere,
    Peak,
    Unsupported,
    peak,
    sizeof,
    why,
)
from deadweight._growth import Growth, Leak, StillGrowing, growth
from deadweight._heap import (
    Census,
    CensusRow,
    Change,
    Diff,
    Heap,
    HeldPath,
    Node,
    Nodes,
    Sizes,
    SpecimenSize,
    Step,
    Tree,
    TreeRow,
    Why,
    load,
    sizes,
    snapshot,
)
from deadweight._pressure import Pressure, on_pressure
from deadweight._sizes import Block, DeepSize, Layout, Part, TypeSize, deepsizeof, layout

__all__ = [
    "BadSnapshot",
    "Block",
    "Census",
    "CensusRow",
    "Change",
    "Closure",
    "Closures",
    "DeepSize",
    "Diff",
    "Growth",
    "Heap",
    "HeldPath",
    "Layout",
    "Leak",
    "NoSuchProcess",
    "Node",
    "Nodes",
    "NotEnoughMemory",
    "NotPermitted",
    "NotThere",
    "Part",
    "Peak",
    "Pressure",
    "Sizes",
    "SpecimenSize",
    "Step",
    "StillGrowing",
    "Tree",
    "TreeRow",
    "TypeSize",
    "Unsupported",
    "Why",
    "closures",
    "deepsizeof",
    "growth",
    "layout",
    "load",
    "on_pressure",
    "peak",
    "sizeof",
    "sizes",
    "snapshot",
    "why",
]


def load_ipython_extension(shell: object) -> None:
    """For ``%load_ext deadweight``: adds ``%sizeof``, ``%%growth`` and ``%%peak``."""
    from deadweight._ipython import load as load_magics

    load_magics(shell)
