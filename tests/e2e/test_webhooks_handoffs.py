"""Whose queue it is, and who has asked, are told of hand-offs by webhooks."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from antiphon.auth.v1.access_pb2 import ROLE_MEMBER
from antiphon.context.v1.conversation_pb2 import Conversation
from antiphon.dispatcher.v1.turn_pb2 import Turn
from antiphon.events.v1.event_pb2 import (
    NOTIFICATION_KIND_HANDOFF_ENDED,
    NOTIFICATION_KIND_TURN_HANDED_OFF,
)
from antiphon_client import AntiphonError, Client
from tests.e2e.process import all_of
from tests.e2e.server import ServerProcess
from tests.e2e.speaking import speaks
from tests.e2e.until import until, until_it
from tests.e2e.webhooks import LOCAL, Stage, staged
from tests.fakes.webhook_receiver import WebhookReceiver

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ServerProcess]:
    home: Path = tmp_path_factory.mktemp("handed")
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


async def _where(it: Stage, operator: Client) -> Conversation:
    """A conversation of the operator's, in which somebody asks."""
    where = await operator.create_conversation()
    await operator.add_member(where.conversation_id, it.user_id, ROLE_MEMBER)
    return where


async def _handed(it: Stage, where: str) -> Turn:
    turn = (await it.client.dispatch(where, "may I?", handler="people")).turn

    async def waits() -> bool:
        return (await it.client.get_turn(where, turn.turn_id)).HasField("handoff")

    await until_it(waits)
    return await it.client.get_turn(where, turn.turn_id)


async def test_the_queues_people_and_who_has_asked_are_told(it: Stage, operator: Client) -> None:
    """A workspace's webhook names its kinds; who asked is told all, and in their own log."""
    where = await _where(it, operator)
    kinds = [NOTIFICATION_KIND_TURN_HANDED_OFF, NOTIFICATION_KIND_HANDOFF_ENDED]
    async with WebhookReceiver() as queue:
        hook, secret = await operator.create_webhook(
            queue.hook, workspace_id=where.workspace_id, kinds=kinds
        )
        queue.secrets.append(secret)
        turn = await _handed(it, where.conversation_id)
        await until(lambda: len(queue.received) == 1)
        (waiting,) = queue.received
        assert waiting.signed_by == 1
        assert waiting.body["type"] == "turn.handed_off"
        assert waiting.data["handoffId"] == turn.handoff.handoff_id
        assert waiting.data["handoffRole"] == "ROLE_MEMBER"
        assert waiting.data["creator"] == f"users/{it.user_id}"
        await operator.answer_handoff(where.conversation_id, turn.handoff.handoff_id, "You may.")
        await until(lambda: len(queue.received) == 2)
        assert queue.received[1].body["type"] == "handoff.ended"
        assert queue.received[1].data["handoffEnd"] == "HANDOFF_END_ANSWERED"
        await operator.delete_webhook(hook.webhook_id, where.workspace_id)
    await until(lambda: len(it.receiver.received) == 3)
    types = {got.body["type"] for got in it.receiver.received}
    assert types == {"turn.handed_off", "handoff.ended", "turn.ended"}
    logged = [event.turn_notified.handoff_id for event in await it.notified()]
    assert logged.count(turn.handoff.handoff_id) == 2


@pytest.mark.parametrize("end", ["DECLINED", "RETURNED"])
async def test_each_end_is_told_to_who_has_asked(it: Stage, operator: Client, end: str) -> None:
    where = (await _where(it, operator)).conversation_id
    handoff_id = (await _handed(it, where)).handoff.handoff_id
    if end == "DECLINED":
        await operator.decline_handoff(where, handoff_id)
    else:
        await operator.return_handoff(where, handoff_id, "echo")
    await until(lambda: len(it.receiver.received) == 3)
    ends = [got.data.get("handoffEnd") for got in it.receiver.received]
    assert f"HANDOFF_END_{end}" in ends


async def test_that_it_has_expired_is_told(it: Stage) -> None:
    turn = await it.started(" ".join(["word"] * 400))
    await speaks(it.client, turn.conversation_id, turn.turn_id)
    soon = timedelta(seconds=0.5)
    await it.client.hand_off_turn(turn.conversation_id, turn.turn_id, expire_after=soon)
    await until(lambda: len(it.receiver.received) == 3)
    ends = [got.data.get("handoffEnd") for got in it.receiver.received]
    assert "HANDOFF_END_EXPIRED" in ends


async def test_over_a_restart_each_has_one_id(tmp_path: Path) -> None:
    """What waits is told again by the next life, and known by its id."""
    server = ServerProcess(tmp_path, variables=LOCAL)
    async with all_of([server]), staged(server) as it:
        where = (await it.client.create_conversation()).conversation_id
        handoff_id = (await _handed(it, where)).handoff.handoff_id
        await until(lambda: len(it.receiver.received) == 1)
        await server.kill()
        await server.start()

        async def answered() -> bool:
            try:
                await it.client.answer_handoff(where, handoff_id, "You may.")
            except AntiphonError:
                return False
            return True

        await until_it(answered)
        await until(lambda: len(set(it.receiver.ids)) == 3)
        logged = [event.turn_notified.notification_id for event in await it.notified()]
        assert sorted(logged) == sorted(set(it.receiver.ids))
