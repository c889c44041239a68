"""Runs a program that ends when whoever started it does, however that happened.

Started by its path, in an interpreter without site-packages; it becomes the program:
``with_parent.py PARENT_PID PROGRAM ARGUMENT ...``.
"""

import os
import signal
import sys

_SET_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG, prctl(2); it outlives exec


def command(program: str, *arguments: str) -> list[str]:
    """The command that runs a program so, as a child of this process."""
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), program, *arguments]


def main() -> None:
    """Ask the kernel for a signal at the parent's death, then become the program."""
    import ctypes

    parent, program = int(sys.argv[1]), sys.argv[2]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, int(signal.SIGTERM))
    if os.getppid() != parent:
        sys.exit(1)  # it died before
    os.execv(program, sys.argv[2:])


if __name__ == "__main__":
    main()
