"""A WebSocket of a connection, as long as it is open."""

from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import Self

from antiphon.integration.v1.connection_service_pb2 import (
    OpenRelayRequest,
    RelayEnded,
    RelayOpened,
    RelayRequest,
    RelayResponse,
    SocketMessage,
)
from antiphon_client.status import error_of_status
from antiphon_client.wire import Wire

LONGEST_S = 86_400.0 + 60.0
"""More than any relay lasts: the server says when its time is over."""
RelayWire = Wire[RelayRequest, RelayResponse]


class LiveRelay:
    """Messages to a connection and from it; an async context manager, and iterated over once.

    Entering waits until messages go both ways. It is not opened again when it breaks: what is
    outside would not know that it goes on.
    """

    def __init__(self, request: OpenRelayRequest, dial: Callable[[], RelayWire]) -> None:
        self._request, self._dial = request, dial
        self.ended: RelayEnded | None = None
        """Why it is over, as soon as that was said."""

    async def __aenter__(self) -> Self:
        self._wire = await self._dial().__aenter__()
        try:
            await self._wire.send(RelayRequest(open=self._request))
            self.opened: RelayOpened = (await self._wire.receive()).opened
        except BaseException as error:
            await self._wire.__aexit__(type(error), error, error.__traceback__)
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._wire.__aexit__(kind, error, trace)

    async def send(self, message: str | bytes) -> None:
        """Say something; waits while what is outside does not read. Raises AntiphonError."""
        if isinstance(message, str):
            said = SocketMessage(text=message)
        else:
            said = SocketMessage(binary=message)
        await self._wire.send(RelayRequest(message=said))

    async def __aiter__(self) -> AsyncIterator[str | bytes]:
        """What comes, until it is over: then :attr:`ended` says why.

        Raises AntiphonError if it has failed, or the stream is lost.
        """
        while self.ended is None:
            frame = await self._wire.receive()
            if frame.HasField("message"):
                said = frame.message
                yield said.text if said.HasField("text") else said.binary
            elif frame.HasField("ended"):
                self.ended = frame.ended
                if frame.ended.HasField("error"):
                    raise error_of_status(frame.ended.error)
