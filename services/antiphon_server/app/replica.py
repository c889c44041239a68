"""A server as a process of its own, started and ended by this one."""

import asyncio
import contextlib
import logging
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Mapping
from pathlib import Path

from antiphon_server.runtime import with_parent

STOP_S = 20.0
AGAIN_S, AGAIN_LONGEST_S, LONG_ENOUGH_S = 0.5, 10.0, 60.0
log = logging.getLogger(__name__)


class Replica:
    """``antiphon up`` with a folder and an environment of its own; what it prints goes to a file.

    It lives no longer than this process, however that ends.
    """

    def __init__(
        self, name: str, folder: Path, output: Path, environment: Mapping[str, str]
    ) -> None:
        self.name = name
        self._folder = folder
        self.output = output
        self._environment = environment
        self._process: Process | None = None
        self.restarts = 0

    async def start(self) -> None:
        """Begin a life."""
        output = await asyncio.to_thread(self.output.open, "ab")
        with output:
            self._process = await asyncio.create_subprocess_exec(
                *with_parent.command(sys.executable, "-P", "-m", "antiphon_server", "up"),
                *("--host", "127.0.0.1", "--port", "0", "--admin-port", "0"),
                *("--data-dir", str(self._folder)),
                env=self._environment,
                stdin=DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # Ctrl-C is for the first process, which ends the others
            )

    async def watch(self) -> None:
        """Start it again whenever it ended, until cancelled."""
        wait_s, clock = AGAIN_S, asyncio.get_running_loop().time
        while self._process is not None:
            began = clock()
            code = await self._process.wait()
            wait_s = AGAIN_S if clock() - began > LONG_ENOUGH_S else wait_s
            log.error("%s ended with %s and is started again; see %s", self.name, code, self.output)
            await asyncio.sleep(wait_s)
            wait_s = min(2 * wait_s, AGAIN_LONGEST_S)
            self.restarts += 1
            await self.start()

    async def stop(self) -> None:
        """Ask it to end, and wait until it has."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(STOP_S):
                await process.wait()
        except TimeoutError:
            log.warning("%s does not end, and is ended", self.name)
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    @property
    def ended(self) -> bool:
        """Whether it has ended by itself."""
        return self._process is not None and self._process.returncode is not None
