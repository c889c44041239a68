"""What people say to a turn beside its message, looked at by filters: its model is told."""

from typing import NamedTuple

from antiphon_server.dispatcher.model import ConversationId, ConversationView, TurnId
from antiphon_server.dispatcher.ports import FilteredConversations
from antiphon_server.runtime.encoding.json_texts import JsonTexts

NO_TURN = TurnId("")


class Saying(NamedTuple):
    """Who says something where, and to which turn."""

    conversation_id: str
    author: str
    turn_id: TurnId = NO_TURN


class Front:
    """The filters in front of conversations. All raises CONTENT_BLOCKED, FILTER_UNAVAILABLE."""

    def __init__(self, conversations: FilteredConversations) -> None:
        self._conversations = conversations

    async def left(self, saying: Saying, text: str, most: int) -> str:
        """What filters leave of a text, at most ``most`` bytes."""
        view = await self._filtered(saying, text)
        if view is None:
            return text
        said = saying.author, saying.turn_id
        (left,) = await self._conversations.screened_words(view, *said, [(text, most)])
        return left

    async def left_json(self, saying: Saying, content: str) -> str:
        """What filters leave of a JSON text, which is as long and of the same shape.

        They look at its texts as they are meant, however those are written, and at its numbers.
        """
        view = await self._filtered(saying, content)
        if view is None:
            return content
        it = JsonTexts(content)
        said = saying.author, saying.turn_id
        return it.with_texts(await self._conversations.screened_words(view, *said, it.texts))

    async def _filtered(self, saying: Saying, text: str) -> ConversationView | None:
        """The conversation, if there is something for filters to look at."""
        if not text:
            return None
        view = await self._conversations.get(ConversationId(saying.conversation_id))
        return view if view.filtered else None
