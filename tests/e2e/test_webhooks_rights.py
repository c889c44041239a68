"""Webhooks of those who may know something no more: nothing about it is posted."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from antiphon.auth.v1.access_pb2 import ROLE_MEMBER
from antiphon.dispatcher.v1.webhook_pb2 import (
    DELIVERY_OUTCOME_ACCESS_LOST,
    DELIVERY_STATE_DELIVERED,
    DELIVERY_STATE_FAILED,
    DELIVERY_STATE_WAITING,
)
from antiphon_client import Client
from tests.e2e.server import ServerProcess
from tests.e2e.until import until, until_it
from tests.e2e.webhooks import LOCAL, Stage, staged
from tests.fakes.webhook_receiver import Answer

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


async def test_who_is_disabled_is_told_nothing_more(it: Stage, operator: Client) -> None:
    """Also of what was tried before. Enabled again, they are told what comes then."""
    it.receiver.always = Answer(503)
    await it.turn()
    await until(lambda: len(it.receiver.received) == 1)

    async def noted() -> bool:
        return [each.attempts for each in await it.deliveries()] == [1]

    await until_it(noted)
    assert [each.state for each in await it.deliveries()] == [DELIVERY_STATE_WAITING]
    await operator.update_user(it.user_id, disabled=True)
    await asyncio.sleep(8)  # the pause behind the first attempt is five to six seconds
    await operator.update_user(it.user_id, disabled=False)
    (kept,) = await it.deliveries()
    assert (kept.state, kept.outcome) == (DELIVERY_STATE_FAILED, DELIVERY_OUTCOME_ACCESS_LOST)
    assert len(it.receiver.received) == 1
    it.receiver.always = Answer()
    await it.turn()
    await until(lambda: len(it.receiver.received) == 2)


async def test_who_may_not_read_there_any_more_is_told_nothing_of_it(
    it: Stage, operator: Client
) -> None:
    """Neither by a webhook nor in their own log; the webhook counts as working."""
    where = (await operator.create_conversation()).conversation_id
    await operator.add_member(where, it.user_id, ROLE_MEMBER)
    turn = (await it.client.dispatch(where, "may I?", handler="people")).turn
    await until(lambda: len(it.receiver.received) == 1)  # that it waits

    async def noted() -> bool:
        return [each.state for each in await it.deliveries()] == [DELIVERY_STATE_DELIVERED]

    await until_it(noted)
    await operator.remove_member(where, it.user_id)
    handoff_id = (await operator.get_turn(where, turn.turn_id)).handoff.handoff_id
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
