"""Streams that are opened and cancelled at random moments."""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Callable

from antiphon.dispatcher.v1.dispatcher_service_pb2 import (
    ConverseRequest,
    ConverseResponse,
    SetTyping,
)
from antiphon.events.v1.event_service_pb2 import FollowRequest, SubscribeRequest
from antiphon.events.v1.stream_pb2 import StartPosition, Watch
from tests.e2e.callers import Caller
from tests.e2e.calls import Calls
from tests.proofs.bench.loads.client import Target
from tests.proofs.bench.loads.http2 import Connection, Failed, Stream, connect

SUBSCRIBE = "/antiphon.events.v1.EventService/Subscribe"
FOLLOW = "/antiphon.events.v1.EventService/Follow"
CONVERSE = "/antiphon.dispatcher.v1.DispatcherService/Converse"
CONVERSATIONS = 40
AT_ONCE = 48
LIVES = 400
"""How many streams a connection has before it is cut with all that are open on it."""
END_S = 10.0
LEAST_SERVED = 0.5
"""Of the streams that wait for their watch; some are cut with their connection, or say nothing."""


class NotServed(Exception):
    """Hardly a stream was served: nothing was there that could have been left behind."""


class Streams:
    """Opens streams and ends them, as clients do and as they should not."""

    def __init__(self, target: Target, names: list[str], chance: random.Random) -> None:
        self._target = target
        self._names = names
        self._chance = chance
        self._connections: dict[str, Connection] = {}
        self._connecting = asyncio.Lock()
        self._lives: dict[str, int] = {}
        self._waited: Counter[str] = Counter()
        self._served: Counter[str] = Counter()

    async def run(self, count: int) -> None:
        """Open so many and end them all. Raises NotServed."""
        left = iter(range(count))

        async def work() -> None:
            for _ in left:
                with contextlib.suppress(Failed):  # its connection was cut
                    await asyncio.wait_for(self._one(), END_S)

        await asyncio.gather(*(work() for _ in range(AT_ONCE)))
        for path in (SUBSCRIBE, FOLLOW, CONVERSE):
            waited, served = self._waited[path], self._served[path]
            if served < LEAST_SERVED * waited or not served:
                raise NotServed(f"{path}: {served} of {waited} watches were created")

    def close(self) -> None:
        """Cut every connection."""
        for connection in self._connections.values():
            connection.close()
        self._connections.clear()

    async def _one(self) -> None:
        path = self._chance.choice([SUBSCRIBE, FOLLOW, CONVERSE])
        connection = await self._connection(path)
        came = asyncio.Event()
        stream = self._open(connection, path, lambda body: _created(body, came))
        stream.done.add_done_callback(lambda done: _over(done, came))
        try:
            await self._wait(connection, stream, path, came)
        finally:
            connection.cancel(stream)

    def _open(self, connection: Connection, path: str, got: Callable[[bytes], None]) -> Stream:
        if path != FOLLOW and self._chance.random() < 0.1:
            return connection.stream(got)  # and says nothing
        follow_id = f"follow {self._chance.random()}" if self._chance.random() < 0.5 else ""
        stream = begun(connection, path, self._watch(), follow_id, got)
        if path == CONVERSE and self._chance.random() < 0.3:
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
        self._waited[path] += 1
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(END_S / 2):
                await came.wait()
                if stream.done.done():
                    return
                self._served[path] += 1
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
        async with self._connecting:
            self._lives[path] = self._lives.get(path, 0) + 1
            found = self._connections.get(path)
            if found is not None and self._lives[path] <= LIVES:
                return found
            made = await connect(self._target, path)
            self._lives[path], self._connections[path] = 0, made
            if found is not None:
                found.close()
            return made


def begun(
    connection: Connection, path: str, watch: Watch, follow_id: str, got: Callable[[bytes], None]
) -> Stream:
    """A stream of that kind, with a watch on it; the id is Follow's."""
    if path == FOLLOW:
        request = FollowRequest(follow_id=follow_id, watches=[watch])
        return connection.stream(got, request.SerializeToString())
    stream = connection.stream(got)
    if path == SUBSCRIBE:
        stream.send(SubscribeRequest(create=watch).SerializeToString())
    else:
        stream.send(ConverseRequest(subscribe=watch).SerializeToString())
    return stream


def _created(body: bytes, came: asyncio.Event) -> None:
    """The frames of all three number their fields alike."""
    if ConverseResponse.FromString(body).HasField("created"):
        came.set()


def _over(done: "asyncio.Future[None]", came: asyncio.Event) -> None:
    if not done.cancelled():
        done.exception()
    came.set()


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
