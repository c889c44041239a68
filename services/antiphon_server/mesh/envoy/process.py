"""Envoy's process: started, watched, drained and stopped by whoever owns it."""

import asyncio
import contextlib
import json
import logging
import shutil
import tempfile
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Callable
from pathlib import Path

from antiphon_server.mesh.envoy.admin import AdminUnreachable, EnvoyAdmin
from antiphon_server.mesh.envoy.binary import envoy_binary
from antiphon_server.runtime import with_parent
from antiphon_server.runtime.lifecycle import Lifecycle

START_TIMEOUT_S = 20.0
GRACE_S = 5.0
STOP_TIMEOUT_S = 5.0
LOOK_S = 0.02
LOG_FLUSH_S = 1.0
AGAIN_S, AGAIN_LONGEST_S = 0.2, 10.0
LONG_ENOUGH_S = 60.0
WORKERS = 2
_LAST_WORDS = 1000
_ACTIVE = r"^http\.edge\.downstream_rq_active$"

log = logging.getLogger(__name__)


class EnvoyDidNotStart(Exception):
    """Envoy did not take its configuration, or can't listen; the message has its last words."""


class Envoy:
    """One Envoy, which lives no longer than this process.

    ``configuration`` makes its bootstrap, as Protobuf and without the admin interface, for the
    port that it is to listen on: the one given, and after a start with port 0 the one that
    was picked. It is called on another thread, since Envoy's types take long to import.
    ``listener`` is the name of what listens there; without one, it listens when it is told to.
    What Envoy has to say goes to ``log_file``.
    """

    def __init__(
        self,
        configuration: Callable[[int], bytes],
        listener: str | None,
        port: int,
        log_file: Path,
        *,
        workers: int = WORKERS,
        drain_s: float = 1.0,
    ) -> None:
        self._configuration = configuration
        self._listener = listener
        self._log = log_file
        self._workers = workers
        self._drain_s = drain_s
        self._folder: Path | None = None
        self._process: Process | None = None
        self.port = port
        self.restarts = 0

    @property
    def admin(self) -> EnvoyAdmin:
        """Its admin interface; only after the start."""
        assert self._folder is not None
        return EnvoyAdmin(self._folder / "admin.sock")

    @property
    def pid(self) -> int | None:
        """Its process id, if it runs."""
        running = self._process is not None and self._process.returncode is None
        return self._process.pid if running and self._process is not None else None

    async def start(self) -> int:
        """Start it and return the port. Raises EnvoyDidNotStart and EnvoyMissing."""
        # Not where data is: the path of a socket has to be short.
        self._folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="antiphon-envoy-"))
        try:
            await self._launch()
        except BaseException:
            await self.stop()
            raise
        return self.port

    async def serve(self, lifecycle: Lifecycle, grace_s: float = GRACE_S) -> int:
        """Start it and return the port; at the lifecycle's end it is drained and stopped.

        Raises EnvoyDidNotStart and EnvoyMissing.
        """
        lifecycle.on_stop("envoy", self.stop)
        await self.start()
        lifecycle.on_stop("envoy's calls", lambda: self.drain(grace_s))
        lifecycle.spawn("envoy", self.watch(), vital=False)
        return self.port

    async def watch(self) -> None:
        """Start it again whenever it ended without having been told to, until cancelled."""
        wait_s, clock = AGAIN_S, asyncio.get_running_loop().time
        while self._process is not None:
            began = clock()
            code = await self._process.wait()
            if clock() - began > LONG_ENOUGH_S:
                wait_s = AGAIN_S
            words = await self._last_words()
            log.error("Envoy ended with %s and is started again: %s", code, words)
            await asyncio.sleep(wait_s)
            wait_s = min(2 * wait_s, AGAIN_LONGEST_S)
            self.restarts += 1
            try:
                await self._launch()
            except EnvoyDidNotStart as error:
                log.error("Envoy did not start again: %s", error)
            except Exception:  # the wheel is being replaced, no process or file is left, ...
                log.exception("Envoy could not be started again, which is tried on")
            else:
                continue
            if self._process is not None:
                await _ended(self._process)  # it may live, and not be ready

    async def drain(self, grace_s: float) -> None:
        """Ask clients to go elsewhere; return when no call is left, or after ``grace_s``."""
        with contextlib.suppress(AdminUnreachable, TimeoutError):
            await self.admin.drain()
            async with asyncio.timeout(grace_s):
                while any((await self.admin.stats(_ACTIVE)).values()):  # noqa: ASYNC110
                    await asyncio.sleep(LOOK_S)

    async def stop(self) -> None:
        """End it, whatever it does."""
        process, self._process = self._process, None
        if process is not None:
            await _ended(process)
        if self._folder is not None:
            await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)

    async def _launch(self) -> None:
        command = await asyncio.to_thread(self._prepared)
        self._process = await asyncio.create_subprocess_exec(
            *command,
            stdin=DEVNULL,
            stdout=DEVNULL,
            stderr=DEVNULL,
            start_new_session=True,  # Ctrl-C is for its owner, who stops it in its turn
        )
        await self._until_ready(self._process)
        if self._listener is not None:
            self.port = await self.admin.port(self._listener)

    def _prepared(self) -> list[str]:
        """Write the configuration, and return the command that takes it."""
        assert self._folder is not None
        configuration = self._folder / "envoy.pb"
        configuration.write_bytes(self._configuration(self.port))
        socket = {"path": str(self._folder / "admin.sock"), "mode": 0o600}
        return [
            *with_parent.command(str(envoy_binary()), "--config-path", str(configuration)),
            *("--config-yaml", json.dumps({"admin": {"address": {"pipe": socket}}})),
            *("--log-path", str(self._log), "--log-level", "warning"),
            *("--file-flush-interval-msec", str(round(LOG_FLUSH_S * 1000))),
            *("--concurrency", str(self._workers), "--disable-hot-restart"),
            *("--drain-strategy", "immediate", "--drain-time-s", str(round(self._drain_s))),
        ]

    async def _until_ready(self, process: Process) -> None:
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                while not await self.admin.ready():
                    if process.returncode is not None:
                        raise EnvoyDidNotStart(await self._last_words())
                    await asyncio.sleep(LOOK_S)
        except TimeoutError as error:
            raise EnvoyDidNotStart(f"not ready after {START_TIMEOUT_S:g} s") from error

    async def _last_words(self) -> str:
        return await asyncio.to_thread(_end_of, self._log) or "it said nothing"


def _end_of(file: Path) -> str:
    """The last that stands in a file."""
    try:
        with file.open("rb") as lines:
            lines.seek(max(0, file.stat().st_size - _LAST_WORDS))
            return lines.read().decode(errors="replace").strip()
    except OSError:
        return ""


async def _ended(process: Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(STOP_TIMEOUT_S):
            await process.wait()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
