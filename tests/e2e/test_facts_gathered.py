"""Where it is switched on, what people say of themselves is remembered, over a kill, once."""

import json
from pathlib import Path

from antiphon.memory.v1 import memory_pb2
from antiphon_client import Client
from tests.e2e.server import ServerProcess, openai_model
from tests.e2e.until import until_it
from tests.fakes.openai_behaviour import Behaviour
from tests.fakes.openai_endpoint import FakeEndpoint

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


async def test_a_model_gathers_them_at_the_cost_of_the_workspace(tmp_path: Path) -> None:
    """What it makes up is not kept; what it was paid is in the ledger, on the conversation."""
    async with FakeEndpoint() as endpoint:
        models = [openai_model("fake/finder", endpoint.base_url)]
        told = [_fact("Fly is my dog", "Fly"), _fact("I am the king of Spain", "Spain")]
        endpoint.behaviour = Behaviour(deltas=1, text=json.dumps({"facts": told}))
        by_model = {"ANTIPHON_REMEMBER_BY_MODEL": "fake/finder"}
        server = ServerProcess(tmp_path, models=models, model="scripted/test", variables=by_model)
        async with server, server.client() as client:
            made = await client.create_conversation(title="Dogs")
            here = made.conversation_id
            await say(client, here, "Fly is my dog")
            await client.search_messages("dog")
            await until_it(lambda: known(client))
            (fact,) = await known(client)
            assert (fact.text, fact.origin) == ("About Fly", memory_pb2.MEMORY_ORIGIN_MODEL)
            assert fact.sources[0].conversation_id == here
            usage = await client.get_usage(made.workspace_id, conversation_id=here)
            assert [it.model for it in usage.calls] == ["fake/finder"]


def _fact(quote: str, value: str) -> dict[str, object]:
    fact = {"n": 1, "quote": quote, "kind": "fact", "topic": "pet", "value": value}
    return fact | {"text": f"About {value}", "holds": "holds"}


async def test_nothing_is_gathered_unless_it_is_switched_on(tmp_path: Path) -> None:
    """People are asked first, by whoever runs the server."""
    async with ServerProcess(tmp_path) as server, server.client() as client:
        conversation = await client.create_conversation(title="Lunch")
        await say(client, conversation.conversation_id, "I'm allergic to peanuts.")
        await client.search_messages("peanuts")
        assert await known(client) == []


async def test_names_are_gathered_beside_facts_and_go_with_their_messages(tmp_path: Path) -> None:
    """Of what a fact tells, and wherever it is named then; by an alias it is found."""
    async with ServerProcess(tmp_path, variables=ON) as server, server.client() as client:
        here = (await client.create_conversation(title="Dogs")).conversation_id
        told = await client.post_message(here, "My dog Rex sleeps on the sofa.")
        named = await client.post_message(here, "Yesterday Rex barked.")
        await client.search_messages("sofa")
        await until_it(lambda: names(client))
        (rex,) = [it async for it in client.list_entities()]
        mentions = [it async for it in client.list_mentions(rex.entity_id)]
        assert {it.source.message_id for it in mentions} == {told.message_id, named.message_id, ""}
        assert [it.memory_id for it in mentions if it.memory_id] == [
            it.memory_id for it in await known(client)
        ]
        rex.aliases.append("Bello")
        await client.update_entity(rex, "aliases")
        found = await client.search_messages("Bello barked")
        assert [it.message.message_id for it in found.hits][:1] == [named.message_id]
        assert len((await client.search_messages("Bello")).hits) == 2
        await client.erase_messages(here, [named.message_id])
        await client.search_messages("sofa")

        async def is_gone() -> bool:
            left = [it async for it in client.list_mentions(rex.entity_id)]
            return {it.source.message_id for it in left} == {told.message_id, ""}

        await until_it(is_gone)


async def names(client: Client) -> list[str]:
    return [it.name async for it in client.list_entities()]
