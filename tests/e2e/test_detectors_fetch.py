"""Detectors fetch sign-ins from a whole server's trail, and spending from its ledger."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest

from antiphon.auth.v1 import auth_service_pb2 as auth_pb
from antiphon.auth.v1.auth_service_pb2_grpc import AuthServiceStub
from antiphon.context.v1.anomaly_pb2 import (
    ANOMALY_SUBJECT_CONVERSATION,
    CostDetector,
    Detector,
    Flag,
    NewPlaceDetector,
)
from antiphon_client import Client
from tests.e2e.callers import PASSWORD, channel_to
from tests.e2e.server import ServerProcess
from tests.e2e.until import until_it

HOME, NEAR = "203.0.113.7", "203.0.113.250"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[ServerProcess]:
    variables = {"ANTIPHON_BEHIND_PROXY": "true"}
    async with ServerProcess(tmp_path, variables=variables) as server:
        yield server


@pytest.fixture
async def client(server: ServerProcess) -> AsyncIterator[Client]:
    async with server.client() as client:
        yield client


async def signs_in(channel: grpc.aio.Channel, name: str, address: str) -> None:
    """Somebody does, through a proxy that says where they are."""
    request = auth_pb.LoginRequest(device="test")
    request.password.name, request.password.password = name, PASSWORD
    metadata = (("x-forwarded-for", address),)
    await AuthServiceStub(channel).Login(request, metadata=metadata, timeout=10)


async def flags(client: Client, parent: str = "global") -> list[Flag]:
    """The open ones."""
    return [it async for it in client.list_flags(parent)]


async def test_a_sign_in_from_elsewhere_is_flagged(server: ServerProcess, client: Client) -> None:
    """Who was where before sign-ins are first fetched is learned; their own network is no news."""
    ann = await client.create_user("ann", PASSWORD)
    await client.create_user("bob", PASSWORD)
    async with channel_to(server) as channel:
        for name in ("ann", "bob"):
            await signs_in(channel, name, HOME)
        await client.set_detectors("global", [Detector(name="place", new_place=NewPlaceDetector())])
        for number in range(60):  # the first may be learned, too
            await signs_in(channel, "bob", NEAR)
            await signs_in(channel, "ann", f"198.51.{number}.1")
            await asyncio.sleep(1)
            if await flags(client):
                break
    (flag,) = await flags(client)
    assert (flag.kind, flag.subject) == ("new_place", f"users/{ann.user_id}")
    assert flag.evidence["known_places"] >= 1


async def test_what_is_spent_is_flagged(client: Client) -> None:
    """In one conversation more than is ordinary, and not in another."""
    spends, spares = [await client.create_conversation(title=it) for it in ("spends", "spares")]
    cost = CostDetector(most_tokens=500)
    dear = Detector(name="dear", subject=ANOMALY_SUBJECT_CONVERSATION, cost=cost)
    await client.set_detectors(spends.workspace_id, [dear])
    for where, said in ((spares, "hello"), (spends, "hello " * 1_000)):
        async with client.converse(where.conversation_id) as talk:
            assert [it async for it in await talk.post(said)]
    await until_it(lambda: flags(client, spends.workspace_id))
    (flag,) = await flags(client, spends.workspace_id)
    assert (flag.kind, flag.subject) == ("cost", f"conversations/{spends.conversation_id}")
    assert flag.evidence["tokens"] > 500
