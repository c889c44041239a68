"""In whose name a caller may have models asked."""

from dataclasses import replace

from antiphon_server.integration.ledger.model import Payer
from antiphon_server.integration.models.ports import Conversations
from antiphon_server.runtime.access.principal import Grant, current_principal
from antiphon_server.runtime.errors import invalid


class Paying:
    """Checks what a request says of who pays, beyond its workspace.

    Conversations and turns have budgets of their own: whoever could name any would use up those
    of others, and find one unused for each call.
    """

    def __init__(self, conversations: Conversations) -> None:
        self._conversations = conversations

    async def admitted(self, payer: Payer) -> Payer:
        """Who pays, if the caller may have them pay; services know themselves.

        With a grant its turn pays, whether the request says so or not. Raises DomainError
        INVALID_ARGUMENT if it says another, if a user names a turn, or a conversation of another
        workspace; else what :meth:`Conversations.admit` raises.
        """
        caller = current_principal()
        if caller.grant is not None:
            return _of_turn(payer, caller.grant)
        if caller.kind == "user":
            await self._check(payer)
        return payer

    async def _check(self, payer: Payer) -> None:
        if payer.turn_id:
            raise invalid("turn_id", "empty: turns are what the installation itself runs")
        if not payer.conversation_id:
            return
        there = await self._conversations.admit(current_principal(), payer.conversation_id)
        if there != payer.workspace_id:
            raise invalid("conversation_id", "a conversation of workspace_id")


def _of_turn(payer: Payer, grant: Grant) -> Payer:
    own = replace(payer, conversation_id=grant.conversation_id, turn_id=grant.turn_id)
    for name in ("conversation_id", "turn_id"):
        if getattr(payer, name) not in ("", getattr(own, name)):
            raise invalid(name, "empty, or that of the grant")
    return own
