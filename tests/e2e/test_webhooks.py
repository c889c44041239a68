"""Webhooks of a real server, and a receiver that fails, hangs, leads away, is gone, recovers."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from antiphon.auth.v1.access_pb2 import ROLE_MEMBER
from antiphon.auth.v1.audit_pb2 import SecurityEvent
from antiphon.dispatcher.v1.turn_pb2 import Turn
from antiphon.dispatcher.v1.webhook_pb2 import (
    DELIVERY_OUTCOME_REFUSED,
    DELIVERY_OUTCOME_TAKEN,
    DELIVERY_STATE_DELIVERED,
    DELIVERY_STATE_FAILED,
)
from antiphon.events.v1.event_pb2 import (
    TURN_STATE_CANCELLED,
    TURN_STATE_FAILED,
    TURN_STATE_SUCCEEDED,
    WEBHOOK_DISABLED_REASON_GONE,
    WEBHOOK_DISABLED_REASON_UNSPECIFIED,
)
from antiphon_client import AntiphonError
from tests.e2e.server import ServerProcess
from tests.e2e.until import SOON_S, until, until_it
from tests.e2e.webhooks import LOCAL, Stage, somebody, staged
from tests.fakes.webhook_receiver import Answer, WebhookReceiver

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ServerProcess]:
    async with ServerProcess(tmp_path_factory.mktemp("webhooks"), variables=LOCAL) as server:
        yield server


@pytest_asyncio.fixture(loop_scope="module")
async def it(server: ServerProcess) -> AsyncIterator[Stage]:
    async with staged(server) as stage:
        yield stage


async def test_the_end_of_a_turn_is_posted_once_and_signed(it: Stage) -> None:
    turn = await it.turn()
    await until(lambda: len(it.receiver.received) == 1, SOON_S)
    (got,) = it.receiver.received
    assert got.signed_by == 1
    assert (got.body["type"], got.data["turnId"]) == ("turn.ended", turn.turn_id)


async def test_what_fails_is_posted_again_with_the_same_id(it: Stage) -> None:
    it.receiver.answers.append(Answer(503))
    await it.turn()
    await until(lambda: len(it.receiver.received) == 2, SOON_S)
    first, second = it.receiver.received
    assert first.notification_id == second.notification_id
    assert first.body == second.body
    assert second.signed_by == 1

    async def taken() -> bool:
        return (await it.deliveries())[0].state == DELIVERY_STATE_DELIVERED

    await until_it(taken, SOON_S)
    (delivery,) = await it.deliveries()
    assert (delivery.attempts, delivery.status_code) == (2, 200)
    assert not (await it.now()).HasField("failing_since")


async def test_a_receiver_says_when_to_come_again(it: Stage) -> None:
    it.receiver.always = Answer(429, {"Retry-After": "3600"})
    await it.turn()
    await until_it(lambda: tried(it), SOON_S)
    (delivery,) = await it.deliveries()
    pause_s = delivery.next_attempt_time.seconds - delivery.attempt_time.seconds
    assert pause_s >= 3600
    assert (await it.now()).HasField("failing_since")


async def test_redirects_are_not_followed(it: Stage) -> None:
    async with WebhookReceiver() as elsewhere:
        it.receiver.always = Answer(307, {"Location": elsewhere.hook})
        told = await it.client.test_webhook(it.webhook.webhook_id)
        assert (told.outcome, told.status_code) == (DELIVERY_OUTCOME_REFUSED, 307)
        assert not elsewhere.received


async def test_what_is_gone_is_told_nothing_more_and_its_creator_knows(it: Stage) -> None:
    it.receiver.always = Answer(410)
    await it.turn()
    await until_it(lambda: is_disabled(it), SOON_S)
    assert (await it.now()).disabled_reason == WEBHOOK_DISABLED_REASON_GONE
    assert [each.state for each in await it.deliveries()] == [DELIVERY_STATE_FAILED]
    await until_it(lambda: knows_of_disabled(it), SOON_S)
    missed = await it.turn()
    await until_it(lambda: knows_of(it, missed), SOON_S)
    assert len(await it.deliveries()) == 1
    with pytest.raises(AntiphonError) as refused:
        await it.client.redeliver(it.webhook.webhook_id, it.receiver.ids[0])
    assert refused.value.reason == "WEBHOOK_DISABLED"

    it.receiver.always, webhook = Answer(), await it.now()
    webhook.disabled = False
    enabled = await it.client.update_webhook(webhook, "disabled")
    assert enabled.disabled_reason == WEBHOOK_DISABLED_REASON_UNSPECIFIED
    await it.client.redeliver(it.webhook.webhook_id, it.receiver.ids[0])
    await until(lambda: it.receiver.ids.count(it.receiver.ids[0]) == 2, SOON_S)


async def test_a_receiver_that_hangs_holds_up_no_other(it: Stage) -> None:
    async with WebhookReceiver() as slow:
        slow.always = Answer(hangs_s=600)
        await it.client.create_webhook(slow.hook)
        for _ in range(12):
            await it.turn()
        await until(lambda: len(it.receiver.received) == 12, SOON_S)
        assert len(slow.received) <= 4


async def test_both_secrets_sign_behind_a_rotation(it: Stage) -> None:
    webhook, secret = await it.client.rotate_webhook_secret(it.webhook.webhook_id)
    assert webhook.secret_count == 2
    it.receiver.secrets.append(secret)
    await it.turn()
    await until(lambda: len(it.receiver.received) == 1, SOON_S)
    assert it.receiver.received[0].signed_by == 2


async def test_a_secret_is_told_once_and_again_to_who_repeats_making_it(it: Stage) -> None:
    made = await it.client.create_webhook(it.receiver.hook, webhook_id=it.webhook.webhook_id)
    assert made[1] == it.receiver.secrets[0]
    assert it.receiver.secrets[0] not in str(await it.now())
    assert it.receiver.secrets[0] not in it.server.output


async def test_a_test_says_what_came_of_it(it: Stage) -> None:
    told = await it.client.test_webhook(it.webhook.webhook_id)
    assert (told.outcome, told.status_code) == (DELIVERY_OUTCOME_TAKEN, 200)
    (got,) = it.receiver.received
    assert (got.body["type"], got.notification_id) == ("webhook.test", told.notification_id)
    assert got.signed_by == 1
    assert not await it.deliveries()


async def test_nothing_that_anybody_said_is_posted(it: Stage) -> None:
    await it.turn("a canary in the text")
    await until(lambda: len(it.receiver.received) == 1, SOON_S)
    assert "canary" not in str(it.receiver.received[0].body)


async def test_filters_leave_out_what_is_not_wanted(it: Stage) -> None:
    webhook = await it.now()
    webhook.states.append(TURN_STATE_FAILED)
    await it.client.update_webhook(webhook, "states")
    async with WebhookReceiver() as other:
        await it.client.create_webhook(other.hook, handlers=["nobody"])
        async with WebhookReceiver() as all_of_it:
            await it.client.create_webhook(all_of_it.hook, handlers=["echo"])
            await it.turn()
            await until(lambda: len(all_of_it.received) == 1, SOON_S)
        assert not other.received
    assert not it.receiver.received


async def test_a_workspaces_webhook_is_told_of_all_its_turns_and_no_others(it: Stage) -> None:
    workspace = (await it.client.create_conversation()).workspace_id
    async with somebody(it.server) as other, WebhookReceiver() as receiver:
        webhook, _ = await it.client.create_webhook(receiver.hook, workspace)
        them = (await other.who_am_i()).user.user_id
        await it.client.add_member(workspace, them, ROLE_MEMBER)
        inside = (await other.create_conversation(workspace_id=workspace)).conversation_id
        turn = (await other.dispatch(inside, "hello", handler="echo")).turn
        elsewhere = (await other.create_conversation()).conversation_id
        await other.dispatch(elsewhere, "not yours", handler="echo")
        await it.turn()
        await until(lambda: len(receiver.received) == 2, SOON_S)
        told = {each.data["creator"]: each.data["turnId"] for each in receiver.received}
        assert told[f"users/{them}"] == turn.turn_id
        assert told.keys() == {f"users/{them}", f"users/{it.user_id}"}
        await until(lambda: len(it.receiver.received) == 1, SOON_S)
        with pytest.raises(AntiphonError) as refused:
            await other.get_webhook(webhook.webhook_id, workspace)
        assert refused.value.reason == "PERMISSION_DENIED"


async def test_anothers_webhook_is_not_found(it: Stage) -> None:
    which = it.webhook.webhook_id
    async with somebody(it.server) as other:
        for call in (
            other.get_webhook(which),
            other.update_webhook(await it.now(), "description"),
            other.rotate_webhook_secret(which),
            other.test_webhook(which),
            other.redeliver(which, "ntf_12345678"),
            anext(other.list_deliveries(which)),
        ):
            with pytest.raises(AntiphonError) as refused:
                await call
            assert refused.value.reason == "NOT_FOUND"
        with pytest.raises(AntiphonError) as taken:
            await other.create_webhook(it.receiver.hook, webhook_id=which)
        assert taken.value.reason == "ALREADY_EXISTS"
        await other.delete_webhook(which)
        assert not await other.list_webhooks()
    assert (await it.now()).webhook_id == which


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://169.254.169.254/latest", "EGRESS_DENIED"),
        ("http://10.1.2.3/hook", "EGRESS_DENIED"),
        ("http://[::ffff:10.1.2.3]/hook", "EGRESS_DENIED"),
        ("http://0x7f000001/hook", "EGRESS_DENIED"),
        ("http://me:word@somewhere.example/", "EGRESS_DENIED"),
        ("ftp://somewhere.example/", "INVALID_ARGUMENT"),
        ("https://", "INVALID_ARGUMENT"),
    ],
)
async def test_addresses_that_may_not_be_called_are_refused(
    it: Stage, url: str, reason: str
) -> None:
    with pytest.raises(AntiphonError) as refused:
        await it.client.create_webhook(url)
    assert refused.value.reason == reason


async def test_there_is_a_limit_of_webhooks(it: Stage) -> None:
    for _ in range(19):
        await it.client.create_webhook(it.receiver.hook)
    with pytest.raises(AntiphonError) as refused:
        await it.client.create_webhook(it.receiver.hook)
    assert refused.value.reason == "LIMIT_EXCEEDED"


async def test_who_is_not_looking_is_told_in_their_own_log(it: Stage) -> None:
    turn = await it.turn()
    await until_it(it.notified, SOON_S)
    (event,) = await it.notified()
    told = event.turn_notified
    assert (told.turn_id, told.state) == (turn.turn_id, TURN_STATE_SUCCEEDED)
    assert (told.conversation_id, told.handler) == (turn.conversation_id, "echo")
    assert told.reply_message_id == turn.reply_message_id
    await until(lambda: len(it.receiver.received) == 1, SOON_S)
    assert it.receiver.ids == [told.notification_id]


async def test_who_watches_the_conversation_is_told_nothing_more(it: Stage) -> None:
    where = (await it.client.create_conversation()).conversation_id
    async with it.client.converse(where) as live:
        await (await live.post("hello", handler="echo")).result()
        await until(lambda: len(it.receiver.received) == 1, SOON_S)
    assert not await it.notified()


async def test_others_are_told_nothing(it: Stage) -> None:
    async with staged(it.server) as other:
        await it.turn()
        await until(lambda: len(it.receiver.received) == 1, SOON_S)
        assert not await other.notified()
        assert not other.receiver.received


async def test_a_turn_that_was_stopped_is_told_to_webhooks_alone(it: Stage) -> None:
    turn = await it.started("sleep", handler="echo")
    await it.client.cancel_turn(turn.conversation_id, turn.turn_id)
    ended = await it.ended(turn)
    await until(lambda: len(it.receiver.received) == 1, SOON_S)
    if ended.state == TURN_STATE_CANCELLED:
        assert it.receiver.received[0].data["state"] == "TURN_STATE_CANCELLED"
        assert not await it.notified()


async def test_what_is_changed_is_in_the_audit_trail(it: Stage) -> None:
    webhook = await it.now()
    webhook.description = "told"
    await it.client.update_webhook(webhook, "description")
    await it.client.rotate_webhook_secret(webhook.webhook_id)
    await it.client.delete_webhook(webhook.webhook_id)
    async with it.server.client() as operator:
        told = [each async for each in operator.list_security_events()]
    found = [name for each in told if (name := kind(each, webhook.webhook_id))]
    assert sorted(found) == [
        "webhook_created",
        "webhook_deleted",
        "webhook_secret_rotated",
        "webhook_updated",
    ]


def kind(event: SecurityEvent, webhook_id: str) -> str:
    """What was done to that webhook, if anything."""
    name = event.WhichOneof("detail") or ""
    return name if getattr(getattr(event, name), "webhook_id", "") == webhook_id else ""


async def tried(it: Stage) -> bool:
    """Whether its newest delivery was tried."""
    found = await it.deliveries()
    return bool(found) and found[0].attempts > 0


async def is_disabled(it: Stage) -> bool:
    """Whether it is told nothing."""
    return (await it.now()).disabled


async def knows_of(it: Stage, turn: Turn) -> bool:
    """Whether its creator is told that it ended."""
    return turn.turn_id in {each.turn_notified.turn_id for each in await it.notified()}


async def knows_of_disabled(it: Stage) -> bool:
    """Whether its creator is told."""
    return any(each.HasField("webhook_disabled") for each in await it.notified())
