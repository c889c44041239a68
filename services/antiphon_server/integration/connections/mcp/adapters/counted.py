"""What a server says, counted before the SDK reads it, which takes long for what has many parts."""

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import TracebackType
from typing import Any

from mcp.client._transport import ReadStream, TransportStreams
from mcp.shared.message import SessionMessage
from mcp_types import ErrorData, JSONRPCError, JSONRPCResponse

MOST_PARTS = 20_000
"""Of a message: values in lists and objects, but for those that the SDK leaves as they are."""
MOST_OBJECTS = 100_000
"""Braces in a body or a line, which even a reader of JSON alone takes long for."""
TOO_MANY = "the message has too many parts"
"""What is said in place of such an answer."""
_CODE = -32077
"""Of JSON-RPC; none that ends a session."""
_LEFT_AS_THEY_ARE = ("structuredContent", "inputSchema", "outputSchema", "_meta")


@asynccontextmanager
async def counted(
    streams: AbstractAsyncContextManager[TransportStreams],
) -> AsyncGenerator[TransportStreams]:
    """The same streams, on which no message has too many parts."""
    async with streams as (heard, said):
        yield Counted(heard), said


class Counted:
    """A stream of messages. Of those with too many parts it says so in their place."""

    def __init__(self, heard: ReadStream[SessionMessage | Exception]) -> None:
        self._heard = heard

    @property
    def last_context(self) -> Any:
        """See the SDK: in what the message was received."""
        return getattr(self._heard, "last_context", None)

    async def receive(self) -> SessionMessage | Exception:
        """The next message."""
        return _bounded(await self._heard.receive())

    async def aclose(self) -> None:
        """Receive nothing more."""
        await self._heard.aclose()

    def __aiter__(self) -> "Counted":
        """All messages."""
        return self

    async def __anext__(self) -> SessionMessage | Exception:
        """The next message."""
        return _bounded(await self._heard.__anext__())

    async def __aenter__(self) -> "Counted":
        """Itself."""
        await self._heard.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        """Receive nothing more."""
        return await self._heard.__aexit__(kind, error, trace)


def _bounded(item: SessionMessage | Exception) -> SessionMessage | Exception:
    if isinstance(item, Exception) or isinstance(item.message, JSONRPCError):
        return item
    said = item.message
    if isinstance(said, JSONRPCResponse):
        if not _many(said.result):
            return item
        error = ErrorData(code=_CODE, message=TOO_MANY)
        return SessionMessage(JSONRPCError(jsonrpc="2.0", id=said.id, error=error))
    return ValueError(TOO_MANY) if _many(said.params) else item


def _many(value: Any) -> bool:
    count, level = 0, [value]
    while level:
        count += len(level)
        if count > MOST_PARTS:
            return True
        level = [each for it in level for each in _within(it)]
    return False


def _within(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [it for name, it in value.items() if name not in _LEFT_AS_THEY_ARE]
    return value if isinstance(value, list) else []
