"""Workers as processes of their own, and how they are let in."""

import sys
from collections.abc import Sequence
from pathlib import Path

from antiphon.auth.v1.access_pb2 import SCOPE_WORK
from tests.e2e.process import OwnProcess
from tests.e2e.server import ServerProcess

COUNTER = (sys.executable, "-m", "tests.workers.counter")


class WorkerProcess(OwnProcess):
    """A worker that dials in to a server."""

    def __init__(self, address: str, key: str, log: Path, command: Sequence[str] = COUNTER) -> None:
        variables = {"ANTIPHON_ADDRESS": address, "ANTIPHON_API_KEY": key}
        super().__init__(command, variables, log)

    async def serves(self) -> bool:
        """It dials in by itself: who needs it waits for what it does."""
        return True

    def said(self, word: str) -> list[list[str]]:
        """The lines that it has printed so far which begin with that word."""
        if not self.log.exists():
            return []
        lines = self.log.read_text(errors="replace").splitlines()
        return [line.split() for line in lines if line.startswith(f"{word} ")]


async def invited(server: ServerProcess, handler: str, name: str = "counting") -> str:
    """The API key of a new program, whose workers may serve the handler for everybody."""
    async with server.client() as client:
        program = await client.create_user(name, program=True)
        await client.allow_worker("global", handler, program.user_id)
        made = await client.new_api_key(name, scopes=[SCOPE_WORK], user_id=program.user_id)
        return made.secret
