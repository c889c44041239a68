"""Streams on which nothing happens for a day, in a server that hurries.

Every period of the server is 500 times shorter (``server.hurry``), so 20 s of quiet
are 40 ms: a day of heartbeats, renewed leases and tidying takes 173 s. Tokens are
refreshed in band every simulated quarter of an hour, as clients do: a new one each time.
"""

import asyncio
from collections.abc import Awaitable, Callable

from antiphon.dispatcher.v1.dispatcher_service_pb2 import ConverseRequest, ConverseResponse
from antiphon.events.v1.event_service_pb2 import SubscribeRequest
from antiphon.events.v1.stream_pb2 import RefreshToken, Watch
from tests.proofs.bench.loads.client import Target
from tests.proofs.bench.loads.http2 import Connection, Stream, connect
from tests.proofs.leaks.streams import CONVERSE, FOLLOW, SUBSCRIBE, begun

NewToken = Callable[[], Awaitable[str]]

FASTER = 500.0
STREAMS = 12
OPEN_S = 30.0
REFRESH_S = 900.0 / FASTER


class Heartbeats:
    """Open streams, a third of each kind, that count what they hear."""

    def __init__(self, target: Target, names: list[str], new_token: NewToken) -> None:
        self._target = target
        self._new_token = new_token
        self._tokens = {target.token}
        self._names = names
        self._connections: list[Connection] = []
        self._streams: list[tuple[str, Stream]] = []
        self._created = 0
        self._open_all = asyncio.Event()
        self.heard = 0
        self.wrong: list[str] = []

    async def open(self) -> None:
        """Open all, and wait for the server to say so."""
        for path in (SUBSCRIBE, FOLLOW, CONVERSE):
            connection = await connect(self._target, path)
            self._connections.append(connection)
            for number in range(STREAMS // 3):
                watch = Watch(watch_id="w", scope=f"conversations/{self._names[number]}")
                stream = begun(connection, path, watch, f"follow {number}", self._got)
                self._streams.append((path, stream))
        async with asyncio.timeout(OPEN_S):
            await self._open_all.wait()

    async def run(self, hours: float) -> int:
        """Let simulated hours pass; returns how many heartbeats were heard."""
        before, loop = self.heard, asyncio.get_running_loop()
        end = loop.time() + hours * 3600 / FASTER
        while loop.time() < end:
            await asyncio.sleep(min(REFRESH_S, end - loop.time()))
            self._refresh(await self._new_token())
        return self.heard - before

    def close(self) -> None:
        """Cut every connection."""
        for connection in self._connections:
            connection.close()

    def _refresh(self, access_token: str) -> None:
        if access_token in self._tokens:
            self.wrong.append("a token was not a new one")
        self._tokens.add(access_token)
        token = RefreshToken(access_token=access_token)
        for path, stream in self._streams:
            if stream.done.done():
                self.wrong.append(f"a stream ended: {stream.done}")
            elif path == SUBSCRIBE:
                stream.send(SubscribeRequest(refresh=token).SerializeToString())
            elif path == CONVERSE:
                stream.send(ConverseRequest(refresh=token).SerializeToString())

    def _got(self, body: bytes) -> None:
        frame = ConverseResponse.FromString(body)
        self._created += frame.HasField("created")
        if self._created == STREAMS:
            self._open_all.set()
        self.heard += frame.HasField("progress")
        if frame.HasField("ended") or frame.HasField("error"):
            self.wrong.append(str(frame))
