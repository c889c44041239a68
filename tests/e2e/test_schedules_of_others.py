"""Schedules of several people on a real server: who may do what, and what is told of whom."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from antiphon.dispatcher.v1.dispatcher_service_pb2 import NewConversation
from antiphon.dispatcher.v1.schedule_pb2 import (
    MISSED_POLICY_ONE,
    RUN_OUTCOME_FAILED,
    RUN_OUTCOME_STARTED,
    Cron,
)
from antiphon.events.v1.event_pb2 import EVENT_KIND_SCHEDULE_FAILED, Event
from antiphon_client import AntiphonError, ApiKey, Client, Password
from tests.e2e.callers import PASSWORD
from tests.e2e.server import ServerProcess
from tests.e2e.until import until_it

pytestmark = pytest.mark.asyncio(loop_scope="module")
NEVER_SOON = Cron(expression="0 0 29 2 *", time_zone="Asia/Tokyo")


class Together:
    """The operator and Bob, who is a member of the operator's conversation."""

    def __init__(self, server: ServerProcess, boss: Client, bob: Client) -> None:
        self.server, self.boss, self.bob = server, boss, bob
        self.where = self.workspace = self.bobs_id = ""

    async def meet(self, bobs_name: str) -> None:
        """In a new conversation."""
        made = await self.boss.create_conversation()
        self.where, self.workspace = made.conversation_id, made.workspace_id
        self.bobs_id = (await self.boss.get_user(bobs_name)).user_id
        await self.boss.add_member(self.where, self.bobs_id, "MEMBER")

    async def bobs(self, seconds: float, client: Client | None = None) -> str:
        """A schedule of Bob's that is due soon."""
        due = datetime.now(UTC) + timedelta(seconds=seconds)
        by = client or self.bob
        return (await by.create_schedule(self.where, "by bob", due, handler="echo")).schedule_id

    async def decided(self, schedule: str) -> list[tuple[int, str]]:
        """What became of its due times, once something has."""

        async def came() -> bool:
            return bool(await self.boss.list_schedule_runs(self.where, schedule))

        await until_it(came)
        runs = await self.boss.list_schedule_runs(self.where, schedule)
        return [(it.outcome, it.error) for it in runs]

    async def told(self) -> Event:
        """The first failure of which the conversation's log has."""
        failures = [EVENT_KIND_SCHEDULE_FAILED]
        scope = f"conversations/{self.where}"
        async with asyncio.timeout(30):
            async for batch in self.boss.follow(scope, earliest=True, kinds=failures).batches():
                for event in batch.events:
                    return event
        raise AssertionError

    async def turns(self) -> int:
        return len([it async for it in self.boss.list_turns(self.where)])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ServerProcess]:
    async with ServerProcess(tmp_path_factory.mktemp("schedules")) as server:
        yield server


@pytest_asyncio.fixture(loop_scope="module")
async def them(server: ServerProcess, request: pytest.FixtureRequest) -> AsyncIterator[Together]:
    name = f"bob{abs(hash(request.node.name)) % 10**8}"
    async with server.client() as boss:
        await boss.create_user(name, PASSWORD)
        async with Client.connect(server.address, Password(name, PASSWORD)) as bob:
            them = Together(server, boss, bob)
            await them.meet(name)
            yield them


async def test_one_who_is_disabled_posts_no_more_and_the_log_says_why(them: Together) -> None:
    schedule = await them.bobs(2)
    await them.boss.update_user(them.bobs_id, disabled=True)
    assert await them.decided(schedule) == [(RUN_OUTCOME_FAILED, "USER_DISABLED")]
    event = await them.told()
    failed = event.schedule_failed
    assert (event.actor, failed.schedule_id) == ("services/dispatcher", schedule)
    assert (failed.error, failed.paused) == ("USER_DISABLED", False)
    assert await them.turns() == 0


async def test_one_whose_role_is_lost_or_lowered_posts_no_more(them: Together) -> None:
    schedule = await them.bobs(2)
    await them.boss.update_member(them.where, them.bobs_id, "VIEWER")
    assert await them.decided(schedule) == [(RUN_OUTCOME_FAILED, "PERMISSION_DENIED")]
    assert (await them.told()).schedule_failed.error == "PERMISSION_DENIED"


async def test_what_is_archived_takes_nothing_and_its_log_says_so(them: Together) -> None:
    schedule = await them.bobs(1.5)
    await them.boss.archive_conversation(them.where)
    assert await them.decided(schedule) == [(RUN_OUTCOME_FAILED, "CONVERSATION_ARCHIVED")]
    assert (await them.told()).schedule_failed.error == "CONVERSATION_ARCHIVED"


async def test_a_withdrawn_api_key_and_a_sign_out_stop_nothing(them: Together) -> None:
    """A schedule is the account's, as on GitHub and GitLab, and not the credential's."""
    key = await them.bob.new_api_key("x")
    async with Client.connect(them.server.address, ApiKey(key.secret)) as by_key:
        schedule = await them.bobs(2, by_key)
    await them.bob.revoke_api_key(key.api_key.key_id)
    assert await them.decided(schedule) == [(RUN_OUTCOME_STARTED, "")]
    assert await them.turns() == 1


