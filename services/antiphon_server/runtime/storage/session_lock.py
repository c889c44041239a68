"""A lock that Postgres takes back when the process that holds it has ended."""

import asyncio
import contextlib
import logging

from antiphon_server.runtime.storage.postgres_engine import connected, fault_of, words_of

AGAIN_S = 0.25
CLOSE_S = 1.0
TIMEOUT_S = 10.0
_TAKE = "SELECT pg_advisory_lock(hashtextextended($1, 0))"
_LOST = "the session by which other servers know that this one is there can't be had: %s"

log = logging.getLogger(__name__)


class SessionLock:
    """Holds the advisory lock of a ``name`` by a connection of its own.

    That ends with the process, however it ends, and Postgres sees it at once, unless the
    machine or the network ends with it. It may end without the process, too: that
    nobody holds the lock shows no death.
    """

    def __init__(self, url: str, name: str) -> None:
        self._url = url
        self._name = name

    async def run(self) -> None:
        """Hold it until cancelled, anew whenever the connection was lost."""
        level = logging.WARNING
        while True:
            try:
                await self._hold()
                level = logging.WARNING
            except Exception as error:
                if fault_of(error) is None:
                    raise
                log.log(level, _LOST, words_of(error))
                level = logging.DEBUG  # once is enough
            await asyncio.sleep(AGAIN_S)

    async def _hold(self) -> None:
        connection, ended = await connected(self._url, TIMEOUT_S, TIMEOUT_S), asyncio.Event()
        connection.add_termination_listener(lambda _connection: ended.set())
        try:
            await connection.execute(_TAKE, self._name)
            await ended.wait()
        finally:
            with contextlib.suppress(Exception):
                await connection.close(timeout=CLOSE_S)
