"""Who behaves oddly is flagged, throttled by two servers, and cleared with a reason."""

import asyncio
import base64
import os
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from antiphon.auth.v1.audit_pb2 import SecurityEvent
from antiphon.context.v1.anomaly_pb2 import (
    FLAG_EFFECT_THROTTLE,
    Detector,
    Flag,
    RateDetector,
    RepetitionDetector,
    VerdictsDetector,
)
from antiphon.context.v1.filter_pb2 import FILTER_ACTION_BLOCK, Filter, TermsFilter
from antiphon_client import AntiphonError, Client
from tests.e2e.process import all_of
from tests.e2e.server import ServerProcess
from tests.e2e.until import until_it
from tests.fakes.postgres import Postgres

pytestmark = pytest.mark.asyncio(loop_scope="module")
WITHIN_S = 1.0
"""Throttling bites within that, on both servers."""
RATE = Detector(
    name="floods", rate=RateDetector(most=10), effect=FLAG_EFFECT_THROTTLE, throttle_per_minute=1
)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two servers on one database, and a client of each: the same user's."""

    clients: tuple[Client, Client]

    async def flags(self, parent: str, at: int = 1) -> list[Flag]:
        """The open ones, as a server tells them."""
        return [it async for it in self.clients[at].list_flags(parent)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pair(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pair]:
    variables = {
        "ANTIPHON_DATABASE_URL": await postgres.database(),
        "ANTIPHON_LEASE_S": "2",
        "ANTIPHON_SECRET_KEY": base64.b64encode(os.urandom(32)).decode(),
    }
    home = tmp_path_factory.mktemp("servers")
    first, second = (ServerProcess(home / it, variables=variables) for it in "ab")
    async with all_of([first, second]), first.client() as one, second.client(first.key) as other:
        yield Pair((one, other))
        assert first.defects == second.defects == []


async def refused(client: Client, conversation_id: str) -> bool:
    """Whether what is posted there is."""
    try:
        await client.post_message(conversation_id, f"about {time.monotonic_ns()}")
    except AntiphonError as error:
        return error.reason == "THROTTLED" and error.retry_after is not None
    return False


async def flooded(pair: Pair, conversation_id: str) -> float:
    """Say the one message too many at the first server, and return when that was."""
    for number in range(10):
        await pair.clients[0].post_message(conversation_id, f"message {number}")
    return time.monotonic()


async def test_who_floods_is_throttled_at_both_servers_within_a_second(pair: Pair) -> None:
    """By PostMessage, by Dispatch, and on a stream, until the flag is cleared with a reason."""
    one, other = pair.clients
    conversation = await one.create_conversation(title="flooded")
    where, parent = conversation.conversation_id, conversation.workspace_id
    await one.set_detectors(parent, [RATE])
    took = []
    begin = await flooded(pair, where)
    for client in pair.clients:
        await until_it(lambda client=client: refused(client, where))  # type: ignore[misc]
        took.append(time.monotonic() - begin)
    print("throttled after", took)
    assert max(took) < WITHIN_S
    for client in pair.clients:
        with pytest.raises(AntiphonError, match="flagged") as error:
            await client.dispatch(where, "again")
        assert error.value.reason == "THROTTLED"
        with pytest.raises(AntiphonError, match="flagged") as error:
            await client.create_conversation(title="offer 8: cheap watches")
        assert error.value.reason == "THROTTLED"
    (flag,) = await pair.flags(parent)
    assert (flag.kind, flag.detector, flag.score) == ("rate", "floods", 1.0)
    assert flag.evidence["messages"] >= 10
    assert flag.effect_end_time.ToSeconds() > time.time()
    cleared = await other.clear_flag(parent, flag.flag_id, "it was a test")
    assert cleared.clear_reason == "it was a test"
    begin = time.monotonic()

    async def may_speak() -> bool:
        return not await refused(one, where)

    await until_it(may_speak)
    print("free after", time.monotonic() - begin)
    assert time.monotonic() - begin < WITHIN_S + 0.5
    assert await pair.flags(parent) == []
    await one.set_detectors(parent, [])


async def test_the_trail_says_who_set_what_was_raised_and_why_it_was_cleared(pair: Pair) -> None:
    """With the reason, and whose effect it was."""
    events: list[SecurityEvent] = [it async for it in pair.clients[0].list_security_events()]
    kinds = {it.WhichOneof("detail") for it in events}
    assert {"detectors_set", "flag_raised", "flag_cleared"} <= kinds
    (cleared,) = [it.flag_cleared for it in events if it.HasField("flag_cleared")]
    assert cleared.reason == "it was a test"
    (raised,) = [it.flag_raised for it in events if it.HasField("flag_raised")]
    assert (raised.effect, raised.flag_id) == ("throttle", cleared.flag_id)


async def test_repetition_and_verdicts_are_flagged_and_have_no_effect(pair: Pair) -> None:
    """What filters found on either server counts together; a flag that does nothing lets speak."""
    one, other = pair.clients
    conversation = await one.create_conversation(title="odd")
    where, parent = conversation.conversation_id, conversation.workspace_id
    found = Detector(name="found", verdicts=VerdictsDetector(most=4))
    same = Detector(name="same", repetition=RepetitionDetector(most=5))
    await one.set_detectors(parent, [found, same])
    words = TermsFilter(terms=["zanzibar"])
    await one.set_filters(parent, [Filter(name="words", action=FILTER_ACTION_BLOCK, terms=words)])
    await asyncio.sleep(1)
    for client in pair.clients:
        with pytest.raises(AntiphonError, match="words"):
            await client.post_message(where, "off to zanzibar")
    for number in range(6):  # the dispatcher's fingerprints begin with its second message
        await one.dispatch(where, f"Buy now at {number}% less, friends!")

    async def both() -> bool:
        return {it.detector for it in await pair.flags(parent)} == {"found", "same"}

    await until_it(both)
    assert not await refused(other, where)
    await one.set_filters(parent, [])
    await one.set_detectors(parent, [])


async def test_who_floods_through_two_servers_is_seen_as_one(pair: Pair) -> None:
    """Each has heard less than is too much; together it was said, and each refuses soon."""
    one, _ = pair.clients
    await asyncio.sleep(2.5)  # what the tests before have said is told and heard by then
    conversation = await one.create_conversation(title="two ways")
    where, parent = conversation.conversation_id, conversation.workspace_id
    halves = Detector(name="halves", rate=RateDetector(most=14), effect=FLAG_EFFECT_THROTTLE)
    halves.throttle_per_minute = 1
    halves.window.seconds = 86_400
    await one.set_detectors(parent, [halves])
    await asyncio.sleep(1)
    for number in range(8):
        for client in pair.clients:
            await client.post_message(where, f"half of message {number}")

    async def found() -> list[Flag]:
        return [it for it in await pair.flags(parent) if it.detector == "halves"]

    print("seen as one after", await until_it(found))
    (flag,) = await found()
    assert 14 <= flag.evidence["messages"] <= 16
    for client in pair.clients:
        await until_it(lambda client=client: refused(client, where))  # type: ignore[misc]
    await one.set_detectors(parent, [])
    await one.clear_flag(parent, flag.flag_id, "a test")
