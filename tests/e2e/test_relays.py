"""Relays, through a whole server: its client, bare calls, and a real server of WebSockets."""

import asyncio
from pathlib import Path

import grpc

from antiphon.integration.v1 import connection_service_pb2 as pb
from antiphon.integration.v1 import model_pb2
from tests.e2e.process import COMMAND
from tests.e2e.refusals import refused
from tests.e2e.relay_stage import frame_of, staged
from tests.e2e.until import PATIENCE_S, until
from tests.mesh.grpc_web import GrpcWeb
from tests.proofs.bench.processes import free_port

SERVICE = "/antiphon.integration.v1.ConnectionService"


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
        assert {it["Authorization"] for it in stage.outside.headers} == {"Bearer s3cret"}
        assert await stage.client.tokens.get() not in str(stage.outside.headers)
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


async def test_browsers_have_its_twin(tmp_path: Path) -> None:
    """By grpc-web through the edge: frames come as they are said, and messages go by calls."""
    port = free_port()
    async with (
        staged(tmp_path, ANTIPHON_WEB="true", ANTIPHON_WEB_PORT=str(port)) as stage,
        GrpcWeb(port, dict(await stage.metadata())) as browser,
        asyncio.timeout(PATIENCE_S),
        browser.stream(f"{SERVICE}/OpenRelay", stage.request()) as stream,
    ):

        async def frame() -> pb.OpenRelayResponse:
            return pb.OpenRelayResponse.FromString(await stream.read() or b"")

        relay_id = (await frame()).opened.relay_id
        for number, text in enumerate(("one", "two", "close bye"), 1):
            action = pb.RelayRequest(message=pb.SocketMessage(text=text))
            request = pb.UpdateRelayRequest(relay_id=relay_id, sequence=number, actions=[action])
            assert (await browser.unary(f"{SERVICE}/UpdateRelay", request)).status == 0
        assert [(await frame()).message.text for _ in range(2)] == ["one", "two"]
        ended = (await frame()).ended
        assert (ended.reason, ended.text) == (pb.RELAY_CLOSE_REASON_CLOSED, "bye")
        assert await stream.read() is None
        assert stream.trailers["grpc-status"] == "0"


async def test_a_terminal_talks_by_lines(tmp_path: Path) -> None:
    """Each line is a message, and each message a line; the end is said."""
    async with staged(tmp_path) as stage:

        async def said(lines: str, *more: str) -> tuple[str, str]:
            process = await asyncio.create_subprocess_exec(
                *(*COMMAND, "connections", "open", "it", "--data-dir", str(stage.server.data_dir)),
                *("--address", stage.server.address, *more),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
            async with asyncio.timeout(PATIENCE_S):
                out, err = await process.communicate(lines.encode())
            assert process.returncode == 0, err
            return out.decode(), err.decode()

        out, err = await said("one\ntwo\nclose enough\n")
        assert out == "one\ntwo\n"
        assert "closed (4001 enough)" in err
        out, _ = await said("three\n", "--count", "1")
        assert out == "three\n"
