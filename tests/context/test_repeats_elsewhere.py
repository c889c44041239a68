"""The same request at two servers of one database at the same time is done once."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from antiphon.auth.v1.access_pb2 import ROLE_VIEWER
from antiphon.context.v1 import context_service_pb2 as pb
from antiphon_server.runtime.storage.postgres import PostgresDatabase
from tests.context.stand_ins import ANN, BOB
from tests.context.world import World, server_on
from tests.fakes.postgres import Postgres

ROUNDS = 10


@pytest.fixture
async def servers(postgres: Postgres) -> AsyncIterator[list[World]]:
    """Two that share a database."""
    url = await postgres.database()
    databases = [PostgresDatabase(url, pool=4) for _ in range(2)]
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(server_on(each)) for each in databases]
    for database in databases:
        await database.close()


@pytest.mark.parametrize("chosen", [False, True])
async def test_one_conversation_is_made(servers: list[World], chosen: bool) -> None:
    """Both get the first answer, whoever chose the id."""
    clients = [each.client(ANN) for each in servers]
    for _ in range(ROUNDS):
        request = pb.CreateConversationRequest(
            conversation_id=f"conv_{uuid.uuid4().hex}" if chosen else "",
            request_id=str(uuid.uuid4()),
        )
        one, other = await asyncio.gather(*(it.CreateConversation(request) for it in clients))
        assert one == other
    listed = await clients[0].ListConversations(pb.ListConversationsRequest(page_size=100))
    assert len(listed.conversations) == ROUNDS


async def test_one_workspace_is_made(servers: list[World]) -> None:
    """Both get the first answer."""
    clients = [each.client(ANN) for each in servers]
    for _ in range(ROUNDS):
        request = pb.CreateWorkspaceRequest(display_name="Lab", request_id=str(uuid.uuid4()))
        one, other = await asyncio.gather(*(it.CreateWorkspace(request) for it in clients))
        assert one == other
    listed = await clients[0].ListWorkspaces(pb.ListWorkspacesRequest(page_size=100))
    assert len(listed.workspaces) == ROUNDS


async def test_one_member_is_added_and_removed(servers: list[World]) -> None:
    """Neither is told that somebody else was faster."""
    clients = [each.client(ANN) for each in servers]
    made = (await servers[0].workspace()).workspace_id
    for _ in range(ROUNDS):
        add = pb.AddMemberRequest(resource=made, user_id=BOB, role=ROLE_VIEWER)
        add.request_id = str(uuid.uuid4())
        one, other = await asyncio.gather(*(it.AddMember(add) for it in clients))
        assert one == other
        remove = pb.RemoveMemberRequest(resource=made, user_id=BOB, request_id=str(uuid.uuid4()))
        await asyncio.gather(*(it.RemoveMember(remove) for it in clients))
