"""Turns that start by the clock, on a server that is stopped and started in between."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from antiphon.context.v1.conversation_pb2 import Conversation
from antiphon.dispatcher.v1.schedule_pb2 import (
    MISSED_POLICY_ALL,
    MISSED_POLICY_ONE,
    MISSED_POLICY_SKIP,
    RUN_OUTCOME_STARTED,
    Cron,
    MissedPolicy,
    Schedule,
)
from antiphon.dispatcher.v1.turn_pb2 import Turn
from antiphon_client import AntiphonError, Client, Password
from tests.e2e.callers import PASSWORD, user
from tests.e2e.server import ServerProcess
from tests.e2e.until import SOON_S, until_it

pytestmark = pytest.mark.asyncio(loop_scope="module")
TURN = "turn_chosen_by_the_client_01"
NEVER_SOON = Cron(expression="0 0 29 2 *", time_zone="Europe/Berlin")


def soon(seconds: float = 1) -> datetime:
    """A time in a moment."""
    return datetime.now(UTC) + timedelta(seconds=seconds)


@dataclass(slots=True)
class Stage:
    """A conversation of the local operator's."""

    server: ServerProcess
    client: Client
    conversation: Conversation

    @property
    def where(self) -> str:
        """Its id."""
        return self.conversation.conversation_id

    async def made(
        self,
        when: datetime | Cron,
        text: str = "hello",
        missed: MissedPolicy.ValueType = MISSED_POLICY_SKIP,
    ) -> Schedule:
        """A new schedule."""
        return await self.client.create_schedule(
            self.where, text, when, missed=missed, handler="echo"
        )

    async def turns(self) -> list[Turn]:
        """The newest first."""
        return [turn async for turn in self.client.list_turns(self.where)]

    async def now(self, schedule: Schedule) -> Schedule:
        """As it is."""
        return await self.client.get_schedule(self.where, schedule.schedule_id)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ServerProcess]:
    async with ServerProcess(tmp_path_factory.mktemp("schedules")) as server:
        yield server


@pytest_asyncio.fixture(loop_scope="module")
async def it(server: ServerProcess) -> AsyncIterator[Stage]:
    async with server.client() as client:
        yield Stage(server, client, await client.create_conversation())


async def test_a_turn_starts_soon_after_its_time_once(it: Stage) -> None:
    due = soon()
    made = await it.made(due)
    assert made.next_time == made.at
    await until_it(it.turns)
    turns = await it.turns()
    late = turns[0].create_time.ToMicroseconds() / 1e6 - due.timestamp()
    assert 0 <= late < SOON_S
    await asyncio.sleep(1.5)
    assert len(await it.turns()) == 1
    ran = await it.now(made)
    assert (ran.last_turn_id, ran.last_error) == (turns[0].turn_id, "")
    assert ran.last_time == ran.at
    assert not ran.HasField("next_time")
    runs = await it.client.list_schedule_runs(it.where, made.schedule_id)
    assert [(r.outcome, r.turn_id) for r in runs] == [(RUN_OUTCOME_STARTED, turns[0].turn_id)]


async def test_the_turn_is_its_creators_and_says_what_the_schedule_says(it: Stage) -> None:
    made = await it.made(soon(), "by the clock")
    await until_it(it.turns)
    (turn,) = await it.turns()
    assert (turn.creator, turn.handler) == (made.creator, "echo")

    async def said() -> bool:
        messages = [each async for each in it.client.list_messages(it.where)]
        return "by the clock" in {part.text for each in messages for part in each.parts}

    await until_it(said)


async def test_what_is_due_while_the_server_starts_anew_is_not_missed(it: Stage) -> None:
    skipped, made_up = await it.made(soon()), await it.made(soon(), missed=MISSED_POLICY_ONE)
    await it.server.terminate()
    await asyncio.sleep(1.5)
    await it.server.start()
    await until_it(lambda: at_least(it, 2))
    turns = await it.turns()
    assert len(turns) == 2
    for each in (skipped, made_up):
        assert (await it.now(each)).last_turn_id in {turn.turn_id for turn in turns}


