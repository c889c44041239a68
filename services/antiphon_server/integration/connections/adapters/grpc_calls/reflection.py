"""Which services a server has, and their descriptors, by server reflection.

Version 1 and v1alpha differ in nothing but the service's name. A server is asked one question at
a time and believed in nothing: what it answers is counted, and used where it is what was asked.

Each question is a call of its own that ends its requests at once. On a stream that stays open a
refusal can meet a question that is being sent, and grpc.aio tells of that as an error of its own,
whatever the server has said.
"""

import asyncio
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import grpc
from grpc_reflection.v1alpha import reflection_pb2 as pb

from antiphon_server.integration.connections.adapters.grpc_calls.files import (
    MOST_FILES,
    Files,
    TooMuch,
    Unusable,
    too_many_files,
)

VERSIONS = ("grpc.reflection.v1", "grpc.reflection.v1alpha")
MOST_SERVICES = 1_000
MOST_LISTED = f"{MOST_SERVICES:,} services of a server"
SMALL = 64 * 1024
"""Longer ones are read on a thread."""
_SERVERS_OWN = ("grpc.reflection.", "grpc.health.", "grpc.channelz.")
_REFUSED = (
    grpc.StatusCode.UNIMPLEMENTED,
    grpc.StatusCode.UNAUTHENTICATED,
    grpc.StatusCode.PERMISSION_DENIED,
)
"""Some ask who calls before they say that there is no such service."""
_NOT_FOUND = grpc.StatusCode.NOT_FOUND.value[0]
Metadata = Sequence[tuple[str, str]]
T = TypeVar("T")


class NotServed(Exception):
    """The server has no reflection, or refuses it."""


@dataclass(frozen=True, slots=True)
class Told:
    """Services by full name, and files in which they may be found."""

    services: Sequence[str]
    files: Files


async def ask(
    channel: grpc.aio.Channel, metadata: Metadata, timeout: float, wanted: Collection[str] = ()
) -> Told:
    """The services ``wanted``, or all but the server's own.

    Raises Unusable, NotServed, AioRpcError.
    """
    for version in VERSIONS:
        question = channel.unary_stream(
            f"/{version}.ServerReflection/ServerReflectionInfo",
            request_serializer=pb.ServerReflectionRequest.SerializeToString,
            response_deserializer=pb.ServerReflectionResponse.FromString,
        )
        try:
            return await _Asking(question, metadata, timeout).all(wanted)
        except grpc.aio.AioRpcError as error:
            if error.code() not in _REFUSED:
                raise
    raise NotServed


def offered(services: Iterable[str]) -> Sequence[str]:
    """Those that are no part of every server."""
    return [name for name in services if not name.startswith(_SERVERS_OWN)]


async def aside(size: int, work: Callable[..., T], *arguments: Any) -> T:
    """Do what takes longer the larger it is: here, or on a thread so that nobody waits for it."""
    if size <= SMALL:
        return work(*arguments)
    return await asyncio.to_thread(work, *arguments)


class _Asking:
    """Questions to one server, all answered within ``timeout`` seconds."""

    def __init__(self, question: Any, metadata: Metadata, timeout: float) -> None:
        self._question, self._metadata, self._files = question, metadata, Files()
        self._until = time.monotonic() + timeout

    async def all(self, wanted: Collection[str]) -> Told:
        services = await self._services(wanted)
        for service in services:
            if service not in self._files.declaring([service]):
                await self._files_of(file_containing_symbol=service)
        asked = set[str]()
        while left := set(self._files.missing()) - asked:
            for name in left:
                if len(asked) == MOST_FILES:
                    raise too_many_files()
                asked.add(name)
                await self._files_of(file_by_filename=name)
        return Told(services, self._files)

    async def _services(self, wanted: Collection[str]) -> Sequence[str]:
        answer = await self._answer(list_services="*")
        listed = answer.list_services_response.service
        if len(listed) > MOST_SERVICES:
            raise TooMuch(f"it has more than {MOST_SERVICES:,} services", MOST_LISTED)
        told = dict.fromkeys(it.name for it in listed)
        if wanted:
            return [name for name in told if name in wanted]
        return offered(told)

    async def _files_of(self, **question: str) -> None:
        """Keep what it answers. What it does not know may not be needed."""
        answer = await self._answer(**question)
        if answer.error_response.error_code == _NOT_FOUND:
            return
        files = answer.file_descriptor_response.file_descriptor_proto
        if len(files) > MOST_FILES:
            raise too_many_files()
        for serialized in files:
            await aside(len(serialized), self._files.add, serialized)

    async def _answer(self, **question: str) -> Any:
        """The first answer; what else a server may say is not listened to."""
        left = max(0.0, self._until - time.monotonic())
        asked = pb.ServerReflectionRequest(**question)
        call = self._question(asked, metadata=self._metadata, timeout=left)
        try:
            async for answer in call:
                return answer
        finally:
            call.cancel()
        raise Unusable("reflection ended before it had answered")
