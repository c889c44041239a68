"""What erasures that take a while need: their records, and other services."""

from collections.abc import Sequence
from typing import Protocol

from antiphon_server.context.model.erasure_tasks import ErasureTask, Unerased
from antiphon_server.context.model.messages import Offset
from antiphon_server.context.model.resources import ConversationId, WorkspaceId


class ErasureTaskRecords(Protocol):
    """Erasures that take a while, within a transaction, and what they look for."""

    def get(self, resource: str) -> ErasureTask | None:
        """The one of a conversation, a workspace or a person."""
        ...

    def add(self, task: ErasureTask) -> bool:
        """Begin it, in the place of one that is done; False if one is there that isn't."""
        ...

    def put(self, task: ErasureTask, until_us: int) -> None:
        """Store how far it is; it is nobody else's until then."""
        ...

    def claim(self, now_us: int, until_us: int) -> ErasureTask | None:
        """One that isn't done, and nobody's now; it is the caller's until then.

        The one that was tried longest ago: those that can't go on hold up no others.
        """
        ...

    def release(self) -> None:
        """Let all be nobody's: whoever has claimed them is dead."""
        ...

    def renew(self, resource: str, until_us: int) -> None:
        """Let it be nobody else's until then, however far it is."""
        ...

    def unerased(
        self, conversation_id: ConversationId, after: Offset, limit: int
    ) -> Sequence[Unerased]:
        """Messages behind a place that aren't erased, the oldest first."""
        ...

    def said_by(self, author: str, after: Unerased | None, limit: int) -> Sequence[Unerased]:
        """Somebody's messages behind that one that aren't erased, by conversations."""
        ...

    def in_workspace(
        self, workspace_id: WorkspaceId, after: ConversationId, limit: int
    ) -> Sequence[tuple[ConversationId, ErasureTask | None]]:
        """Conversations of a workspace behind that id, each with its erasure, by their ids."""
        ...

    def strip_names(self, workspace_id: WorkspaceId) -> None:
        """Take away what answers to requests say of the workspace's name."""
        ...

    def strip_answers(self, conversation_id: ConversationId) -> None:
        """Take away what answers to requests say of the conversation's settings."""
        ...


class ErasesScopes(Protocol):
    """Erases what other services keep of a conversation, a workspace or a person as a whole.

    Everything here raises DomainError if one of them can't be reached, and may be repeated.
    """

    async def conversation(self, conversation_id: ConversationId) -> None:
        """Return when nobody keeps its settings, its whiteboard, or its memories."""
        ...

    async def workspace(self, workspace_id: WorkspaceId) -> None:
        """Return when nobody keeps its name, its memories, or its members' profiles there."""
        ...

    async def person(self, resource: str) -> None:
        """Return when nothing is remembered of them (`users/user_…`)."""
        ...
