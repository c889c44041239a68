"""One relay: what a person says goes to a connection as it is, and what comes back, to them."""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from antiphon_server.integration.connections.faults import Cause, Fault, unreachable
from antiphon_server.integration.connections.model import MOST_ANSWERED, Connection, Message
from antiphon_server.integration.connections.pacing import Pace
from antiphon_server.integration.connections.ports import LOST, Socket, SocketClosed
from antiphon_server.integration.connections.relay_frames import (
    Close,
    Draining,
    Ended,
    Frame,
    Opened,
    Progress,
)
from antiphon_server.runtime.access.principal import Principal
from antiphon_server.runtime.concurrency.numbered import NumberedCalls
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.limits.share_costs import FRAME_S
from antiphon_server.runtime.limits.shares import FREE, Share

HEARTBEAT_S = (15.0, 25.0)
SEND_S = 30.0


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who speaks, by which token."""

    principal: Principal
    token: str


@dataclass(frozen=True, slots=True)
class Report:
    """Say how far it is."""


@dataclass(frozen=True, slots=True)
class Adopt:
    """Go on as another speaker; or end, because that one's token is a bad one."""

    speaker: Speaker | DomainError


Action = Message | Report | Adopt


class Relay:
    """A WebSocket of a connection, and one client's stream.

    The client's side calls :meth:`act` or :meth:`update`. One writer sends what :meth:`frames`
    yields: a message is received when it asks for it, so that a slow one slows the other side, and
    no more than one waits. After a silence of a random time between the two values of
    ``heartbeat_s`` it reports its progress, and the other side has to answer a ping by the next. It
    has to take a message within ``send_s`` seconds. Messages that come wait for the first of its
    user's ``shares``, those that go for the second.
    """

    def __init__(
        self,
        relay_id: str,
        connection: Connection,
        socket: Socket,
        speaker: Speaker,
        limit_s: float,
        heartbeat_s: tuple[float, float] = HEARTBEAT_S,
        send_s: float = SEND_S,
        shares: tuple[Share, Share] = (FREE, FREE),
    ) -> None:
        self._share_in, self._share_out = shares
        self.relay_id, self.connection, self.speaker = relay_id, connection, speaker
        self._socket, self._heartbeat_s, self._send_s = socket, heartbeat_s, send_s
        self._expires, self._until = time.time() + limit_s, time.monotonic() + limit_s
        self._sent = self._received = 0
        self._sending, self._updates = asyncio.Lock(), NumberedCalls("relay")
        self._wakeup, self._pace = asyncio.Event(), Pace()
        self._receiving: asyncio.Task[Message] | None = None
        self._pinging: asyncio.Task[None] | None = None
        self._draining: Draining | None = None
        self._ending: Ended | None = None
        self._progress_wanted = False

    @property
    def ended(self) -> Ended | None:
        """How it ended; None while it goes on."""
        return self._ending

    async def act(self, action: Action) -> None:
        """Do what its client asks; what comes of it is said on the stream."""
        match action:
            case Report():
                self._progress_wanted = True
                self._wakeup.set()
            case Adopt(DomainError() as refused):
                self.end(Ended(Close.SESSION_ENDED, refused))
            case Adopt(Speaker() as speaker):
                self.speaker = speaker
            case str() | bytes():
                await self._send(action)

    async def update(self, sequence: int, actions: Sequence[Action]) -> None:
        """Do ``actions`` in order, once for each ``sequence``, also if the caller goes.

        Raises DomainError INVALID_ARGUMENT, OVERLOADED.
        """
        await self._updates.once(sequence, lambda: self._act_all(actions))

    def end(self, ended: Ended) -> None:
        """End it: nothing is sent any more; the first reason counts."""
        self._ending = self._ending or ended
        self._wakeup.set()

    def drain(self, reconnect_after_s: float) -> None:
        """Tell the client that the server is stopping, and end it."""
        if self._ending is None:
            self._draining = Draining(reconnect_after_s)
        self.end(Ended(Close.DRAINING, DomainError(Reason.DRAINING, retry_after=1.0)))

    def give_up(self) -> None:
        """End it: its client reads nothing."""
        self._fail(DomainError(Reason.OVERLOADED, resource="stream", retry_after=1.0))

    def look_at_clock(self) -> None:
        """End it if its time is over, or its speaker's."""
        if time.monotonic() >= self._until:
            self.end(Ended(Close.EXPIRED))
        elif time.time() >= self.speaker.principal.expires_at:
            self.end(Ended(Close.SESSION_ENDED, DomainError(Reason.TOKEN_EXPIRED)))

    async def frames(self) -> AsyncIterator[Frame]:
        """Yield the frames to send until it ends. Ask for the next after sending one."""
        yield Opened(self.relay_id, round(self._expires * 1e6))
        while True:
            self._wakeup.clear()
            if self._draining is not None:
                yield self._draining
                self._draining = None
            elif self._ending is not None:
                yield self._ending
                return
            elif self._progress_wanted:
                self._progress_wanted = False
                yield Progress(self._sent, self._received)
            elif self._receiving is not None and self._receiving.done():
                message = self._taken(self._receiving)
                if message is not None:
                    yield message
            else:
                await self._idle()

    async def hang_up(self) -> None:
        """Close the WebSocket of one that has ended, whether or not its client reads so much."""
        await self._socket.close()

    async def close(self) -> None:
        """Let go of what it waits for."""
        waits = [task for task in (self._receiving, self._pinging) if task is not None]
        for task in waits:
            task.cancel()
        await asyncio.gather(*waits, return_exceptions=True)

    async def _act_all(self, actions: Sequence[Action]) -> None:
        for action in actions:
            await self.act(action)

    async def _send(self, message: Message) -> None:
        async with self._sending:
            await self._share_out.take(FRAME_S)
            if self._ending is not None:
                return  # as the stream says
            try:
                async with asyncio.timeout(self._send_s):
                    await self._socket.send(message)
            except TimeoutError:
                limit_ms = round(self._send_s * 1000)
                name = self.connection.name
                self._fail(DomainError(Reason.TOOL_TIMEOUT, tool=name, timeout_ms=limit_ms))
            except SocketClosed:
                return  # who receives says why
            else:
                self._sent += 1

    async def _idle(self) -> None:
        """Receive, until there is something to say."""
        if self._receiving is None:
            self._receiving = asyncio.create_task(self._receive(), name="integration.relay.receive")
            self._receiving.add_done_callback(lambda _: self._wakeup.set())
        try:
            async with asyncio.timeout(random.uniform(*self._heartbeat_s)):
                await self._wakeup.wait()
        except TimeoutError:
            self._beat()

    async def _receive(self) -> Message:
        message = await self._socket.receive()
        await self._pace.keep(len(message))
        await self._share_in.take(FRAME_S)
        return message

    def _taken(self, received: asyncio.Task[Message]) -> Message | None:
        """A message that has come; None, and the end, if there is none."""
        self._receiving = None
        try:
            message = received.result()
        except SocketClosed as closed:
            self._closed(closed)
            return None
        if len(message if isinstance(message, bytes) else message.encode()) > MOST_ANSWERED:
            why = f"a message has more than {MOST_ANSWERED} bytes"
            self._fail(DomainError(Reason.TOOL_FAILED, tool=self.connection.name, why=why))
            return None
        self._received += 1
        return message

    def _closed(self, closed: SocketClosed) -> None:
        if closed.code == LOST:
            self._fail(unreachable(self.connection.name, Fault(Cause.CLOSED)))
        else:
            self.end(Ended(Close.CLOSED, code=closed.code, text=closed.reason))

    def _beat(self) -> None:
        """Nothing was said for a while: is the other side there?"""
        self._progress_wanted = True
        if self._pinging is not None and not self._pinging.done():
            self._fail(unreachable(self.connection.name, Fault(Cause.TIMEOUT)))
        else:
            self._pinging = asyncio.create_task(self._ping(), name="integration.relay.ping")

    async def _ping(self) -> None:
        with contextlib.suppress(SocketClosed):  # who receives says why
            await self._socket.ping()

    def _fail(self, error: DomainError) -> None:
        self.end(Ended(Close.FAILED, error))
