"""Servers that tell what they have, that don't, and that mean no good."""

import asyncio
from collections.abc import AsyncIterator
from itertools import count
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from grpc_reflection.v1alpha.reflection_pb2 import (
    FileDescriptorResponse,
    ListServiceResponse,
    ServerReflectionResponse,
    ServiceResponse,
)

from antiphon_server.integration.connections.adapters.grpc_calls.files import MOST_FILES
from antiphon_server.integration.connections.model import Grpc, Limits
from antiphon_server.runtime.errors import Reason
from antiphon_server.runtime.errors.codes import sentence_of
from tests.e2e.refusals import Refused
from tests.integration.connections.grpc_calls.things import (
    FILE,
    SERVICE,
    V1,
    V1ALPHA,
    Asked,
    Things,
    call,
    linked,
    serving,
)

OFFERED = {"it.Things.Echo", "it.Things.Count"}
SHORT = Limits(open_s=0.5)
CYCLIC = FileDescriptorProto.FromString(FILE.SerializeToString())
CYCLIC.dependency.append(CYCLIC.name)


@pytest.mark.parametrize("version", [V1, V1ALPHA])
async def test_each_version_of_reflection_will_do(version: str) -> None:
    """What takes a stream is no tool."""
    async with (
        serving(Things(), [version]) as port,
        linked(Grpc(f"http://127.0.0.1:{port}")) as link,
    ):
        assert set(await link.discover()) == OFFERED
        result: Any = await link.call(call("Echo", id="7"))
        assert result.structured == {"id": "7", "text": "", "parts": []}


async def test_a_server_without_reflection_needs_a_descriptor_set() -> None:
    """Which is a reason of its own, and says so."""
    async with serving(Things(), []) as port, linked(Grpc(f"http://127.0.0.1:{port}")) as link:
        with Refused(Reason.DESCRIPTORS_REQUIRED) as missing:
            await link.discover()
        assert "descriptor set" in sentence_of(missing.error.reason, missing.error.metadata)


@pytest.mark.parametrize(
    "code", [grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED]
)
async def test_so_does_one_that_refuses_it(code: grpc.StatusCode) -> None:
    """It is there, and will not say what it has."""

    async def refuse(requests: Any, context: Any) -> AsyncIterator[Any]:
        await context.abort(code, "not you")
        yield

    await _ends(refuse, Reason.DESCRIPTORS_REQUIRED)


async def test_imports_without_end_are_counted() -> None:
    """Each file imports another one, and nobody asks for more than there may be."""
    asked = count()

    async def endless(requests: Any, context: Any) -> AsyncIterator[Any]:
        async for request in requests:
            if request.HasField("list_services"):
                yield _services(SERVICE)
            else:
                number = next(asked)
                yield _file(FileDescriptorProto(name=f"{number}", dependency=[f"{number + 1}"]))

    await _ends(endless, Reason.LIMIT_EXCEEDED, Limits())
    assert next(asked) <= MOST_FILES + 2


async def test_answers_that_nobody_asked_for_are_not_read() -> None:
    """A server that talks without end is held up by itself, and what it has is known meanwhile."""
    sent = count()

    async def talking(requests: Any, context: Any) -> AsyncIterator[Any]:
        async for request in requests:
            yield _services(SERVICE) if request.HasField("list_services") else _file(FILE)
            while not request.HasField("list_services"):
                next(sent)
                yield _file(FILE)

    async with (
        serving(Things(), [V1], talking) as port,
        linked(Grpc(f"http://127.0.0.1:{port}")) as link,
    ):
        assert set(await link.discover()) == OFFERED
        await asyncio.sleep(0.1)
        before = next(sent)
        await asyncio.sleep(0.1)
        assert next(sent) == before + 1


async def test_a_server_that_never_answers_is_waited_for_no_longer_than_its_limit() -> None:
    """The stream has a deadline of its own."""

    async def silent(requests: Any, context: Any) -> AsyncIterator[Any]:
        async for _ in requests:
            await asyncio.Event().wait()
            yield

    async with asyncio.timeout(5):
        await _ends(silent, Reason.CONNECTION_UNAVAILABLE)


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ([[f"a.S{number}" for number in range(1_001)]], Reason.LIMIT_EXCEEDED),
        ([[SERVICE], CYCLIC], Reason.INVALID_ARGUMENT),
        ([[SERVICE], b"\xff"], Reason.INVALID_ARGUMENT),
        ([[SERVICE], b"\x22\x00" * 300_000], Reason.LIMIT_EXCEEDED),
        ([[SERVICE]], Reason.INVALID_ARGUMENT),
    ],
)
async def test_what_can_not_be_used_has_a_reason(answers: list[Any], reason: Reason) -> None:
    """Too many services, files that import themselves, garbage, too much, and an early end."""
    left = iter(answers)

    async def telling(requests: Any, context: Any) -> AsyncIterator[Any]:
        async for _ in requests:
            answer = next(left, None)
            if answer is None:
                return
            yield _services(*answer) if isinstance(answer, list) else _file(answer)

    await _ends(telling, reason)


async def _ends(asked: Asked, reason: Reason, limits: Limits = SHORT) -> None:
    async with (
        serving(Things(), [V1], asked) as port,
        linked(Grpc(f"http://127.0.0.1:{port}"), limits) as link,
    ):
        with Refused(reason):
            await link.discover()


def _services(*names: str) -> ServerReflectionResponse:
    listed = ListServiceResponse(service=[ServiceResponse(name=name) for name in names])
    return ServerReflectionResponse(list_services_response=listed)


def _file(file: Any) -> ServerReflectionResponse:
    serialized = file if isinstance(file, bytes) else file.SerializeToString()
    answer = FileDescriptorResponse(file_descriptor_proto=[serialized])
    return ServerReflectionResponse(file_descriptor_response=answer)
