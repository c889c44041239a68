"""Versions of workers as real processes: deployed, ramped, and killed in the middle of turns."""

import asyncio
import base64
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from antiphon.dispatcher.v1 import worker_service_pb2 as pb
from antiphon.events.v1 import event_pb2
from antiphon_client import Client
from tests.e2e.process import all_of
from tests.e2e.server import ServerProcess
from tests.e2e.until import SOON_S, until, until_it
from tests.fakes.postgres import Postgres
from tests.workers.counting import begun, counted, ended, numbers, says
from tests.workers.processes import COUNTER, WorkerProcess, invited

CURRENT, RAMPING = pb.VERSION_STATE_CURRENT, pb.VERSION_STATE_RAMPING
DRAINING = pb.VERSION_STATE_DRAINING


class Stage:
    """A server, and workers of versions that dial in to it."""

    def __init__(self, server: ServerProcess, client: Client, key: str, logs: Path) -> None:
        self.server, self.client, self._key, self._logs = server, client, key, logs
        self._many = 0

    def worker(self, version: str, address: str = "", grace_s: float = 20.0) -> WorkerProcess:
        """One of that version, whose turns have so long to end when it stops."""
        self._many += 1
        log = self._logs / f"{version}-{self._many}.log"
        command = (*COUNTER, version, str(grace_s))
        return WorkerProcess(address or self.server.address, self._key, log, command)

    async def versions(self) -> dict[str, tuple[int, int, int]]:
        """State, workers and turns of each."""
        found = [it async for it in self.client.list_deployments("global")]
        return {
            it.version: (it.state, it.workers, it.turns) for one in found for it in one.versions
        }

    async def until(self, wanted: dict[str, tuple[int, int, int]]) -> None:
        """Wait until they are so."""

        async def are_so() -> bool:
            return await self.versions() == wanted

        try:
            await until_it(are_so)
        except TimeoutError:
            assert await self.versions() == wanted


@pytest_asyncio.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with ServerProcess(tmp_path / "server") as server, server.client() as client:
        yield Stage(server, client, await invited(server, "counter"), tmp_path)


@pytest_asyncio.fixture
async def two(postgres: Postgres, tmp_path: Path) -> AsyncIterator[tuple[Stage, ServerProcess]]:
    """Two servers on one store; clients are at the first."""
    variables = {
        "ANTIPHON_DATABASE_URL": await postgres.database(),
        "ANTIPHON_SECRET_KEY": base64.b64encode(os.urandom(32)).decode(),
    }
    first, second = (ServerProcess(tmp_path / it, variables=variables) for it in "ab")
    async with all_of([first, second]), first.client() as client:
        yield Stage(first, client, await invited(first, "counter"), tmp_path), second
        assert first.defects == second.defects == []


async def _deployed_in_the_middle(stage: Stage, elsewhere: str = "") -> None:
    async with stage.worker("v1") as old:
        turn = await begun(stage.client, "150 100")
        await says(stage.client, turn, 3)
        await stage.until({"v1": (CURRENT, 1, 1)})
        async with stage.worker("v2", elsewhere) as new:
            await stage.until({"v1": (DRAINING, 1, 1), "v2": (CURRENT, 1, 0)})
            # Another server tells within a second which one came last.
            await asyncio.sleep(1.5)
            later = [await begun(stage.client, "5 5") for _ in range(8)]
            for it in later:
                await ended(stage.client, it)
            assert {it[1] for it in new.said("begun")} == {it.turn_id for it in later}
            done = await ended(stage.client, turn)
            assert (done.state, done.attempt) == (event_pb2.TURN_STATE_SUCCEEDED, 1)
            assert [it[1] for it in old.said("begun")] == [turn.turn_id]
            await stage.until({"v1": (DRAINING, 1, 0), "v2": (CURRENT, 1, 0)})
            await old.terminate()
            await stage.until({"v2": (CURRENT, 1, 0)})  # it is gone


async def test_a_version_is_deployed_in_the_middle_of_turns(stage: Stage) -> None:
    """What was begun goes on where it is, new turns are the new one's, and the old one vanishes."""
    await _deployed_in_the_middle(stage)


async def test_it_is_deployed_at_another_server(two: tuple[Stage, ServerProcess]) -> None:
    """The same, where the new version's workers dial in to another server than the turns'."""
    stage, second = two
    await _deployed_in_the_middle(stage, second.address)


