"""Filters stand before all who work on what is said, whichever way it comes."""

from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from antiphon.context.v1.conversation_pb2 import Conversation
from antiphon.context.v1.filter_pb2 import (
    FILTER_ACTION_BLOCK,
    FILTER_ACTION_FLAG,
    FILTER_ACTION_SANITISE,
    Filter,
    FilterAction,
    Screening,
    TermsFilter,
)
from antiphon_client import AntiphonError, Client
from tests.e2e.server import ServerProcess

pytestmark = pytest.mark.asyncio(loop_scope="module")
WORD, CANARY = "forbiddenword", "zanzibarcanary"


def terms(action: FilterAction.ValueType, *words: str) -> Filter:
    """A filter of these words."""
    return Filter(name="words", action=action, terms=TermsFilter(terms=words or (WORD,)))


@dataclass(slots=True)
class Stage:
    """A conversation, and filters for its workspace."""

    client: Client
    conversation: Conversation
    home: Path

    @property
    def parent(self) -> str:
        """The workspace."""
        return self.conversation.workspace_id

    @property
    def where(self) -> str:
        """The conversation."""
        return self.conversation.conversation_id

    async def screened(self) -> list[Screening]:
        """What the conversation's log says of filters."""
        log = (await self.client.read_events(f"conversations/{self.where}")).events
        return [it.content_screened.screening for it in log if it.HasField("content_screened")]

    async def said(self) -> list[str]:
        """All texts of the conversation, the newest first."""
        return [
            part.text async for it in self.client.list_messages(self.where) for part in it.parts
        ]

    def kept(self, word: str) -> list[Path]:
        """The files that have it."""
        files = (it for it in self.home.rglob("*") if it.is_file())
        return [it for it in files if word.encode() in it.read_bytes()]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ServerProcess]:
    async with ServerProcess(tmp_path_factory.mktemp("filters")) as server:
        yield server


@pytest_asyncio.fixture(loop_scope="module")
async def it(server: ServerProcess) -> AsyncIterator[Stage]:
    """No filters stand before each test."""
    async with server.client() as client:
        conversation = await client.create_conversation(title="filtered")
        stage = Stage(client, conversation, server.data_dir)
        await client.set_filters(stage.parent, [])
        yield stage


def said(word: str = WORD) -> str:
    """Something with a word that a filter knows, and one that nobody else has."""
    return f"{CANARY} {word} {CANARY}"


async def refused(act: Awaitable[object]) -> None:
    """It ends as blocked, by the filter of words."""
    with pytest.raises(AntiphonError) as error:
        await act
    assert (error.value.reason, error.value.metadata["filter"]) == ("CONTENT_BLOCKED", "words")


async def test_what_is_blocked_is_nowhere(it: Stage) -> None:
    """Whoever says it is told why; the log says that it was, and nothing has it."""
    await it.client.set_filters(it.parent, [terms(FILTER_ACTION_BLOCK)])
    client, where = it.client, it.where
    await refused(client.dispatch(where, said()))
    await refused(client.dispatch(where, "hi", metadata={"note": said()}))
    await refused(client.post_message(where, said()))
    await refused(client.create_conversation(workspace_id=it.parent, title=said()))
    await refused(client.update_conversation(where, title=said()))
    async with client.converse(where) as live:
        await refused(live.post(said()))
    screened = await it.screened()
    assert len(screened) == 4  # those of a conversation's words are in no log of one
    assert all(one.refused and one.verdicts[0].categories == ["term"] for one in screened)
    assert len([one async for one in client.list_screenings(it.parent)]) == 6
    assert await it.said() == []
    assert it.kept(CANARY) == []


async def test_what_is_cut_out_is_nowhere(it: Stage) -> None:
    """The handler, the log and the history have the rest."""
    await it.client.set_filters(it.parent, [terms(FILTER_ACTION_SANITISE)])
    async with it.client.converse(it.where) as live:
        turn = await live.post(f"please {said()} this", handler="echo")
        answer = (await turn.result()).text
    assert answer == f"please {CANARY} [term] {CANARY} this"
    assert await it.said() == [answer, answer]
    assert it.kept(f"{CANARY} {WORD}") == []
    [one] = await it.screened()
    assert (one.refused, one.action, one.turn_id) == (False, FILTER_ACTION_SANITISE, turn.turn_id)


async def test_what_is_flagged_goes_on(it: Stage) -> None:
    """It is told of, and whole."""
    await it.client.set_filters(it.parent, [terms(FILTER_ACTION_FLAG)])
    message = await it.client.post_message(it.where, said())
    assert [part.text for part in message.parts] == [said()]
    assert [(one.refused, one.action) for one in await it.screened()] == [
        (False, FILTER_ACTION_FLAG)
    ]
