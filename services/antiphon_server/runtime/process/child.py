"""A program as a process of its own, started, watched and ended by this one."""

import asyncio
import contextlib
import logging
import signal
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from antiphon_server.runtime.concurrency.retry import RetryPolicy
from antiphon_server.runtime.concurrency.retry_policies import PROGRAM

STOP_S, LOOK_S = 20.0, 0.02
LONG_ENOUGH_S = 60.0
log = logging.getLogger(__name__)


class DidNotStart(Exception):
    """A program is of no use; the message says why."""


class Child:
    """A program whose output goes to a file, and that is ended by ``stop_signal``.

    ``command`` should be one of ``with_parent.command``: then it
    lives no longer than this process, however that ends. ``before`` is called on another thread
    before each of its lives, and ``up`` at the beginning of each returns when it is of use, or
    raises DidNotStart; if one of them raises, there is none. It has ``stop_s`` seconds to end,
    and is started again by the ``policy``, for which a life of a minute is a success.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        output: Path,
        environment: Mapping[str, str] | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
        *,
        before: Callable[[], object] | None = None,
        up: Callable[[], Awaitable[object]] | None = None,
        stop_s: float = STOP_S,
        policy: RetryPolicy = PROGRAM,
    ) -> None:
        self.name = name
        self.output = output
        self.restarts = 0
        self._command = command
        self._environment = environment
        self._stop_signal = stop_signal
        self._before = before
        self._up = up
        self._stop_s = stop_s
        self._policy = policy
        self._process: Process | None = None

    async def start(self) -> None:
        """Begin a life. Raises what ``before`` and ``up`` raise."""
        if self._before is not None:
            await asyncio.to_thread(self._before)
        output = await asyncio.to_thread(self.output.open, "ab")
        with output:
            process = self._process = await asyncio.create_subprocess_exec(
                *self._command,
                env=self._environment,
                stdin=DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # Ctrl-C is for this process, which ends the others
            )
        try:
            if self._up is not None:
                await self._up()
        except BaseException:
            await self._end(process)
            raise

    async def is_up(self, ready: Callable[[], Awaitable[bool]], within_s: float) -> bool:
        """Wait until it is ``ready``; False if it ends before, or is not within so long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while not await ready():
                    if self.ended:
                        return False
                    await asyncio.sleep(LOOK_S)
                return True
        return False

    async def watch(self) -> None:
        """Start it again whenever it ended, until it is stopped, or this is cancelled."""
        failures, clock = 0, asyncio.get_running_loop().time
        while (process := self._process) is not None:
            began = clock()
            code = await process.wait()
            if self._process is not process:
                return
            failures = 1 if clock() - began > LONG_ENOUGH_S else failures + 1
            log.error("%s ended with %s and is started again; see %s", self.name, code, self.output)
            await asyncio.sleep(self._policy.pause(failures))
            if self._process is not process:
                return
            self.restarts += 1
            try:
                await self.start()
            except (DidNotStart, OSError) as error:  # no process or file is left, for now
                why = " ".join(str(error).split())
                log.error("%s could not be started again, which is tried on: %s", self.name, why)
            except Exception:
                log.exception("%s could not be started again, which is tried on", self.name)

    async def stop(self) -> None:
        """Ask it to end, and wait until it has."""
        process, self._process = self._process, None
        if process is not None:
            await self._end(process)

    async def _end(self, process: Process) -> None:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(self._stop_signal)
        try:
            async with asyncio.timeout(self._stop_s):
                await process.wait()
        except TimeoutError:
            log.warning("%s does not end, and is ended", self.name)
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    @property
    def pid(self) -> int | None:
        """Its process id, if it runs."""
        running = self._process is not None and self._process.returncode is None
        return self._process.pid if running and self._process is not None else None

    @property
    def ended(self) -> bool:
        """Whether it has ended by itself."""
        return self._process is not None and self._process.returncode is not None
