"""The access token that a worker gets with a turn."""

from antiphon_server.dispatcher.model import Turn
from antiphon_server.runtime.access.grants import GrantTokens
from antiphon_server.runtime.access.principal import Grant


class Grants:
    """Issues them: see :mod:`antiphon_server.runtime.access.grants`."""

    def __init__(self, tokens: GrantTokens) -> None:
        self._tokens = tokens

    def issue(self, turn: Turn, until: float) -> str:
        """The grant of the turn's attempt, good until then (Unix seconds) or the attempt's end."""
        grant = Grant(turn.turn_id, turn.conversation_id, turn.workspace_id, turn.attempt)
        return self._tokens.issue(grant, turn.user_id, turn.api_keys, until)
