"""Webhooks of servers that are killed, and of two servers: what was acknowledged is told."""

import asyncio
import base64
import os
from collections import Counter
from pathlib import Path

from antiphon.dispatcher.v1.webhook_pb2 import DELIVERY_STATE_DELIVERED
from tests.e2e.process import all_of
from tests.e2e.server import ServerProcess
from tests.e2e.until import until, until_it
from tests.e2e.webhooks import LOCAL, staged
from tests.fakes.postgres import Postgres
from tests.fakes.webhook_receiver import Answer

TURNS = 30


async def test_what_ended_before_a_kill_is_told_after_it(tmp_path: Path) -> None:
    """Whether or not it was known that it was taken: each id at least once, by a next life."""
    server = ServerProcess(tmp_path, variables=LOCAL)
    async with all_of([server]), staged(server) as it:
        it.receiver.always = Answer(hangs_s=600)  # nothing is taken in the first life
        for _ in range(3):
            begun = [await it.started() for _ in range(TURNS // 3)]
            ended = {(await it.ended(turn)).turn_id for turn in begun}
            await server.kill()
            await server.start()
            assert len(ended) == TURNS // 3
        it.receiver.hang_up()
        it.receiver.always = Answer()

        def told() -> set[str]:
            return {got.data["turnId"] for got in it.receiver.received}

        await until(lambda: len(told()) == TURNS)
        ids = {got.data["turnId"]: got.notification_id for got in it.receiver.received}
        assert len(set(ids.values())) == TURNS

        async def all_taken() -> bool:
            return {each.state for each in await it.deliveries()} == {DELIVERY_STATE_DELIVERED}

        await until_it(all_taken)


async def test_two_servers_post_each_once_while_both_live(
    postgres: Postgres, tmp_path: Path
) -> None:
    """Also where one of them dies, whose deliveries the other posts."""
    variables = {
        **LOCAL,
        "ANTIPHON_DATABASE_URL": await postgres.database(),
        "ANTIPHON_SECRET_KEY": base64.b64encode(os.urandom(32)).decode(),
        "ANTIPHON_LEASE_S": "2",
    }
    first, second = (ServerProcess(tmp_path / it, variables=variables) for it in "ab")
    async with first, second, staged(first) as it:
        for _ in range(TURNS):
            await it.started()
        await until(lambda: len(set(it.receiver.ids)) == TURNS)
        await asyncio.sleep(1)
        assert set(Counter(it.receiver.ids).values()) == {1}
        assert all(got.signed_by == 1 for got in it.receiver.received)
        logs = [event.turn_notified.notification_id for event in await it.notified()]
        assert sorted(logs) == sorted(it.receiver.ids)

        it.receiver.received.clear()
        begun = [await it.started() for _ in range(TURNS)]
        await first.kill()
        async with it.at(second) as client:
            it.client = client
            for turn in begun:
                await it.ended(turn)
        await until(lambda: len(set(it.receiver.ids)) == TURNS)
