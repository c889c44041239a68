"""Commands: run to their ends, and others that run until they are told to end."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from tests.e2e.process import COMMAND, OwnProcess
from tests.e2e.until import PATIENCE_S, until
from tests.forkserver.program import run
from tests.proofs.bench.processes import environment


async def output(variables: Mapping[str, str], *arguments: str) -> tuple[int | None, str]:
    """Run `antiphon` to its end; its exit code and all that it said."""
    done = await asyncio.to_thread(run, arguments, environment(variables))
    return done.returncode, done.stdout + done.stderr


class Command(OwnProcess):
    """`antiphon` with some words, from when it was begun: one waits for what it says."""

    def __init__(self, log: Path, variables: Mapping[str, str], *words: str) -> None:
        super().__init__((*COMMAND, *words), variables, log)

    async def serves(self) -> bool:
        """Nothing is waited for."""
        return True

    async def says(self, words: str) -> None:
        """Return when it has said so. Raises TimeoutError."""
        await until(lambda: words in self.output or bool(self.exits))
        assert words in self.output, self.output

    async def ends(self, within_s: float = PATIENCE_S) -> int:
        """Wait for its end; its exit code. Raises TimeoutError."""
        await until(lambda: bool(self.exits), within_s)
        return await self.terminate()
