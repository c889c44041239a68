"""Streams that are opened and cancelled at random moments."""

import asyncio
import contextlib
import random
from collections.abc import Callable

from antiphon.dispatcher.v1.dispatcher_service_pb2 import ConverseRequest, SetTyping
from antiphon.events.v1.event_service_pb2 import FollowRequest, SubscribeRequest
from antiphon.events.v1.stream_pb2 import StartPosition, Watch
from tests.bench.loads.client import Target
from tests.bench.loads.http2 import Connection, Failed, Stream, connect
from tests.e2e.callers import Caller
from tests.e2e.calls import Calls

SUBSCRIBE = "/antiphon.events.v1.EventService/Subscribe"
FOLLOW = "/antiphon.events.v1.EventService/Follow"
CONVERSE = "/antiphon.dispatcher.v1.DispatcherService/Converse"
CONVERSATIONS = 40
AT_ONCE = 48
LIVES = 400
"""How many streams a connection has before it is cut with all that are open on it."""
END_S = 10.0


class Streams:
    """Opens streams and ends them, as clients do and as they should not."""

    def __init__(self, target: Target, names: list[str], chance: random.Random) -> None:
        self._target = target
        self._names = names
        self._chance = chance
        self._connections: dict[str, Connection] = {}
        self._lives: dict[str, int] = {}

    async def run(self, count: int) -> None:
        """Open so many and end them all."""
        left = iter(range(count))

        async def work() -> None:
            for _ in left:
                with contextlib.suppress(Failed):  # its connection was cut
                    await asyncio.wait_for(self._one(), END_S)

        await asyncio.gather(*(work() for _ in range(AT_ONCE)))

    def close(self) -> None:
        """Cut every connection."""
        for connection in self._connections.values():
            connection.close()
        self._connections.clear()

    async def _one(self) -> None:
        path = self._chance.choice([SUBSCRIBE, FOLLOW, CONVERSE])
        connection = await self._connection(path)
        came = asyncio.Event()
        stream = self._open(connection, path, lambda _body: came.set())
        stream.done.add_done_callback(_heard)
        try:
            await self._wait(connection, stream, path, came)
        finally:
            connection.cancel(stream)

    def _open(self, connection: Connection, path: str, got: Callable[[bytes], None]) -> Stream:
        watch = self._watch()
        if path == FOLLOW:
            follow_id = f"follow {self._chance.random()}" if self._chance.random() < 0.5 else ""
            request = FollowRequest(follow_id=follow_id, watches=[watch])
            return connection.stream(got, request.SerializeToString())
        stream = connection.stream(got)
        if self._chance.random() < 0.1:
            return stream  # and says nothing
        if path == SUBSCRIBE:
            stream.send(SubscribeRequest(create=watch).SerializeToString())
            return stream
        stream.send(ConverseRequest(subscribe=watch).SerializeToString())
        if self._chance.random() < 0.3:
            typing = SetTyping(conversation_id=self._chance.choice(self._names), typing=True)
            stream.send(ConverseRequest(typing=typing).SerializeToString())
        return stream

    async def _wait(
        self, connection: Connection, stream: Stream, path: str, came: asyncio.Event
    ) -> None:
        """Until the moment in which it is cancelled; some end it as one should."""
        moment = self._chance.random()
        if moment < 0.2:
            return
        if moment < 0.5:
            await asyncio.sleep(self._chance.random() * 0.01)
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                await came.wait()
                if moment > 0.9 and path != FOLLOW:
                    connection.write_data(stream, b"", last=True)
                    await stream.done
                elif moment > 0.7:
                    came.clear()
                    await asyncio.sleep(self._chance.random() * 0.05)

    def _watch(self) -> Watch:
        return Watch(
            watch_id="w",
            scope=f"conversations/{self._chance.choice(self._names)}",
            start=self._chance.choice(
                [StartPosition.START_POSITION_LATEST, StartPosition.START_POSITION_EARLIEST]
            ),
            ephemeral=self._chance.random() < 0.5,
        )

    async def _connection(self, path: str) -> Connection:
        self._lives[path] = self._lives.get(path, 0) + 1
        found = self._connections.get(path)
        if found is None or self._lives[path] > LIVES:
            self._lives[path] = 0
            made = await connect(self._target, path)
            stale = self._connections.pop(path, None)
            if stale is not None:
                stale.close()
            self._connections[path] = found = made
        return found


def _heard(done: "asyncio.Future[None]") -> None:
    if not done.cancelled():
        done.exception()


async def conversations(target: Target, count: int = CONVERSATIONS) -> list[str]:
    """New conversations, in which something was said."""
    caller = Caller("operator", target.token, {})
    names = []
    async with target.channel() as channel:
        for _ in range(count):
            names.append(await target.conversation(channel))
            calls = Calls(channel, caller, names[-1])
            await calls(calls.context.PostMessage, calls.post("hello"))
    return names
