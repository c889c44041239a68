"""Turns in many conversations: scripted answers, an endpoint's, and some that are cancelled."""

import asyncio
import random
import secrets

from antiphon.context.v1.message_pb2 import Part
from antiphon.dispatcher.v1.dispatcher_service_pb2 import (
    CancelTurnRequest,
    ConverseRequest,
    ConverseResponse,
    DispatchRequest,
)
from antiphon.events.v1.event_pb2 import TURN_STATE_CANCELLED, TURN_STATE_SUCCEEDED
from antiphon.events.v1.stream_pb2 import Watch
from tests.proofs.bench.loads.client import Target
from tests.proofs.bench.loads.http2 import Connection, Failed, connect
from tests.proofs.leaks.streams import CONVERSE

AT_ONCE = 24
VISIT = 25
"""How many turns a stream sees before it is ended."""
TURN_S = 30.0
SAID = "what was said before is said again " * 40
"""Long enough that what is remembered of a conversation is full after a few turns."""
SLOWLY = "word by word"
ENDPOINT = "fake/ok"
ENDS = frozenset({TURN_STATE_SUCCEEDED, TURN_STATE_CANCELLED})


class Visitor:
    """Posts in one conversation, over one stream, each time when the turn before has ended."""

    def __init__(self, connection: Connection, name: str, chance: random.Random) -> None:
        self._name = name
        self._chance = chance
        self._turn_id = ""
        self._ended = asyncio.Event()
        self._connection = connection
        self._stream = connection.stream(self._got)
        self._stream.done.add_done_callback(self._over)
        watch = Watch(watch_id="w", scope=f"conversations/{name}")
        self._send(ConverseRequest(subscribe=watch))

    async def turn(self) -> None:
        """Post, and wait for the turn's end; or cancel it on its way."""
        self._turn_id = f"turn_{secrets.token_hex(8)}"
        self._ended.clear()
        kind = self._chance.random()
        post = DispatchRequest(conversation_id=self._name, turn_id=self._turn_id)
        if kind < 0.1:
            post.models.append(ENDPOINT)
        elif kind < 0.16:
            post.handler = "echo"
        post.parts.append(Part(text=SLOWLY if post.handler else SAID))
        self._send(ConverseRequest(post=post))
        if kind < 0.16 and self._chance.random() < 0.5:
            await asyncio.sleep(self._chance.random() * 0.1)
            cancel = CancelTurnRequest(conversation_id=self._name, turn_id=self._turn_id)
            self._send(ConverseRequest(cancel=cancel))
        await asyncio.wait_for(self._ended.wait(), TURN_S)
        if self._stream.done.done():
            raise Failed("the stream ended")

    def leave(self) -> None:
        """End the stream."""
        self._connection.cancel(self._stream)

    def _send(self, request: ConverseRequest) -> None:
        self._stream.send(request.SerializeToString())

    def _got(self, body: bytes) -> None:
        frame = ConverseResponse.FromString(body)
        if frame.HasField("error") or frame.HasField("ended"):
            raise Failed(str(frame))
        for event in frame.batch.events:
            if event.turn_id == self._turn_id and event.HasField("turn_finished"):
                if event.turn_finished.state not in ENDS:
                    raise Failed(str(event))
                self._ended.set()

    def _over(self, done: "asyncio.Future[None]") -> None:
        if not done.cancelled():
            done.exception()
        self._ended.set()


class Turns:
    """Visitors of all conversations, who see so many turns of one before they go."""

    def __init__(
        self, target: Target, names: list[str], chance: random.Random, visit: int = VISIT
    ) -> None:
        self._target = target
        self._names = names
        self._chance = chance
        self._visit = visit
        self._connection: Connection | None = None

    async def run(self, count: int) -> None:
        """Begin so many turns and see their ends. Raises Failed."""
        connection = self._connection = await connect(self._target, CONVERSE)
        visits = iter([self._visit] * (count // self._visit))
        free = self._names  # all in turn, over all runs

        async def work() -> None:
            for turns in visits:
                name = free.pop()
                visitor = Visitor(connection, name, self._chance)
                for _ in range(turns):
                    await visitor.turn()
                visitor.leave()
                free.insert(0, name)

        await asyncio.gather(*(work() for _ in range(min(AT_ONCE, len(free)))))

    def close(self) -> None:
        """Cut the connection."""
        if self._connection is not None:
            self._connection.close()
