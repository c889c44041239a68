"""Webhooks of those who may know something no more: nothing about it is posted."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from antiphon.auth.v1.access_pb2 import ROLE_MEMBER
from antiphon.dispatcher.v1.webhook_pb2 import (
    DELIVERY_OUTCOME_ACCESS_LOST,
    DELIVERY_STATE_DELIVERED,
    DELIVERY_STATE_FAILED,
)
from antiphon_client import Client
from tests.e2e.server import ServerProcess
from tests.e2e.test_set_aside import metric
from tests.e2e.until import until, until_it
from tests.e2e.webhooks import LOCAL, Stage, staged

LOST = 'antiphon_webhook_attempts_total{outcome="access_lost"}'
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ServerProcess]:
    home: Path = tmp_path_factory.mktemp("rights")
    async with ServerProcess(home, variables=LOCAL) as server:
        yield server


@pytest_asyncio.fixture(loop_scope="module")
async def operator(server: ServerProcess) -> AsyncIterator[Client]:
    async with server.client() as client:
        yield client


@pytest_asyncio.fixture(loop_scope="module")
async def it(server: ServerProcess) -> AsyncIterator[Stage]:
    async with staged(server) as stage:
        yield stage


async def waits_for_people(it: Stage, operator: Client) -> tuple[str, str]:
    """A turn of the user's that waits in a conversation of the operator's, and the hand-off."""
    where = (await operator.create_conversation()).conversation_id
    await operator.add_member(where, it.user_id, ROLE_MEMBER)
    turn = (await it.client.dispatch(where, "may I?", handler="people")).turn

    async def noted() -> bool:
        return [each.state for each in await it.deliveries()] == [DELIVERY_STATE_DELIVERED]

    await until_it(noted)  # that it waits
    return where, (await operator.get_turn(where, turn.turn_id)).handoff.handoff_id


async def test_who_is_disabled_is_told_nothing_more(it: Stage, operator: Client) -> None:
    """Neither by a webhook nor in their own log. Enabled again, they are told what comes then."""
    where, handoff_id = await waits_for_people(it, operator)
    assert len(await it.notified()) == 1
    await operator.update_user(it.user_id, disabled=True)
    await operator.answer_handoff(where, handoff_id, "you may not")

    async def tried() -> bool:
        return await metric(it.server, LOST) == 2

    await until_it(tried)  # that the hand-off and the turn have ended
    await operator.update_user(it.user_id, disabled=False)
    *newest, _ = await it.deliveries()
    assert [(each.state, each.outcome) for each in newest] == [
        (DELIVERY_STATE_FAILED, DELIVERY_OUTCOME_ACCESS_LOST)
    ] * 2
    assert (len(it.receiver.received), len(await it.notified())) == (1, 1)
    await it.turn()
    await until(lambda: len(it.receiver.received) == 2)


async def test_who_may_not_read_there_any_more_is_told_nothing_of_it(
    it: Stage, operator: Client
) -> None:
    """Neither by a webhook nor in their own log; the webhook counts as working."""
    where, handoff_id = await waits_for_people(it, operator)
    await operator.remove_member(where, it.user_id)
    await operator.answer_handoff(where, handoff_id, "you may not")

    async def settled() -> bool:
        newest = (await it.deliveries())[:-1]
        return [each.state for each in newest] == [DELIVERY_STATE_FAILED] * 2

    await until_it(settled)
    newest = (await it.deliveries())[:-1]
    assert {each.outcome for each in newest} == {DELIVERY_OUTCOME_ACCESS_LOST}
    assert len(it.receiver.received) == 1
    assert not (await it.now()).HasField("failing_since")
    assert len(await it.notified()) == 1
