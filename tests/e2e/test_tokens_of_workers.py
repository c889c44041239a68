"""A worker's stream ends with its token, its session, and its right to the last of its handlers."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from antiphon.auth.v1 import access_pb2
from antiphon.auth.v1 import auth_service_pb2 as auth_pb
from antiphon.auth.v1.auth_service_pb2_grpc import AuthServiceStub
from antiphon.dispatcher.v1 import worker_pb2
from tests.workers.bare import BareWorker, finish, introduced, signed, text, token_of
from tests.workers.staged import Stage, staged

pytestmark = pytest.mark.asyncio(loop_scope="module")
SOON_S = 1.0
TOKEN_S = 6.0
"""So long tokens last here."""
SLACK_S = 1.0
"""Of a busy machine, and of a token's whole seconds."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def whole(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    async with staged(tmp_path_factory.mktemp("tokens")) as stage:
        yield stage


@pytest_asyncio.fixture(loop_scope="module")
async def stage(whole: Stage) -> AsyncIterator[Stage]:
    async with whole.bystanders():
        yield whole


async def _ended(worker: BareWorker, since: float) -> str:
    why = await worker.ended()
    took = time.monotonic() - since
    print(f"ended {took * 1000:.0f} ms after that")
    assert took < SOON_S + SLACK_S
    return why


async def test_another_users_token(stage: Stage) -> None:
    """The stream ends; its turn is not the other's."""
    hello = introduced("bad")
    worker = await stage.worker(hello=hello)
    assign = await stage.assigned(worker)
    refresh = worker_pb2.RefreshWorkerToken(access_token=await stage.token("other"))
    await worker.say(refresh=refresh)
    assert await _ended(worker, time.monotonic()) == "TOKEN_INVALID"
    hello.held.add(turn_id=assign.turn_id, conversation_id=assign.conversation_id, fence=1)
    back = await stage.worker(hello=hello)
    held = await back.told("assign")
    await back.say(**finish(held, 0))
    assert await stage.done(assign) == ("SUCCEEDED", 1, [])


async def test_a_token_that_is_none(stage: Stage) -> None:
    worker = await stage.worker()
    await worker.say(refresh=worker_pb2.RefreshWorkerToken(access_token="nonsense"))
    assert await _ended(worker, time.monotonic()) == "TOKEN_INVALID"


async def test_a_token_that_may_not_work(stage: Stage) -> None:
    """Of the same user, by a key for something else."""
    program = await stage.client.get_user("bad")
    reads = await stage.client.new_api_key(
        "reads", scopes=[access_pb2.SCOPE_READ], user_id=program.user_id
    )
    worker = await stage.worker()
    token = await token_of(stage.channel, reads.secret)
    await worker.say(refresh=worker_pb2.RefreshWorkerToken(access_token=token))
    assert await _ended(worker, time.monotonic()) == "SCOPE_MISSING"


async def test_a_turns_own_grant(stage: Stage) -> None:
    """It is no token of a worker's."""
    worker = await stage.worker()
    assign = await stage.assigned(worker)
    await worker.say(refresh=worker_pb2.RefreshWorkerToken(access_token=assign.grant))
    assert await _ended(worker, time.monotonic()) == "TOKEN_INVALID"
    # It is refused before its first frame, which would be lost on its way.
    assert await BareWorker(stage.channel, assign.grant).ended() == "PERMISSION_DENIED"


async def test_a_session_that_has_ended(stage: Stage) -> None:
    """By its user elsewhere; a stream that was refreshed from another one goes on."""
    token, next_token = await stage.token(), await stage.token()
    hello = introduced("bad")
    worker, other = BareWorker(stage.channel, token), BareWorker(stage.channel, token)
    await worker.welcomed(hello)
    await other.welcomed(introduced("bad"))
    await other.say(refresh=worker_pb2.RefreshWorkerToken(access_token=next_token))
    await other.say(heartbeat=worker_pb2.Heartbeat())
    await other.told("beat")
    began = time.monotonic()
    await AuthServiceStub(stage.channel).Logout(auth_pb.LogoutRequest(), metadata=signed(token))
    assert await _ended(worker, began) == "SESSION_REVOKED"
    await other.say(heartbeat=worker_pb2.Heartbeat())
    await other.told("beat")
    other.cut()


