"""A server under strace: what it asks of the kernel, and a kernel that refuses.

The tracer is a grandchild (``-D``), so the process that a test starts, kills and weighs is
the server itself.
"""

import re
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.e2e.until import until

# What writes to the store, makes it durable, or speaks to anybody.
CALLS = (
    "pwrite64,pwritev,pwritev2,fdatasync,fsync,sync_file_range,write,writev,sendto,sendmsg,sendmmsg"
)
DATA_BYTES = 1 << 20
FLUSH_S = 30.0


def traced(trace: Path, program: Sequence[str]) -> Sequence[str]:
    """The command that runs ``program`` and writes down its calls, with their data."""
    return (
        *strace("--seccomp-bpf", "-yy", "-s", str(DATA_BYTES)),
        *("-e", f"trace={CALLS}", "-e", "signal=none", "-o", str(trace)),
        *program,
    )


def python(module: str) -> Sequence[str]:
    """The command that runs a module."""
    return (sys.executable, "-m", module)


def strace(*options: str) -> Sequence[str]:
    """The command of a tracer; what it runs is to follow."""
    return ("strace", "-D", "-f", *options)


async def written(trace: Path, pid: int) -> None:
    """Wait until the tracer has written down how the process ended. Raises TimeoutError."""
    ending = re.compile(rb"^%d +\+\+\+ (exited|killed)" % pid, re.MULTILINE)

    def ended() -> bool:
        with trace.open("rb") as file:
            file.seek(max(trace.stat().st_size - 4096, 0))
            return ending.search(file.read()) is not None

    await until(ended, FLUSH_S)
