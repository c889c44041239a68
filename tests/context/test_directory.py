"""Conversations are found in memory, and memory is bounded."""

import gc
import tracemalloc
from pathlib import Path

from antiphon_server.context.model.resources import ConversationId
from antiphon_server.context.service.directory import Directory
from antiphon_server.context.service.roles import Roles
from antiphon_server.runtime.permissions import Permission
from antiphon_server.runtime.principal import Principal, SessionId, UserId
from tests.context.world import ANN, world

CALLER = Principal("user", UserId(ANN), SessionId("s"))


async def test_memory_is_bounded_in_bytes(tmp_path: Path) -> None:
    """However long the instructions are and however wide their characters."""
    instructions = "i" * 30_000 + "😀"
    async with world("sqlite", tmp_path) as here:
        made = [await here.conversation(instructions=instructions) for _ in range(20)]
        directory = Directory(here.store, Roles(here.store), max_bytes=1 << 19)
        await directory.find(CALLER, ConversationId(made[0]), Permission.READ)
        tracemalloc.start()
        try:
            for conversation_id in made:
                found = await directory.find(
                    CALLER, ConversationId(conversation_id), Permission.READ
                )
                assert found.instructions == instructions
            del found
            gc.collect()
            assert tracemalloc.get_traced_memory()[0] < 1 << 20
        finally:
            tracemalloc.stop()
