"""Who finds what: only what the caller may read now is looked at, and only that is told."""

import asyncio

from antiphon.auth.v1.access_pb2 import ROLE_ADMIN, ROLE_GUEST, ROLE_VIEWER
from antiphon.context.v1 import context_service_pb2 as pb
from antiphon.context.v1 import message_pb2
from antiphon_server.memory.adapters.conversations import ContextConversations
from antiphon_server.memory.model import ConversationId, WorkspaceId
from antiphon_server.memory.search.searching import Searching
from antiphon_server.runtime.access.principal import Principal, SessionId, UserId
from antiphon_server.runtime.concurrency.bulkhead import Bounds
from antiphon_server.runtime.errors import DomainError, Reason
from tests.context.stand_ins import ANN, BOB, CAT, NOBODY, SERVICE, name_of
from tests.context.world import parts, posted
from tests.memory.search_world import Search, person, wish, worker


async def test_nobody_finds_what_is_not_theirs(search: Search) -> None:
    """Neither hits nor counts nor scores tell of others' conversations."""
    world = search.world
    mine = await world.conversation(ANN)
    await world.post(mine, "my heron")
    before = await search.answer("heron")
    theirs = await world.conversation(BOB)
    for number in range(5):
        await world.post(theirs, f"heron of Bob {number}", BOB)
    assert len(await search.find("heron", BOB)) == 5
    after = await search.answer("heron")
    assert [it.excerpt.text for it in after.hits] == ["my heron"]
    assert [(it.score, it.parts) for it in after.hits] == [
        (it.score, it.parts) for it in before.hits
    ]
    assert after.searched == 1
    assert await search.find("heron", CAT) == []
    assert await search.find("heron", among=(theirs,)) == []


async def test_a_member_finds_at_once_and_one_who_was_removed_nothing_at_once(
    search: Search,
) -> None:
    """What one has found a moment ago is not found after the change was answered."""
    world = search.world
    here = await world.conversation(ANN)
    await world.post(here, "heron")
    for _ in range(3):
        await world.add(here, BOB, ROLE_VIEWER)
        assert await search.find("heron", BOB) == ["heron"]
        await world.remove(here, BOB)
        assert await search.find("heron", BOB) == []


async def test_admins_of_a_workspace_find_what_is_said_in_it(search: Search) -> None:
    """As they may read it; only as long as they are."""
    world = search.world
    lab = (await world.workspace(ANN)).workspace_id
    here = await world.conversation(ANN, workspace_id=lab)
    await world.post(here, "heron")
    await world.add(lab, BOB, ROLE_ADMIN)
    assert await search.find("heron", BOB) == ["heron"]
    assert await search.find("heron", BOB, among=(here,)) == ["heron"]
    await world.remove(lab, BOB)
    assert await search.find("heron", BOB) == await search.find("heron", BOB, among=(here,)) == []


async def test_guests_learn_nobodys_name(search: Search) -> None:
    """They find what was said, by no name, and no part of a score tells one."""
    world = search.world
    here = await world.conversation(ANN)
    await world.post(here, "the heron stands there")
    await world.post(here, "nothing of that kind")
    await world.add(here, BOB, ROLE_GUEST)
    own, *_ = (await search.answer("heron")).hits
    assert own.author_name == name_of(ANN)
    theirs = (await search.answer("heron", BOB)).hits
    assert {hit.author_name for hit in theirs} == {""}
    named, plain = f"heron {name_of(ANN)}", "heron name of xyz"
    by_name = await search.answer(named, BOB)
    otherwise = await search.answer(plain, BOB)
    assert [(it.score, it.parts) for it in by_name.hits] == [
        (it.score, it.parts) for it in otherwise.hits
    ]
    assert all(not it.parts.get("speaker") for it in by_name.hits)


async def test_a_guest_here_who_is_a_member_there_learns_names_there_alone(search: Search) -> None:
    """Hits of both are in one answer, the best first."""
    world = search.world
    there, here = await world.conversation(ANN), await world.conversation(ANN)
    for it in (there, here):
        await world.post(it, f"heron of {it}")
    await world.add(here, BOB, ROLE_GUEST)
    await world.add(there, BOB, ROLE_VIEWER)
    hits = (await search.answer("heron", BOB)).hits
    assert {it.excerpt.text: it.author_name for it in hits} == {
        f"heron of {here}": "",
        f"heron of {there}": name_of(ANN),
    }
    assert [it.score for it in hits] == sorted((it.score for it in hits), reverse=True)


async def test_the_grant_of_a_turn_opens_its_conversation_alone(search: Search) -> None:
    """Neither others of the turn's user nor those it names, and no name."""
    world = search.world
    here, other = await world.conversation(ANN), await world.conversation(ANN)
    note = pb.PostMessageRequest(conversation_id=here, parts=parts("heron"), in_context=True)
    await world.client(ANN).PostMessage(note)
    await world.post(other, "another heron")
    lab = await world.client(ANN).GetConversation(pb.GetConversationRequest(conversation_id=here))
    workspace = lab.conversation.workspace_id
    by_grant = worker(ANN, here, workspace)
    answer = await search.searching.search(by_grant, wish("heron"))
    assert [(it.excerpt.text, it.author_name) for it in answer.hits] == [("heron", "")]
    for limits in ({"among": (other,)}, {"workspace_id": WorkspaceId("ws_other000")}):
        assert (await search.searching.search(by_grant, wish("heron", **limits))).hits == []


