"""``python -m deadweight``: the same command as the program's."""

import signal
import sys

from deadweight._core import run


def main() -> int:
    """Runs the command line and gives the exit status."""
    # The command runs as compiled code, which Python's own handler could not interrupt.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.stdout.flush()
    return run(["deadweight", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
