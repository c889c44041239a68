"""What a schedule says, looked at by filters before it is kept; when it is due they look again."""

from dataclasses import replace

from antiphon_server.dispatcher.scheduling_room import (
    NO_TURN,
    ConversationView,
    FilteredConversations,
)
from antiphon_server.scheduling.encoding import message_of, with_message, with_words, words_of
from antiphon_server.scheduling.model import Schedule


class ScheduleFront:
    """The filters in front of schedules."""

    def __init__(self, conversations: FilteredConversations) -> None:
        self._conversations = conversations

    async def left(self, view: ConversationView, author: str, it: Schedule) -> Schedule:
        """The schedule with what filters leave of its message and its conversation's words.

        Raises DomainError CONTENT_BLOCKED, FILTER_UNAVAILABLE.
        """
        if not view.filtered:
            return it
        message, words = message_of(it.body), words_of(it.body)
        left = await self._conversations.screened(view, author, NO_TURN, message, holds=True)
        if left.content != message:
            it = replace(it, body=with_message(it.body, left.content))
        if words:
            said = await self._conversations.screened_words(view, author, NO_TURN, words)
            it = replace(it, body=with_words(it.body, said))
        return it
