"""What was made of erased messages is nowhere either: facts, corrections, what models wrote."""

import asyncio
import time
import uuid
from contextlib import aclosing
from pathlib import Path

import pytest

from antiphon.memory.v1.memory_pb2 import MemorySource
from antiphon_client import AntiphonError, Client
from tests.e2e.canaries import answers_with, files_with, rows_with
from tests.e2e.server import ServerProcess
from tests.e2e.until import PATIENCE_S

RULES = {"ANTIPHON_REMEMBER_BY_RULES": "true"}


def canary() -> str:
    """A word that nobody else says."""
    return f"canary{uuid.uuid4().hex[:12]}"


async def answered(client: Client, conversation_id: str, text: str) -> None:
    """Have a model answer."""
    sent = await client.dispatch(conversation_id, text)
    follow = client.follow(f"conversations/{conversation_id}", cursor=sent.cursor)
    async with aclosing(aiter(follow)) as events:
        async for event in events:
            if event.HasField("turn_finished"):
                return


async def gathered(client: Client, word: str) -> None:
    """Return when rules have found what has the word."""
    until = time.monotonic() + PATIENCE_S
    while not any([word in it.text async for it in client.list_memories()]):
        assert time.monotonic() < until
        await asyncio.sleep(0.2)


async def test_what_was_made_of_it_goes_with_it(tmp_path: Path) -> None:
    """Facts by rules, what somebody put and corrected, what turns were shown."""
    word = canary()
    async with ServerProcess(tmp_path, variables=RULES) as server, server.client() as client:
        here = (await client.create_conversation()).conversation_id
        said = await client.post_message(here, f"I love {word}.", in_context=True)
        await answered(client, here, "what do I love?")
        source = MemorySource(conversation_id=here, message_id=said.message_id)
        put = await client.put_memory(f"it was {word}", sources=[source])
        put.text = f"no, it is {word}"
        await client.update_memory(put, "text")
        await client.put_memory("a note of its own")
        await gathered(client, f"likes {word}")
        found = await answers_with(client, here, word)
        assert {"Recall", "ListMemories"} <= set(found)
        await client.erase_messages(here, [said.message_id])
        assert await answers_with(client, here, word) == []
        assert await rows_with(server.data_dir, word) == []
        assert files_with(server.data_dir, word) == []
        assert [it.text async for it in client.list_memories()] == ["a note of its own"]
        with pytest.raises(AntiphonError) as refused:
            await client.put_memory(f"it was {word}", sources=[source])
        assert refused.value.reason == "MEMORY_SOURCE_INVALID"
        await asyncio.sleep(6)  # longer than rules pause
        assert await answers_with(client, here, word) == []
        assert server.defects == []
