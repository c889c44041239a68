"""A memory of others as a process of its own: killed, hanging, lying, back again."""

import asyncio
import json
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from antiphon.memory.v1.external_memory_pb2 import (
    EXTERNAL_MEMORY_ANSWER_ANSWERED as ANSWERED,
)
from antiphon.memory.v1.external_memory_pb2 import (
    EXTERNAL_MEMORY_ANSWER_FAILED as FAILED,
)
from antiphon.memory.v1.external_memory_pb2 import (
    EXTERNAL_MEMORY_ANSWER_LATE as LATE,
)
from antiphon.memory.v1.external_memory_pb2 import (
    EXTERNAL_MEMORY_ANSWER_LEFT_ALONE as LEFT_ALONE,
)
from antiphon_client import AntiphonError, Client
from tests.e2e.process import all_of
from tests.e2e.server import ServerProcess
from tests.e2e.until import PATIENCE_S, until, until_it
from tests.memory.external.processes import External, descriptors, running

DEADLINE_MS = 300


def variables(external: External, folder: Path) -> dict[str, str]:
    """What the settings say of it."""
    address = {"address": f"http://127.0.0.1:{external.port}", "descriptors": descriptors(folder)}
    return {
        "ANTIPHON_CONNECTIONS": json.dumps([{"name": "archive", "private": True, "grpc": address}]),
        "ANTIPHON_EXTERNAL_MEMORY": json.dumps(
            {"connection": "archive", "deadline_ms": DEADLINE_MS}
        ),
    }


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[tuple[External, ServerProcess, Client]]:
    """A server that has the example's memory."""
    async with running("memory.py", folder) as external:
        server = ServerProcess(folder, variables=variables(external, folder))
        async with all_of([server]), server.client() as client:
            yield external, server, client


async def told(client: Client) -> bool:
    """Whether it answers, and was told all."""
    status = await client.external_memory()
    return (
        status.answers
        and bool(status.told_time.seconds)
        and not status.waiting_changes
        and not status.unconfirmed_forgets
    )


async def answers(client: Client) -> bool:
    """Whether a search has its answer; the first ones may not, while modules are still read."""
    found, _, _ = await timed(client, "anything")
    return found == ANSWERED


async def timed(client: Client, query: str) -> tuple[int, float, list[str]]:
    """What came of asking it, the seconds that took, and the ids."""
    began = time.monotonic()
    found = await client.recall(query)
    took = time.monotonic() - began
    return found.external_memory, took, [it.memory.memory_id for it in found.recalled]


async def test_it_is_told_asked_and_finds_what_the_index_does_not(tmp_path: Path) -> None:
    """Corrected and forgotten ones, too; its hits come with why they are there."""
    async with served(tmp_path) as (external, _, client):
        one = await client.put_memory("Anna likes Kartoffelsalat")
        two = await client.put_memory("Bert prefers soup")
        await until_it(lambda: told(client), PATIENCE_S)
        assert external.kept() == {one.memory_id: one.text, two.memory_id: two.text}
        await until_it(lambda: answers(client), PATIENCE_S)
        found = await client.recall("Kartoffelsala")  # a part of a word is no word of the index
        assert [it.memory.memory_id for it in found.recalled] == [one.memory_id]
        assert found.recalled[0].reason == "found by the external memory"
        one.text = "Anna likes Nudelauflauf"
        await client.update_memory(one, "text")
        await client.forget_memory(two.memory_id)
        await until_it(lambda: told(client), PATIENCE_S)
        assert external.kept() == {one.memory_id: "Anna likes Nudelauflauf"}
        assert b"prefers soup" not in external.file.read_bytes()


async def test_nobody_asks_it_but_the_server(tmp_path: Path) -> None:
    """No workspace has its connection, so it can't be asked for what others remember."""
    async with served(tmp_path) as (_, _, client):
        mine = await client.put_memory("Anna lives in Lyon")
        await until_it(lambda: told(client), PATIENCE_S)
        workspace = (await client.create_conversation(title="mine")).workspace_id
        asked = {"query": "Anna", "scopes": [mine.scope], "limit": 10}
        with pytest.raises(AntiphonError) as refused:
            await client.call_tool(workspace, "archive.ExternalMemoryService.Search", asked)
        assert refused.value.reason == "TOOL_NOT_FOUND"
        assert [it.name async for it in client.list_connections(workspace)] == []
        assert [it.name async for it in client.list_tools(workspace, "archive")] == []


