"""The WebSocket of a connection, on which all calls of its tools go."""

import asyncio
import itertools
import logging
from collections.abc import Mapping
from typing import Any, Protocol

from antiphon_server.integration.connections import exchanges
from antiphon_server.integration.connections.faults import Cause, Fault, unreachable
from antiphon_server.integration.connections.model import (
    MOST_ANSWERED,
    Answered,
    Connection,
    Forwarded,
    HttpRequest,
    Message,
    WebSocket,
    WebSocketTool,
    unsupported,
)
from antiphon_server.integration.connections.pacing import Pace
from antiphon_server.integration.connections.ports import LOST, Socket, SocketClosed
from antiphon_server.integration.tools.model import (
    Call,
    Definition,
    Result,
    ToolName,
)
from antiphon_server.runtime.concurrency.tasks import TaskSet
from antiphon_server.runtime.errors import DomainError, Reason

GONE, TOO_BIG = 1001, 1009
ANY = 0
"""The number of a request whose answer is whatever comes next."""
log = logging.getLogger(__name__)


class WebSocketLink:
    """See :class:`~antiphon_server.integration.connections.ports.Link`."""

    def __init__(self, connection: Connection, opener: "Opener") -> None:
        assert isinstance(connection.target, WebSocket)
        self._connection, self._target = connection, connection.target
        self._opener = opener
        self._tools: Mapping[ToolName, WebSocketTool] = {
            ToolName(f"{connection.name}.{it.name}"): it for it in connection.target.tools
        }
        self._line: _Line | None = None
        self._lines = TaskSet()  # also those that were left, until they are gone
        self._numbers = itertools.count(1)
        self._turn = asyncio.Lock()

    async def discover(self) -> Mapping[ToolName, Definition]:
        """See :class:`~antiphon_server.integration.connections.ports.Link`."""
        line = self._opened()
        try:
            await line.ping()
        except SocketClosed as closed:
            raise unreachable(self._connection.name, Fault(Cause.CLOSED)) from closed
        return exchanges.definitions(self._connection.name, self._target)

    async def call(self, call: Call) -> Result:
        """See :class:`~antiphon_server.integration.connections.ports.Link`."""
        if call.tool not in self._tools:
            raise DomainError(Reason.TOOL_NOT_FOUND, tool=call.tool)
        if self._target.id_member:
            answer = await self._asked(call, next(self._numbers))
        else:
            async with self._turn:
                answer = await self._asked(call, ANY)
        return exchanges.result(self._target, call.tool, answer)

    async def forward(self, request: Forwarded) -> Answered:
        """See :class:`~antiphon_server.integration.connections.ports.Forwards`."""
        if isinstance(request, HttpRequest):
            raise unsupported(self._connection)
        number = exchanges.number_of(self._target, request)
        socket = await self._opener.open()
        try:
            await socket.send(request)
            answer = await self._answered(socket, number)
        except SocketClosed as closed:
            if closed.code == LOST:  # nobody has closed it
                raise DomainError(Reason.TOOL_CALL_LOST, tool=self._connection.name) from closed
            raise self._failed(f"the WebSocket was closed ({closed.code})") from closed
        finally:
            await socket.close()
        if len(answer if isinstance(answer, bytes) else answer.encode()) > MOST_ANSWERED:
            raise self._failed(f"its answer has more than {MOST_ANSWERED} bytes")
        return answer

    async def open(self) -> Socket:
        """See :class:`~antiphon_server.integration.connections.ports.Channels`."""
        return await self._opener.open()

    async def _answered(self, socket: Socket, number: int | None) -> Message:
        pace = Pace()
        while True:
            answer = await socket.receive()
            if number is None or exchanges.number_of(self._target, answer) == number:
                return answer
            await pace.keep(len(answer))

    def _failed(self, why: str) -> DomainError:
        return DomainError(Reason.TOOL_FAILED, tool=self._connection.name, why=why)

    async def close(self) -> None:
        """See :class:`~antiphon_server.integration.connections.ports.Link`."""
        if self._line is not None:
            self._line.leave()
        await self._lines.stop()
        await self._opener.close()

    async def _asked(self, call: Call, number: int) -> Message:
        tool, line = self._tools[call.tool], self._opened()
        message = exchanges.request(self._target, tool, call.arguments, number)
        try:
            return await line.ask(message, number)
        except SocketClosed as closed:
            if closed.code != TOO_BIG:
                raise DomainError(Reason.TOOL_CALL_LOST, tool=call.tool) from closed
            why = f"its answer has more than {self._connection.limits.max_bytes} bytes"
            raise DomainError(Reason.TOOL_FAILED, tool=call.tool, why=why) from closed
        except asyncio.CancelledError:
            if number == ANY:  # its answer would be taken for the next one's
                line.leave()
            raise

    def _opened(self) -> "_Line":
        if self._line is None or self._line.over:
            self._line = _Line(self._connection, self._target, self._opener, self._lines)
        return self._line


