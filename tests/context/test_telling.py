"""What lists show is told in the logs of those who may see it, and in nobody else's."""

import pytest

from antiphon.auth.v1.access_pb2 import ROLE_ADMIN, ROLE_GUEST, ROLE_MEMBER, ROLE_VIEWER
from antiphon.context.v1 import context_service_pb2 as pb
from antiphon.context.v1.conversation_pb2 import Conversation
from antiphon_server.context.service import telling
from tests.context.stand_ins import ANN, BOB, CAT, name_of
from tests.context.world import World

MEMBERSHIP = ("member_added", "member_updated", "member_removed")


async def told(world: World, user: str) -> list[str]:
    """What a user's own log says of lists: the kind, and the title or name."""
    found = []
    for event in (await world.events(f"users/{user}")).events:
        kind = event.WhichOneof("payload") or ""
        if kind not in MEMBERSHIP:
            its = getattr(event, kind)
            what = its.workspace.display_name if "work" in kind else its.conversation.title
            found.append(f"{kind} {what}")
    return found


async def rename(world: World, conversation_id: str, title: str) -> None:
    request = pb.UpdateConversationRequest(
        conversation=Conversation(conversation_id=conversation_id, title=title),
        update_mask={"paths": ["title"]},  # type: ignore[arg-type]
    )
    await world.client(ANN).UpdateConversation(request)


async def test_readers_are_told_of_what_becomes_of_a_conversation(world: World) -> None:
    """Members and guests of it, and who has the workspace; not members of the workspace alone."""
    await world.conversation(title="first")
    await world.add("ws_ann00000", BOB, ROLE_ADMIN)
    await world.add("ws_ann00000", CAT, ROLE_MEMBER)
    private = await world.conversation(title="private")
    await world.add(private, "user_guest000", ROLE_GUEST)
    await rename(world, private, "renamed")
    request = pb.ArchiveConversationRequest(conversation_id=private)
    await world.client(ANN).ArchiveConversation(request)
    back = pb.UnarchiveConversationRequest(conversation_id=private)
    await world.client(ANN).UnarchiveConversation(back)
    changes = [f"conversation_{it} renamed" for it in ("updated", "archived", "unarchived")]
    assert await told(world, ANN) == [
        "conversation_created first",
        "conversation_created private",
        *changes,
    ]
    assert await told(world, BOB) == ["conversation_created private", *changes]
    assert await told(world, "user_guest000") == changes
    assert await told(world, CAT) == []


async def test_who_was_removed_is_told_nothing_more(world: World) -> None:
    """The last that they hear is that they were."""
    conversation_id = await world.conversation()
    await world.add(conversation_id, BOB, ROLE_VIEWER)
    await world.remove(conversation_id, BOB)
    await rename(world, conversation_id, "Without Bob")
    assert await told(world, BOB) == []
    last = (await world.events(f"users/{BOB}")).events[-1]
    assert last.member_removed.resource == conversation_id


async def test_instructions_are_left_out_of_users_logs(world: World) -> None:
    """They may be long, and there is one of these logs for each reader."""
    made = await world.conversation(title="T", instructions="Be kind.")
    (event,) = [
        it
        for it in (await world.events(f"users/{ANN}")).events
        if it.HasField("conversation_created")
    ]
    its = event.conversation_created.conversation
    assert (its.conversation_id, its.title, its.instructions) == (made, "T", "")
    own = (await world.events(f"conversations/{made}")).events[0]
    assert own.conversation_created.conversation.instructions == "Be kind."
    assert event.actor == own.actor == f"users/{ANN}"


async def test_members_of_a_workspace_are_told_its_name_and_its_end(world: World) -> None:
    """And who makes one, on all their devices, that they belong to it."""
    workspace = await world.workspace(name="Lab")
    added = (await world.events(f"users/{ANN}")).events[0].member_added.member
    assert added.resource == workspace.workspace_id
    await world.add(workspace.workspace_id, BOB, ROLE_VIEWER)
    workspace.display_name = "Hall"
    request = pb.UpdateWorkspaceRequest(
        workspace=workspace,
        update_mask={"paths": ["display_name"]},  # type: ignore[arg-type]
    )
    await world.client(ANN).UpdateWorkspace(request)
    await world.client(ANN).ArchiveWorkspace(
        pb.ArchiveWorkspaceRequest(workspace_id=workspace.workspace_id)
    )
    for user in (ANN, BOB):
        assert await told(world, user) == ["workspace_updated Hall"] * 2


async def test_members_bring_their_names(world: World) -> None:
    """Where they were let in, and in their own logs; whose role changed, too."""
    conversation_id = await world.conversation()
    await world.add(conversation_id, BOB, ROLE_VIEWER)
    request = pb.UpdateMemberRequest(resource=conversation_id, user_id=BOB, role=ROLE_MEMBER)
    await world.client(ANN).UpdateMember(request)
    for scope in (f"conversations/{conversation_id}", f"users/{BOB}"):
        added, updated = (await world.events(scope)).events[-2:]
        assert added.member_added.member.display_name == name_of(BOB)
        assert updated.member_updated.member.display_name == name_of(BOB)


async def test_of_updates_that_wait_readers_are_told_the_newest(world: World) -> None:
    """However fast a conversation is renamed, its own log alone has each name."""
    conversation_id = await world.conversation(title="T")
    await world.add(conversation_id, BOB, ROLE_VIEWER)
    world.log.broken = True
    for number in range(20):
        await rename(world, conversation_id, str(number))
    request = pb.ArchiveConversationRequest(conversation_id=conversation_id)
    await world.client(ANN).ArchiveConversation(request)
    world.log.broken, asked = False, world.log.lists
    assert await world.context.to_log.relay_outbox()
    assert world.log.lists - asked == 2 * 2
    for user in (ANN, BOB):
        newest = ["conversation_updated 19", "conversation_archived 19"]
        assert (await told(world, user))[-2:] == newest
        assert sum("updated" in it for it in await told(world, user)) == 1
    own = (await world.events(f"conversations/{conversation_id}")).events
    assert sum(it.HasField("conversation_updated") for it in own) == 20


@pytest.mark.parametrize("broken_after", [0, 1, 3, 7])
async def test_each_reader_is_told_once(
    world: World, monkeypatch: pytest.MonkeyPatch, broken_after: int
) -> None:
    """Page by page, however many, also where the log went away in the middle of it."""
    monkeypatch.setattr(telling, "READERS", 3)
    conversation_id = await world.conversation(title="T")
    users = [f"user_{number:08}" for number in range(7)]
    for user in users:
        await world.add(conversation_id, user, ROLE_VIEWER)
    world.log.breaks_after = broken_after
    await rename(world, conversation_id, "U")
    world.log.broken, world.log.breaks_after = False, -1
    assert await world.context.to_log.relay_outbox()
    for user in (ANN, *users):
        assert (await told(world, user))[-1:] == ["conversation_updated U"]
        assert (await told(world, user)).count("conversation_updated U") == 1
