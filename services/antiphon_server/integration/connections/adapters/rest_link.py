"""A way to a service over HTTP: its document is read again with each probe."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator, Mapping
from concurrent.futures import Executor
from contextlib import asynccontextmanager, contextmanager

import aiohttp

from antiphon_server.integration.connections.adapters.rest_kind import understood
from antiphon_server.integration.connections.adapters.signing import signature
from antiphon_server.integration.connections.faults import answered, fault_of, unreachable
from antiphon_server.integration.connections.model import (
    MOST_ANSWERED,
    Answered,
    Connection,
    Forwarded,
    HttpAnswer,
    HttpRequest,
    OpenApi,
    unsupported,
)
from antiphon_server.integration.connections.ports import Documents
from antiphon_server.integration.connections.rest import forwarding
from antiphon_server.integration.connections.rest.adapters.results import result
from antiphon_server.integration.connections.rest.documents import MAX_DOCUMENT
from antiphon_server.integration.connections.rest.model import Api
from antiphon_server.integration.connections.rest.requests import request
from antiphon_server.integration.secrets.ports import Secrets
from antiphon_server.integration.tools.model import Call, Definition, Result, ToolName
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.net.egress.bodies import PACKING, BodyGarbled, BodyTooLarge
from antiphon_server.runtime.net.egress.dialling import Dialler
from antiphon_server.runtime.net.egress.names import place_of
from antiphon_server.runtime.net.egress.requests import asked, body_of
from antiphon_server.runtime.net.http_pool import HttpPool
from antiphon_server.runtime.telemetry.structured import structlog

_UNSENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL)
"""What fails before a request is sent."""
ACCEPT = "application/json, application/yaml;q=0.9, */*;q=0.1"
logger = structlog.get_logger(__name__)


class RestLink:
    """See :class:`~antiphon_server.integration.connections.ports.Link`.

    Documents are read in ``reading``.
    """

    def __init__(
        self,
        connection: Connection,
        dialler: Dialler,
        secrets: Secrets,
        documents: Documents,
        reading: Executor,
    ) -> None:
        assert isinstance(connection.target, OpenApi)
        self._connection, self._target = connection, connection.target
        self._secrets, self._documents, self._reading = secrets, documents, reading
        self._pool = HttpPool(connection.limits.max_calls + 1, dialler)
        own = self._target.base_url or self._target.url
        self._place = place_of(own) if own else None
        self._api: Api | None = None
        self._tags: Mapping[str, str] = {}
        self._digest = b""
        self._found: Api | DomainError | None = None

    async def discover(self) -> Mapping[ToolName, Definition]:
        if self._target.url:
            return await self._fetched()
        if self._api is None:
            self._api = await self._read(await self._documents.document(self._connection))
        for method in ("HEAD", "GET"):  # some answer one of them alone
            async with self._asked(method, self._api.base_url, {}) as response:
                if response.status < 500:
                    return self._api.definitions
        raise unreachable(self._connection.name, answered(response.status))

    async def _fetched(self) -> Mapping[ToolName, Definition]:
        """Read the document again, if it has changed."""
        known = self._api
        headers = {"Accept": ACCEPT, **(self._tags if known else {})}
        try:
            async with self._asked("GET", self._target.url, headers) as response:
                if known and response.status == 304:
                    return known.definitions
                if response.status != 200:
                    raise unreachable(self._connection.name, answered(response.status))
                text = await body_of(response, most=MAX_DOCUMENT)
                tags = _tags(response.headers)
        except BodyTooLarge:
            raise DomainError(Reason.LIMIT_EXCEEDED, limit=f"{MAX_DOCUMENT} bytes") from None
        except BodyGarbled as error:
            raise self._unavailable(error) from error
        found = await self._read(text)
        self._api, self._tags = found, tags
        return found.definitions

    async def call(self, call: Call) -> Result:
        if self._api is None:
            await self.discover()
        assert self._api is not None
        operation = self._api.operations.get(call.tool)
        if operation is None:
            raise DomainError(Reason.TOOL_NOT_FOUND, tool=call.tool)
        promised = bool(self._api.definitions[call.tool].output_schema)
        wanted, most = request(self._api, operation, call), self._connection.limits.max_bytes
        try:
            async with self._asked(
                wanted.method, wanted.url, wanted.headers, wanted.body, of=call.tool
            ) as response:
                said, charset = response.headers, response.charset or ""
                body = await body_of(response, most=most)
        except BodyTooLarge:
            why = f"its answer has more than {most} bytes"
            raise DomainError(Reason.TOOL_FAILED, tool=call.tool, why=why) from None
        except BodyGarbled:
            why = "its answer is not packed as it says"
            raise DomainError(Reason.TOOL_FAILED, tool=call.tool, why=why) from None
        kind, again = said.get("Content-Type", ""), said.get("Retry-After", "")
        return result(response.status, kind, charset, body, promised=promised, retry_after=again)

    async def forward(self, request: Forwarded) -> Answered:
        """See :class:`~antiphon_server.integration.connections.ports.Forwards`."""
        if not isinstance(request, HttpRequest):
            raise unsupported(self._connection)
        if self._api is None:
            await self.discover()
        assert self._api is not None
        url, headers = forwarding.place(self._api.base_url, request)
        try:
            async with self._asked(
                request.method,
                url,
                headers,
                request.body or None,
                of=ToolName(self._connection.name),
            ) as response:
                body = await body_of(response, most=MOST_ANSWERED)
                told = forwarding.told(response.headers.items())
                return HttpAnswer(response.status, told, body)
        except (BodyTooLarge, BodyGarbled):
            why = f"its answer has more than {MOST_ANSWERED} bytes, or is garbled"
            raise DomainError(Reason.TOOL_FAILED, tool=self._connection.name, why=why) from None

    async def close(self) -> None:
        await self._pool.close()

    @asynccontextmanager
    async def _asked(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None = None,
        of: ToolName | None = None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """The answer; what goes to the connection's own place is signed, and nothing else.

        A call ``of`` a tool is lost if its answer is: the service may have done it.
        """
        told = {**headers, "Accept-Encoding": PACKING}
        if place_of(url) == self._place:
            told |= await signature(self._connection, self._secrets)
        with self._reaching(of):
            async with asked(await self._pool.session(), method, url, told, data=body) as response:
                yield response

    @contextmanager
    def _reaching(self, of: ToolName | None) -> Iterator[None]:
        try:
            yield
        except (aiohttp.ClientError, OSError) as error:
            if of is None or isinstance(error, _UNSENT):
                raise self._unavailable(error) from error
            raise DomainError(Reason.TOOL_CALL_LOST, tool=of) from error

    async def _read(self, text: bytes) -> Api:
        """What the document says; one that says the same as before is not read again."""
        digest = hashlib.sha256(text).digest()
        if self._digest != digest:
            self._found = await asyncio.get_running_loop().run_in_executor(
                self._reading, self._understood, text
            )
            self._digest = digest
            if self._place is None and isinstance(self._found, Api):
                self._place = place_of(self._found.base_url)  # who gave the document said so
            self._tell()
        if isinstance(self._found, DomainError):
            raise self._found.with_traceback(None)
        assert self._found is not None
        return self._found

    def _tell(self) -> None:
        """Tell who operates the server what a connection's owner may look for in vain."""
        if not isinstance(found := self._found, Api):
            return
        name = self._connection.name
        if found.left_out:
            logger.warning("operations are left out", connection=name, left_out=found.left_out)
        if self._connection.credential and place_of(found.base_url) != self._place:
            logger.warning("calls elsewhere are not signed: give a base_url", connection=name)

    def _understood(self, text: bytes) -> Api | DomainError:
        """In a thread: it takes a while for large documents."""
        try:
            return understood(self._connection, text)
        except DomainError as refused:
            return refused

    def _unavailable(self, error: Exception) -> DomainError:
        return unreachable(self._connection.name, fault_of(error))


def _tags(headers: Mapping[str, str]) -> Mapping[str, str]:
    """What asks next time whether the document is still the same (RFC 9110)."""
    names = {"ETag": "If-None-Match", "Last-Modified": "If-Modified-Since"}
    return {then: headers[now] for now, then in names.items() if now in headers}
