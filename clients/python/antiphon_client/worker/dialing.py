"""Streams of a worker, each on a connection of its own."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TypeAlias

from antiphon.dispatcher.v1.worker_pb2 import RefreshWorkerToken
from antiphon.dispatcher.v1.worker_service_pb2 import WorkRequest, WorkResponse
from antiphon.dispatcher.v1.worker_service_pb2_grpc import WorkerServiceStub
from antiphon_client.address import open_channel
from antiphon_client.tls import Tls
from antiphon_client.tokens import TokenSource
from antiphon_client.wire import SILENCE_S, Wire

LONGEST_S = 86_400.0
"""How long a stream lasts; turns outlive it."""
WorkWire: TypeAlias = Wire[WorkRequest, WorkResponse]
Dial: TypeAlias = Callable[[TokenSource], AbstractAsyncContextManager[WorkWire]]


def dialing(address: str, tls: Tls | None) -> Dial:
    """Opens streams. A new connection leads past a server that is gone without a word."""

    @asynccontextmanager
    async def dial(tokens: TokenSource) -> AsyncIterator[WorkWire]:
        async with open_channel(address, tls) as channel:
            work = WorkerServiceStub(channel).Work
            async with Wire(work, tokens, _refresh, SILENCE_S, LONGEST_S) as wire:
                yield wire

    return dial


def _refresh(token: str) -> WorkRequest:
    return WorkRequest(refresh=RefreshWorkerToken(access_token=token))
