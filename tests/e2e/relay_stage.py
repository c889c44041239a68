"""Where relays are tried: a server, a server of WebSockets, and bare calls."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc

from antiphon.integration.v1 import connection_pb2, model_pb2
from antiphon.integration.v1 import connection_service_pb2 as pb
from antiphon.integration.v1.connection_service_pb2_grpc import ConnectionServiceStub
from antiphon_client import Client
from tests.e2e.callers import channel_to
from tests.e2e.server import ServerProcess
from tests.e2e.until import PATIENCE_S, until_it
from tests.integration.connections.web_sockets.talking_server import Talking, talking

LOCAL = {"ANTIPHON_EGRESS_ALLOW_NETWORKS": json.dumps(["127.0.0.0/8"])}


@dataclass(slots=True)
class Stage:
    """A server, its operator, and their workspace with one connection, ``it``."""

    server: ServerProcess
    client: Client
    channel: grpc.aio.Channel
    outside: Talking
    workspace: str
    calls: Sequence[model_pb2.ModelCall] = ()

    @property
    def stub(self) -> Any:
        """Bare calls."""
        return ConnectionServiceStub(self.channel)

    async def metadata(self) -> tuple[tuple[str, str], ...]:
        """The operator's token."""
        return (("authorization", f"Bearer {await self.client.tokens.get()}"),)

    async def entry(self) -> tuple[str, int]:
        """The only entry of the ledger, when it is settled: what was called, and the outcome."""

        async def settled() -> bool:
            self.calls = (await self.client.get_usage(self.workspace)).calls
            return bool(self.calls) and bool(self.calls[0].outcome)

        await until_it(settled)
        (call,) = self.calls
        return call.model, call.outcome

    def request(self, **more: Any) -> pb.OpenRelayRequest:
        """What opens a relay."""
        return pb.OpenRelayRequest(workspace_id=self.workspace, name="it", **more)


@asynccontextmanager
async def staged(home: Path, **variables: str) -> AsyncIterator[Stage]:
    """All of them."""
    async with (
        talking() as outside,
        ServerProcess(home, variables={**LOCAL, **variables}) as server,
        server.client() as client,
        channel_to(server) as channel,
    ):
        workspace = (await client.create_conversation()).workspace_id
        await client.put_secret(workspace, "key", "s3cret")
        made = connection_pb2.Connection(name="it")
        made.web_socket.url, made.credential.bearer = outside.url, "key"
        await client.create_connection(workspace, made)
        yield Stage(server, client, channel, outside, workspace)


async def frame_of(stream: Any, kind: str) -> Any:
    """The next frame of that kind."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            frame = await stream.read()
            assert frame is not grpc.aio.EOF
            if frame.WhichOneof("frame") == kind:
                return getattr(frame, kind)
