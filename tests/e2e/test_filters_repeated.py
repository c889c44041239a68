"""What is said to a turn again is answered as before: filters look at it, and tell of it, once."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from antiphon.context.v1.filter_pb2 import (
    FILTER_ACTION_BLOCK,
    FILTER_ACTION_SANITISE,
    Filter,
    FilterAction,
    TermsFilter,
)
from antiphon.integration.v1.tool_pb2 import TOOL_RULE_ASK
from antiphon_client import AntiphonError, Client
from tests.e2e.entrances.beside import _handed as handed
from tests.e2e.server import ServerProcess
from tests.e2e.test_tools import ASK, MODEL, TIME
from tests.e2e.test_tools import _seen as seen

pytestmark = pytest.mark.asyncio(loop_scope="module")
WORD = "forbiddenword"
Says = Callable[[str], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Stage:
    """A workspace where each call of the time is asked for."""

    client: Client
    parent: str

    async def stand(self, action: FilterAction.ValueType) -> None:
        """One filter of words."""
        it = Filter(name="words", action=action, terms=TermsFilter(terms=[WORD]))
        await self.client.set_filters(self.parent, [it])

    async def told(self) -> list[str]:
        """What filters have said so far."""
        return [it.screening_id async for it in self.client.list_screenings(self.parent)]

    async def called(self) -> tuple[str, str, Any]:
        """A conversation, its turn, and a call of it that waits."""
        where = (await self.client.create_conversation(tools=[TIME])).conversation_id
        turn_id = (await self.client.dispatch(where, ASK)).turn.turn_id
        event = await seen(self.client, where, "tool_call_proposed")
        return where, turn_id, event.tool_call_proposed


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def it(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """A server behind no filters."""
    async with (
        ServerProcess(tmp_path_factory.mktemp("repeated"), models=[MODEL]) as server,
        server.client() as client,
    ):
        parent = (await client.create_conversation()).workspace_id
        await client.set_tool_rule(parent, TIME, TOOL_RULE_ASK)
        yield Stage(client, parent)
        assert server.defects == []


async def deciding(it: Stage) -> Says:
    """Denies a call, and says why."""
    where, turn_id, call = await it.called()
    return lambda why: it.client.decide_tool_call(where, turn_id, call, approve=False, reason=why)


async def handing_off(it: Stage) -> Says:
    """Hands a turn to people, and says why."""
    where, turn_id, _ = await it.called()

    async def hand_off(why: str) -> str:
        turn = await it.client.hand_off_turn(where, turn_id, why)
        return turn.handoff.handoff_id

    return hand_off


async def answering(it: Stage) -> Says:
    """Answers a turn that waits for people."""
    where, handoff_id = await handed(it.client)
    return lambda text: it.client.answer_handoff(where, handoff_id, text)


async def returning(it: Stage) -> Says:
    """Gives it back, and says why."""
    where, handoff_id = await handed(it.client)

    async def give_back(note: str) -> str:
        turn = await it.client.return_handoff(where, handoff_id, handler="echo", note=note)
        return turn.turn_id

    return give_back


async def declining(it: Stage) -> Says:
    """Declines it, and says why."""
    where, handoff_id = await handed(it.client)
    return lambda note: it.client.decline_handoff(where, handoff_id, note)


@pytest.mark.parametrize("way", [deciding, handing_off, answering, returning, declining])
async def test_what_is_said_to_a_turn_again(
    it: Stage, way: Callable[[Stage], Awaitable[Says]]
) -> None:
    """It has the first answer, whatever filters would say of it by now, who say nothing of it."""
    await it.client.set_filters(it.parent, [])
    says = await way(it)
    await it.stand(FILTER_ACTION_SANITISE)
    first, told = await says(f"a {WORD}"), await it.told()
    for action in (FILTER_ACTION_SANITISE, FILTER_ACTION_BLOCK):
        await it.stand(action)
        assert await says(f"a {WORD}") == first
    assert await it.told() == told


async def test_what_nobody_waits_for_is_not_looked_at(it: Stage) -> None:
    """It is refused for that, and nothing of it is told."""
    await it.client.set_filters(it.parent, [])
    where, turn_id, call = await it.called()
    await it.client.cancel_turn(where, turn_id)
    await seen(it.client, where, "turn_finished")
    await it.stand(FILTER_ACTION_BLOCK)
    told = await it.told()
    for act, why in (
        (it.client.decide_tool_call(where, turn_id, call, approve=False, reason=WORD), "ENDED"),
        (it.client.hand_off_turn(where, turn_id, WORD), "IMPOSSIBLE"),
    ):
        with pytest.raises(AntiphonError) as refused:
            await act
        assert refused.value.reason.endswith(why)
    assert await it.told() == told