class Opener(Protocol):
    """Opens WebSockets, and closes what they share."""

    async def open(self) -> Socket:
        """Raises DomainError CONNECTION_UNAVAILABLE, EGRESS_DENIED, NOT_FOUND for a secret."""
        ...

    async def close(self) -> None:
        """Close all."""
        ...


class _Line:
    """One WebSocket from its opening to its end, owned by one task, which alone receives."""

    def __init__(
        self, connection: Connection, target: WebSocket, opener: Opener, lines: TaskSet
    ) -> None:
        self._name, self._target, self._opener = connection.name, target, opener
        self._waiting: dict[int, asyncio.Future[Message]] = {}
        self._socket: asyncio.Future[Socket] = asyncio.get_running_loop().create_future()
        self._over = False
        self._pace, self._dropped = Pace(), 0
        self._task = lines.spawn("integration.websocket", self._run())

    @property
    def over(self) -> bool:
        """Whether it is lost, or is being closed."""
        return self._over

    async def ask(self, message: str, number: int) -> Message:
        """Send, and return the answer. Raises SocketClosed, and what opening it raises."""
        socket = await asyncio.shield(self._socket)
        answer: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            await socket.send(message)
            return await answer
        finally:
            self._waiting.pop(number, None)

    async def ping(self) -> None:
        """Return when the other side has answered a ping. Raises as :meth:`ask` does."""
        socket = await asyncio.shield(self._socket)
        await socket.ping()

    def leave(self) -> None:
        """Let go of it; nobody can use it from now on."""
        self._end(SocketClosed(GONE))
        self._task.cancel()

    async def _run(self) -> None:
        try:
            socket = await self._opener.open()
        except DomainError as error:
            self._end(error)
            return
        except BaseException:
            self._end(unreachable(self._name))
            raise
        self._socket.set_result(socket)
        try:
            await self._receive(socket)
        except SocketClosed as closed:
            self._end(closed)
        finally:
            self._end(SocketClosed(GONE))
            await socket.close()

    def _end(self, why: DomainError | SocketClosed) -> None:
        """Tell all who wait, once."""
        if self._over:
            return
        self._over = True
        if self._dropped:
            log.info("connection %s: %d messages answered nothing", self._name, self._dropped)
        waits: list[asyncio.Future[Any]] = [self._socket, *self._waiting.values()]
        for waiting in waits:
            if not waiting.done():
                waiting.set_exception(why)
                waiting.exception()  # whether or not anybody waits

    async def _receive(self, socket: Socket) -> None:
        while True:
            message = await socket.receive()
            number = exchanges.number_of(self._target, message) if self._target.id_member else ANY
            waiting = None if number is None else self._waiting.get(number)
            if waiting is None or waiting.done():
                self._dropped += 1
            else:
                waiting.set_result(message)
            await self._pace.keep(len(message))
