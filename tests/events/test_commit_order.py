"""Offsets are in the order of commits, whichever server commits."""

import asyncio
from contextlib import AsyncExitStack

from antiphon_server.runtime.storage.postgres import PostgresDatabase
from tests.fakes.postgres import Postgres
from tests.proofs.robustness.commit_order import Followed, follow, judge, running, write

WRITERS, SERVERS, EVENTS = 16, 2, 800


async def test_a_follower_never_sees_a_gap(postgres: Postgres) -> None:
    """16 writers on 2 servers into one conversation: contiguous for whoever reads meanwhile."""
    url = await postgres.database()
    databases = [PostgresDatabase(url, pool=4) for _ in range(SERVERS)]
    following = asyncio.create_task(follow(databases[0], EVENTS))
    async with AsyncExitStack() as stack:
        logs = [await stack.enter_async_context(running(each)) for each in databases]
        share = EVENTS // WRITERS
        await asyncio.gather(*(write(logs[n % SERVERS], n, share) for n in range(WRITERS)))
        assert judge(await following, WRITERS, EVENTS) == []
    for database in databases:
        await database.close()


def test_the_judge_finds_what_is_wrong() -> None:
    """A gap, a doubled and a missing event."""
    assert judge(Followed(["0 0", "0 0"], ["after 1 comes 3"]), 2, 2) == [
        "after 1 comes 3",
        "of writer 0 there is 2, not all once in order",
        "of writer 1 there is 0, not all once in order",
    ]
