"""Two servers on one Postgres start each schedule's turn once, also if one of them dies."""

import base64
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from antiphon.dispatcher.v1.dispatcher_service_pb2 import NewConversation
from tests.e2e.server import ServerProcess
from tests.e2e.until import until_it
from tests.fakes.postgres import Postgres

CONVERSATIONS, EACH = 4, 3


async def test_each_starts_once_whichever_has_its_conversation_and_whichever_dies(
    postgres: Postgres, tmp_path: Path
) -> None:
    variables = {
        "ANTIPHON_DATABASE_URL": await postgres.database(),
        "ANTIPHON_SECRET_KEY": base64.b64encode(os.urandom(32)).decode(),
        "ANTIPHON_LEASE_S": "2",
    }
    first, second = (ServerProcess(tmp_path / it, variables=variables) for it in "ab")
    async with first, second, first.client() as one, second.client() as other:
        made = []
        for number in range(CONVERSATIONS):
            where = (await one.create_conversation()).conversation_id
            await (one if number % 2 else other).dispatch(where, "first", handler="echo")
            for seconds in range(1, EACH + 1):
                due = datetime.now(UTC) + timedelta(seconds=seconds)
                made.append(await one.create_schedule(where, "again", due, handler="echo"))

        async def started() -> int:
            now = [await other.get_schedule(it.conversation_id, it.schedule_id) for it in made]
            return sum(bool(it.last_turn_id) for it in now)

        await until_it(started)
        await first.kill()

        async def all_started() -> bool:
            return await started() == len(made)

        await until_it(all_started)
        for where in {it.conversation_id for it in made}:
            turns = [turn.turn_id async for turn in other.list_turns(where)]
            assert len(turns) == len(set(turns)) == EACH + 1


async def test_each_has_one_conversation_of_its_own_whichever_server_makes_it_and_dies(
    postgres: Postgres, tmp_path: Path
) -> None:
    """Nobody has its lane before it is made: the first to look takes that, and makes it once."""
    variables = {
        "ANTIPHON_DATABASE_URL": await postgres.database(),
        "ANTIPHON_SECRET_KEY": base64.b64encode(os.urandom(32)).decode(),
        "ANTIPHON_LEASE_S": "2",
    }
    first, second = (ServerProcess(tmp_path / it, variables=variables) for it in "ab")
    async with first, second, first.client() as one, second.client() as other:
        where = (await one.create_conversation()).conversation_id
        begin = datetime.now(UTC) + timedelta(seconds=1)
        made = [
            await one.create_schedule(
                *(where, "again", begin + timedelta(seconds=number / 4)),
                handler="echo",
                new_conversation=NewConversation(title="Of {due_time}"),
            )
            for number in range(CONVERSATIONS * EACH)
        ]

        async def started() -> int:
            now = [await other.get_schedule(where, it.schedule_id) for it in made]
            return sum(bool(it.last_turn_id) for it in now)

        await until_it(started)
        await first.kill()

        async def all_started() -> bool:
            return await started() == len(made)

        await until_it(all_started)
        runs = [run for it in made for run in await other.list_schedule_runs(where, it.schedule_id)]
        places = {run.conversation_id for run in runs}
        assert len(runs) == len(places) == len(made)
        known = {it.conversation_id async for it in other.list_conversations()}
        assert known == {where, *places}
        for run in runs:
            turns = [turn.turn_id async for turn in other.list_turns(run.conversation_id)]
            assert turns == [run.turn_id]
