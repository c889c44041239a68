"""Turns that wait for people: handed off, claimed, answered, returned, declined, expired."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
import pytest_asyncio

from antiphon.auth.v1.access_pb2 import ROLE_ADMIN, ROLE_GUEST, ROLE_MEMBER
from antiphon.context.v1.conversation_pb2 import Conversation
from antiphon.context.v1.filter_pb2 import FILTER_ACTION_BLOCK, Filter, TermsFilter
from antiphon.context.v1.message_pb2 import Message
from antiphon.dispatcher.v1.handoff_pb2 import QueuedHandoff
from antiphon.dispatcher.v1.turn_pb2 import Turn
from antiphon.events.v1.event_pb2 import (
    TURN_STATE_CANCELLED,
    TURN_STATE_FAILED,
    TURN_STATE_RUNNING,
    TURN_STATE_SUCCEEDED,
)
from antiphon_client import AntiphonError, Client, Password, text_of
from tests.e2e.callers import PASSWORD
from tests.e2e.server import ONE_FOR_MANY, ServerProcess
from tests.e2e.speaking import speaks
from tests.e2e.until import until_it

pytestmark = pytest.mark.asyncio(loop_scope="module")
LONG = " ".join(["word"] * 400)
"""What the echo says for eight seconds."""


@dataclass(slots=True)
class Stage:
    """A conversation of the local operator's, in whose workspace they answer."""

    server: ServerProcess
    client: Client
    conversation: Conversation
    me: str

    @property
    def where(self) -> str:
        """Its id."""
        return self.conversation.conversation_id

    async def asked(self, text: str = "hello", handler: str = "people") -> str:
        """A new turn's id."""
        answer = await self.client.dispatch(self.where, text, handler=handler)
        return answer.turn.turn_id

    async def turn(self, turn_id: str) -> Turn:
        """As it is now."""
        return await self.client.get_turn(self.where, turn_id)

    async def handed(self, turn_id: str) -> str:
        """The id of its hand-off, when there is one."""

        async def found() -> bool:
            return (await self.turn(turn_id)).HasField("handoff")

        await until_it(found)
        return (await self.turn(turn_id)).handoff.handoff_id

    async def ended(self, turn_id: str) -> Turn:
        """As it ended."""

        async def found() -> bool:
            return (await self.turn(turn_id)).HasField("end_time")

        await until_it(found)
        return await self.turn(turn_id)

    async def queue(self) -> list[QueuedHandoff]:
        """What waits here."""
        listed = self.client.list_handoffs(self.conversation.workspace_id)
        return [it async for it in listed if it.conversation_id == self.where]

    async def said(self, turn_id: str) -> list[Message]:
        """What was answered, in order."""
        listed = [it async for it in self.client.list_messages(self.where)]
        mine = [it for it in listed if it.turn_id == turn_id and it.role == 2]
        return sorted(mine, key=lambda it: it.offset)

    async def member(self, name: str, role: int = ROLE_MEMBER) -> Client:
        """Another user, who has a role in the conversation."""
        user = await self.client.create_user(name, PASSWORD)
        await self.client.add_member(self.where, user.user_id, role)  # type: ignore[arg-type]
        return Client.connect(self.server.address, Password(name, PASSWORD))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ServerProcess]:
    home = tmp_path_factory.mktemp("handoffs")
    async with ServerProcess(home, variables=ONE_FOR_MANY) as server:
        yield server


@pytest_asyncio.fixture(loop_scope="module")
async def it(server: ServerProcess) -> AsyncIterator[Stage]:
    async with server.client() as client:
        me = f"users/{(await client.who_am_i()).user.user_id}"
        yield Stage(server, client, await client.create_conversation(), me)


async def test_people_answer_what_is_for_them(it: Stage) -> None:
    """Dispatch to `people`, find it in the queue, claim it, answer it."""
    turn_id = await it.asked()
    handoff_id = await it.handed(turn_id)
    turn = await it.turn(turn_id)
    assert turn.state == TURN_STATE_RUNNING
    assert turn.handoff.role == ROLE_MEMBER
    (queued,) = await it.queue()
    assert queued.handoff == turn.handoff
    assert queued.turn.turn_id == turn_id
    me = f"users/{(await it.client.who_am_i()).user.user_id}"
    assert (await it.client.claim_handoff(it.where, handoff_id)).claimed_by == me
    assert (await it.queue())[0].handoff.claimed_by == me
    answered = await it.client.answer_handoff(it.where, handoff_id, "Your refund is on its way.")
    assert answered.state == TURN_STATE_SUCCEEDED
    assert answered.answered_by == me
    (message,) = await it.said(turn_id)
    assert (message.author, text_of(message.parts)) == (me, "Your refund is on its way.")
    assert message.message_id == answered.reply_message_id
    assert not await it.queue()
    again = await it.client.answer_handoff(it.where, handoff_id, "Your refund is on its way.")
    assert again == answered == await it.turn(turn_id)


