"""What a program takes in with ``import deadweight``: next to nothing, until it asks."""

import subprocess
import sys

import deadweight as dw

PROGRAM = """
import sys
before = set(sys.modules)
import deadweight
print(*sorted(set(sys.modules) - before))
dir(deadweight), deadweight.sizeof([])
print(*sorted(set(sys.modules) - before))
"""


def test_nothing_else_is_imported():
    done = subprocess.run([sys.executable, "-I", "-c", PROGRAM], stdout=subprocess.PIPE, text=True, check=True)
    assert done.stdout.splitlines() == ["deadweight deadweight._core"] * 2


def test_a_prompt_completes_no_names_of_ours():
    # Submodules that were imported are attributes of the package, whatever it says.
    private = {name for name in dir(dw) if name.startswith("_") or name.isupper()}
    ours = {name for name in private if f"deadweight.{name}" not in sys.modules and not name.startswith("__")}
    assert not ours and set(dw.__all__) <= set(dir(dw))


def test_exceptions_are_called_as_they_are_caught():
    kinds = [getattr(dw, name) for name in dw.__all__]
    exceptions = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, Exception)]
    assert len(exceptions) > 8
    assert {kind.__module__ for kind in exceptions} == {"deadweight"}
