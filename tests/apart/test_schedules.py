"""Turns start by the clock where each service is a server of its own."""

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from antiphon.dispatcher.v1.dispatcher_service_pb2 import NewConversation
from antiphon.dispatcher.v1.schedule_pb2 import RUN_OUTCOME_STARTED
from antiphon.events.v1.event_pb2 import EVENT_KIND_SCHEDULE_FAILED
from antiphon_client import Client
from tests.apart.installation import Installation
from tests.e2e.until import until_it

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def _ran(client: Client, where: str, schedule: str) -> bool:
    return bool(await client.list_schedule_runs(where, schedule))


async def test_they_are_started_and_what_fails_is_told(apart: Installation) -> None:
    """In its own conversation, in one of the run's own, and not in one that is archived."""
    async with apart.client() as client:
        where = (await client.create_conversation()).conversation_id
        due = datetime.now(UTC) + timedelta(seconds=1)
        own = await client.create_schedule(where, "a", due, handler="echo")
        new = await client.create_schedule(
            where, "b", due, handler="echo", new_conversation=NewConversation(title="{due_time}")
        )
        for each in (own, new):
            await until_it(partial(_ran, client, where, each.schedule_id))
            (run,) = await client.list_schedule_runs(where, each.schedule_id)
            assert run.outcome == RUN_OUTCOME_STARTED
            assert (run.conversation_id == where) == (each is own)
            turns = [it.turn_id async for it in client.list_turns(run.conversation_id)]
            assert turns == [run.turn_id]
        due = datetime.now(UTC) + timedelta(seconds=1)
        late = await client.create_schedule(where, "c", due, handler="echo")
        await client.archive_conversation(where)
        follow = client.follow(
            f"conversations/{where}", earliest=True, kinds=[EVENT_KIND_SCHEDULE_FAILED]
        )
        batch = await anext(follow.batches())
        assert batch.events[0].schedule_failed.schedule_id == late.schedule_id


async def test_what_is_due_while_others_are_away_waits_for_them(apart: Installation) -> None:
    """The account can't be asked for, and nobody says that it may not post."""
    async with apart.client() as client:
        where = (await client.create_conversation()).conversation_id
        due = datetime.now(UTC) + timedelta(seconds=1)
        made = await client.create_schedule(where, "a", due, handler="echo")
    await apart.stop("auth")
    await apart.start("auth")
    async with apart.client() as client:
        await until_it(partial(_ran, client, where, made.schedule_id))
        (run,) = await client.list_schedule_runs(where, made.schedule_id)
        assert (run.outcome, run.error) == (RUN_OUTCOME_STARTED, "")
