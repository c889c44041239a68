"""Seeded histories: a long conversation is summarised, and the server is killed again and again."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from antiphon.context.v1.message_pb2 import Message
from antiphon.memory.v1.summary_pb2 import SUMMARY_ORIGIN_MODEL, Summary
from antiphon_client import Client
from antiphon_server.memory.summaries.model import FAN_OUT
from tests.e2e.canaries import files_with, rows_with
from tests.e2e.server import ServerProcess, openai_model
from tests.fakes.openai_endpoint import Behaviour, FakeEndpoint

ROUNDS = 3
SAID = (110, 200)
KILLED_WITHIN_S = 3.0
DONE_WITHIN_S = 300.0
"""What a server was asking a model when it was killed another asks when the lease is over."""
WRITTEN = "PEOPLE:\n- the people agreed on all of it\n\nASSISTANTS:\n- they were told so\n"
PROMPT = {"ANTIPHON_MAX_PROMPT_TOKENS": "600"}
"""So few tokens that most messages have no room."""


@dataclass(frozen=True, slots=True)
class Run:
    """What came of a history: what is wrong, and how many summaries there are of how much."""

    seed: int
    wrong: list[str]
    kills: int
    messages: int
    summaries: int
    asked: int


@dataclass(slots=True)
class History:
    """A conversation, and the word in what is erased from it."""

    chance: Random
    word: str
    here: str = ""
    marked: list[str] = field(default_factory=list)

    async def say(self, client: Client, count: int) -> None:
        """Say so much, and something with the word, and have a model asked."""
        at = self.chance.randrange(count)
        for number in range(count):
            words = [f"word{self.chance.randrange(2000)}" for _ in range(12)]
            has = number == at
            if has:
                words[3:3] = ["Decided", self.word, "for", "London"]
            text = " ".join([*words, f"{number}."])
            said = await client.post_message(self.here, text, in_context=True)
            self.marked += [said.message_id] if has else []
        await self.ask(client)

    async def ask(self, client: Client) -> None:
        """A turn whose prompt leaves most of it out."""
        async with client.converse(self.here) as talk:
            turn = await talk.post("What was decided?", models=["fake/ok"])
            await turn.result()


@asynccontextmanager
async def summarising(
    home: Path, by_model: bool, variables: Mapping[str, str] = PROMPT
) -> AsyncIterator[tuple[ServerProcess, FakeEndpoint]]:
    """A server, and the model that it asks, also for summaries if those are written."""
    async with FakeEndpoint(Behaviour(text=WRITTEN, deltas=1)) as endpoint:
        models = [openai_model(f"fake/{name}", endpoint.base_url) for name in ("ok", "writes")]
        if by_model:
            variables = {**variables, "ANTIPHON_SUMMARY_MODEL": "fake/writes"}
        async with ServerProcess(home, models=models, variables=variables) as server:
            yield server, endpoint


async def run(server: ServerProcess, endpoint: FakeEndpoint, seed: int, *, by_model: bool) -> Run:
    """Make one history on a server that serves; it serves again at the end."""
    chance, kills = Random(seed), 0
    history = History(chance, f"canary{chance.randrange(1 << 64):016x}")
    async with server.client() as client:
        history.here = (await client.create_conversation()).conversation_id
    for _ in range(ROUNDS):
        async with server.client() as client:
            await history.say(client, chance.randint(*SAID))
            await asyncio.sleep(chance.random() * KILLED_WITHIN_S)
            if chance.random() < 0.5:
                await client.erase_messages(history.here, history.marked)
        if chance.random() < 0.8:
            await server.kill()
            await server.start()
            kills += 1
    async with server.client() as client:
        await client.erase_messages(history.here, history.marked)
        await history.ask(client)
        summaries = await settled(client, history.here, by_model)
        messages = [it async for it in client.list_messages(history.here)][::-1]
    wrong = wrong_in(summaries, messages)
    folder = server.data_dir
    wrong += [f"{history.word} in {it}" for it in await rows_with(folder, history.word)]
    wrong += [f"{history.word} in {it}" for it in files_with(folder, history.word)]
    asked = sum(1 for it in endpoint.seen if it.body["model"] == "writes")
    return Run(seed, wrong, kills, len(messages), len(summaries), asked)


async def settled(client: Client, conversation_id: str, by_model: bool) -> Sequence[Summary]:
    """The summaries once there is nothing more to make; those that there are if that takes long."""
    before: list[Summary] | None = None
    async with asyncio.timeout(DONE_WITHIN_S):
        while True:
            found = [it async for it in client.list_summaries(conversation_id)]
            pending = (await client.summaries_page(conversation_id)).pending_summaries
            written = all(it.origin == SUMMARY_ORIGIN_MODEL for it in found)
            if found and found == before and not pending and (written or not by_model):
                return found
            before = found
            await asyncio.sleep(6.0)  # longer than a server rests between two looks


def wrong_in(summaries: Sequence[Summary], messages: Sequence[Message]) -> list[str]:
    """What is missing, there twice, or of something else than it says."""
    places = {it.message_id: at for at, it in enumerate(messages)}
    left = [at for at, it in enumerate(messages) if not it.erased and not it.aside]
    wrong, at = list[str](), 0
    blocks = [it for it in summaries if it.level == 0]
    if [it.number for it in blocks] != list(range(len(blocks))):
        wrong.append(f"blocks {[it.number for it in blocks]}")
    for it in (each for each in blocks if each.messages):
        those = left[at : at + it.messages]
        if (places[it.first_message_id], places[it.last_message_id]) != (those[0], those[-1]):
            wrong.append(f"block {it.number} is not of the messages behind the one before")
        at += it.messages
    for it in (each for each in summaries if each.level):
        parts = [
            each
            for each in summaries
            if each.level == it.level - 1 and each.number // FAN_OUT == it.number
        ]
        if len(parts) != FAN_OUT or it.messages != sum(each.messages for each in parts):
            wrong.append(f"{it.level}.{it.number} is not of its parts")
    if not blocks or len(left) - at > 51:
        wrong.append(f"{len(left) - at} messages are in no block")
    for it in summaries:
        for line in (*it.people, *it.assistants):
            if line.message_id and not _within(it, places, line.message_id):
                wrong.append(f"{it.level}.{it.number} quotes {line.message_id}")
    return wrong


def _within(it: Summary, places: dict[str, int], message_id: str) -> bool:
    first, last = places[it.first_message_id], places[it.last_message_id]
    return first <= places[message_id] <= last