async def test_killed_and_back_it_misses_nothing_and_has_nothing_that_was_forgotten(
    tmp_path: Path,
) -> None:
    """While it is away the server's own memory answers; an emptied one is told everything."""
    async with served(tmp_path) as (external, server, client):
        first = [await client.put_memory(f"Note number {it} of Anna") for it in range(30)]
        await until_it(lambda: told(client), PATIENCE_S)
        await external.kill()
        later = [await client.put_memory(f"Note number {it} of Bert") for it in range(30)]
        for it in first[::2]:
            await client.forget_memory(it.memory_id)
        answered, took, found = await timed(client, "Note of Bert")
        assert answered in (FAILED, LEFT_ALONE)
        assert took < 1
        assert found

        async def waits() -> bool:
            status = await client.external_memory()
            return (status.answers, status.waiting_changes) == (False, 45)

        await until_it(waits, PATIENCE_S)
        await server.kill()
        await server.start()
        await external.start()
        await until_it(lambda: told(client), PATIENCE_S)
        left = {it.memory_id: it.text for it in (*first[1::2], *later)}
        assert external.kept() == left
        await external.kill()
        external.file.unlink()
        await external.start()
        await until(lambda: external.kept() == left, PATIENCE_S)


async def test_hanging_it_costs_its_deadline_until_it_is_left_alone(tmp_path: Path) -> None:
    """Then nobody waits; back again it is asked again."""
    async with served(tmp_path) as (external, _, client):
        await client.put_memory("Anna lives in Lyon")
        await until_it(lambda: told(client), PATIENCE_S)
        await until_it(lambda: answers(client), PATIENCE_S)
        external.send(signal.SIGSTOP)
        heard, slowest = set(), 0.0
        for _ in range(5):
            answered, took, found = await timed(client, "Anna Lyon")
            heard.add(answered)
            slowest = max(slowest, took)
            assert len(found) == 1
        assert heard == {LATE}
        assert DEADLINE_MS / 1000 <= slowest < DEADLINE_MS / 1000 + 0.5
        answered, took, found = await timed(client, "Anna Lyon")
        assert (answered, len(found)) == (LEFT_ALONE, 1)
        assert took < DEADLINE_MS / 1000
        new = await client.put_memory("Bert lives in Nantes")
        external.send(signal.SIGCONT)
        await until_it(lambda: told(client), PATIENCE_S)
        assert new.memory_id in external.kept()
        await until_it(lambda: answers(client), PATIENCE_S)


@pytest.mark.parametrize("way", ["garbage", "others", "huge", "slow"])
async def test_lying_it_shows_nobody_anything(tmp_path: Path, way: str) -> None:
    """Ids that are none, others' and forgotten ones, other texts, too much, too slowly."""
    async with served(tmp_path) as (external, _, client):
        mine = await client.put_memory("Anna lives in Lyon")
        gone = await client.put_memory("Anna is ill")
        await client.forget_memory(gone.memory_id)
        await until_it(lambda: told(client), PATIENCE_S)
        await until_it(lambda: answers(client), PATIENCE_S)
        await external.kill()
        external.name = str(Path(__file__).parents[1] / "memory" / "external" / "liar.py")
        external.variables = {"WAY": way, "IDS": f"{gone.memory_id},{mine.memory_id}"}
        await external.start()
        await asyncio.sleep(1)
        for _ in range(3):
            _, took, found = await timed(client, "where does Anna live")
            assert took < 5  # of which its deadline is a part, and machines are busy
            assert found == [mine.memory_id]


async def test_one_that_speaks_as_mem0_does_is_told_and_asked(tmp_path: Path) -> None:
    """By its document, with its key; killed it loses all, and is told anew when that is said."""
    async with running("mem0_like.py", tmp_path) as external:
        await external.kill()
        external.variables["MEM0_API_KEY"] = "a-key"
        await external.start()
        url = f"http://127.0.0.1:{external.port}"
        document = f"{url}/openapi.json"
        known = {"name": "mem0", "private": True, "openapi": document, "bearer": "a-key"}
        server = ServerProcess(
            tmp_path,
            variables={
                "ANTIPHON_CONNECTIONS": json.dumps([known]),
                "ANTIPHON_EXTERNAL_MEMORY": json.dumps(
                    {"connection": "mem0", "kind": "mem0", "deadline_ms": 2000}
                ),
            },
        )
        async with all_of([server]), server.client() as client:
            one = await client.put_memory("Anna lives in Lyon")
            two = await client.put_memory("Anna plays the oboe")
            await client.forget_memory(two.memory_id)
            await until_it(lambda: told(client), PATIENCE_S)
            await until_it(lambda: answers(client), PATIENCE_S)
            (found,) = (await client.recall("Anna Lyon")).recalled
            assert (found.memory.memory_id, found.parts["external"] > 0) == (one.memory_id, True)
            await external.kill()
            await external.start()
            await client.resync_external_memory("mem0")
            await until_it(lambda: told(client), PATIENCE_S)
            async with aiohttp.ClientSession(headers={"Authorization": "Bearer a-key"}) as session:
                answer = await session.get(f"{url}/memories")
                kept = (await answer.json())["results"]
            assert [(it["run_id"], it["memory"]) for it in kept] == [(one.memory_id, one.text)]