async def test_only_its_creator_changes_what_one_says(them: Together) -> None:
    made = await them.boss.create_schedule(them.where, "the boss's", NEVER_SOON)
    for name in ("parts", "when", "handler", "missed", "new_conversation"):
        with pytest.raises(AntiphonError) as refused:
            await them.bob.update_schedule(made, name)
        assert refused.value.reason == "PERMISSION_DENIED"
    with pytest.raises(AntiphonError):
        await them.bob.update_schedule(made, "paused", "parts")
    assert (await them.bob.pause_schedule(them.where, made.schedule_id)).paused
    await them.bob.delete_schedule(them.where, made.schedule_id)
    told = [it async for it in them.boss.list_security_events()]
    (gone,) = [it for it in told if it.schedule_deleted.schedule_id == made.schedule_id]
    assert gone.actor == f"users/{them.bobs_id}"
    assert made.creator == f"users/{gone.user_id}"
    (paused,) = [it for it in told if it.schedule_updated.schedule_id == made.schedule_id]
    assert (list(paused.schedule_updated.changed), paused.schedule_updated.due) == (["paused"], "")
    (created,) = [it for it in told if it.schedule_created.schedule_id == made.schedule_id]
    assert created.schedule_created.resource == f"conversations/{them.where}"
    assert created.schedule_created.due == "0 0 29 2 * Asia/Tokyo"


async def test_everybody_lists_their_own_and_an_admin_all_of_the_workspace(them: Together) -> None:
    boss = await them.boss.create_schedule(them.where, "a", NEVER_SOON)
    bob = await them.bob.create_schedule(them.where, "b", NEVER_SOON)
    away = (await them.bob.create_conversation()).conversation_id
    bobs_own = await them.bob.create_schedule(away, "c", NEVER_SOON)
    own = {it.schedule_id async for it in them.bob.list_own_schedules()}
    assert own == {bob.schedule_id, bobs_own.schedule_id}
    all_there = {it.schedule_id async for it in them.boss.list_workspace_schedules(them.workspace)}
    assert {boss.schedule_id, bob.schedule_id} <= all_there
    assert bobs_own.schedule_id not in all_there
    with pytest.raises(AntiphonError) as hidden:
        await anext(them.bob.list_workspace_schedules(them.workspace))
    assert hidden.value.reason == "NOT_FOUND"
    await them.boss.remove_member(them.where, them.bobs_id)
    assert {it.schedule_id async for it in them.bob.list_own_schedules()} == own


async def test_each_run_has_a_conversation_of_its_own_that_is_the_creators(them: Together) -> None:
    """In the schedule's workspace, with what it says of it; who may make none there runs none."""
    wish = NewConversation(title="Night of {due_time}", instructions="Be brief.", language="en")
    due = datetime.now(UTC) + timedelta(seconds=1)
    made = await them.boss.create_schedule(
        *(them.where, "sum up", due),
        missed=MISSED_POLICY_ONE,
        handler="echo",
        new_conversation=wish,
    )
    assert await them.decided(made.schedule_id) == [(RUN_OUTCOME_STARTED, "")]
    (run,) = await them.boss.list_schedule_runs(them.where, made.schedule_id)
    own = await them.boss.get_conversation(run.conversation_id)
    assert run.conversation_id != them.where
    assert (own.title, own.workspace_id) == (f"Night of {due:%Y-%m-%d %H:%M}", them.workspace)
    assert (own.instructions, own.language) == ("Be brief.", "en")
    (turn,) = [it async for it in them.boss.list_turns(run.conversation_id)]
    assert (turn.turn_id, turn.creator) == (run.turn_id, made.creator)
    now = await them.boss.get_schedule(them.where, made.schedule_id)
    assert (now.last_turn_id, now.last_conversation_id) == (run.turn_id, run.conversation_id)
    assert await them.turns() == 0
    bobs = await them.bob.create_schedule(
        *(them.where, "sum up", datetime.now(UTC) + timedelta(seconds=1)), new_conversation=wish
    )
    assert await them.decided(bobs.schedule_id) == [(RUN_OUTCOME_FAILED, "NOT_FOUND")]


async def test_what_the_server_says_of_a_runs_conversation_nobody_else_says(
    them: Together,
) -> None:
    for wrong in (
        NewConversation(conversation_id="conv_0123456789"),
        NewConversation(workspace_id=them.workspace),
    ):
        with pytest.raises(AntiphonError) as refused:
            await them.boss.create_schedule(them.where, "a", NEVER_SOON, new_conversation=wrong)
        assert refused.value.reason == "INVALID_ARGUMENT"


async def test_one_that_is_run_now_twice_by_one_id_has_one_conversation(them: Together) -> None:
    wish = NewConversation(title="{due_time}")
    made = await them.boss.create_schedule(them.where, "a", NEVER_SOON, new_conversation=wish)
    turns = [
        await them.boss.run_schedule(them.where, made.schedule_id, turn_id="turn_of_my_own_01")
        for _ in range(2)
    ]
    assert turns[0].conversation_id == turns[1].conversation_id != them.where
    with pytest.raises(AntiphonError) as refused:
        await them.bob.run_schedule(them.where, made.schedule_id, turn_id="turn_of_my_own_01")
    assert refused.value.reason == "NOT_FOUND"
