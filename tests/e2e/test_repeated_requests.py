"""Every RPC with a request id, found in the contracts: a repeated request is answered, not done."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
import pytest_asyncio
from google.protobuf.message import Message

from antiphon.auth.v1 import access_pb2
from antiphon_client import Client
from tests.e2e.callers import Caller, channel_to, operator
from tests.e2e.contracts import Rpc, every_rpc
from tests.e2e.prepared import PREPARED, prepared
from tests.e2e.refusals import refused
from tests.e2e.server import ServerProcess
from tests.e2e.smallest import SAMPLE, smallest
from tests.e2e.stored_rows import Rows, stored_rows
from tests.fakes.postgres import Postgres

pytestmark = pytest.mark.asyncio(loop_scope="module")
PROVIDER = {"name": SAMPLE, "issuer": "http://127.0.0.1:9", "client_id": "antiphon"}
RPCS = [
    rpc
    for rpc in every_rpc()
    if "request_id" in rpc.method.input_type.fields_by_name
    and rpc.access.permission != access_pb2.PERMISSION_INTERNAL
]
EACH = pytest.mark.parametrize("rpc", RPCS, ids=[rpc.path for rpc in RPCS])
SETTLED_S = 30.0
FREE = {"title", "display_name"}
"""Fields without a rule that may hold anything."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A server, its operator, and where it keeps things."""

    server: ServerProcess
    url: str
    client: Client
    boss: Caller
    channel: grpc.aio.Channel

    async def rows(self) -> Rows:
        """What is stored when nothing is being written any more."""
        before: Rows = {}
        async with asyncio.timeout(SETTLED_S):
            # A turn that goes on has no outcome.
            while (now := await stored_rows(self.server.data_dir, self.url)) != before or (
                now["context_outbox"] or any("b''" in turn for turn in now["dispatcher_turns"])
            ):
                before = now
                await asyncio.sleep(0.05)
        return now


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["sqlite", "postgres"])
async def stage(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stage]:
    """One on each kind of store."""
    variables = {"ANTIPHON_IDENTITY_PROVIDERS": json.dumps([PROVIDER])}
    url = ""
    if request.param == "postgres":
        postgres: Postgres = request.getfixturevalue("postgres")
        url = variables["ANTIPHON_DATABASE_URL"] = await postgres.database()
    home: Path = tmp_path_factory.mktemp(request.param)
    async with (
        ServerProcess(home, variables=variables) as server,
        server.client() as client,
        channel_to(server) as channel,
    ):
        yield Stage(server, url, client, await operator(server), channel)
        assert server.defects == []


async def _request(stage: Stage, rpc: Rpc) -> Message:
    there = await prepared(stage.client, stage.boss.known, rpc)
    ids = {**stage.boss.known, **there}
    request = smallest(rpc.request_type, ids, rpc.access.resource_field)
    unique = str(uuid.uuid4())
    fields = {"issuer": PROVIDER["issuer"], "name": unique, "subject": unique, "request_id": unique}
    for name, value in {**fields, **there}.items():
        if name in request.DESCRIPTOR.fields_by_name:
            setattr(request, name, value)
    return request


async def _other(stage: Stage, rpc: Rpc, request: Message) -> Message:
    """What could be asked as well, and is not the same."""
    other = await _request(stage, rpc)
    other.request_id = request.request_id  # type: ignore[attr-defined]
    if other == request:
        assert _change(other), other
    return other


def _change(message: Message) -> bool:
    """Change the first field whose value is free."""
    for field in message.DESCRIPTOR.fields:
        value: Any = getattr(message, field.name)
        if field.message_type is not None:
            inner = [*value] if field.is_repeated else [value] * message.HasField(field.name)
            if any(map(_change, inner)):
                return True
        elif value is False or value == SAMPLE or field.name in FREE:
            setattr(message, field.name, True if value is False else f"{SAMPLE}-other")
            return True
    return False


@EACH
async def test_a_repeated_request_is_done_once(rpc: Rpc, stage: Stage) -> None:
    """It gets the first answer, and nothing that is stored is another."""
    request = await _request(stage, rpc)
    first = await rpc.call(stage.channel, request, stage.boss.token)
    done = await stage.rows()
    assert await rpc.call(stage.channel, request, stage.boss.token) == first
    assert await stage.rows() == done


@EACH
async def test_a_request_id_with_another_content_is_refused(rpc: Rpc, stage: Stage) -> None:
    """Nothing is done, and who asked is told why."""
    request = await _request(stage, rpc)
    await rpc.call(stage.channel, request, stage.boss.token)
    other = await _other(stage, rpc, request)
    done = await stage.rows()
    reused = rpc.call(stage.channel, other, stage.boss.token)
    assert await refused(reused) == "REQUEST_ID_REUSED"
    assert await stage.rows() == done


async def test_what_is_prepared_is_asked_for() -> None:
    """None of the contracts' request ids is lost: all of the above would pass without any."""
    names = {rpc.method.name for rpc in RPCS}
    assert PREPARED.keys() <= names
    assert len(names) >= 15
