"""A kernel that refuses some of a running server's calls, for a time."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.process import COMMAND
from tests.e2e.until import until
from tests.proofs.robustness.disk.tracing import strace

ATTACH_S = 10.0


@dataclass(frozen=True, slots=True)
class Refusal:
    """``error`` for calls of ``name``: which of them, as strace's ``when`` says (``3+2``)."""

    name: str
    error: str
    when: str = "1+1"

    @property
    def expression(self) -> str:
        """What strace is told."""
        return f"inject={self.name}:error={self.error}:when={self.when}"


@asynccontextmanager
async def refusing(pid: int, refusals: Sequence[Refusal], trace: Path) -> AsyncIterator[None]:
    """Have the kernel refuse for the block's time; ``trace`` shows what it refused.

    The process may end meanwhile. Raises TimeoutError if it can't be traced.
    """
    calls = ",".join(sorted({refusal.name for refusal in refusals}))
    told = trace.with_suffix(".attached")
    with told.open("wb") as output:
        tracer = await asyncio.create_subprocess_exec(
            *("strace", "-f", "-y", "-s", "0", "-o", str(trace), "-p", str(pid)),
            *("-e", f"trace={calls}", "-e", "signal=none"),
            *(part for it in refusals for part in ("-e", it.expression)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        await until(lambda: b"attached" in told.read_bytes(), ATTACH_S)
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            tracer.send_signal(signal.SIGINT)
        await tracer.wait()


def refused_from_the_start(refusals: Sequence[Refusal]) -> Sequence[str]:
    """The command of a server that never finds the kernel willing."""
    calls = ",".join(sorted({refusal.name for refusal in refusals}))
    injected = (part for it in refusals for part in ("-e", it.expression))
    return (*strace("-o", "/dev/null", "-e", f"trace={calls}"), *injected, *COMMAND)


def refused(trace: Path) -> int:
    """How many calls were refused."""
    return trace.read_bytes().count(b"(INJECTED)") if trace.exists() else 0
