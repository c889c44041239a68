"""What the process keeps of memory that it no longer uses, and how often it looks."""

import ctypes
import gc
import sys

YOUNG_OBJECTS = 20_000


def give_back() -> None:
    """Return freed pages to the system (malloc_trim of glibc; nothing elsewhere).

    Starting a process frees much of what it took: compiled statements, parsed
    descriptors, bytecode.
    """
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)


def collect_later() -> None:
    """Look for no garbage until :func:`collect_seldom`.

    What starting a process makes is there to stay; looking at it again and again while it
    is imported is a twentieth of the time.
    """
    gc.disable()


def collect_seldom() -> None:
    """Look for cycles of garbage after 20,000 new objects instead of 700.

    Requests leave few cycles behind, and what is there when the process starts stays: it is
    not looked at again. Under load that is an eighth of the processor's time. Nor is it looked
    at now: that would be a twentieth of a start, for a few hundred objects.
    """
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 50, 100)
    gc.enable()
