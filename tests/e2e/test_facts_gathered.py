"""Where it is switched on, what people say of themselves is remembered, over a kill, once."""

from pathlib import Path

from antiphon.memory.v1 import memory_pb2
from antiphon_client import Client
from tests.e2e.server import ServerProcess
from tests.e2e.until import until_it

ON = {"ANTIPHON_REMEMBER_BY_RULES": "true"}


async def say(client: Client, conversation_id: str, text: str) -> None:
    async with client.converse(conversation_id) as talk:
        turn = await talk.post(text, handler="echo")
        await turn.result()


async def known(client: Client) -> list[memory_pb2.Memory]:
    return [it async for it in client.list_memories()]


async def test_facts_are_gathered_once_and_over_a_kill(tmp_path: Path) -> None:
    """The echo's answers, which say the same, are not what is known; a restatement joins."""
    server = ServerProcess(tmp_path, variables=ON)
    async with server:
        async with server.client() as client:
            conversation = await client.create_conversation(title="Lunch")
            here = conversation.conversation_id
            await say(client, here, "Hello! I'm allergic to peanuts.")
            await client.search_messages("peanuts")
            await until_it(lambda: known(client))
            (fact,) = await known(client)
            assert fact.text.endswith("is allergic to peanuts")
            assert fact.origin == memory_pb2.MEMORY_ORIGIN_RULES
            (source,) = fact.sources
            assert (source.conversation_id, source.start, source.end) == (here, 7, 30)
        await server.kill()
        await server.start()
        async with server.client() as client:
            await say(client, here, "As I said, I'm allergic to peanuts, and I live in Lyon.")
            await client.search_messages("peanuts")

            async def two() -> bool:
                return len(await known(client)) == 2

            await until_it(two)
            home, allergy = await known(client)  # the newest first
            assert home.text.endswith(" lives in Lyon")
            assert allergy.memory_id == fact.memory_id
            assert len(allergy.sources) == 2


async def test_nothing_is_gathered_unless_it_is_switched_on(tmp_path: Path) -> None:
    """People are asked first, by whoever runs the server."""
    async with ServerProcess(tmp_path) as server, server.client() as client:
        conversation = await client.create_conversation(title="Lunch")
        await say(client, conversation.conversation_id, "I'm allergic to peanuts.")
        await client.search_messages("peanuts")
        assert await known(client) == []
