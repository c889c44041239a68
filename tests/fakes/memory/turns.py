"""Turns in memory."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from antiphon_server.dispatcher.model import ConversationId, StoredTurn, Turn, TurnId
from antiphon_server.runtime.errors import DomainError, Reason


class MemoryTurnStore:
    """A :class:`~antiphon_server.dispatcher.ports.TurnStore` that forgets at the end."""

    def __init__(self) -> None:
        self._turns: dict[tuple[ConversationId, TurnId], StoredTurn] = {}

    async def add(self, turn: StoredTurn) -> StoredTurn:
        """See :meth:`TurnStore.add`."""
        return self._turns.setdefault((turn.conversation_id, turn.turn_id), turn)

    async def get(self, conversation_id: ConversationId, turn_id: TurnId) -> StoredTurn | None:
        """See :meth:`TurnStore.get`."""
        return self._turns.get((conversation_id, turn_id))

    async def put(self, turn: StoredTurn) -> None:
        """See :meth:`TurnStore.put`."""
        key = turn.conversation_id, turn.turn_id
        stored = self._turns.get(key, turn)
        revived = stored.state.ended and not turn.state.ended
        if stored.node != turn.node or stored.attempt > turn.attempt or revived:
            raise DomainError(Reason.FENCED, fence_key=turn.turn_id)
        self._turns[key] = turn

    async def list(
        self, conversation_id: ConversationId, before: tuple[int, str] | None, limit: int
    ) -> Sequence[StoredTurn]:
        """See :meth:`TurnStore.list`."""
        mine = [t for t in self._turns.values() if t.conversation_id == conversation_id]
        mine.sort(key=_age, reverse=True)
        return [turn for turn in mine if before is None or _age(turn) < before][:limit]

    async def claim(self, node: str, now_us: int, until_us: int, *, own: bool) -> Sequence[Turn]:
        """See :meth:`TurnStore.claim`."""
        orphans = [
            turn
            for turn in self._turns.values()
            if isinstance(turn, Turn)
            and not turn.state.ended
            and (turn.lease_until_us < now_us or (own and turn.node == node))
        ]
        claimed = [replace(turn, node=node, lease_until_us=until_us) for turn in orphans]
        self._turns |= {(turn.conversation_id, turn.turn_id): turn for turn in claimed}
        return sorted(claimed, key=_age)

    async def renew(self, node: str, turn_ids: Collection[TurnId], until_us: int) -> set[TurnId]:
        """See :meth:`TurnStore.renew`."""
        kept = set()
        for turn in list(self._turns.values()):
            held = isinstance(turn, Turn) and turn.node == node and not turn.state.ended
            if isinstance(turn, Turn) and held and turn.turn_id in turn_ids:
                await self.put(replace(turn, lease_until_us=until_us))
                kept.add(turn.turn_id)
        return kept


def _age(turn: StoredTurn) -> tuple[int, str]:
    return turn.created_us, turn.turn_id
