"""Lists of conversations: in use or archived, by last activity, by what a title has in it."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from sqlalchemy import Connection
from sqlalchemy.dialects import sqlite

from antiphon.auth.v1 import access_pb2
from antiphon.context.v1 import context_service_pb2 as pb
from antiphon.context.v1.context_service_pb2 import (
    CONVERSATION_ORDER_LAST_ACTIVITY as LAST_ACTIVITY,
)
from antiphon_server.context.adapters.sql import SqlStore
from antiphon_server.context.adapters.sql.listing import listing
from antiphon_server.context.adapters.sql.rows import place
from antiphon_server.context.model.listed import Listed, Order
from antiphon_server.context.model.resources import ConversationId, WorkspaceId
from antiphon_server.context.ports import Records
from antiphon_server.context.service import titles
from antiphon_server.context.service.activity import Activities
from antiphon_server.context.service.directory import Directory
from antiphon_server.runtime.access.principal import UserId
from antiphon_server.runtime.errors import DomainError, Reason
from tests.context.stand_ins import ANN, BOB, SERVICE
from tests.context.world import World, pages
from tests.e2e.refusals import Refused
from tests.e2e.until import until_it

T = TypeVar("T")


async def listed(world: World, user: str, **fields: object) -> list[str]:
    request = pb.ListConversationsRequest(**fields)  # type: ignore[arg-type]
    found = await pages(world.client(user).ListConversations, request)
    return [one.title for page in found for one in page.conversations]


async def archive(world: World, conversation_id: str, user: str = ANN) -> None:
    request = pb.ArchiveConversationRequest(conversation_id=conversation_id)
    await world.client(user).ArchiveConversation(request)


async def test_an_archived_conversation_comes_back(world: World) -> None:
    """It is listed as archived meanwhile, accepts messages again, and the log says all of it."""
    conversation_id = await world.conversation(title="T")
    await world.conversation(title="U")
    await archive(world, conversation_id)
    assert await listed(world, ANN, only_archived=True) == ["T"]
    assert await listed(world, ANN) == ["U"]
    assert await listed(world, ANN, show_archived=True) == ["U", "T"]
    request = pb.UnarchiveConversationRequest(conversation_id=conversation_id)
    back = await world.client(ANN).UnarchiveConversation(request)
    assert not back.conversation.HasField("archive_time")
    assert await world.client(ANN).UnarchiveConversation(request) == back
    assert await listed(world, ANN, only_archived=True) == []
    assert await listed(world, ANN) == ["U", "T"]
    await world.post(conversation_id, "Here again")
    kinds = [
        it.WhichOneof("payload")
        for it in (await world.events(f"conversations/{conversation_id}")).events
    ]
    assert kinds == [
        "conversation_created",
        "member_added",
        "conversation_archived",
        "conversation_unarchived",
        "message_posted",
    ]


async def test_who_manages_a_conversation_takes_it_back(world: World) -> None:
    """Whoever may not archive it may not do that either."""
    conversation_id = await world.conversation()
    request = pb.UnarchiveConversationRequest(conversation_id=conversation_id)
    with Refused(Reason.NOT_FOUND):
        await world.client(BOB).UnarchiveConversation(request)
    await world.add(conversation_id, BOB, access_pb2.ROLE_MEMBER)
    with Refused(Reason.PERMISSION_DENIED):
        await world.client(BOB).UnarchiveConversation(request)


async def test_what_was_last_said_in_comes_first(world: World) -> None:
    """A post counts, whoever's it is, and what other services tell; pages keep the order."""
    first, second, third = [await world.conversation(title=it) for it in "123"]
    await world.add(first, BOB, access_pb2.ROLE_MEMBER)
    assert await listed(world, ANN, order=LAST_ACTIVITY) == ["3", "2", "1"]
    world.clock.now += 60
    said = await world.post(first, "Hello", BOB)
    await world.context.activities.noted.flush()
    assert await listed(world, ANN, order=LAST_ACTIVITY, page_size=1) == ["1", "3", "2"]
    assert await listed(world, ANN) == ["3", "2", "1"]
    activity = pb.Activity(conversation_id=second, time=said.create_time)
    activity.time.seconds += 1
    old = pb.Activity(conversation_id=third, time=Timestamp(seconds=1))
    unknown = pb.Activity(conversation_id="conv_unknown0", time=said.create_time)
    again = pb.Activity(conversation_id=second, time=said.create_time)
    request = pb.RecordActivityRequest(activities=[activity, old, unknown, again])
    for _ in range(2):
        await world.client(SERVICE).RecordActivity(request)
    assert await listed(world, ANN, order=LAST_ACTIVITY) == ["2", "1", "3"]
    assert await listed(world, BOB, order=LAST_ACTIVITY) == ["1"]
    assert await listed(world, ANN, order=LAST_ACTIVITY, workspace_id="ws_ann00000") == [*"213"]
    found = await world.client(ANN).GetConversation(
        pb.GetConversationRequest(conversation_id=second)
    )
    assert found.conversation.last_activity_time == activity.time


