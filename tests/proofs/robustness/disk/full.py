"""A disk that is filled up under traffic, and gets room again."""

import asyncio
import random
import time
from pathlib import Path

from antiphon.context.v1.conversation_pb2 import TURN_POLICY_PARALLEL
from antiphon_client import AntiphonError, Client
from tests.e2e.server import ServerProcess, openai_model
from tests.fakes.openai_behaviour import Behaviour
from tests.fakes.openai_endpoint import FakeEndpoint
from tests.proofs.robustness.disk.faults import (
    Faults,
    judged,
    recovered,
    settled,
    store_defects,
    watched,
)
from tests.proofs.robustness.disk.logged import unexcused
from tests.proofs.robustness.disk.people import People
from tests.proofs.robustness.disk.small_disks import SmallDisk, small_disk
from tests.proofs.robustness.history import History

BLOCK = "x" * 50_000
FULL_WITHIN_S = 60.0
HEALTH_S = 10.0


async def full_disk(
    home: Path, kind: str, seed: int, *, seconds: float = 2.0, turns: bool = True
) -> Faults:
    """Fill it up, go on for ``seconds``, make room, and see what is there; then kill it, too.

    ``turns`` that were let go end only when their lease has run out.
    """
    chance, came, began = (
        random.Random(seed),
        Faults(f"full disk, {kind}", rounds=1),
        time.monotonic(),
    )
    data_dir = home / "data"
    async with (
        FakeEndpoint(Behaviour(deltas=20, gap_ms=5.0)) as endpoint,
        small_disk(data_dir, kind) as disk,
        ServerProcess(home, models=[openai_model("fake/ok", endpoint.base_url)]) as server,
    ):
        async with server.client() as client:
            made = await client.create_conversation(policy=TURN_POLICY_PARALLEL)
            people = People(client, made.conversation_id, History(), turns=turns)
            async with watched(client, people, chance):
                came.wrong += await _filled(server, disk, people, came, seconds)
                came.wrong += await settled(client, people)
                came.wrong += judged(people, came, broken=False)
        await server.restart()
        async with server.client() as client:
            again = await settled(client, people)
            came.wrong += [
                f"after kill -9: {it}" for it in again + judged(people, Faults(), broken=False)
            ]
        await server.terminate()
        came.wrong += store_defects(data_dir, home / "examined")
    came.wrong += unexcused(server.defects)
    came.seconds = time.monotonic() - began
    return came


async def _filled(
    server: ServerProcess, disk: SmallDisk, people: People, came: Faults, seconds: float
) -> list[str]:
    """Traffic while it fills, is full, and has room again."""
    wrong: list[str] = []
    async with asyncio.TaskGroup() as group:
        for work in people.works():
            group.create_task(work)
        disk.shrink(server.pid)
        await _fill(people)
        await asyncio.sleep(seconds)
        wrong += await _health(people.client, serving=False)
        await _readable(people.client, people.conversation_id)
        await disk.grow(server.pid)
        came.slowest_recovery_s = await recovered(people)
        wrong += await _health(people.client, serving=True)
        people.stopping.set()
    if not people.answers["UNAVAILABLE STORE_UNAVAILABLE"]:
        wrong.append("nobody was told that the store is full")
    return wrong


async def _fill(people: People) -> None:
    """Post blocks until one is refused. Raises TimeoutError."""
    async with asyncio.timeout(FULL_WITHIN_S):
        while True:
            try:
                posted = await people.client.post_message(people.conversation_id, BLOCK)
            except AntiphonError as error:
                people.answers[f"{error.code.name} {error.reason}"] += 1
                return
            people.history.accepted_messages.append(posted.message_id)


async def _health(client: Client, *, serving: bool) -> list[str]:
    began = time.monotonic()
    while (await client.health(["store"]))["store"] is not serving:
        if time.monotonic() - began > HEALTH_S:
            return [f"health of the store did not become {serving}"]
        await asyncio.sleep(0.05)
    return []


async def _readable(client: Client, conversation_id: str) -> None:
    """What is stored can be read while nothing can be written."""
    page = await client.read_events(f"conversations/{conversation_id}", page_size=10)
    assert page.events
