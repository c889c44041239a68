"""A link to a gRPC server: what it has, asked by reflection, and calls of that."""

import asyncio
import hashlib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import grpc
from grpc_health.v1 import health_pb2

from antiphon_server.integration.connections.adapters.grpc_calls import (
    descriptor_sets,
    failures,
    reflection,
)
from antiphon_server.integration.connections.adapters.grpc_calls.dialled import Dialled, trust
from antiphon_server.integration.connections.adapters.grpc_calls.files import Unusable
from antiphon_server.integration.connections.adapters.grpc_calls.methods import (
    MESSAGES,
    Method,
    Methods,
    methods_of,
    spelled,
)
from antiphon_server.integration.connections.adapters.signing import signature
from antiphon_server.integration.connections.faults import Cause, Fault, unreachable
from antiphon_server.integration.connections.model import Connection, Grpc
from antiphon_server.integration.connections.ports import Documents
from antiphon_server.integration.secrets.ports import Secrets
from antiphon_server.integration.tools.model import (
    Call,
    Definition,
    Json,
    Result,
    ResultPart,
    SourceName,
    ToolName,
)
from antiphon_server.integration.tools.untrusted import Accepted
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.net.egress.dialling import Dialler
from antiphon_server.runtime.net.egress.names import Place
from antiphon_server.runtime.telemetry.structured import structlog

HEALTH = "/grpc.health.v1.Health/Check"
MOST_MESSAGES = 1_000
"""Of a stream."""
logger = structlog.get_logger(__name__)


class Room:
    """What all links of a server share: whom they trust, and places for what takes much memory."""

    def __init__(self) -> None:
        self.trusted = trust()
        self.large = asyncio.Semaphore(2)
        self._checking = asyncio.Lock()

    async def check(
        self, source: SourceName, descriptor_set: bytes, wanted: Collection[str]
    ) -> None:
        """Raises DomainError INVALID_ARGUMENT, LIMIT_EXCEEDED for a set that can't be used."""
        try:
            async with self._checking:
                await reflection.aside(len(descriptor_set), _tried, source, descriptor_set, wanted)
        except Unusable as error:
            raise failures.unusable(error) from None

    def link(
        self,
        connection: Connection,
        place: Place,
        dialler: Dialler,
        secrets: Secrets,
        documents: Documents,
    ) -> "GrpcLink":
        """One more."""
        return GrpcLink(connection, place, dialler, secrets, documents, self)


def _tried(source: SourceName, descriptor_set: bytes, wanted: Collection[str]) -> None:
    told = descriptor_sets.told_by(descriptor_set, wanted)
    methods_of(source, told.services, told.files)


