"""A process that holds secrets leaves no copy of its memory behind when it crashes."""

import resource

NONE = 1
"""In bytes. At 0 Linux still hands the memory to a program that ``core_pattern`` names; at 1 it
writes no file, which would be larger, and starts no such program either (core(5), coredump.c)."""


def forbid_core_dumps() -> None:
    """Have neither this process nor any that it starts dump its memory.

    None of them can take that back. Debuggers, which its user starts on purpose, work as ever.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    most = NONE if hard == resource.RLIM_INFINITY else min(NONE, hard)
    resource.setrlimit(resource.RLIMIT_CORE, (most, most))
