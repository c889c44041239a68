"""Workers that the tests of the pages have come and go."""

import signal
import sys
from contextlib import AsyncExitStack
from pathlib import Path

from antiphon.auth.v1.access_pb2 import SCOPE_WORK
from tests.e2e.server import ServerProcess
from tests.web.control import Wish
from tests.workers.processes import WorkerProcess

TEAM = (sys.executable, "-m", "tests.workers.team")
SERVED = ("team", "tree", "counter")


class Crew:
    """One worker at a time, of one program; an async context manager."""

    def __init__(self, server: ServerProcess, log: Path) -> None:
        self._server, self._log = server, log
        self._stack = AsyncExitStack()
        self._key = ""
        self._worker: WorkerProcess | None = None

    async def __aenter__(self) -> "Crew":
        async with self._server.client() as client:
            program = await client.create_user("crew", display_name="The crew", program=True)
            for handler in SERVED:
                await client.allow_worker("global", handler, program.user_id)
            made = await client.new_api_key("crew", scopes=[SCOPE_WORK], user_id=program.user_id)
        self._key = made.secret
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    @property
    def wishes(self) -> dict[str, Wish]:
        """What tests may ask for."""
        return {"hire": self._hire, "tell": self._tell, "dismiss": self._dismiss}

    async def _hire(self, _: str) -> str:
        worker = WorkerProcess(self._server.address, self._key, self._log, TEAM)
        self._worker = await self._stack.enter_async_context(worker)
        return ""

    async def _tell(self, name: str) -> str:
        """A signal by its name."""
        assert self._worker is not None
        self._worker.signal(signal.Signals[name])
        return ""

    async def _dismiss(self, _: str) -> str:
        """It ends at once."""
        assert self._worker is not None
        await self._worker.kill()
        return ""
