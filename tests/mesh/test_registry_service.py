"""Who may register, who may look, and what survives."""

import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
from msgspec.structs import replace

from antiphon.mesh.v1 import instance_pb2
from antiphon.mesh.v1 import registry_service_pb2 as pb
from antiphon_server.auth.service.service_statements import StatementSigner, service_key, signed
from tests.e2e.until import SOON_S, until_it
from tests.mesh.nodes import PORTS, Installation, installation, node, registry_stub
from tests.proofs.bench.processes import free_port

ALONE = replace(PORTS, envoy=False)


@pytest.fixture
async def at(tmp_path: Path) -> AsyncIterator[Installation]:
    """A control plane without an Envoy."""
    async with installation(tmp_path / "data", ALONE) as found:
        yield found


@pytest.fixture
async def channel(at: Installation) -> AsyncIterator[grpc.aio.Channel]:
    async with grpc.aio.insecure_channel(at.registry) as channel:
        yield channel


def instance(service: str = "events", node_id: str = "n1") -> instance_pb2.Instance:
    return instance_pb2.Instance(
        service=service,
        node_id=node_id,
        host="127.0.0.1",
        port=7001,
        state=instance_pb2.INSTANCE_STATE_SERVING,
    )


def bearer(statement: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {statement}"),)


async def register(
    channel: grpc.aio.Channel, what: instance_pb2.Instance, statement: str
) -> grpc.StatusCode:
    """What becomes of it."""
    request = pb.RegisterRequest(instance=what)
    try:
        await registry_stub(channel).Register(request, metadata=bearer(statement), timeout=5)
    except grpc.aio.AioRpcError as error:
        return error.code()
    return grpc.StatusCode.OK


async def listed(channel: grpc.aio.Channel, at: Installation) -> list[tuple[str, str]]:
    found = await registry_stub(channel).ListInstances(
        pb.ListInstancesRequest(), metadata=bearer(at.statement("context")), timeout=5
    )
    return [(each.service, each.node_id) for each in found.instances]


async def test_services_register_themselves(at: Installation, channel: grpc.aio.Channel) -> None:
    """With a statement of their own, and nobody else's service."""
    mine = at.statement("events")
    assert await register(channel, instance(), mine) is grpc.StatusCode.OK
    assert await listed(channel, at) == [("events", "n1")]
    denied = await register(channel, instance("auth"), mine)
    assert denied is grpc.StatusCode.PERMISSION_DENIED
    request = pb.WithdrawRequest(service="events", node_id="n1")
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await registry_stub(channel).Withdraw(request, metadata=bearer(at.statement("auth")))
    assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED
    await registry_stub(channel).Withdraw(request, metadata=bearer(mine))
    assert await listed(channel, at) == []


async def test_strangers_are_refused(at: Installation, channel: grpc.aio.Channel) -> None:
    """No statement, one for somebody else, one of long ago, one of another installation."""
    key = service_key(at.secret, "events")
    refused = [
        "",
        StatementSigner(at.secret, "events", "antiphon", time.time).statement(),
        signed(key, "events", "antiphon-mesh", time.time() - 120),
        signed(service_key(at.secret, "context"), "events", "antiphon-mesh", time.time()),
        "a.b.c",
    ]
    for statement in refused:
        code = await register(channel, instance(), statement)
        assert code in (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.UNAVAILABLE)
    assert await listed(channel, at) == []


async def test_a_list_has_pages(at: Installation, channel: grpc.aio.Channel) -> None:
    """By service, then by node; every page once."""
    for number in range(5):
        await register(channel, instance(node_id=f"n{number}"), at.statement("events"))
    await register(channel, instance("auth"), at.statement("auth"))
    found, token = [], ""
    while True:
        page = await registry_stub(channel).ListInstances(
            pb.ListInstancesRequest(page_size=2, page_token=token),
            metadata=bearer(at.statement("auth")),
        )
        found += [f"{each.service}/{each.node_id}" for each in page.instances]
        if not (token := page.next_page_token):
            break
    assert found == ["auth/n1", *(f"events/n{number}" for number in range(5))]


async def test_a_watch_hears_of_changes(at: Installation, channel: grpc.aio.Channel) -> None:
    """All that is there, then all of it again when something else is."""
    watch = registry_stub(channel).WatchInstances(
        pb.WatchInstancesRequest(), metadata=bearer(at.statement("auth")), timeout=10
    )
    assert len((await watch.read()).instances) == 0
    await register(channel, instance(), at.statement("events"))
    assert [each.node_id for each in (await watch.read()).instances] == ["n1"]
    assert len((await watch.read()).instances) == 0  # its lease has ended


async def test_nodes_come_back_after_a_restart(tmp_path: Path) -> None:
    """A control plane that begins with nothing is told all within a second."""
    ports = replace(ALONE, port=free_port())
    async with contextlib.AsyncExitStack() as first_life, contextlib.AsyncExitStack() as nodes:
        at = await first_life.enter_async_context(installation(tmp_path / "data", ports))
        await nodes.enter_async_context(node(at, "one"))
        await known(at)
        await first_life.aclose()
        async with installation(tmp_path / "data", ports) as again:
            took = await known(again)
    print(f"registered again after {took:.2f} s")
    assert took < 1.0


async def known(at: Installation) -> float:
    """How long it took until something is registered."""
    async with grpc.aio.insecure_channel(at.registry) as channel:
        return await until_it(lambda: listed(channel, at), SOON_S)
