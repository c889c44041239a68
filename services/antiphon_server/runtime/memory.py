"""What the C library keeps of freed memory."""

import ctypes
import sys


def give_back() -> None:
    """Return freed pages to the system (malloc_trim of glibc; nothing elsewhere).

    Starting a process frees much of what it took: compiled statements, parsed
    descriptors, bytecode.
    """
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
