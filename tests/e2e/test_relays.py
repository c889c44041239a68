"""Relays, through a whole server: its client, bare calls, and a real server of WebSockets."""

import asyncio
from pathlib import Path

import grpc

from antiphon.integration.v1 import connection_service_pb2 as pb
from antiphon.integration.v1 import model_pb2
from tests.e2e.refusals import refused
from tests.e2e.relay_stage import frame_of, staged
from tests.e2e.until import PATIENCE_S, until


async def test_messages_go_both_ways(tmp_path: Path) -> None:
    """Text and bytes in order, signed by the connection alone; its close is told, and entered."""
    async with staged(tmp_path) as stage:
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
    async with staged(tmp_path) as stage:
        metadata = await stage.metadata()
        stream = stage.stub.OpenRelay(stage.request(), metadata=metadata)
        relay_id = (await frame_of(stream, "opened")).relay_id

        async def update(sequence: int, *texts: str) -> None:
            said = [pb.RelayRequest(message=pb.SocketMessage(text=it)) for it in texts]
            request = pb.UpdateRelayRequest(relay_id=relay_id, sequence=sequence, actions=said)
            await stage.stub.UpdateRelay(request, metadata=metadata, timeout=PATIENCE_S)

        await update(1, "one", "two")
        await update(1, "one", "two")
        assert await refused(update(3, "four")) == "INVALID_ARGUMENT"
        await update(2, "three")
        said = [(await frame_of(stream, "message")).text for _ in range(3)]
        assert said == stage.outside.heard == ["one", "two", "three"]
        ask = pb.RelayRequest(progress=pb.RequestRelayProgress())
        asked = pb.UpdateRelayRequest(relay_id=relay_id, sequence=3, actions=[ask])
        await stage.stub.UpdateRelay(asked, metadata=metadata)
        assert await frame_of(stream, "progress") == pb.RelayProgress(sent=3, received=3)
        cancel = pb.CancelRelayRequest(relay_id=relay_id)
        async with stage.server.client() as other:
            token = (("authorization", f"Bearer {await other.tokens.get()}"),)
            if token != metadata:
                assert await refused(stage.stub.CancelRelay(cancel, metadata=token)) == "NOT_FOUND"
        await stage.stub.CancelRelay(cancel, metadata=metadata)
        assert (await frame_of(stream, "ended")).reason == pb.RELAY_CLOSE_REASON_CANCELLED
        assert await stream.read() is grpc.aio.EOF
        assert await refused(stage.stub.CancelRelay(cancel, metadata=metadata)) == "NOT_FOUND"
        await until(lambda: stage.outside.open <= 1)  # its probes have one
