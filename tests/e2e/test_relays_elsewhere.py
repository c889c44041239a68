"""A relay's calls reach it whichever of several servers they are made at."""

import asyncio
import base64
import json
import os
from pathlib import Path
from typing import Any

import grpc

from antiphon.integration.v1 import connection_pb2
from antiphon.integration.v1 import connection_service_pb2 as pb
from antiphon.integration.v1.connection_service_pb2_grpc import ConnectionServiceStub
from tests.e2e.callers import channel_to
from tests.e2e.refusals import refused
from tests.e2e.relay_stage import LOCAL, frame_of
from tests.e2e.server import ServerProcess
from tests.e2e.until import PATIENCE_S
from tests.fakes.postgres import Postgres
from tests.integration.connections.web_sockets.talking_server import talking

LEASE_S = 2.0


async def test_calls_go_where_the_relay_is(postgres: Postgres, tmp_path: Path) -> None:
    """In order and once; one that no server has is not there, and of one that stopped none is."""
    variables = LOCAL | {
        "ANTIPHON_DATABASE_URL": await postgres.database(),
        "ANTIPHON_SECRET_KEY": base64.b64encode(os.urandom(32)).decode(),
        "ANTIPHON_LEASE_S": json.dumps(LEASE_S),
    }
    first, second = (ServerProcess(tmp_path / it, variables=variables) for it in "ab")
    async with talking() as outside, first, second, first.client() as client:
        workspace = (await client.create_conversation()).workspace_id
        made = connection_pb2.Connection(name="it")
        made.web_socket.url = outside.url
        await client.create_connection(workspace, made)
        metadata = (("authorization", f"Bearer {await client.tokens.get()}"),)
        async with channel_to(first) as here, channel_to(second) as there:
            stream: Any = ConnectionServiceStub(here).OpenRelay(
                pb.OpenRelayRequest(workspace_id=workspace, name="it"), metadata=metadata
            )
            relay_id = (await frame_of(stream, "opened")).relay_id
            elsewhere: Any = ConnectionServiceStub(there)

            def update(number: int, text: str) -> Any:
                action = pb.RelayRequest(message=pb.SocketMessage(text=text))
                request = pb.UpdateRelayRequest(
                    relay_id=relay_id, sequence=number, actions=[action]
                )
                return elsewhere.UpdateRelay(request, metadata=metadata, timeout=PATIENCE_S)

            await update(1, "one")
            await update(1, "one")
            assert await refused(update(3, "three")) == "INVALID_ARGUMENT"
            await update(2, "two")
            assert [(await frame_of(stream, "message")).text for _ in range(2)] == ["one", "two"]
            assert outside.heard == ["one", "two"]
            unknown = pb.CancelRelayRequest(relay_id="relay_" + "0" * 38)
            gone = elsewhere.CancelRelay(unknown, metadata=metadata)
            assert await refused(gone) == "NOT_FOUND"
            stopping = asyncio.create_task(first.terminate())
            await frame_of(stream, "draining")
            ended = await frame_of(stream, "ended")
            assert ended.reason == pb.RELAY_CLOSE_REASON_DRAINING
            assert await stream.read() is grpc.aio.EOF
            await stopping
            assert await refused(update(3, "three")) in ("NOT_FOUND", "DRAINING")
