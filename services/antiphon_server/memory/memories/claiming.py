"""The claim of a conversation, which one server alone reads on where that costs money."""

import time

from antiphon_server.memory.model import ConversationId
from antiphon_server.memory.ports import Extractions

CLAIM_US = 600 * 1_000_000
"""Of a server that dies, others read on where it was after so long."""


class Claim:
    """A conversation's claim; until when it is held says whose it is."""

    def __init__(self, store: Extractions, conversation_id: ConversationId) -> None:
        self._store, self._conversation_id = store, conversation_id
        self._until_us = 0

    async def take(self) -> bool:
        """Hold it from now on; false if another server does."""
        now_us = time.time_ns() // 1000
        self._until_us = now_us + CLAIM_US
        return await self._store.claim(self._conversation_id, now_us, self._until_us)

    async def renew(self) -> bool:
        """Hold it for as long again; false if it was over, and another server took it."""
        held_us, self._until_us = self._until_us, time.time_ns() // 1000 + CLAIM_US
        return await self._store.renew(self._conversation_id, held_us, self._until_us)

    async def release(self) -> None:
        """Let others read it, unless they do already."""
        await self._store.unclaim(self._conversation_id, self._until_us)