async def at_least(it: Stage, count: int) -> bool:
    """Whether there are so many turns."""
    return len(await it.turns()) >= count


async def test_one_that_is_deleted_or_paused_is_never_due(it: Stage) -> None:
    deleted, paused = await it.made(soon(1)), await it.made(soon(1))
    await it.client.delete_schedule(it.where, deleted.schedule_id)
    await it.client.delete_schedule(it.where, deleted.schedule_id)
    assert not (await it.client.pause_schedule(it.where, paused.schedule_id)).HasField("next_time")
    await asyncio.sleep(2.5)
    assert await it.turns() == []
    with pytest.raises(AntiphonError) as gone:
        await it.now(deleted)
    assert gone.value.reason == "NOT_FOUND"


async def test_it_runs_now_when_somebody_says_so_once_for_each_request(it: Stage) -> None:
    made = await it.made(NEVER_SOON)
    first = await it.client.run_schedule(it.where, made.schedule_id, turn_id=TURN)
    again = await it.client.run_schedule(it.where, made.schedule_id, turn_id=TURN)
    other = await it.client.run_schedule(it.where, made.schedule_id)
    assert first.turn_id == again.turn_id != other.turn_id
    ran = await it.now(made)
    assert (ran.last_turn_id, ran.next_time) == (other.turn_id, made.next_time)
    assert len(await it.client.list_schedule_runs(it.where, made.schedule_id)) == 2


async def test_making_it_again_is_answered_with_what_is_there(it: Stage) -> None:
    made = await it.client.create_schedule(it.where, "a", NEVER_SOON, missed=MISSED_POLICY_ALL)
    again = await it.client.create_schedule(it.where, "b", NEVER_SOON, schedule_id=made.schedule_id)
    assert again == made
    made.ClearField("coming_times")  # which lists leave out
    assert [each async for each in it.client.list_schedules(it.where)] == [made]


async def test_a_change_finds_what_is_due_anew(it: Stage) -> None:
    made = await it.made(NEVER_SOON)
    made.cron.expression = "* * * * *"
    made.parts[0].text = "changed"
    changed = await it.client.update_schedule(made, "when", "parts", only_if_unchanged=True)
    assert changed.next_time.ToSeconds() - time.time() <= 60
    assert changed.parts[0].text == "changed"
    made.parts[0].text = "again"
    with pytest.raises(AntiphonError) as other:
        await it.client.update_schedule(made, "parts", only_if_unchanged=True)
    assert other.value.reason == "ETAG_MISMATCH"


@pytest.mark.parametrize(
    "when",
    [
        Cron(expression="61 * * * *"),
        Cron(expression="* * * * * *"),
        Cron(expression="0 0 30 2 *"),
        Cron(expression="* * * * *", time_zone="Europe/Atlantis"),
        Cron(expression="* * * * *", time_zone="../../etc/passwd"),
        datetime(2020, 1, 1, tzinfo=UTC),
    ],
)
async def test_what_is_no_time_is_refused(it: Stage, when: datetime | Cron) -> None:
    with pytest.raises(AntiphonError) as refused:
        await it.made(when)
    assert refused.value.reason == "INVALID_ARGUMENT"


async def test_a_member_who_was_removed_posts_no_more(it: Stage) -> None:
    bob = (await user(it.server, "bob")).known["user"]
    await it.client.add_member(it.where, bob, "MEMBER")
    async with Client.connect(it.server.address, Password("bob", PASSWORD)) as client:
        made = await client.create_schedule(it.where, "from bob", soon(1.5), handler="echo")
    await it.client.remove_member(it.where, bob)

    async def failed() -> bool:
        return bool((await it.now(made)).last_error)

    await until_it(failed)
    assert (await it.now(made)).last_error == "NOT_FOUND"
    assert await it.turns() == []