async def test_the_queue_says_what_it_is_about(it: Stage) -> None:
    """Whose it is, where, what was asked, and who is at it: a list needs no call more for it."""
    where = (await it.client.create_conversation(title="Refunds")).conversation_id
    there = replace(it, conversation=await it.client.get_conversation(where))
    async with await there.member("nora") as nora:
        answer = await nora.dispatch(
            where, "\n  May I have a refund?\nI lost it.", handler="people"
        )
        handoff_id = await there.handed(answer.turn.turn_id)
        await it.client.claim_handoff(where, handoff_id)
        (queued,) = await there.queue()
        assert (queued.title, queued.turn.first_line) == ("Refunds", "May I have a refund?")
        assert queued.display_names[queued.turn.creator] == "nora"
        assert queued.display_names[it.me] == (await it.client.who_am_i()).user.display_name
        await nora.cancel_turn(where, answer.turn.turn_id)


async def test_a_person_hands_a_running_turn_off(it: Stage) -> None:
    """Its handler stops; what it said stays, and the person's answer is a message behind it."""
    turn_id = await it.asked(LONG, "echo")
    await speaks(it.client, it.where, turn_id)
    turn = await it.client.hand_off_turn(it.where, turn_id, "it talks too much")
    assert turn.handoff.reason == "it talks too much"
    again = await it.client.hand_off_turn(it.where, turn_id, "another reason")
    assert again.handoff == turn.handoff
    answered = await it.client.answer_handoff(it.where, turn.handoff.handoff_id, "In short: no.")
    before, behind = await it.said(turn_id)
    assert before.author == "handlers/echo"
    assert before.truncated
    assert LONG.startswith(text_of(before.parts))
    assert behind.author == answered.answered_by
    assert text_of(behind.parts) == "In short: no."
    assert answered.reply_message_id == behind.message_id
    with pytest.raises(AntiphonError) as refused:
        await it.client.hand_off_turn(it.where, turn_id)
    assert refused.value.reason == "HANDOFF_IMPOSSIBLE"


async def test_it_goes_back_to_a_handler(it: Stage) -> None:
    """Who goes on may be another one; it goes on behind what was said."""
    turn_id = await it.asked("echo this")
    handoff_id = await it.handed(turn_id)
    turn = await it.client.return_handoff(it.where, handoff_id, "echo", "nothing for us")
    assert not turn.HasField("handoff")
    ended = await it.ended(turn_id)
    assert (ended.state, ended.handler) == (TURN_STATE_SUCCEEDED, "echo")
    assert [text_of(each.parts) for each in await it.said(turn_id)] == ["echo this"]
    again = await it.client.return_handoff(it.where, handoff_id, "echo", "nothing for us")
    assert again == ended
    assert not await it.queue()
    with pytest.raises(AntiphonError) as refused:
        await it.client.answer_handoff(it.where, handoff_id, "too late")
    assert refused.value.reason == "HANDOFF_ENDED"
    assert refused.value.metadata["end"] == "RETURNED"


async def test_it_is_declined(it: Stage) -> None:
    """Where nothing was declared, the turn fails, and says why."""
    turn_id = await it.asked()
    handoff_id = await it.handed(turn_id)
    turn = await it.client.decline_handoff(it.where, handoff_id, "nobody is here")
    assert turn.state == TURN_STATE_FAILED
    assert "nobody is here" in turn.error.message
    assert not await it.said(turn_id)


async def test_it_expires_into_an_error(it: Stage) -> None:
    """Where nothing was declared, the turn fails; what was said stays."""
    turn_id = await it.asked(LONG, "echo")
    await speaks(it.client, it.where, turn_id)
    await it.client.hand_off_turn(it.where, turn_id, expire_after=timedelta(seconds=0.5))
    ended = await it.ended(turn_id)
    assert ended.state == TURN_STATE_FAILED
    assert "in time" in ended.error.message
    assert len(await it.said(turn_id)) == 1


async def test_it_expires_into_a_text(it: Stage) -> None:
    """What a person has declared is said in that person's name, as an answer of theirs would be."""
    turn_id = await it.asked(LONG, "echo")
    await speaks(it.client, it.where, turn_id)
    soon = timedelta(seconds=0.5)
    closed = "We are closed."
    await it.client.hand_off_turn(it.where, turn_id, expire_after=soon, otherwise_text=closed)
    ended = await it.ended(turn_id)
    assert ended.state == TURN_STATE_SUCCEEDED
    assert ended.answered_by == it.me
    _, said = await it.said(turn_id)
    assert (said.author, text_of(said.parts)) == (it.me, closed)


async def test_who_may_not_answer_says_nothing_by_its_end_either(it: Stage) -> None:
    """Else a guest would have it answered with words of theirs, behind half a second."""
    turn_id = await it.asked(LONG, "echo")
    gus, mo = await it.member("gus2", ROLE_GUEST), await it.member("mo")
    async with gus, mo:
        for refused in (
            gus.hand_off_turn(it.where, turn_id, otherwise_text="mine"),
            mo.hand_off_turn(it.where, turn_id, role=ROLE_ADMIN, otherwise_text="mine"),
        ):
            with pytest.raises(AntiphonError) as error:
                await refused
            assert error.value.reason == "PERMISSION_DENIED"
        turn = await gus.hand_off_turn(it.where, turn_id)
        await it.client.cancel_turn(it.where, turn_id)
    assert turn.HasField("handoff")


