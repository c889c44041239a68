"""Schedules on a server that was away while they were due, or ends just then."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from antiphon.dispatcher.v1.dispatcher_service_pb2 import NewConversation
from antiphon.dispatcher.v1.schedule_pb2 import (
    MISSED_POLICY_ALL,
    MISSED_POLICY_ONE,
    MISSED_POLICY_SKIP,
    RUN_OUTCOME_SKIPPED,
    RUN_OUTCOME_STARTED,
    Cron,
    MissedPolicy,
    Schedule,
    ScheduleRun,
)
from antiphon.events.v1.event_pb2 import EVENT_KIND_SCHEDULE_SKIPPED
from antiphon_client import Client
from antiphon_server.app import DATABASE_FILE
from tests.e2e.server import ServerProcess
from tests.e2e.until import until_it

MANY = 20


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[ServerProcess]:
    async with ServerProcess(tmp_path) as server:
        yield server


def was_due(server: ServerProcess, made: Schedule, when: datetime) -> None:
    """Have it be due since then, as if the server had been away for so long."""
    next_us = round(when.timestamp() * 1e6)
    with sqlite3.connect(server.data_dir / DATABASE_FILE) as database:
        database.execute(
            "UPDATE dispatcher_schedules SET next_us = ? WHERE schedule_id = ?",
            (next_us, made.schedule_id),
        )
    database.close()


async def runs(client: Client, made: Schedule) -> list[ScheduleRun]:
    """What became of its due times, the oldest first, once something has."""

    async def came() -> bool:
        return bool(await client.list_schedule_runs(made.conversation_id, made.schedule_id))

    await until_it(came)
    found = await client.list_schedule_runs(made.conversation_id, made.schedule_id)
    return list(found)[::-1]


async def test_three_that_passed_while_no_server_ran_become_what_the_schedule_says(
    server: ServerProcess,
) -> None:
    first = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=6)
    times = [first + timedelta(minutes=it) for it in range(3)]
    cron = Cron(expression=f"{','.join(str(it.minute) for it in times)} * * * *")
    made: dict[MissedPolicy.ValueType, Schedule] = {}
    async with server.client() as client:
        for policy in (MISSED_POLICY_SKIP, MISSED_POLICY_ONE, MISSED_POLICY_ALL):
            where = (await client.create_conversation()).conversation_id
            made[policy] = await client.create_schedule(
                where, "late", cron, missed=policy, handler="echo"
            )
    await server.terminate()
    for each in made.values():
        was_due(server, each, first)
    await server.start()
    async with server.client() as client:
        (left_out,) = await runs(client, made[MISSED_POLICY_SKIP])
        assert (left_out.outcome, left_out.skipped) == (RUN_OUTCOME_SKIPPED, 3)
        assert left_out.due_time.ToDatetime(UTC) == times[-1]

        async def is_made_up() -> bool:
            return len(await runs(client, made[MISSED_POLICY_ALL])) == 3

        await until_it(is_made_up)
        before, newest = await runs(client, made[MISSED_POLICY_ONE])
        assert (before.outcome, before.skipped) == (RUN_OUTCOME_SKIPPED, 2)
        assert (newest.outcome, newest.due_time.ToDatetime(UTC)) == (RUN_OUTCOME_STARTED, times[-1])
        everything = await runs(client, made[MISSED_POLICY_ALL])
        assert {it.outcome for it in everything} == {RUN_OUTCOME_STARTED}
        assert [it.due_time.ToDatetime(UTC) for it in everything] == times
        assert [await turns(client, it.conversation_id) for it in made.values()] == [0, 1, 3]
        where = made[MISSED_POLICY_SKIP].conversation_id
        kinds = [EVENT_KIND_SCHEDULE_SKIPPED]
        follow = client.follow(f"conversations/{where}", earliest=True, kinds=kinds)
        async with asyncio.timeout(30):
            batch = await anext(follow.batches())
        skipped = batch.events[0].schedule_skipped
        assert (skipped.skipped, skipped.due_time) == (3, left_out.due_time)


async def turns(client: Client, where: str) -> int:
    return len([it async for it in client.list_turns(where)])


async def test_a_server_that_is_stopped_just_then_leaves_each_to_the_next_one_once(
    server: ServerProcess,
) -> None:
    """Of many that are due at once, those that it had begun, and those that it had not."""
    due = datetime.now(UTC) + timedelta(seconds=3)
    async with server.client() as client:
        places = [(await client.create_conversation()).conversation_id for _ in range(4)]
        made = [
            await client.create_schedule(places[it % 4], str(it), due, handler="echo")
            for it in range(MANY)
        ]
    await asyncio.sleep((due - datetime.now(UTC)).total_seconds())
    await server.terminate()
    await server.start()
    async with server.client() as client:
        ids = {(await runs(client, it))[0].turn_id for it in made}
        assert len(ids) == MANY
        assert sum([await turns(client, it) for it in places]) == MANY


async def test_a_run_that_a_crash_left_unnoted_keeps_its_conversation(
    server: ServerProcess,
) -> None:
    """It was made, and its turn began, but what is due next was not stored."""
    due = datetime.now(UTC) + timedelta(seconds=1)
    wish = NewConversation(title="Of {due_time}")
    async with server.client() as client:
        where = (await client.create_conversation()).conversation_id
        made = await client.create_schedule(where, "a", due, handler="echo", new_conversation=wish)
        (ran,) = await runs(client, made)
        before = [it.conversation_id async for it in client.list_conversations()]
    await server.kill()
    was_due(server, made, due)
    await server.start()
    async with server.client() as client:

        async def is_decided() -> bool:
            now = await client.get_schedule(where, made.schedule_id)
            return not now.HasField("next_time")

        await until_it(is_decided)
        assert await runs(client, made) == [ran]
        assert sorted([it.conversation_id async for it in client.list_conversations()]) == sorted(
            before
        )
        assert await turns(client, ran.conversation_id) == 1
