"""A server with the model of search finds by meaning, but not what was erased."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from antiphon_client import Client
from antiphon_server.memory.index.model_files import missing_model
from tests.e2e.server import ServerProcess
from tests.e2e.until import until_it

SAID, ASKED = "She is afraid of dogs", "Which animals frighten people?"


async def _found(client: Client) -> dict[str, dict[str, float]]:
    """What is found, and why."""
    answer = await client.search_messages(ASKED)
    return {hit.excerpt: dict(hit.parts) for hit in answer.hits}


async def test_other_words_find_it_once_there_are_vectors(tmp_path: Path) -> None:
    """They are made in the background, and kept; a setting switches that off."""
    if why := await asyncio.to_thread(missing_model):
        pytest.skip(why)
    server = ServerProcess(tmp_path)
    async with server, server.client() as client:
        where = (await client.create_conversation()).conversation_id
        said = await client.post_message(where, SAID)
        await client.post_message(where, "We had soup for lunch")
        assert await _found(client) == {}  # nothing is loaded yet

        async def by_meaning() -> bool:
            return list(await _found(client)) == [SAID]

        await until_it(by_meaning)
        assert (await _found(client))[SAID]["meaning"] > 0
    packed = await asyncio.to_thread(_size, server.data_dir)
    async with server, server.client() as client:
        await until_it(by_meaning)
        await client.erase_messages(where, [said.message_id])
        assert await _found(client) == {}
    assert await asyncio.to_thread(_size, server.data_dir) < packed
    off = ServerProcess(tmp_path, variables={"ANTIPHON_SEARCH_BY_MEANING": "false"})
    async with off, off.client() as client:
        await client.post_message(where, SAID)
        assert (await client.search_messages("afraid")).hits
        assert await _found(client) == {}


def _size(folder: Path) -> int:
    """Bytes of vectors that are kept."""
    with sqlite3.connect(folder / "antiphon.db") as database:
        (size,) = database.execute("SELECT sum(length(packed)) FROM memory_vectors").fetchone()
    return int(size)
