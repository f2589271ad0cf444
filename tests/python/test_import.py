"""What a program takes in with ``import deadweight``: next to nothing, until it asks."""

import subprocess
import sys

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
