"""Names in what people say: of facts, of people who are there, of what is known; none by guests."""

from collections.abc import Collection, Mapping

import pytest

from antiphon.auth.v1.access_pb2 import ROLE_GUEST, ROLE_MEMBER, Role
from antiphon_server.memory.adapters.conversations import ContextConversations
from antiphon_server.memory.extracting import Utterance, extract
from antiphon_server.memory.memories.acquaintances import Acquaintances
from antiphon_server.memory.model import ConversationId, MessageId, Said
from antiphon_server.memory.named import EntityType
from antiphon_server.runtime.access.principal import UserId
from tests.context.stand_ins import ANN, BOB, SERVICE
from tests.context.world import World

Told = tuple[str, str, EntityType, bool]


class Names:
    """What people are called: with a capital."""

    async def names_of(self, user_ids: Collection[UserId]) -> Mapping[UserId, str]:
        """All of them."""
        called = {ANN: "Name of Ann", BOB: "Name of Bob"}
        return {it: called[it] for it in user_ids}


class Known:
    """What is known by name in each scope."""

    def __init__(self, **names: list[str]) -> None:
        self._names = names

    async def names_in(self, scope: str) -> list[str]:
        """All of a scope."""
        return self._names.get(scope.removeprefix("users/"), [])


async def told(world: World, here: str, known: Known, *said: tuple[str, str]) -> list[Told]:
    """Scope, name, type, and whether it makes an entity, of each name in what was said."""
    conversations = ContextConversations(world.client(SERVICE))
    acquaintances = Acquaintances(Names(), known, conversations)
    messages = [
        Said(MessageId(f"msg_{at}"), f"users/{who}", at, text)
        for at, (who, text) in enumerate(said)
    ]
    facts = [
        (it.message_id, fact)
        for it in messages
        for fact in extract(Utterance(it.text, it.author, "Somebody", it.time_us))
    ]
    found = await acquaintances.named(ConversationId(here), messages, facts)
    texts = {it.message_id: it.text for it in messages}
    assert all(texts[which][it.start : it.end] == it.name for which, it in found)
    return [(it.scope.removeprefix("users/"), it.name, it.type, it.tells) for _, it in found]


async def test_what_a_fact_is_about_is_a_name_of_that_sort(world: World) -> None:
    """Also where it is named again; what anybody else has told is not known to Bob."""
    here = await world.conversation(ANN)
    said = [(ANN, "I live in Lyon. My dog is called Rex."), (ANN, "Rex loves Lyon, not lyon.")]
    assert await told(world, here, Known(), *said, (BOB, "Rex again?")) == [
        (ANN, "Lyon", EntityType.PLACE, True),
        (ANN, "Rex", EntityType.OTHER, True),
        (ANN, "Rex", EntityType.NONE, False),
        (ANN, "Lyon", EntityType.NONE, False),
    ]


async def test_what_is_known_is_found_as_it_is_written(world: World) -> None:
    """Whole words with a capital, the longest first; no parts of addresses."""
    here = await world.conversation(ANN)
    known = Known(**{ANN: ["New York", "New York City", "will", "X", "Rex"]})
    text = "We left New York City; New York, will @Rex and x.Rex-1, Rexona"
    assert [it[1] for it in await told(world, here, known, (ANN, text))] == [
        "New York City",
        "New York",
    ]


@pytest.mark.parametrize(("role", "learns"), [(ROLE_MEMBER, True), (ROLE_GUEST, False)])
async def test_people_who_are_there_are_known_by_name_but_to_guests(
    world: World, role: Role.ValueType, *, learns: bool
) -> None:
    """Who could learn by it whether somebody of a name is there."""
    here = await world.conversation(ANN)
    await world.add(here, BOB, role)
    said = [(ANN, "Hello"), (BOB, "Hello, Name of Ann! I am Name of Bob.")]
    found = await told(world, here, Known(), *said)
    assert found == ([(BOB, "Name of Ann", EntityType.PERSON, True)] if learns else [])