async def test_filters_look_at_nothing_that_has_no_place(it: Stage) -> None:
    """Who may not answer, or names none that there is, is told that, and not what filters say."""
    parent = it.conversation.workspace_id
    words = TermsFilter(terms=["badword"])
    turn_id = await it.asked()
    handoff_id = await it.handed(turn_id)
    await it.client.set_filters(
        parent, [Filter(name="words", action=FILTER_ACTION_BLOCK, terms=words)]
    )
    try:
        async with await it.member("gus3", ROLE_GUEST) as gus:
            for call, reason in (
                (gus.answer_handoff(it.where, handoff_id, "badword"), "PERMISSION_DENIED"),
                (gus.return_handoff(it.where, handoff_id, "", "badword"), "PERMISSION_DENIED"),
                (gus.decline_handoff(it.where, handoff_id, "badword"), "PERMISSION_DENIED"),
                (gus.answer_handoff(it.where, f"{handoff_id}9", "badword"), "NOT_FOUND"),
                (it.client.answer_handoff(it.where, handoff_id, "badword"), "CONTENT_BLOCKED"),
            ):
                with pytest.raises(AntiphonError) as error:
                    await call
                assert error.value.reason == reason
        looked = [one async for one in it.client.list_screenings(parent)]
        assert [one.author for one in looked] == [it.me]
    finally:
        await it.client.set_filters(parent, [])
        await it.client.cancel_turn(it.where, turn_id)


async def test_it_expires_into_a_handler(it: Stage) -> None:
    """Who was declared goes on with it."""
    turn_id = await it.asked("a b c", "echo")
    soon = timedelta(seconds=0.5)
    await it.client.hand_off_turn(it.where, turn_id, expire_after=soon, otherwise_handler="echo")
    ended = await it.ended(turn_id)
    assert ended.state == TURN_STATE_SUCCEEDED
    (said,) = await it.said(turn_id)
    assert text_of(said.parts).startswith("a")


async def test_stop_means_stop(it: Stage) -> None:
    """A turn that waits for people is cancelled like any other."""
    turn_id = await it.asked()
    handoff_id = await it.handed(turn_id)
    stopped = await it.client.cancel_turn(it.where, turn_id)
    assert stopped.state == TURN_STATE_CANCELLED
    assert not await it.queue()
    for refused in (
        it.client.claim_handoff(it.where, handoff_id),
        it.client.answer_handoff(it.where, handoff_id, "too late"),
    ):
        with pytest.raises(AntiphonError) as error:
            await refused
        assert error.value.reason == "HANDOFF_ENDED"
        assert error.value.metadata["end"] == "CANCELLED"


async def test_one_person_is_at_it(it: Stage) -> None:
    """Of two claims one gets it; admins take over, guests never may."""
    turn_id = await it.asked()
    handoff_id = await it.handed(turn_id)
    mia, gus = await it.member("mia"), await it.member("gus", ROLE_GUEST)
    async with mia, gus:
        claims = [each.claim_handoff(it.where, handoff_id) for each in (mia, it.client)]
        came = await asyncio.gather(*claims, return_exceptions=True)
        (lost,) = [each for each in came if isinstance(each, AntiphonError)]
        assert lost.reason == "HANDOFF_CLAIMED"
        (won,) = [each for each in came if not isinstance(each, BaseException)]
        assert lost.metadata["claimed_by"] == won.claimed_by
        await it.client.claim_handoff(it.where, handoff_id, take_over=True)
        for refused, reason in (
            (mia.answer_handoff(it.where, handoff_id, "mine"), "HANDOFF_CLAIMED"),
            (mia.release_handoff(it.where, handoff_id), "HANDOFF_CLAIMED"),
            (
                mia.claim_handoff(it.where, handoff_id, take_over=True),
                "PERMISSION_DENIED",
            ),
            (gus.claim_handoff(it.where, handoff_id), "PERMISSION_DENIED"),
            (gus.answer_handoff(it.where, handoff_id, "me"), "PERMISSION_DENIED"),
        ):
            with pytest.raises(AntiphonError) as error:
                await refused
            assert error.value.reason == reason
        assert not (await it.client.release_handoff(it.where, handoff_id)).claimed_by
        await mia.answer_handoff(it.where, handoff_id, "mine")


async def test_what_is_for_admins_is_for_them(it: Stage) -> None:
    """A member neither sees nor answers it."""
    turn_id = await it.asked(LONG, "echo")
    turn = await it.client.hand_off_turn(it.where, turn_id, role=ROLE_ADMIN)
    handoff_id = turn.handoff.handoff_id
    async with await it.member("max") as member:
        with pytest.raises(AntiphonError) as error:
            await member.answer_handoff(it.where, handoff_id, "mine")
        assert error.value.reason == "PERMISSION_DENIED"
    await it.client.answer_handoff(it.where, handoff_id, "mine")
