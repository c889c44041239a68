"""Conversations are found in memory, and memory is bounded."""

import gc
import tracemalloc

import pytest

from antiphon_server.context.model.resources import ConversationId
from antiphon_server.context.service.directory import MAX_BYTES, Directory
from antiphon_server.context.service.role_cache import Roles
from antiphon_server.runtime.access.permissions import Permission
from antiphon_server.runtime.access.principal import Principal, SessionId, UserId
from antiphon_server.runtime.errors import Reason
from tests.context.stand_ins import ANN, Held
from tests.context.world import World
from tests.e2e.refusals import Refused

CALLER = Principal("user", UserId(ANN), SessionId("s"))


async def test_memory_is_bounded_in_bytes(world: World) -> None:
    """However long the instructions are and however wide their characters."""
    instructions = "i" * 30_000 + "😀"
    made = [await world.conversation(instructions=instructions) for _ in range(20)]
    directory = Directory(world.store, Roles(world.store), max_bytes=1 << 19)
    await directory.find(CALLER, ConversationId(made[0]), Permission.READ)
    tracemalloc.start()
    try:
        for conversation_id in made:
            found = await directory.find(CALLER, ConversationId(conversation_id), Permission.READ)
            assert found.instructions == instructions
        del found
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] < 1 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("max_bytes", [0, MAX_BYTES])
async def test_one_look_finds_a_conversation_and_the_role(world: World, max_bytes: int) -> None:
    """Where nothing may be remembered; a stranger finds nothing in either case."""
    made = ConversationId(await world.conversation(instructions="be brief"))
    store = Held(world.database)
    directory = Directory(store, Roles(store, 0), max_bytes)
    found = await directory.find(CALLER, made, Permission.MANAGE)
    assert found.instructions == "be brief"
    assert store.reads == (2 if max_bytes else 1)
    stranger = Principal("user", UserId("user_stranger"), SessionId("s"))
    for caller, conversation_id in ((stranger, made), (CALLER, ConversationId("conv_none"))):
        with Refused(Reason.NOT_FOUND):
            await directory.find(caller, conversation_id, Permission.READ)
