"""A filter holds a message: people look at it before anybody works on it."""

from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
import pytest_asyncio

from antiphon.auth.v1.access_pb2 import ROLE_ADMIN, ROLE_MEMBER, Role
from antiphon.context.v1.conversation_pb2 import Conversation
from antiphon.context.v1.filter_pb2 import (
    FILTER_ACTION_BLOCK,
    FILTER_ACTION_HOLD,
    FILTER_ACTION_SANITISE,
    FILTER_STAGE_ANSWER,
    Filter,
    FilterAction,
    TermsFilter,
)
from antiphon.dispatcher.v1.turn_pb2 import Turn
from antiphon.events.v1.event_pb2 import (
    TURN_STATE_CANCELLED,
    TURN_STATE_FAILED,
    TURN_STATE_SUCCEEDED,
)
from antiphon.events.v1.handoff_pb2 import Handoff
from antiphon_client import AntiphonError, Client, Password, text_of
from tests.e2e.callers import PASSWORD
from tests.e2e.server import ONE_FOR_MANY, ServerProcess
from tests.e2e.until import until_it

pytestmark = pytest.mark.asyncio(loop_scope="module")
HELD = "what of the falcon?"


def words(action: FilterAction.ValueType, word: str, name: str = "words") -> Filter:
    """A filter of one word."""
    return Filter(name=name, action=action, terms=TermsFilter(terms=[word]))


@dataclass(slots=True)
class Stage:
    """A conversation of the operator's, in whose workspace a word is held."""

    server: ServerProcess
    client: Client
    conversation: Conversation

    @property
    def where(self) -> str:
        """Its id."""
        return self.conversation.conversation_id

    async def turn(self, turn_id: str) -> Turn:
        """As it is now."""
        return await self.client.get_turn(self.where, turn_id)

    async def held(self, turn_id: str) -> Handoff:
        """Its hand-off, when there is one."""

        async def waits() -> bool:
            return (await self.turn(turn_id)).HasField("handoff")

        await until_it(waits)
        return (await self.turn(turn_id)).handoff

    async def ended(self, turn_id: str) -> Turn:
        """As it ended."""

        async def found() -> bool:
            return (await self.turn(turn_id)).HasField("end_time")

        await until_it(found)
        return await self.turn(turn_id)

    async def answers(self) -> list[str]:
        """What handlers have said."""
        listed = [it async for it in self.client.list_messages(self.where)]
        return [text_of(it.parts) for it in listed if it.role == 2]

    @asynccontextmanager
    async def other(self, name: str, role: Role.ValueType = ROLE_MEMBER) -> AsyncIterator[Client]:
        """Another user, who has a role in the conversation."""
        user = await self.client.create_user(name, PASSWORD)
        await self.client.add_member(self.where, user.user_id, role)
        async with Client.connect(self.server.address, Password(name, PASSWORD)) as client:
            yield client


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ServerProcess]:
    home = tmp_path_factory.mktemp("held")
    async with ServerProcess(home, variables=ONE_FOR_MANY) as server:
        yield server


@pytest_asyncio.fixture(loop_scope="module")
async def it(server: ServerProcess) -> AsyncIterator[Stage]:
    async with server.client() as client:
        conversation = await client.create_conversation()
        await client.set_filters(conversation.workspace_id, [words(FILTER_ACTION_HOLD, "falcon")])
        yield Stage(server, client, conversation)


async def denied(act: Awaitable[object], reason: str = "PERMISSION_DENIED") -> None:
    """It ends so."""
    with pytest.raises(AntiphonError) as error:
        await act
    assert error.value.reason == reason


async def test_it_goes_on_when_another_person_returns_it(it: Stage) -> None:
    """To the handler that it was for; until then nobody has said anything."""
    async with it.other("anna") as anna:
        turn_id = (await anna.dispatch(it.where, HELD, handler="echo")).turn.turn_id
        held = await it.held(turn_id)
        assert held.reason == "Filter words has found term."
        assert (held.role, held.held_for) == (ROLE_ADMIN, "echo")
        assert await it.answers() == []
        [screening] = [one async for one in it.client.list_screenings(it.conversation.workspace_id)]
        assert (screening.action, screening.refused) == (FILTER_ACTION_HOLD, False)
        await it.client.claim_handoff(it.where, held.handoff_id)
        await it.client.return_handoff(it.where, held.handoff_id)
        ended = await it.ended(turn_id)
    assert (ended.state, ended.handler) == (TURN_STATE_SUCCEEDED, "echo")
    assert await it.answers() == [HELD]


