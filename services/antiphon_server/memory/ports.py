"""What memory needs from outside.

All methods raise DomainError if the other service can't be used.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from antiphon_server.memory.model import (
    Assembly,
    ConversationId,
    KeptMessages,
    LogEnd,
    MessageId,
    Place,
    Readable,
    Said,
    SaidPage,
    Window,
    WorkspaceId,
)
from antiphon_server.runtime.access.principal import UserId


class Conversations(Protocol):
    """Conversations, as their owner knows them."""

    async def readable(
        self,
        user_id: UserId,
        workspace_id: WorkspaceId,
        among: Sequence[ConversationId],
        limit: int,
    ) -> Readable:
        """What the user may read now, those first that were active last."""
        ...

    async def said_in(self, conversation_id: ConversationId) -> Sequence[Said]:
        """All that was ever said there, in order."""
        ...

    async def messages(self, places: Sequence[Place], *, in_context: bool = False) -> KeptMessages:
        """Those that there are of at most 100; of very long ones the first.

        With ``in_context`` those alone that prompts may hold: no asides, nothing rolled back.
        """
        ...

    async def window(
        self, conversation_id: ConversationId, max_tokens: int, answered: MessageId
    ) -> Window:
        """The newest messages that fit, ``answered`` among them. Raises DomainError NOT_FOUND."""
        ...


class Assemblies(Protocol):
    """What turns' models were shown."""

    def keep(self, conversation_id: ConversationId, turn_id: str, assembly: Assembly) -> None:
        """Keep it soon, in the place of what was kept of that turn, but for texts."""
        ...

    async def find(self, conversation_id: ConversationId, turn_id: str) -> Assembly | None:
        """What is kept of a turn of that conversation."""
        ...

    async def write(self) -> None:
        """Write what waits; what can't be written now waits on."""
        ...

    async def forget(self, before_us: int) -> None:
        """Drop what is older."""
        ...


class Logs(Protocol):
    """The logs of conversations."""

    async def end(self, conversation_id: ConversationId) -> LogEnd:
        """Where it ends now."""
        ...

    async def news(self, cursors: Mapping[ConversationId, str]) -> Collection[ConversationId]:
        """Of which conversations the log has something behind that cursor, or has lost it."""
        ...

    async def read(self, conversation_id: ConversationId, cursor: str) -> SaidPage:
        """What was said behind that. Raises DomainError CURSOR_TRIMMED, EPOCH_CHANGED."""
        ...


class Names(Protocol):
    """What people are called."""

    async def names_of(self, user_ids: Collection[UserId]) -> Mapping[UserId, str]:
        """The names that are known."""
        ...