async def test_a_grant_finds_only_what_prompts_may_hold(search: Search) -> None:
    """Asides and what was rolled back are for people; they fill no worker's answer either."""
    world = search.world
    here = await world.conversation(ANN)
    for number in range(12):
        await world.post(here, f"heron among us {number}")
    await world.say(here, "heron undone", turn_id="turn_undone00")
    await world.say(here, "heron kept and told at length", turn_id="turn_kept0000")
    by_grant = worker(ANN, here, "ws_00000001")
    found = await search.searching.search(by_grant, wish("heron", limit=3))
    assert {it.excerpt.text for it in found.hits} == {
        "heron undone",
        "heron kept and told at length",
    }
    await world.roll_back(here, "turn_undone00")
    found = await search.searching.search(by_grant, wish("heron", limit=3))
    assert [it.excerpt.text for it in found.hits] == ["heron kept and told at length"]
    assert len(await search.find("heron", limit=20)) == 14


async def test_strangers_find_nothing_and_services_what_they_name(search: Search) -> None:
    """Search is for people, and for turns; who works for one says where, and learns no name."""
    here = ConversationId(await search.world.conversation(ANN))
    note = pb.PostMessageRequest(conversation_id=here, parts=parts("heron"), in_context=True)
    await search.world.client(ANN).PostMessage(note)
    await search.world.post(here, "heron aside")
    service = Principal("service", UserId("integration"), SessionId("s"))
    assert (await search.searching.search(service, wish("heron"))).hits == []
    (hit,) = (await search.searching.search(service, wish("heron", among=(here,)))).hits
    assert (hit.text, hit.author_name) == ("heron", "")
    assert await search.find("heron", NOBODY) == []


async def test_what_is_archived_is_found(search: Search) -> None:
    """It is put away, not gone."""
    here = await search.world.conversation(ANN)
    await search.world.post(here, "heron")
    archive = pb.ArchiveConversationRequest(conversation_id=here)
    await search.world.client(ANN).ArchiveConversation(archive)
    assert await search.find("heron") == ["heron"]


async def test_a_search_has_limits(search: Search) -> None:
    """By conversation, workspace, author, time and number, each alone and together."""
    world = search.world
    lab = (await world.workspace(ANN)).workspace_id
    here = await world.conversation(ANN, workspace_id=lab)
    other = await world.conversation(ANN)
    await world.post(here, "heron one")
    await world.say(here, "heron two")
    middle_us = int(world.clock() * 1e6)
    await world.post(other, "heron three")
    assert set(await search.find("heron")) == {"heron one", "heron two", "heron three"}
    in_lab = {"workspace_id": WorkspaceId(lab)}
    assert set(await search.find("heron", **in_lab)) == {"heron one", "heron two"}
    assert await search.find("heron", among=(other,)) == ["heron three"]
    assert await search.find("heron", among=(other,), **in_lab) == []
    assert await search.find("heron", authors=frozenset({"handlers/echo"})) == ["heron two"]
    assert await search.find("heron", not_before_us=middle_us) == ["heron three"]
    assert set(await search.find("heron", before_us=middle_us)) == {"heron one", "heron two"}
    assert len(await search.find("heron", limit=2)) == 2
    titled = await search.answer("heron", among=(here,))
    assert {it.title for it in titled.hits} == {""}


async def test_what_the_log_alone_has_is_shown_whole(search: Search) -> None:
    """A message that the list of messages does not have yet is in the hit as it was said."""
    world = search.world
    here = await world.conversation(ANN, title="Birds")
    said = message_pb2.Message(
        message_id="msg_heron0000",
        conversation_id=here,
        role=message_pb2.MESSAGE_ROLE_ASSISTANT,
        author="handlers/echo",
        parts=parts("a heron", "and an egret"),
    )
    await world.append(here, posted(said))
    (hit,) = (await search.answer("egret")).hits
    assert (hit.title, hit.excerpt.text) == ("Birds", "a heron and an egret")
    whole = message_pb2.Message.FromString(hit.encoded)
    assert (list(whole.parts), whole.author) == (list(said.parts), "handlers/echo")


async def test_too_many_searches_at_once_are_refused(
    search: Search,
) -> None:
    """Some run, some wait for them, and the others are told to come back."""
    here = await search.world.conversation(ANN)
    await search.world.post(here, "heron")
    bounds = Bounds(calls=2, waiting=1, wait_s=10.0)
    few = Searching(
        ContextConversations(search.world.client(SERVICE)),
        search.world.accounts,
        search.library,
        bounds=bounds,
    )
    search.logs.may_read.clear()
    asked = [asyncio.create_task(few.search(person(ANN), wish("heron"))) for _ in range(4)]
    done, _ = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
    (refused,) = (it.exception() for it in done)
    assert isinstance(refused, DomainError)
    assert refused.reason is Reason.OVERLOADED
    search.logs.may_read.set()
    rest = [it for it in asked if it not in done]
    assert [len(it.hits) for it in await asyncio.gather(*rest)] == [1, 1, 1]