async def test_what_is_said_is_noted_after_a_start_without_the_store(world: World) -> None:
    """What older servers left out, and what was said meanwhile, waits for the store."""
    first, _second = [await world.conversation(title=it) for it in "12"]
    store = AwayAtFirst(world.database)
    activities = Activities(store, Directory(store, world.context.roles))
    running = asyncio.create_task(activities.run())
    activities.noted.note(ConversationId(first), int((world.clock.now + 60) * 1e6))

    async def is_noted() -> bool:
        return await listed(world, ANN, order=LAST_ACTIVITY) == ["1", "2"]

    await until_it(is_noted)
    running.cancel()


class AwayAtFirst(SqlStore):
    """A store that can't be reached the first time."""

    away = True

    async def write(self, work: Callable[[Records], T], **how: Any) -> T:
        """See Store."""
        away, self.away = self.away, False
        if away:
            raise DomainError(Reason.STORE_UNAVAILABLE)
        return await super().write(work, **how)


async def test_a_page_token_is_of_one_order_and_filter(world: World) -> None:
    """Places in one list mean nothing in another."""
    for title in "12":
        await world.conversation(title=title)
    page = await world.client(ANN).ListConversations(pb.ListConversationsRequest(page_size=1))
    for other in (
        pb.ListConversationsRequest(order=LAST_ACTIVITY),
        pb.ListConversationsRequest(only_archived=True),
        pb.ListConversationsRequest(title_contains="1"),
    ):
        other.page_token = page.next_page_token
        with Refused(Reason.PAGE_TOKEN_INVALID):
            await world.client(ANN).ListConversations(other)


@pytest.mark.parametrize("most", [2, 3, 2000])
async def test_titles_are_searched_where_they_are_kept(
    world: World, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    """Letters in either case are the same, beyond ASCII too; % and _ are letters like others.

    All is found, however few titles are looked through for a page.
    """
    monkeypatch.setattr(titles, "MOST_TITLES", most)
    for title in ("Äpfel", "100 % ÄPFEL", "Birnen", "STRASSE", "", "a_b", "axb", "äpfelmus"):
        await world.conversation(title=title)
    await world.conversation(BOB, title="Bob's äpfel")
    assert await listed(world, ANN, title_contains="äpfel") == ["äpfelmus", "100 % ÄPFEL", "Äpfel"]
    assert await listed(world, ANN, title_contains="ÄPFEL", page_size=1) == [
        "äpfelmus",
        "100 % ÄPFEL",
        "Äpfel",
    ]
    assert await listed(world, ANN, title_contains="straße") == ["STRASSE"]
    assert await listed(world, ANN, title_contains="a_") == ["a_b"]
    assert await listed(world, ANN, title_contains="%") == ["100 % ÄPFEL"]
    assert await listed(world, ANN, title_contains="nothing") == []


@pytest.mark.parametrize(
    ("what", "index"),
    [
        (Listed(None, WorkspaceId("ws_1"), order=Order.LAST_ACTIVITY), "conversations_by_activity"),
        (Listed(UserId(ANN), WorkspaceId(""), order=Order.LAST_ACTIVITY), "members_by_activity"),
        (Listed(UserId(ANN), WorkspaceId("")), "members_by_user"),
    ],
)
async def test_a_page_is_found_by_an_index(world: World, what: Listed, index: str) -> None:
    """A list does not read, and sort, all that it has no page of."""

    def plan(connection: Connection) -> str:
        values = {"user_id": "u", "managed": ["ws_1"], "workspace_id": "ws_1"}
        statement = listing(what, titles=False).params(**values, **place(None, 50))
        sql = statement.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True})
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}")
        return "\n".join(str(row[3]) for row in rows)

    steps = await world.database.read(plan)
    assert f"INDEX context_{index}" in steps, steps
