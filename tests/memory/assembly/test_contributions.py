"""What stands beside the messages: from several sources, each bounded, none in another's way."""

import asyncio
import time
from collections.abc import Sequence

import pytest

from antiphon_server.memory.assembled import Item, LeftOut, OfMessage, Source
from antiphon_server.memory.assembly.contributing import Asked, Contribution, Share, cost_of
from antiphon_server.memory.assembly.contributions import Contributions
from antiphon_server.memory.model import ConversationId, MessageId, Newest, WorkspaceId
from antiphon_server.runtime.access.principal import ANONYMOUS, Principal, UserId
from antiphon_server.runtime.errors import DomainError, Reason

ASKED = Asked(
    ANONYMOUS,
    ConversationId("conv_00000001"),
    "what?",
    Newest(MessageId(""), 0, 0, 0, 0),
    UserId(""),
    WorkspaceId(""),
    room=1000,
)


class Says:
    """Contributes these texts after a while, or fails."""

    source: type[Source] = OfMessage

    def __init__(
        self, *texts: str, wait_s: float = 0.0, fails: Exception | None = None, name: str = "it"
    ) -> None:
        self.texts, self.wait_s, self.fails, self.name = texts, wait_s, fails, name
        self.share = Share(4, 100)
        self.room = 0

    async def contribute(self, asked: Asked) -> Contribution:
        self.room = asked.room
        await asyncio.sleep(self.wait_s)
        if self.fails is not None:
            raise self.fails
        return Contribution([Item(OfMessage(MessageId(it), "", 0), it, 1) for it in self.texts])

    def told(self, asked: Asked, contribution: Contribution) -> str:
        return "\n".join(f"> {it.text}" for it in contribution.items)

    async def explained(
        self, principal: Principal, conversation_id: ConversationId, items: Sequence[Item]
    ) -> Sequence[Item]:
        return items


async def test_each_has_its_share() -> None:
    """And they are told in their order, a text each."""
    first, second = Says("one", "two"), Says("three")
    found = await Contributions([first, second]).beside(ASKED)
    assert found.texts == ["> one\n> two", "> three"]
    assert found.tokens == sum(map(cost_of, found.texts))
    assert [it.text for it in found.items] == ["one", "two", "three"]
    assert first.room == 100


async def test_no_text_is_told_twice() -> None:
    """The first one that says it does; spaces and case make no other text."""
    found = await Contributions([Says("One thing"), Says("one  THING", "other")]).beside(ASKED)
    assert [it.text for it in found.items] == ["One thing", "other"]
    assert found.left_out == [LeftOut(1, "another item says the same")]


async def test_they_are_asked_at_once_and_none_waits_for_another() -> None:
    """What takes too long is left out, and said to be."""
    begun = time.monotonic()
    some = [Says("one", wait_s=60, name="it"), Says("two", wait_s=0.2), Says("three", wait_s=0.2)]
    found = await Contributions(some, wait_s=0.3).beside(ASKED)
    assert time.monotonic() - begun < 5
    assert [it.text for it in found.items] == ["two", "three"]
    assert found.left_out == [LeftOut(0, "it took too long")]


@pytest.mark.parametrize("error", [DomainError(Reason.STORE_UNAVAILABLE), ValueError("a defect")])
async def test_one_that_fails_is_left_out(error: Exception) -> None:
    """Whatever is wrong with it; the others are told."""
    found = await Contributions([Says(fails=error), Says("two")]).beside(ASKED)
    assert [it.text for it in found.items] == ["two"]
    assert found.left_out == [LeftOut(0, "it can't be read now")]


async def test_one_that_fails_to_tell_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    """Its defect is logged, and the others are told."""

    class Mute(Says):
        def told(self, asked: Asked, contribution: Contribution) -> str:
            raise ValueError("a defect")

    found = await Contributions([Mute("one"), Says("two")]).beside(ASKED)
    assert [it.text for it in found.items] == ["two"]
    assert found.texts == ["> two"]
    assert found.left_out == [LeftOut(0, "it can't be read now")]
    assert "a defect" in caplog.text


async def test_all_together_have_half_of_the_budget() -> None:
    """Those that matter least are left out."""
    some = [Says("x" * 1400, name="a"), Says("y" * 1400, name="b"), Says("z", name="c")]
    found = await Contributions(some).beside(ASKED)
    assert [it.text[0] for it in found.items] == ["x", "z"]
    assert found.left_out == [LeftOut(1, "there was no more room for b")]


async def test_a_turn_that_is_cancelled_is_not_answered() -> None:
    """All who were asked are let go."""
    asking = asyncio.create_task(Contributions([Says(wait_s=60)]).beside(ASKED))
    await asyncio.sleep(0.05)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
