"""Envoy's process: started, watched, drained and stopped by whoever owns it."""

import asyncio
import contextlib
import json
import logging
from collections.abc import Callable
from pathlib import Path

from antiphon_server.mesh.envoy.admin import AdminUnreachable, EnvoyAdmin
from antiphon_server.mesh.envoy.binary import envoy_binary
from antiphon_server.runtime.concurrency.retry import RetryPolicy
from antiphon_server.runtime.concurrency.retry_policies import PROGRAM
from antiphon_server.runtime.net.socket_folder import SocketFolder
from antiphon_server.runtime.process import with_parent
from antiphon_server.runtime.process.child import Child, DidNotStart
from antiphon_server.runtime.process.lifecycle import Lifecycle

START_TIMEOUT_S = 20.0
GRACE_S = 5.0
STOP_TIMEOUT_S = 5.0
LOOK_S = 0.02
LOG_FLUSH_S = 1.0
WORKERS = 2
PREFIX = "antiphon-edge-"  # another one than those had that no lock shows to be in use
_LAST_WORDS = 1000
QUIET_S = 0.5
"""So long nobody calls whose calls have all gone elsewhere."""
_CONNECTIONS, _ACTIVE, _BEGUN = (
    f"http.edge.downstream_{name}" for name in ("cx_active", "rq_active", "rq_total")
)
_USE = r"^http\.edge\.downstream_(cx_active|rq_active|rq_total)$"

log = logging.getLogger(__name__)


class EnvoyDidNotStart(DidNotStart):
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
        start_s: float = START_TIMEOUT_S,
        policy: RetryPolicy = PROGRAM,
    ) -> None:
        self._configuration = configuration
        self._listener = listener
        self._log = log_file
        self._workers = workers
        self._drain_s = drain_s
        self._policy = policy
        self.start_s = start_s
        """So long it may take to be ready."""
        self._folder: SocketFolder | None = None
        self._child: Child | None = None
        self.port = port

    @property
    def admin(self) -> EnvoyAdmin:
        """Its admin interface; only after the start."""
        assert self._folder is not None
        return EnvoyAdmin(self._folder.path / "admin.sock")

    @property
    def pid(self) -> int | None:
        """Its process id, if it runs."""
        return self._child.pid if self._child is not None else None

    @property
    def restarts(self) -> int:
        """How often it was started again."""
        return self._child.restarts if self._child is not None else 0

    async def start(self) -> int:
        """Start it and return the port. Raises EnvoyDidNotStart and EnvoyMissing."""
        self._folder = await asyncio.to_thread(SocketFolder, PREFIX)
        try:
            self._child = await asyncio.to_thread(self._program, self._folder.path)
            await self._child.start()
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
        assert self._child is not None
        lifecycle.spawn("envoy", self._child.watch(), vital=False)
        return self.port

    async def drain(self, grace_s: float) -> None:
        """Ask clients to go elsewhere; return when they have, or after ``grace_s``.

        That no call runs says little: who has not been asked yet makes the next one. Envoy asks
        by the answer to a call: who has a stream stays until the end, and who makes no call is
        not waited for.
        """
        with contextlib.suppress(AdminUnreachable, TimeoutError):
            await self.admin.drain()
            async with asyncio.timeout(grace_s):
                await self._left()

    async def _left(self) -> None:
        """Wait until nobody is connected, or nobody calls any more."""
        clock = asyncio.get_running_loop().time
        begun, since = -1, clock()
        while (use := await self.admin.stats(_USE)).get(_CONNECTIONS):
            if use[_ACTIVE] or use[_BEGUN] != begun:
                begun, since = use[_BEGUN], clock()
            elif clock() - since > self._drain_s + QUIET_S:
                return
            await asyncio.sleep(LOOK_S)

    async def stop(self) -> None:
        """End it, whatever it does."""
        if self._child is not None:
            await self._child.stop()
        if self._folder is not None:
            await asyncio.to_thread(self._folder.remove)

    def _program(self, folder: Path) -> Child:
        configuration = folder / "envoy.pb"
        socket = {"path": str(folder / "admin.sock"), "mode": 0o600}
        command = [
            *with_parent.command(str(envoy_binary()), "--config-path", str(configuration)),
            *("--config-yaml", json.dumps({"admin": {"address": {"pipe": socket}}})),
            *("--log-path", str(self._log), "--log-level", "warning"),
            *("--file-flush-interval-msec", str(round(LOG_FLUSH_S * 1000))),
            *("--concurrency", str(self._workers), "--disable-hot-restart"),
            *("--drain-strategy", "immediate", "--drain-time-s", str(round(self._drain_s))),
        ]
        return Child(
            "Envoy",
            command,
            self._log,
            before=lambda: configuration.write_bytes(self._configuration(self.port)),
            up=self._until_up,
            stop_s=STOP_TIMEOUT_S,
            policy=self._policy,
        )

    async def _until_up(self) -> None:
        assert self._child is not None
        if not await self._child.is_up(self.admin.ready, self.start_s):
            late = f"not ready after {self.start_s:g} s"
            raise EnvoyDidNotStart(await self._last_words() if self._child.ended else late)
        if self._listener is not None:
            self.port = await self.admin.port(self._listener)

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
