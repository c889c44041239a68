"""Connections to gRPC servers that others wrote, in Go, through a whole server and its client."""

import asyncio
import json
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path

import pytest
from google.protobuf.descriptor_pb2 import DescriptorProto as Message
from google.protobuf.descriptor_pb2 import FileDescriptorProto as File
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from grpc_health.v1 import health_pb2

from antiphon.integration.v1 import connection_pb2 as pb
from antiphon_client import AntiphonError, Client, text_of
from tests.e2e.process import HOST, all_of, listens
from tests.e2e.server import ServerProcess
from tests.e2e.until import PATIENCE_S
from tests.go_programs import installed
from tests.proofs.bench.processes import free_port
from tests.runtime.egress.forms import ALL
from tests.runtime.egress.places import canary

FILE = File.FromString(health_pb2.DESCRIPTOR.serialized_pb)
HEALTH = FileDescriptorSet(file=[FILE]).SerializeToString()


@pytest.fixture
async def bank(tmp_path: Path) -> AsyncIterator[str]:
    """The address of grpcurl's bank, which serves reflection."""
    port = free_port()
    program = await installed("bankdemo")
    process = await asyncio.create_subprocess_exec(
        *(str(program), "-port", str(port), "-datafile", str(tmp_path / "accounts.json")),
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not await listens(port):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        yield f"http://{HOST}:{port}"
    finally:
        process.kill()
        await process.wait()


async def _workspace(client: Client) -> str:
    await client.create_conversation()
    workspaces = [it.workspace_id async for it in client.list_workspaces()]
    return workspaces[0]


@pytest.mark.needs("go")
async def test_a_go_server_by_reflection(tmp_path: Path, bank: str) -> None:
    """Its methods are tools; its own refusals are failed results; streams that end are lists."""
    given = [{"name": "bank", "grpc": bank}]
    server = ServerProcess(tmp_path, variables={"ANTIPHON_CONNECTIONS": json.dumps(given)})
    async with all_of([server]), server.client() as client:
        workspace = await _workspace(client)
        listed = {it.name: it.status async for it in client.list_connections(workspace)}
        assert listed["bank"].state == pb.CONNECTION_STATE_UP
        tools = {it.name async for it in client.list_tools(workspace)}
        assert {"bank.Bank.OpenAccount", "bank.Bank.GetTransactions"} <= tools
        assert not any("Chat" in name for name in tools)
        refused = await client.call_tool(workspace, "bank.Bank.GetAccounts", {})
        assert refused.failed
        assert text_of(refused.parts) == "UNAUTHENTICATED: Unauthenticated"
        with pytest.raises(AntiphonError) as wrong:
            await client.call_tool(workspace, "bank.Bank.OpenAccount", {"type": ["CHECKING"]})
        assert wrong.value.reason == "TOOL_ARGUMENTS_INVALID"


async def test_another_of_our_servers_by_reflection(tmp_path: Path) -> None:
    """One Antiphon calls another one's health by name, as one service that is offered."""
    other = ServerProcess(tmp_path / "other")
    variables = {"ANTIPHON_EGRESS_ALLOW_NETWORKS": '["127.0.0.0/8"]'}
    server = ServerProcess(tmp_path / "own", variables=variables)
    async with all_of([other, server]), server.client() as client:
        workspace = await _workspace(client)
        target = pb.GrpcTarget(
            address=f"http://{other.address}", services=["grpc.health.v1.Health"]
        )
        await client.create_connection(workspace, pb.Connection(name="other", grpc=target))
        tested = await client.test_connection(workspace, "other")
        assert tested.status.state == pb.CONNECTION_STATE_UP
        result = await client.call_tool(workspace, "other.Health.Check", {})
        assert json.loads(text_of(result.parts)) == {"status": "SERVING"}
        await other.kill()
        down = await client.test_connection(workspace, "other")
        assert down.status.error_reason == "CONNECTION_UNAVAILABLE"


async def test_a_server_without_reflection_by_its_descriptor_set(tmp_path: Path) -> None:
    """Which is what it is told to need; the set is kept over changes, and never returned."""
    other = ServerProcess(tmp_path / "other", variables={"ANTIPHON_REFLECTION": "false"})
    variables = {"ANTIPHON_EGRESS_ALLOW_NETWORKS": '["127.0.0.0/8"]'}
    server = ServerProcess(tmp_path / "own", variables=variables)
    async with all_of([other, server]), server.client() as client:
        workspace = await _workspace(client)
        given = pb.Connection(name="mute", grpc=pb.GrpcTarget(address=f"http://{other.address}"))
        made = await client.create_connection(workspace, given)
        tested = await client.test_connection(workspace, "mute")
        assert tested.status.error_reason == "DESCRIPTORS_REQUIRED"
        given.grpc.services.append("grpc.health.v1.Health")
        given.grpc.descriptor_set = HEALTH
        changed = await client.update_connection(workspace, given, ["grpc"])
        assert not changed.grpc.descriptor_set
        assert changed.grpc.descriptor_set_sha256 == sha256(HEALTH).digest()
        changed.title = "Mute"
        changed = await client.update_connection(workspace, changed, ["title", "grpc"])
        tested = await client.test_connection(workspace, "mute")
        assert (tested.status.state, tested.status.tools) == (pb.CONNECTION_STATE_UP, 3)
        assert tested.grpc.descriptor_set_sha256 == sha256(HEALTH).digest()
        result = await client.call_tool(workspace, "mute.Health.Check", {})
        assert json.loads(text_of(result.parts)) == {"status": "SERVING"}
        made.grpc.descriptor_set_sha256 = sha256(b"another").digest()
        made.etag = ""
        with pytest.raises(AntiphonError) as unknown:
            await client.update_connection(workspace, made, ["grpc"])
        assert unknown.value.reason == "INVALID_ARGUMENT"


async def test_a_descriptor_set_of_the_settings(tmp_path: Path) -> None:
    """It is a file, which is read again with each probe; so is which services to offer."""
    other = ServerProcess(tmp_path / "other", variables={"ANTIPHON_REFLECTION": "false"})
    file = tmp_path / "health.binpb"
    told = {"services": ["grpc.health.v1.Health"], "descriptors": str(file)}
    given = [{"name": "mute", "grpc": {"address": f"http://{other.address}", **told}}]
    server = ServerProcess(tmp_path / "own", variables={"ANTIPHON_CONNECTIONS": json.dumps(given)})
    async with all_of([other, server]), server.client() as client:
        workspace = await _workspace(client)
        tested = await client.test_connection(workspace, "mute")
        assert tested.status.error_reason == "INVALID_ARGUMENT"
        file.write_bytes(HEALTH)
        tested = await client.test_connection(workspace, "mute")
        assert (tested.status.state, tested.status.tools) == (pb.CONNECTION_STATE_UP, 3)


async def test_descriptor_sets_that_can_not_be_used(tmp_path: Path) -> None:
    """They are refused when they are given, by a reason, and nothing is kept."""
    cases: list[tuple[list[File], list[str], str]] = [
        ([File(name="a", dependency=["gone"])], [], "INVALID_ARGUMENT"),
        ([File(name="a")], [], "INVALID_ARGUMENT"),
        ([FILE], ["grpc.health.v1.Wealth"], "INVALID_ARGUMENT"),
        ([File(name=str(number)) for number in range(1_025)], [], "LIMIT_EXCEEDED"),
        ([File(name="a", message_type=200_001 * [Message()])], [], "LIMIT_EXCEEDED"),
    ]
    server = ServerProcess(tmp_path)
    async with all_of([server]), server.client() as client:
        workspace = await _workspace(client)
        for files, services, reason in cases:
            target = pb.GrpcTarget(address="https://bank.example", services=services)
            target.descriptor_set = FileDescriptorSet(file=files).SerializeToString()
            with pytest.raises(AntiphonError) as refused:
                await client.create_connection(workspace, pb.Connection(name="x", grpc=target))
            assert refused.value.reason == reason
        target = pb.GrpcTarget(address="https://bank.example", descriptor_set=b"\xff nothing")
        with pytest.raises(AntiphonError) as refused:
            await client.create_connection(workspace, pb.Connection(name="x", grpc=target))
        assert refused.value.reason == "INVALID_ARGUMENT"
        assert not [it.name async for it in client.list_connections(workspace)]


async def test_no_form_of_an_address_gets_through(tmp_path: Path) -> None:
    """Refused when it is made, whatever is said; nobody comes to a listener on this machine."""
    server = ServerProcess(tmp_path)
    async with all_of([server]), server.client() as client, canary() as found:
        workspace = await _workspace(client)
        places = [f"http://{form}:{found.port}" for form in ALL]
        others = [f"{kind}:127.0.0.1:{found.port}" for kind in ("dns", "ipv4", "xds", "vsock")]
        for address in (*places, *others, "unix:///tmp/x", "fd:3", f"http://a.example:1/{ALL[0]}"):
            wanted = pb.Connection(name="x", grpc=pb.GrpcTarget(address=address))
            with pytest.raises(AntiphonError) as caught:
                await client.create_connection(workspace, wanted)
            assert caught.value.reason in ("EGRESS_DENIED", "INVALID_ARGUMENT"), address
        assert found.visits == 0