class GrpcLink:
    """See :class:`~antiphon_server.integration.connections.ports.Link`."""

    def __init__(
        self,
        connection: Connection,
        place: Place,
        dialler: Dialler,
        secrets: Secrets,
        documents: Documents,
        room: Room,
    ) -> None:
        assert isinstance(connection.target, Grpc)
        self._connection, self._target = connection, connection.target
        self._secrets, self._documents, self._room = secrets, documents, room
        self._dialled = Dialled(place, dialler, room.trusted, connection.limits)
        self._methods = Methods({}, Accepted({}, (), 0))
        self._digest = b""

    async def discover(self) -> Mapping[ToolName, Definition]:
        """See :meth:`~antiphon_server.integration.connections.ports.Link.discover`.

        Also raises DomainError DESCRIPTORS_REQUIRED, INVALID_ARGUMENT, LIMIT_EXCEEDED.
        """
        name = self._connection.name
        try:
            channel, metadata = await self._dialled.vetted(), await self._signed()
            await self._healthy(channel, metadata)
            await self._read(channel, metadata)
        except (grpc.aio.AioRpcError, OSError) as error:
            raise failures.unavailable(name, error) from error
        except reflection.NotServed:
            raise failures.undescribed(name) from None
        except Unusable as error:
            logger.warning("descriptors can't be used", connection=name, why=str(error))
            raise failures.unusable(error) from error
        return self._methods.told.definitions

    async def call(self, call: Call) -> Result:
        """See :meth:`~antiphon_server.integration.connections.ports.Link.call`."""
        method = self._methods.by_name.get(call.tool)
        if method is None:
            raise DomainError(Reason.TOOL_NOT_FOUND, tool=call.tool)
        request = await self._encoded(method, call)
        metadata = (*await self._signed(), ("idempotency-key", call.call_id))
        try:
            channel = await self._dialled.channel()
            if method.streams:
                return await self._streamed(method, channel, request, metadata)
            return await self._answered(method, channel, request, metadata)
        except grpc.aio.AioRpcError as error:
            return failures.outcome(error, self._connection, call.tool)
        except OSError as error:
            raise failures.unavailable(self._connection.name, error) from error

    async def close(self) -> None:
        """See :meth:`~antiphon_server.integration.connections.ports.Link.close`."""
        await self._dialled.close()

    async def _healthy(self, channel: grpc.aio.Channel, metadata: reflection.Metadata) -> None:
        """Ask for its health, if it serves that. Raises DomainError, AioRpcError."""
        check = channel.unary_unary(
            HEALTH,
            request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
            response_deserializer=health_pb2.HealthCheckResponse.FromString,
        )
        request = health_pb2.HealthCheckRequest()
        try:
            told = await check(request, metadata=metadata, timeout=self._connection.limits.open_s)
        except grpc.aio.AioRpcError as error:
            if error.code() in failures.NOT_THERE or failures.of_http(error):
                raise
            return
        if told.status == health_pb2.HealthCheckResponse.NOT_SERVING:
            raise unreachable(self._connection.name, Fault(Cause.NOT_SERVING))

    async def _read(self, channel: grpc.aio.Channel, metadata: reflection.Metadata) -> None:
        """Read what it has; what is as it was is not put together again."""
        if self._target.digest and self._digest:
            return  # another set is another connection
        told = await self._told(channel, metadata)
        digest = hashlib.sha256(repr(told.services).encode() + told.files.digest).digest()
        if digest == self._digest:
            return
        name = self._connection.name
        methods = await reflection.aside(
            told.files.size, methods_of, name, told.services, told.files
        )
        self._methods, self._digest = methods, digest
        if methods.streaming or methods.told.left_out:
            left_out = {"streaming": methods.streaming, "left_out": methods.told.left_out}
            logger.warning("methods are left out", connection=name, **left_out)

    async def _told(
        self, channel: grpc.aio.Channel, metadata: reflection.Metadata
    ) -> reflection.Told:
        """What it has, by its descriptor set, or as it says itself."""
        if self._target.digest:
            given = await self._documents.document(self._connection)
        elif self._target.file:
            given = await self._from_file(Path(self._target.file))
        else:
            limit = self._connection.limits.open_s
            return await reflection.ask(channel, metadata, limit, self._target.services)
        return await reflection.aside(
            len(given), descriptor_sets.told_by, given, self._target.services
        )

    async def _from_file(self, file: Path) -> bytes:
        try:
            return await asyncio.to_thread(descriptor_sets.read, file)
        except OSError as error:
            raise Unusable(f"the file {file} can't be read: {error.strerror}") from error

    async def _signed(self) -> reflection.Metadata:
        signed = await signature(self._connection, self._secrets)
        return tuple((name.lower(), value) for name, value in signed.items())

    async def _encoded(self, method: Method, call: Call) -> bytes:
        try:
            return method.encoded(call.arguments)
        except Exception:  # whatever comes of somebody else's messages
            rule = f"it is no {method.request.full_name} in protobuf's JSON"
            raise DomainError(
                Reason.TOOL_ARGUMENTS_INVALID, tool=call.tool, path="$", rule=rule
            ) from None

    async def _answered(
        self, method: Method, channel: grpc.aio.Channel, request: bytes, metadata: Any
    ) -> Result:
        running = _unary(channel, method.path)(
            request, metadata=metadata, timeout=self._connection.limits.call_s
        )
        try:
            answer: bytes = await running
        finally:
            running.cancel()
        return _result(await self._decoded(method, answer))

    async def _streamed(
        self, method: Method, channel: grpc.aio.Channel, request: bytes, metadata: Any
    ) -> Result:
        """All answers of a stream; it is ended where they become too many."""
        running = _streaming(channel, method.path)(
            request, metadata=metadata, timeout=self._connection.limits.call_s
        )
        found: list[Json] = []
        left, cut = self._connection.limits.max_bytes, False
        try:
            async for answer in running:
                left -= len(answer)
                if cut := left < 0 or len(found) == MOST_MESSAGES:
                    break
                found.append(await self._decoded(method, answer))
        finally:
            running.cancel()
        result = _result({MESSAGES: found})
        if not cut:
            return result
        note = ResultPart("text", f"(The stream was ended after {len(found)} messages.)")
        return Result((*result.parts, note), result.structured)

    async def _decoded(self, method: Method, answer: bytes) -> Json:
        try:
            if len(answer) <= reflection.SMALL:
                return method.decoded(answer)
            async with self._room.large:
                return await asyncio.to_thread(method.decoded, answer)
        except Exception as error:  # whatever comes of somebody else's messages
            why = "answer not understood"
            raise DomainError(Reason.TOOL_FAILED, tool=method.name, why=why) from error


def _result(value: Json) -> Result:
    return Result((ResultPart("text", spelled(value)),), value)


def _unary(channel: grpc.aio.Channel, path: str) -> Any:
    """Asks for bytes with bytes."""
    return channel.unary_unary(path)


def _streaming(channel: grpc.aio.Channel, path: str) -> Any:
    """The same, for a stream."""
    return channel.unary_stream(path)
