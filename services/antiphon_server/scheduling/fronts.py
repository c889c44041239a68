"""What a schedule passes before it is kept; filters look again at what it says when it is due."""

from dataclasses import replace

from antiphon_server.dispatcher.scheduling_room import (
    NO_TURN,
    ConversationId,
    ConversationView,
    FilteredConversations,
)
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.scheduling.encoding import message_of, with_message, with_words, words_of
from antiphon_server.scheduling.model import Schedule


class ScheduleFront:
    """A :class:`~antiphon_server.scheduling.ports.Front`: the conversation, and its filters."""

    def __init__(self, conversations: FilteredConversations) -> None:
        self._conversations = conversations

    async def admitted(self, wanted: Schedule) -> Schedule:
        """See :meth:`Front.admitted`."""
        view = await self._view(wanted)
        if view.erased:
            raise DomainError(Reason.CONVERSATION_ERASED, conversation_id=wanted.conversation_id)
        if view.archived:
            raise DomainError(Reason.CONVERSATION_ARCHIVED, conversation_id=wanted.conversation_id)
        return await self._left(view, replace(wanted, workspace_id=view.workspace_id))

    async def left(self, changed: Schedule) -> Schedule:
        """See :meth:`Front.left`."""
        return await self._left(await self._view(changed), changed)

    async def _view(self, it: Schedule) -> ConversationView:
        return await self._conversations.get(ConversationId(it.conversation_id))

    async def _left(self, view: ConversationView, it: Schedule) -> Schedule:
        if not view.filtered:
            return it
        message, words, author = message_of(it.body), words_of(it.body), it.creator
        left = await self._conversations.screened(view, author, NO_TURN, message, holds=True)
        if left.content != message:
            it = replace(it, body=with_message(it.body, left.content))
        if words:
            said = await self._conversations.screened_words(view, author, NO_TURN, words)
            it = replace(it, body=with_words(it.body, said))
        return it
