"""Ten people with memories, notes and conversations of their own and of two labs, in one index.

Everything that somebody keeps contains a word of its own, which says where it is from: so whoever
is told such a word was told of that place.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from antiphon.auth.v1.access_pb2 import ROLE_GUEST, ROLE_MEMBER
from antiphon_client import Client, Password
from tests.e2e.callers import PASSWORD
from tests.e2e.server import ServerProcess

PEOPLE = 10
LABS = 2
_WORD = re.compile(r"zq[a-z]+\d+x")


@dataclass(frozen=True, slots=True)
class Place:
    """Somewhere where something is kept: what its word is, who may read it, and its names."""

    word: str
    readers: set[str]
    conversation_id: str = ""
    workspace_id: str = ""
    scope: str = ""
    memory_id: str = ""
    turn_id: str = ""
    message_id: str = ""


@dataclass(frozen=True, slots=True)
class Crowd:
    """The people by their ids, the labs' workspaces, and all places."""

    operator: Client
    people: dict[str, Client]
    labs: list[str] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)

    def told(self, text: str) -> set[str]:
        """The words of places that stand in a text."""
        return set(_WORD.findall(text))

    def readable(self, user_id: str) -> set[str]:
        """The words that somebody may be told."""
        return {it.word for it in self.places if user_id in it.readers}


@asynccontextmanager
async def crowd(server: ServerProcess) -> AsyncIterator[Crowd]:
    """Five people in each lab; the last one of all is a guest of a conversation of the first."""
    async with AsyncExitStack() as stack:
        operator = await stack.enter_async_context(server.client())
        made = Crowd(operator, {})
        for number in range(PEOPLE):
            user_id = (await operator.create_user(f"person{number}", PASSWORD)).user_id
            client = Client.connect(server.address, Password(f"person{number}", PASSWORD))
            made.people[user_id] = await stack.enter_async_context(client)
        ids = list(made.people)
        for number, user_id in enumerate(ids):
            await _own(made, number, user_id)
        for number in range(LABS):
            await _lab(made, number, ids[number::LABS], guest=ids[-1] if not number else "")
        yield made


async def _own(crowd: Crowd, number: int, user_id: str) -> None:
    client = crowd.people[user_id]
    await _keep(crowd, client, f"zqconv{number}x", {user_id}, await _conversation(client))
    await _remember(crowd, client, f"zqself{number}x", {user_id}, f"users/{user_id}")


async def _lab(crowd: Crowd, number: int, members: list[str], guest: str) -> None:
    """A workspace with a conversation, memories of both, and one that a guest may read."""
    first = crowd.people[members[0]]
    workspace_id = (await first.create_workspace(f"Lab {number}")).workspace_id
    crowd.labs.append(workspace_id)
    for it in members[1:]:
        await first.add_member(workspace_id, it, ROLE_MEMBER)
    inside = await _conversation(first, workspace_id)
    for it in members[1:]:
        await first.add_member(inside, it, ROLE_MEMBER)
    await _keep(crowd, first, f"zqlab{number}x", set(members), inside, workspace_id)
    await _remember(
        crowd, first, f"zqwork{number}x", set(members), f"workspaces/{workspace_id}", workspace_id
    )
    if guest:
        opened = await _conversation(first, workspace_id)
        await first.add_member(opened, guest, ROLE_GUEST)
        for it in members[1:]:
            await first.add_member(opened, it, ROLE_MEMBER)
        readers = {*members, guest}
        await _keep(crowd, first, f"zqguest{number}x", readers, opened, workspace_id)


async def _conversation(client: Client, workspace_id: str = "") -> str:
    made = await client.create_conversation("Talk", workspace_id=workspace_id)
    return made.conversation_id


async def _keep(
    crowd: Crowd,
    client: Client,
    word: str,
    readers: set[str],
    conversation_id: str,
    workspace_id: str = "",
) -> None:
    """Messages, a turn, notes, and a memory, all in a conversation."""
    await client.post_message(conversation_id, f"A heron {word} stands there", in_context=True)
    async with client.converse(conversation_id) as talk:
        turn = await talk.post(f"What of the heron {word}?", handler="assistant")
        await turn.result()
    await client.write_section(conversation_id, "Plan", f"Watch the heron {word}")
    scope = f"conversations/{conversation_id}"
    memory = await client.put_memory(f"The heron is {word}", scope)
    place = Place(
        word,
        readers,
        conversation_id,
        workspace_id,
        scope,
        memory.memory_id,
        turn.turn_id,
        (await anext(client.list_messages(conversation_id))).message_id,
    )
    crowd.places.append(place)


async def _remember(
    crowd: Crowd,
    client: Client,
    word: str,
    readers: set[str],
    scope: str,
    workspace_id: str = "",
) -> None:
    memory = await client.put_memory(f"A heron called {word}", scope)
    crowd.places.append(
        Place(word, readers, scope=scope, memory_id=memory.memory_id, workspace_id=workspace_id)
    )


async def settled() -> None:
    """What is written behind a turn's back is there."""
    await asyncio.sleep(1.5)
