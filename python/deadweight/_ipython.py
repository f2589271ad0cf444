"""``%load_ext deadweight``: ``%sizeof``, ``%%growth`` and ``%%peak`` in IPython and notebooks."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from deadweight._table import html_table
from deadweight._text import size

if TYPE_CHECKING:
    from deadweight._growth import Growth


def sizeof_line(shell: Any, line: str) -> Any:
    """``%sizeof EXPRESSION``: what its value holds, alone and with all that it leads to."""
    import deadweight as dw

    if not line.strip():
        raise _misused("%sizeof takes an expression: %sizeof my_list")
    value = shell.ev(line)
    deep = dw.deepsizeof(value)
    print(f"{dw.sizeof(value):,} B by itself")
    return deep


def growth_cell(shell: Any, line: str, cell: str) -> Growth:
    """``%%growth [ROUNDS [WARMUP]]``: runs the cell again and again; what grows in every round."""
    import deadweight as dw

    try:
        numbers = [int(word) for word in line.split()]
        count, warmup = [*numbers, *(5, 2)[len(numbers) :]]
        growth = dw.growth(warmup=warmup)
        rounds = growth.rounds(count)
    except ValueError:
        takes = "how many rounds (2 or more), and how many to warm up (0 or more)"
        raise _misused(f"%%growth takes {takes}, not {line!r}") from None
    code = _compiled(shell, cell)
    for _ in rounds:
        exec(code, shell.user_ns)
    return growth


def peak_cell(shell: Any, line: str, cell: str) -> Any:
    """``%%peak``: runs the cell; the most that it had from Python's allocators at a time."""
    import deadweight as dw

    if line.strip():
        raise _misused(f"%%peak takes nothing on its line, not {line!r}")
    code = _compiled(shell, cell)
    with dw.peak() as peak:
        exec(code, shell.user_ns)
    return peak


def peak_table(peak: int, net: int, rss: int) -> str:
    """What ``peak`` counted, as notebooks show it."""
    rows = [
        ["peak", size(peak), "the most that Python's allocators gave out at a time"],
        ["net", size(net), "what is left of that"],
        ["rss", size(rss), "how much more of the process is resident"],
    ]
    return html_table("while it was counted", ["", "bytes", "what"], rows, {1})


def _misused(message: str) -> Exception:
    """IPython shows it in one line, without the lines of ours that raised it."""
    error: type[Exception] = import_module("IPython.core.error").UsageError
    return error(message)


def _compiled(shell: Any, cell: str) -> Any:
    """As IPython does: magics in it work, tracebacks show its lines."""
    text = shell.transform_cell(cell)
    return compile(text, shell.compile.cache(text), "exec")


def load(shell: Any) -> None:
    """Puts the magics into an IPython shell."""

    def sizeof(line: str) -> Any:
        return sizeof_line(shell, line)

    def growth(line: str, cell: str) -> Any:
        return growth_cell(shell, line, cell)

    def peak(line: str, cell: str) -> Any:
        return peak_cell(shell, line, cell)

    sizeof.__doc__, growth.__doc__, peak.__doc__ = sizeof_line.__doc__, growth_cell.__doc__, peak_cell.__doc__
    shell.register_magic_function(sizeof, "line", "sizeof")
    shell.register_magic_function(growth, "cell", "growth")
    shell.register_magic_function(peak, "cell", "peak")
