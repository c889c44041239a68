"""In whose name a caller may have models asked."""

from antiphon_server.integration.ledger.model import Payer
from antiphon_server.integration.models.ports import Conversations
from antiphon_server.runtime.access.principal import current_principal
from antiphon_server.runtime.errors import invalid


class Paying:
    """Checks what a request says of who pays, beyond its workspace.

    Conversations and turns have budgets of their own: whoever could name any would use up those
    of others, and find one unused for each call.
    """

    def __init__(self, conversations: Conversations) -> None:
        self._conversations = conversations

    async def check(self, payer: Payer) -> None:
        """Return if the caller may have the payer's conversation pay; services know themselves.

        Raises DomainError INVALID_ARGUMENT if a user names a turn, or a conversation of another
        workspace; else what :meth:`Conversations.admit` raises.
        """
        caller = current_principal()
        if caller.kind != "user":
            return
        if payer.turn_id:
            raise invalid("turn_id", "empty: turns are what the installation itself runs")
        if not payer.conversation_id:
            return
        there = await self._conversations.admit(caller, payer.conversation_id)
        if there != payer.workspace_id:
            raise invalid("conversation_id", "a conversation of workspace_id")
