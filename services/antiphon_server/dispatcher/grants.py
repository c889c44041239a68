"""The access token that a worker gets with a turn, and whether its turn still runs."""

from antiphon_server.dispatcher.lane import Lanes
from antiphon_server.dispatcher.model import ConversationId, State, Turn, TurnId
from antiphon_server.dispatcher.ports import TurnStore
from antiphon_server.runtime.access.grants import GrantTokens
from antiphon_server.runtime.access.principal import Grant

RESTS_S = 30 * 86_400.0
"""For so long a turn may wait for people, which is no part of its time, before it needs another."""


class Grants:
    """Issues grants; whoever holds one is answered while :class:`RunningAttempts` says so."""

    def __init__(self, tokens: GrantTokens) -> None:
        self._tokens = tokens

    def issue(self, turn: Turn, until: float) -> str:
        """The grant of the turn's attempt, which ends with it.

        A turn that never rests ends by ``until``, in Unix seconds.
        """
        grant = Grant(turn.turn_id, turn.conversation_id, turn.workspace_id, turn.attempt)
        return self._tokens.issue(grant, turn.user_id, turn.api_keys, until + RESTS_S)


class RunningAttempts:
    """A :class:`~antiphon_server.runtime.access.grants.RunningTurns`.

    Of a turn in hand it answers from memory, of others by the store, which is told of an end right
    after the log.
    """

    def __init__(self, lanes: Lanes, store: TurnStore) -> None:
        self._lanes, self._store = lanes, store

    async def runs(self, grant: Grant, *, or_later: bool = False) -> bool:
        """See :meth:`RunningTurns.runs`."""
        where = ConversationId(grant.conversation_id), TurnId(grant.turn_id)
        active = self._lanes.find(*where)
        if active is not None:
            over = active.done.is_set() or active.wanted
            return not over and _runs(active.turn, grant.attempt, or_later)
        stored = await self._store.get(*where)
        return isinstance(stored, Turn) and _runs(stored, grant.attempt, or_later)


def _runs(turn: Turn, attempt: int, or_later: bool) -> bool:
    running = turn.state is State.RUNNING and not turn.cancel_requested
    return running and (turn.attempt == attempt or (or_later and turn.attempt > attempt))
