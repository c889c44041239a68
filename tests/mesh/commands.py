"""Commands, run to their ends."""

import asyncio

from tests.e2e.process import COMMAND
from tests.proofs.bench.processes import ROOT, environment


async def output(variables: dict[str, str], *arguments: str) -> tuple[int | None, str]:
    """Run `antiphon` to its end; its exit code and all that it said."""
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        *arguments,
        cwd=ROOT,
        env=environment(variables),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return process.returncode, said.decode()
