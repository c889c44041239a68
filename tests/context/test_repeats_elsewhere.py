"""The same request at two servers of one database at the same time is done once."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from google.protobuf.duration_pb2 import Duration

from antiphon.auth.v1.access_pb2 import ROLE_VIEWER
from antiphon.context.v1 import context_service_pb2 as pb
from antiphon.context.v1 import notice_service_pb2 as pb_notices
from antiphon_server.context.service.notices import IN_FORCE, KEPT_S
from antiphon_server.runtime.storage.postgres import PostgresDatabase
from tests.context.stand_ins import ANN, BOB, OPERATOR
from tests.context.world import World, server_on
from tests.fakes.postgres import Postgres

ROUNDS = 10


async def notices_told(server: World) -> list[str]:
    """What the log has of notices, in order: kind and id."""
    await server.context.to_log.relay_outbox()
    return [
        f"{kind} {getattr(it, kind).notice.notice_id}"
        for it in (await server.events("global")).events
        if (kind := it.WhichOneof("payload") or "")
    ]


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


async def test_one_notice_is_published_withdrawn_and_expires(servers: list[World]) -> None:
    """The last that may be in force, too: both get the first answer, and it is told once."""
    operators = [each.notices(OPERATOR) for each in servers]
    publish = pb_notices.PublishNoticeRequest(text="x", time_to_live=Duration(seconds=60))
    for _ in range(IN_FORCE - 1):
        await operators[0].PublishNotice(publish)
    before = len(await notices_told(servers[0]))
    for number in range(1, ROUNDS + 1):
        publish.request_id = str(uuid.uuid4())
        one, other = await asyncio.gather(*(it.PublishNotice(publish) for it in operators))
        assert one == other
        withdraw = pb_notices.WithdrawNoticeRequest(notice_id=one.notice.notice_id)
        first, second = await asyncio.gather(*(it.WithdrawNotice(withdraw) for it in operators))
        assert first == second
        named = one.notice.notice_id
        told = (await notices_told(servers[0]))[before:]
        assert told[-2:] == [f"notice_published {named}", f"notice_withdrawn {named}"]
        assert len(told) == 2 * number


async def test_no_more_notices_are_in_force_than_may_be(servers: list[World]) -> None:
    """However many are published at once; what has expired makes room on all servers."""
    operators = [each.notices(OPERATOR) for each in servers]
    publish = pb_notices.PublishNoticeRequest(text="x", time_to_live=Duration(seconds=60))
    calls = (operators[n % 2].PublishNotice(publish) for n in range(IN_FORCE + 6))
    came = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(isinstance(it, pb_notices.PublishNoticeResponse) for it in came) == IN_FORCE
    for server, operator in zip(servers, operators, strict=True):
        assert (
            len((await operator.ListNotices(pb_notices.ListNoticesRequest())).notices) == IN_FORCE
        )
        server.clock.now += 61
        assert not (await operator.ListNotices(pb_notices.ListNoticesRequest())).notices
    for server in servers:
        server.clock.now += KEPT_S
    await asyncio.gather(*(it.context.retention.once() for it in servers))
    ended = pb_notices.ListNoticesRequest(show_ended=True)
    assert not (await operators[0].ListNotices(ended)).notices
    assert len(await notices_told(servers[0])) == IN_FORCE
