"""Filters stand before all who work on what is said, whichever way it comes."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from antiphon.context.v1.conversation_pb2 import Conversation
from antiphon.context.v1.filter_pb2 import (
    FILTER_ACTION_BLOCK,
    Filter,
    FilterAction,
    Screening,
    TermsFilter,
)
from antiphon_client import AntiphonError, Client
from tests.e2e.server import ServerProcess

pytestmark = pytest.mark.asyncio(loop_scope="module")
CANARY = "zanzibarcanary"


def terms(action: FilterAction.ValueType, *words: str) -> Filter:
    """A filter of these words."""
    return Filter(name="words", action=action, terms=TermsFilter(terms=words or (CANARY,)))


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


async def test_what_is_blocked_is_nowhere(it: Stage) -> None:
    """Whoever says it is told why; the log says that it was, and nothing has it."""
    await it.client.set_filters(it.parent, [terms(FILTER_ACTION_BLOCK, CANARY[1:])])
    with pytest.raises(AntiphonError, match="words") as refused:
        await it.client.dispatch(it.where, f"say {CANARY[1:]} now")
    assert refused.value.reason == "CONTENT_BLOCKED"
    with pytest.raises(AntiphonError, match="words"):
        await it.client.post_message(it.where, f"say {CANARY[1:]} now")
    assert [(one.refused, one.verdicts[0].filter) for one in await it.screened()] == [
        (True, "words"),
        (True, "words"),
    ]
    assert await it.said() == []
