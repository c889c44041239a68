"""An HTTP server of a test's own, which is told when a client has gone."""

from typing import Self

from aiohttp import web

LARGEST_BYTES = 1 << 30


class Served:
    """Answers what is posted to a path, on the loopback interface; an async context manager.

    The answer to a client that goes away is cancelled.
    """

    url: str
    """Where it listens."""

    def __init__(self, path: str) -> None:
        application = web.Application(client_max_size=LARGEST_BYTES)
        application.router.add_post(path, self.answer)
        self._runner = web.AppRunner(
            application, handler_cancellation=True, access_log=None, shutdown_timeout=1.0
        )

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """What a kind of it says."""
        raise NotImplementedError

    async def __aenter__(self) -> Self:
        """Listen."""
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, backlog=1024).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close every connection."""
        self.hang_up()
        await self._runner.cleanup()

    @property
    def connections(self) -> int:
        """How many there are now."""
        assert self._runner.server is not None
        return len(self._runner.server.connections)

    def hang_up(self) -> None:
        """Close every connection, as providers do with idle ones."""
        assert self._runner.server is not None
        for connection in self._runner.server.connections:
            connection.force_close()