async def test_a_quarter_of_the_conversations_ramps(stage: Stage) -> None:
    """Of 400; then nothing but the current one, and then the newest."""
    async with stage.worker("v1") as old, stage.worker("v2") as new:
        await until_it(lambda: _are_there(stage, 2))
        made = await stage.client.set_rollout("global", "counter", "v1", ramping="v2", percent=25)
        assert {(it.version, it.state) for it in made.versions} == {
            ("v1", CURRENT),
            ("v2", RAMPING),
        }
        places = asyncio.Semaphore(8)

        async def one() -> None:
            async with places:
                await ended(stage.client, await begun(stage.client, "1 0"))

        await asyncio.gather(*(one() for _ in range(400)))
        assert len(old.said("begun")) + len(new.said("begun")) == 400
        assert 65 <= len(new.said("begun")) <= 135  # four standard deviations
        await stage.client.set_rollout("global", "counter", "v1", etag=made.etag)
        with pytest.raises(Exception, match="ETAG_MISMATCH"):
            await stage.client.set_rollout("global", "counter", "v2", etag=made.etag)
        for bad in ({"current": "v3"}, {"current": "v1", "ramping": "v1", "percent": 5}):
            with pytest.raises(Exception, match="INVALID_ARGUMENT"):
                await stage.client.set_rollout("global", "counter", **bad)
        with pytest.raises(Exception, match="NOT_FOUND"):
            await stage.client.set_rollout("global", "another", "v1")


async def _are_there(stage: Stage, many: int) -> bool:
    return len(await stage.versions()) == many


async def test_who_dies_is_followed_by_one_of_its_version(stage: Stage) -> None:
    """Though another version is current."""
    async with stage.worker("v1") as first:
        turn = await begun(stage.client, "60 50")
        await says(stage.client, turn, 5)
        async with stage.worker("v1") as second, stage.worker("v2") as new:
            await stage.until({"v1": (DRAINING, 2, 1), "v2": (CURRENT, 1, 0)})
            await first.kill()
            done = await ended(stage.client, turn)
            assert (done.state, done.attempt) == (event_pb2.TURN_STATE_SUCCEEDED, 2)
            assert [it[1] for it in second.said("begun")] == [turn.turn_id]
            assert not new.said("begun")


async def test_without_one_of_its_version_a_turn_goes_on_at_the_current_one(stage: Stage) -> None:
    """Within 10 s of the death; nothing that was said is said again."""
    async with stage.worker("v1") as first:
        turn = await begun(stage.client, "60 50")
        await says(stage.client, turn, 5)
        async with stage.worker("v2") as new:
            await stage.until({"v1": (DRAINING, 1, 1), "v2": (CURRENT, 1, 0)})
            await first.kill()
            killed = time.monotonic()
            await stage.until({"v1": (DRAINING, 0, 1), "v2": (CURRENT, 1, 0)})
            await until(lambda: new.said("begun") != [])
            assert time.monotonic() - killed < 10
            await stage.until({"v1": (DRAINING, 0, 0), "v2": (CURRENT, 1, 1)})
            done = await ended(stage.client, turn)
            assert (done.state, done.attempt) == (event_pb2.TURN_STATE_SUCCEEDED, 2)
            assert await numbers(stage.client, turn.conversation_id) == counted(60)
            assert [it[1] for it in new.said("begun")] == [turn.turn_id]


async def test_the_last_worker_of_a_version_hands_over_at_once(stage: Stage) -> None:
    """It stops, and says so: nobody waits for another one of its version."""
    async with stage.worker("v1", grace_s=0.5) as first:
        turn = await begun(stage.client, "60 50")
        await says(stage.client, turn, 5)
        async with stage.worker("v2") as new:
            await stage.until({"v1": (DRAINING, 1, 1), "v2": (CURRENT, 1, 0)})
            assert await first.terminate() == 0
            async with asyncio.timeout(SOON_S):
                done = await ended(stage.client, turn)
            assert (done.state, done.attempt) == (event_pb2.TURN_STATE_SUCCEEDED, 2)
            assert await numbers(stage.client, turn.conversation_id) == counted(60)
            assert [it[1] for it in new.said("begun")] == [turn.turn_id]
