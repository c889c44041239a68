"""Nobody sees what filters of answers find: not in a piece, and not after hand-offs and deaths."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from antiphon.context.v1.conversation_pb2 import Conversation
from antiphon.context.v1.filter_pb2 import (
    FILTER_ACTION_FLAG,
    FILTER_ACTION_SANITISE,
    FILTER_STAGE_ANSWER,
    Filter,
    Screening,
    TermsFilter,
)
from antiphon.dispatcher.v1.turn_pb2 import Turn
from antiphon.events.v1.event_pb2 import Event
from antiphon_client import Client
from tests.e2e.refusals import reason_in
from tests.e2e.server import ONE_FOR_MANY, ServerProcess
from tests.e2e.until import until_it

WORD = "forbiddenword"
LONG = f"one word {WORD} and more " * 100
"""What the echo says for some seconds, each word a piece."""


@dataclass(slots=True)
class Stage:
    """A conversation in whose workspace answers are masked."""

    server: ServerProcess
    client: Client
    conversation: Conversation

    @property
    def where(self) -> str:
        """The conversation."""
        return self.conversation.conversation_id

    async def begun(self) -> str:
        """A turn that has shown a mask, and goes on."""
        turn_id = (await self.client.dispatch(self.where, LONG, handler="echo")).turn.turn_id
        await until_it(lambda: self.shows("[term]", turn_id))
        return turn_id

    async def shows(self, text: str, turn_id: str) -> bool:
        """Whether the log has it in what the turn says."""
        return text in said(await self.log(), turn_id)

    async def log(self) -> list[Event]:
        """The conversation's, as far as it is kept."""
        return list((await self.client.read_events(f"conversations/{self.where}")).events)

    async def screenings(self) -> list[Screening]:
        """What the log says of filters."""
        log = await self.log()
        return [it.content_screened.screening for it in log if it.HasField("content_screened")]

    async def is_screened(self) -> bool:
        """Whether there is one; it is told behind the answer."""
        return bool(await self.screenings())

    async def ended(self, turn_id: str) -> Turn:
        """As it ended."""

        async def has_ended() -> bool:
            return (await self.client.get_turn(self.where, turn_id)).HasField("end_time")

        await until_it(has_ended)
        return await self.client.get_turn(self.where, turn_id)


def said(log: list[Event], turn_id: str) -> str:
    """All that handlers and people have said in a turn."""
    mine = [it for it in log if it.turn_id == turn_id and not it.actor.startswith("users/")]
    return "".join(it.text_delta_appended.text for it in mine) + "".join(
        part.text for it in mine for part in it.message_posted.message.parts
    )


async def filtered(server: ServerProcess, client: Client) -> Stage:
    """Answers are looked at, messages are not."""
    conversation = await client.create_conversation()
    words = Filter(name="words", action=FILTER_ACTION_FLAG, terms=TermsFilter(terms=[WORD]))
    words.stages.append(FILTER_STAGE_ANSWER)
    await client.set_filters(conversation.workspace_id, [words])
    return Stage(server, client, conversation)


@pytest.fixture
async def it(tmp_path: Path) -> AsyncIterator[Stage]:
    async with ServerProcess(tmp_path, variables=ONE_FOR_MANY) as server, server.client() as client:
        yield await filtered(server, client)


async def test_what_is_found_is_seen_in_no_piece(it: Stage) -> None:
    """Whoever watches sees the mask; a screening tells that there was something."""
    async with it.client.converse(it.where) as live:
        turn = await live.post(f"one {WORD} two", handler="echo")
        seen = [delta async for delta in turn]
        answer = (await turn.result()).text
    assert answer == "".join(seen) == "one [term] two"
    await until_it(it.is_screened)
    [screening] = await it.screenings()
    assert (screening.stage, screening.action, screening.turn_id) == (
        FILTER_STAGE_ANSWER,
        FILTER_ACTION_SANITISE,
        turn.turn_id,
    )


async def test_people_take_a_turn_in_mid_word_and_give_it_back(it: Stage) -> None:
    """What was held back is dropped; the handler begins anew behind a gap, masked again."""
    turn_id = await it.begun()
    reason = f"it says {WORD} all the time"
    turn = await it.client.hand_off_turn(it.where, turn_id, reason)
    assert turn.handoff.reason == reason  # a person's words, at which filters of messages look
    shown = said(await it.log(), turn_id)
    await it.client.return_handoff(it.where, turn.handoff.handoff_id, "echo", "go on")
    await it.ended(turn_id)
    answer = said(await it.log(), turn_id)
    first, gap, second = answer.partition("\n\n")
    assert (gap, second) == ("\n\n", LONG.replace(WORD, "[term]"))
    assert LONG.replace(WORD, "[term]").startswith(first)
    assert first.startswith(shown)


async def test_a_server_that_stops_tells_what_it_has_found(it: Stage) -> None:
    """Of an answer that it has to let go: its screening is there when it is back."""
    turn_id = await it.begun()
    await it.server.terminate()
    await it.server.start()
    async with it.server.client() as client:
        again = Stage(it.server, client, it.conversation)
        await until_it(again.is_screened)
        (screening,) = await again.screenings()
        assert screening.turn_id == turn_id
        assert [verdict.found > 0 for verdict in screening.verdicts] == [True]
        assert reason_in((await again.ended(turn_id)).error) == "TURN_LOST"


async def test_a_server_that_dies_leaves_what_it_has_shown(it: Stage) -> None:
    """Its next life does not go on behind what it can't know; what it had held back is nowhere."""
    turn_id = await it.begun()
    await it.server.kill()
    await it.server.start()
    async with it.server.client() as client:
        again = Stage(it.server, client, it.conversation)
        turn = await again.ended(turn_id)
        assert reason_in(turn.error) == "TURN_LOST"
        answer = said(await again.log(), turn_id)
        assert LONG.replace(WORD, "[term]").startswith(answer)
