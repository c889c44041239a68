"""What was said before is found, or is not waited for."""

import time

from antiphon_server.memory.assembly.contributing import Asked
from antiphon_server.memory.assembly.older_messages import AGAIN_S, WAIT_S, OlderMessages
from antiphon_server.memory.model import ConversationId, MessageId, Newest, WorkspaceId
from antiphon_server.runtime.access.principal import Principal, SessionId, UserId
from tests.memory.search_world import Search

DISPATCHER = Principal("service", UserId("dispatcher"), SessionId("s"))


async def test_one_turn_waits_for_a_long_conversation_and_not_each(search: Search) -> None:
    """While it is read for the first time the next ones go on without."""
    here = ConversationId(await search.world.conversation())
    await search.world.say(here, "The heron was seen.")
    older = OlderMessages(search.searching._conversations, search.world.accounts, search.library)
    newest = Newest(MessageId("msg_newest01"), 1 << 62, 1, 1, 1)
    asked = Asked(DISPATCHER, here, "heron", newest, UserId(""), WorkspaceId(""), 1000)
    search.logs.may_read.clear()
    waits = []
    for _ in range(3):
        began = time.monotonic()
        assert (await older.contribute(asked)).left_out
        waits.append(time.monotonic() - began)
    assert waits[0] >= WAIT_S
    assert sum(waits[1:]) < WAIT_S
    assert AGAIN_S < WAIT_S
    search.logs.may_read.set()
    await search.brought(here)
    assert (await older.contribute(asked)).items
