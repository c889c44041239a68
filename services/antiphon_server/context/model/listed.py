"""Which conversations are listed, in which order."""

import unicodedata
from dataclasses import dataclass
from enum import Enum

from antiphon_server.context.model.resources import Conversation, Position, WorkspaceId
from antiphon_server.runtime.access.principal import UserId
from antiphon_server.runtime.encoding.open_enum import OpenIntEnum


class Order(OpenIntEnum):
    """What comes first. The contract's values of ConversationOrder; unspecified is the newest."""

    UNSPECIFIED = 0
    NEWEST = 1
    LAST_ACTIVITY = 2


class Shelf(Enum):
    """Which of the archived ones and those in use."""

    IN_USE = "in use"
    ALL = "all"
    ARCHIVED = "archived"


@dataclass(frozen=True, slots=True)
class Listed:
    """What a list is of.

    ``reader`` is who may read them, by a role there or as admin of the workspace; None is
    everybody. ``workspace_id`` is whose they are, empty for all. In one workspace a ``reader``'s
    own roles on conversations count alone.
    """

    reader: UserId | None
    workspace_id: WorkspaceId
    shelf: Shelf = Shelf.IN_USE
    order: Order = Order.NEWEST

    def place(self, it: Conversation) -> Position:
        """Where a conversation is in the list."""
        by_activity = self.order is Order.LAST_ACTIVITY
        return Position(it.activity_us if by_activity else it.create_us, it.conversation_id)


def folded(text: str) -> str:
    """A text to look for, or in: letters in either case and form are the same."""
    return unicodedata.normalize("NFKC", text).casefold()
