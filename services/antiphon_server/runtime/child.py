"""A program as a process of its own, started, watched and ended by this one."""

import asyncio
import contextlib
import logging
import signal
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Mapping, Sequence
from pathlib import Path

STOP_S = 20.0
AGAIN_S, AGAIN_LONGEST_S, LONG_ENOUGH_S = 0.5, 10.0, 60.0
log = logging.getLogger(__name__)


class Child:
    """A program whose output goes to a file, and that is ended by ``stop_signal``.

    ``command`` should be one of :func:`~antiphon_server.runtime.with_parent.command`: then it
    lives no longer than this process, however that ends.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        output: Path,
        environment: Mapping[str, str] | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
    ) -> None:
        self.name = name
        self.output = output
        self.restarts = 0
        self._command = command
        self._environment = environment
        self._stop_signal = stop_signal
        self._process: Process | None = None

    async def start(self) -> None:
        """Begin a life."""
        output = await asyncio.to_thread(self.output.open, "ab")
        with output:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                env=self._environment,
                stdin=DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # Ctrl-C is for this process, which ends the others
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
            try:
                await self.start()
            except Exception:  # of a machine that has no process or file left, for now
                log.exception("%s could not be started again, which is tried on", self.name)

    async def stop(self) -> None:
        """Ask it to end, and wait until it has."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(self._stop_signal)
        try:
            async with asyncio.timeout(STOP_S):
                await process.wait()
        except TimeoutError:
            log.warning("%s does not end, and is ended", self.name)
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    @property
    def pid(self) -> int | None:
        """Its process id, if it was started."""
        return self._process.pid if self._process is not None else None

    @property
    def ended(self) -> bool:
        """Whether it has ended by itself."""
        return self._process is not None and self._process.returncode is not None
