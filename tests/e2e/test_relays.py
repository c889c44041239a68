"""Relays, through a whole server: its client, bare calls, and a real server of WebSockets."""

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
from tests.e2e.refusals import refused
from tests.e2e.server import ServerProcess
from tests.e2e.until import PATIENCE_S, until, until_it
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
async def _staged(home: Path) -> AsyncIterator[Stage]:
    async with (
        talking() as outside,
        ServerProcess(home, variables=LOCAL) as server,
        server.client() as client,
        channel_to(server) as channel,
    ):
        workspace = (await client.create_conversation()).workspace_id
        await client.put_secret(workspace, "key", "s3cret")
        made = connection_pb2.Connection(name="it")
        made.web_socket.url, made.credential.bearer = outside.url, "key"
        await client.create_connection(workspace, made)
        yield Stage(server, client, channel, outside, workspace)


async def _frame(stream: Any, kind: str) -> Any:
    """The next frame of that kind."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            frame = await stream.read()
            assert frame is not grpc.aio.EOF
            if frame.WhichOneof("frame") == kind:
                return getattr(frame, kind)


async def test_messages_go_both_ways(tmp_path: Path) -> None:
    """Text and bytes in order, signed by the connection alone; its close is told, and entered."""
    async with _staged(tmp_path) as stage:
        relay = stage.client.relay(stage.workspace, "it")
        async with asyncio.timeout(PATIENCE_S), relay:
            heard = []
            for said in ("one", b"\x00\xff", "two", "close enough"):
                await relay.send(said)
            async for message in relay:
                heard.append(message)
        assert heard == ["one", b"\x00\xff", "two"]
        assert relay.ended is not None
        assert (relay.ended.reason, relay.ended.code, relay.ended.text) == (
            pb.RELAY_CLOSE_REASON_CLOSED,
            4001,
            "enough",
        )
        told = [it for it in stage.outside.headers if it["Authorization"] != "Bearer s3cret"]
        assert not told
        assert await stage.entry() == ("it", model_pb2.ATTEMPT_OUTCOME_SUCCEEDED)


async def test_its_twin_sends_by_calls(tmp_path: Path) -> None:
    """Each sequence once and in order; another session's is not there; cancelled, it has ended."""
    async with _staged(tmp_path) as stage:
        metadata = await stage.metadata()
        stream = stage.stub.OpenRelay(stage.request(), metadata=metadata)
        relay_id = (await _frame(stream, "opened")).relay_id

        async def update(sequence: int, *texts: str) -> None:
            said = [pb.RelayRequest(message=pb.SocketMessage(text=it)) for it in texts]
            request = pb.UpdateRelayRequest(relay_id=relay_id, sequence=sequence, actions=said)
            await stage.stub.UpdateRelay(request, metadata=metadata, timeout=PATIENCE_S)

        await update(1, "one", "two")
        await update(1, "one", "two")
        assert await refused(update(3, "four")) == "INVALID_ARGUMENT"
        await update(2, "three")
        said = [(await _frame(stream, "message")).text for _ in range(3)]
        assert said == stage.outside.heard == ["one", "two", "three"]
        ask = pb.RelayRequest(progress=pb.RequestRelayProgress())
        asked = pb.UpdateRelayRequest(relay_id=relay_id, sequence=3, actions=[ask])
        await stage.stub.UpdateRelay(asked, metadata=metadata)
        assert await _frame(stream, "progress") == pb.RelayProgress(sent=3, received=3)
        cancel = pb.CancelRelayRequest(relay_id=relay_id)
        async with stage.server.client() as other:
            token = (("authorization", f"Bearer {await other.tokens.get()}"),)
            if token != metadata:
                assert await refused(stage.stub.CancelRelay(cancel, metadata=token)) == "NOT_FOUND"
        await stage.stub.CancelRelay(cancel, metadata=metadata)
        assert (await _frame(stream, "ended")).reason == pb.RELAY_CLOSE_REASON_CANCELLED
        assert await stream.read() is grpc.aio.EOF
        assert await refused(stage.stub.CancelRelay(cancel, metadata=metadata)) == "NOT_FOUND"
        await until(lambda: stage.outside.open <= 1)  # its probes have one