async def test_a_right_that_was_taken_away(stage: Stage) -> None:
    """The turn goes on at who has it still; with the last right, the stream ends."""
    program = await stage.client.get_user("bad")
    await stage.client.allow_worker("global", "more", program.user_id)
    heir = await stage.client.get_user("other")
    await stage.client.allow_worker("global", "more", heir.user_id)
    worker = await stage.worker(hello=introduced("more", "bad"))
    assign = await stage.assigned(worker, "more")
    other = await stage.worker("other", introduced("more"))
    began = time.monotonic()
    await stage.client.forbid_worker("global", "more", program.user_id)
    revoke = await worker.told("revoke")
    assert time.monotonic() - began < SOON_S + SLACK_S
    assert revoke.reason == worker_pb2.REVOKE_REASON_REMOVED
    assert await worker.rejected(**text(assign, 1, "never")) == "TURN_NOT_HELD"
    again = await other.told("assign")
    await other.say(**finish(again, 0))
    assert (await stage.done(assign))[0] == "SUCCEEDED"
    began = time.monotonic()
    await stage.client.forbid_worker("global", "bad", program.user_id)
    assert await _ended(worker, began) == "HANDLER_NOT_ALLOWED"
    await stage.client.allow_worker("global", "bad", program.user_id)


async def test_a_right_that_is_taken_away_while_it_is_away(stage: Stage) -> None:
    """It comes back for another handler, and holds the turn: it does not go on with it."""
    program = await stage.client.get_user("bad")
    heir = await stage.client.get_user("other")
    for it in (program, heir):
        await stage.client.allow_worker("global", "more", it.user_id)
    hello = introduced("more", "bad")
    worker = await stage.worker(hello=hello)
    assign = await stage.assigned(worker, "more")
    worker.cut()
    await stage.client.forbid_worker("global", "more", program.user_id)
    hello.held.add(turn_id=assign.turn_id, conversation_id=assign.conversation_id, fence=1)
    back = await stage.worker(hello=hello)
    assert await back.rejected(**text(assign, 1, "never")) == "TURN_NOT_HELD"
    other = await stage.worker("other", introduced("more"))
    again = await other.told("assign")
    await other.say(**text(again, 1, "mine"))
    await other.say(**finish(again, 1))
    state, _, said = await stage.done(assign)
    assert (state, said) == ("SUCCEEDED", ["mine"])


async def test_a_token_that_expires(stage: Stage) -> None:
    """Within a second; one that is refreshed in time goes on."""
    program = await stage.client.get_user("bad")
    wish = auth_pb.CreateApiKeyRequest(label="short", user_id=program.user_id)
    wish.scopes.append(access_pb2.SCOPE_WORK)
    wish.ttl.FromSeconds(round(TOKEN_S))
    operator = signed(await stage.client.tokens.get())
    began = time.monotonic()
    short = await AuthServiceStub(stage.channel).CreateApiKey(wish, metadata=operator)
    token = await token_of(stage.channel, short.secret)
    worker, other = BareWorker(stage.channel, token), BareWorker(stage.channel, token)
    await worker.welcomed(introduced("bad"))
    await other.welcomed(introduced("bad"))
    await other.say(refresh=worker_pb2.RefreshWorkerToken(access_token=await stage.token()))
    await asyncio.sleep(TOKEN_S / 2)
    for each in (worker, other):
        await each.say(heartbeat=worker_pb2.Heartbeat())
        await each.told("beat")
    assert await _ended(worker, began + TOKEN_S) in ("TOKEN_EXPIRED", "SESSION_REVOKED")
    assert time.monotonic() - began > TOKEN_S - SLACK_S - SOON_S
    await other.say(heartbeat=worker_pb2.Heartbeat())
    await other.told("beat")
    other.cut()