async def test_no_prompt_has_it_but_its_own(it: Stage) -> None:
    """It is an aside of the conversation, also when its turn was stopped."""
    turn_id = (await it.client.dispatch(it.where, HELD, handler="echo")).turn.turn_id
    await it.held(turn_id)
    assert (await it.client.cancel_turn(it.where, turn_id)).state == TURN_STATE_CANCELLED
    [message] = [one async for one in it.client.list_messages(it.where)]
    assert message.aside


async def test_its_author_lets_nothing_go_on(it: Stage) -> None:
    """Not the owner of the conversation either, nor by handing it off to somebody else."""
    turn_id = (await it.client.dispatch(it.where, HELD, handler="echo")).turn.turn_id
    named = it.where, (await it.held(turn_id)).handoff_id
    await denied(it.client.claim_handoff(*named))
    await denied(it.client.answer_handoff(*named, "as I said"))
    await denied(it.client.return_handoff(*named))
    await denied(it.client.decline_handoff(*named))
    handed = await it.client.hand_off_turn(it.where, turn_id, otherwise_handler="echo")
    assert handed.handoff.handoff_id == named[1]
    assert not handed.handoff.HasField("otherwise")
    async with it.other("bert") as bert:
        await denied(bert.return_handoff(*named))  # a member is no admin
    async with it.other("carl", ROLE_ADMIN) as carl:
        await carl.decline_handoff(*named)
    assert (await it.ended(turn_id)).state == TURN_STATE_FAILED
    assert await it.answers() == []


async def test_it_waits_through_a_crash(it: Stage) -> None:
    """With its reason, and the handler that it is for."""
    async with it.other("dora") as dora:
        turn_id = (await dora.dispatch(it.where, HELD, handler="echo")).turn.turn_id
    held = await it.held(turn_id)
    await it.server.restart()
    assert await it.held(turn_id) == held
    await it.client.return_handoff(it.where, held.handoff_id)
    assert (await it.ended(turn_id)).handler == "echo"
    assert await it.answers() == [HELD]


async def test_what_begins_a_turn_is_held_whichever_way_it_comes(it: Stage) -> None:
    """By Converse, and by the clock; the conversation is filtered as a whole."""
    async with it.client.converse(it.where) as live:
        said = (await live.post(HELD, handler="echo")).turn_id
        await it.held(said)
        await it.client.cancel_turn(it.where, said)
    made = await it.client.create_schedule(it.where, HELD, datetime.now(UTC), handler="echo")

    async def ran() -> bool:
        return bool(await it.client.list_schedule_runs(it.where, made.schedule_id))

    await until_it(ran)
    [run] = await it.client.list_schedule_runs(it.where, made.schedule_id)
    assert (await it.held(run.turn_id)).reason
    assert await it.answers() == []


async def test_what_nobody_can_look_at_is_refused(it: Stage) -> None:
    """No turn begins with it."""
    blocked = "CONTENT_BLOCKED"
    await denied(it.client.post_message(it.where, HELD), blocked)
    turn_id = (await it.client.dispatch(it.where, "hello", handler="people")).turn.turn_id
    handoff_id = (await it.held(turn_id)).handoff_id
    await denied(it.client.answer_handoff(it.where, handoff_id, HELD), blocked)


async def test_it_is_cut_out_of_titles(it: Stage) -> None:
    """Clients take them from a first message, which people are to look at."""
    changed = await it.client.update_conversation(it.where, title=HELD)
    assert changed.title == "what of the [term]?"


async def test_others_count_beside_it(it: Stage) -> None:
    """What one cuts out is cut out of what waits; what one blocks waits for nobody."""
    held = words(FILTER_ACTION_HOLD, "falcon")
    cut = words(FILTER_ACTION_SANITISE, "plover", "cut")
    block = words(FILTER_ACTION_BLOCK, "heron", "block")
    await it.client.set_filters(it.conversation.workspace_id, [held, cut, block])
    both = f"{HELD} or the plover?"
    turn_id = (await it.client.dispatch(it.where, both, handler="echo")).turn.turn_id
    await it.held(turn_id)
    [message] = [one async for one in it.client.list_messages(it.where)]
    assert text_of(message.parts) == f"{HELD} or the [term]?"
    act = it.client.dispatch(it.where, f"{HELD} or the heron?", handler="echo")
    await denied(act, "CONTENT_BLOCKED")


async def test_answers_are_not_held(it: Stage) -> None:
    """They are on their way when they are looked at."""
    answers = words(FILTER_ACTION_HOLD, "falcon")
    answers.stages.append(FILTER_STAGE_ANSWER)
    with pytest.raises(AntiphonError) as error:
        await it.client.set_filters(it.conversation.workspace_id, [answers])
    assert "can't wait for a person" in str(error.value.violations)
