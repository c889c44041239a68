"""HTTP that ends what is too long, and keeps one request's failure from all others."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx2

from antiphon_server.integration.connections.mcp.adapters.counted import MOST_OBJECTS, TOO_MANY
from antiphon_server.runtime.errors.domain_error import DomainError
from antiphon_server.runtime.net.egress.bodies import BodyGarbled, BodyTooLarge

REFUSED = -32000
"""The JSON-RPC code of an answer that was made here, in place of one that never came."""
UNSENT = "not sent: "
UNANSWERED = "not answered: "
"""How its message begins, whether or not the request may have reached somebody."""
TOO_LONG = "the body is too long"
BROKEN_OFF = "the body broke off"
GARBLED = "the body is not packed as it says"
_BEFORE = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, DomainError)
"""What is raised before a request is sent; DomainErrors are refusals of ours."""


class BoundedStream(httpx2.AsyncByteStream):
    """A body that may be so long; what breaks it is a StreamError, which the SDK expects."""

    def __init__(self, body: httpx2.AsyncByteStream, max_bytes: int) -> None:
        self._body, self._left, self._objects = body, max_bytes, MOST_OBJECTS

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Its pieces. Raises StreamError when it is too long, garbled or breaks off."""
        try:
            async for piece in self._body:
                self._left -= len(piece)
                self._objects -= piece.count(b"{")
                if self._left < 0:
                    raise httpx2.StreamError(TOO_LONG)
                if self._objects < 0:
                    raise httpx2.StreamError(TOO_MANY)
                yield piece
        except BodyTooLarge as error:
            raise httpx2.StreamError(TOO_LONG) from error
        except BodyGarbled as error:
            raise httpx2.StreamError(GARBLED) from error
        except httpx2.TransportError as error:
            raise httpx2.StreamError(BROKEN_OFF) from error

    async def aclose(self) -> None:
        """Let go of the connection."""
        await self._body.aclose()


class BoundedTransport(httpx2.AsyncBaseTransport):
    """Takes bodies up to ``max_bytes``, and none that is compressed."""

    def __init__(self, inner: httpx2.AsyncBaseTransport, max_bytes: int) -> None:
        self._inner, self._max_bytes = inner, max_bytes

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send it. Raises RemoteProtocolError for a compressed answer, which nobody asked for."""
        request.headers["accept-encoding"] = "identity"
        response = await self._inner.handle_async_request(request)
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            await response.aclose()
            raise httpx2.RemoteProtocolError("the answer is compressed", request=request)
        body = response.stream
        assert isinstance(body, httpx2.AsyncByteStream)
        response.stream = BoundedStream(body, self._max_bytes)
        return response

    async def aclose(self) -> None:
        """Close its connections."""
        await self._inner.aclose()


class CalmClient(httpx2.AsyncClient):
    """A client that answers 502 where a request fails.

    The SDK's transport would end all requests of the connection for one that raises.
    """

    failed: Callable[[Exception], None] = staticmethod(lambda _error: None)
    answered: Callable[[int, str], None] = staticmethod(lambda _status, _retry_after: None)
    """Is told with which status and which Retry-After each message was answered."""

    async def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        """Send it; an error becomes a JSON-RPC error, which says its kind alone."""
        try:
            response = await super().send(request, **options)
        except Exception as error:  # whatever a transport or a consent raises
            self.failed(error)
            begins = UNSENT if isinstance(error, _BEFORE) else UNANSWERED
            told = {"code": REFUSED, "message": f"{begins}{type(error).__name__}"}
            answer = {"jsonrpc": "2.0", "id": None, "error": told}
            return httpx2.Response(502, json=answer, request=request)
        if request.method == "POST":
            self.answered(response.status_code, response.headers.get("retry-after", ""))
        return response
