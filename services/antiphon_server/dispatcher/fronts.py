"""What people say to a turn beside its message, looked at by filters: its model is told."""

from antiphon_server.dispatcher.encoding import content_of, text_of
from antiphon_server.dispatcher.model import ConversationId, TurnId
from antiphon_server.dispatcher.ports import FilteredConversations

NO_TURN = TurnId("")


class Front:
    """The filters in front of conversations."""

    def __init__(self, conversations: FilteredConversations) -> None:
        self._conversations = conversations

    async def left(
        self, conversation_id: str, text: str, author: str, turn_id: TurnId = NO_TURN
    ) -> str:
        """What filters leave of a text. Raises DomainError CONTENT_BLOCKED, FILTER_UNAVAILABLE."""
        if not text:
            return text
        view = await self._conversations.get(ConversationId(conversation_id))
        if not view.filtered:
            return text
        content = content_of(text)
        return text_of(await self._conversations.screened(view, author, turn_id, content))
