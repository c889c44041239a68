"""Commands, run to their ends."""

import asyncio

from tests.forkserver.program import run
from tests.proofs.bench.processes import environment


async def output(variables: dict[str, str], *arguments: str) -> tuple[int | None, str]:
    """Run `antiphon` to its end; its exit code and all that it said."""
    done = await asyncio.to_thread(run, arguments, environment(variables))
    return done.returncode, done.stdout + done.stderr
