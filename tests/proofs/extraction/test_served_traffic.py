"""A day of simulated people at a real server: what is remembered at its end is what is true."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from antiphon.memory.v1.memory_pb2 import MEMORY_STATE_ACTIVE, MEMORY_STATE_SUPERSEDED, Memory
from antiphon_client import Client, Password
from tests.e2e.callers import PASSWORD
from tests.e2e.server import ONE_FOR_MANY, ServerProcess
from tests.e2e.until import until_it
from tests.proofs.extraction.test_extraction import holding, true_of
from tests.proofs.extraction.traffic import Person, Remembered, day, people

ON = {"ANTIPHON_REMEMBER_BY_RULES": "true", **ONE_FOR_MANY}
MESSAGES = 60


async def test_a_days_posts_leave_what_is_true_and_nothing_else(tmp_path: Path) -> None:
    """Of 20 people in four languages, each in a conversation of theirs, posting at once.

    No fact is without the words that it comes from, and each that was contradicted is superseded.
    """
    async with ServerProcess(tmp_path, variables=ON) as server, server.client() as operator:
        await asyncio.gather(*(_lives_through(operator, server, it) for it in people(20)))
        assert server.defects == []


async def _lives_through(operator: Client, server: ServerProcess, person: Person) -> None:
    expected = Remembered()
    async with _signed_in(operator, server, person) as client:
        there = (await client.create_conversation(title=person.name)).conversation_id
        said = dict[str, str]()
        for utterance in day(person, seed=3, messages=MESSAGES):
            message = await client.post_message(there, utterance.text)
            said[message.message_id] = utterance.text
            expected.hear(replace(utterance, language="en"))  # what a server takes it for
        assert holding(expected) == true_of(person), person.name
        texts = {it.text for it in expected.holding}

        async def is_so() -> bool:
            await client.search_messages("hello")  # so that the server knows the conversation
            return {it.text for it in await _known(client, MEMORY_STATE_ACTIVE)} == texts

        await until_it(is_so)
        active = await _known(client, MEMORY_STATE_ACTIVE)
        assert len(active) == len(texts), person.name
        past = await _known(client, MEMORY_STATE_SUPERSEDED)
        assert {it.text for it in past} == {it.text for it in expected.replaced}
        assert all(_is_told(it, said) for it in (*active, *past)), person.name


@asynccontextmanager
async def _signed_in(
    operator: Client, server: ServerProcess, person: Person
) -> AsyncIterator[Client]:
    await operator.create_user(person.name.lower(), PASSWORD, display_name=person.name)
    credentials = Password(person.name.lower(), PASSWORD)
    async with Client.connect(server.address, credentials) as client:
        yield client


async def _known(client: Client, state: int) -> list[Memory]:
    return [it async for it in client.list_memories(states=[state])]  # type: ignore[list-item]


def _is_told(memory: Memory, said: dict[str, str]) -> bool:
    return bool(memory.sources) and all(
        said[it.message_id][it.start : it.end].strip() for it in memory.sources
    )
