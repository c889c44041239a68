"""What the context service needs of other services."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from antiphon_server.context.model.changes import EncodedEntry, Scope
from antiphon_server.context.model.erasures import Erasure, Redacted
from antiphon_server.context.model.messages import Content, LogPage, NewMessage, Offset, Placed
from antiphon_server.context.model.resources import Conversation, ConversationId
from antiphon_server.runtime.access.principal import UserId
from antiphon_server.runtime.encoding.titles import Beginning


class EventLog(Protocol):
    """The logs of conversations and workspaces.

    Everything here raises DomainError if the log can't be reached or refuses.
    """

    async def append(self, entry: EncodedEntry, to: Scope | None = None) -> None:
        """Commit the entry's changes, together, in its log or ``to`` another one.

        An entry that was appended there before is left alone.

        Raises DomainError INVALID_ARGUMENT, too, for one that is damaged.
        """
        ...

    async def post(self, message: NewMessage, request_id: str) -> Placed:
        """Commit a message; the same request id with the same message gets the first place.

        Raises DomainError REQUEST_ID_REUSED if it was used for another message.
        """
        ...

    async def read(self, conversation_id: ConversationId, cursor: str) -> LogPage:
        """What the log says about messages after ``cursor`` (empty: from the beginning).

        Raises DomainError CURSOR_TRIMMED or EPOCH_CHANGED, with earliest_cursor.
        """
        ...

    async def trim(self, conversation_id: ConversationId, before: Offset) -> None:
        """Remove the events that end before ``before``."""
        ...


class ErasesWords(Protocol):
    """Erases what other services keep of what was said.

    Everything here raises DomainError if one of them can't be reached, and may be repeated.
    """

    async def redact(
        self,
        erasure: Erasure,
        beginnings: Sequence[Beginning] = (),
        *,
        validate_only: bool = False,
    ) -> Redacted:
        """Take the words out of the log, at their places, for good.

        Titles that were made of ``beginnings`` go wherever they were told.

        With ``validate_only`` nothing is changed. Raises DomainError TURN_NOT_ENDED.
        """
        ...

    async def erase(self, erasure: Erasure, redacted: Redacted) -> None:
        """Return when no other service keeps anything of it, or has made something of it."""
        ...


class RoleAudit(Protocol):
    """Keeps account of roles."""

    async def role_changed(self, change: EncodedEntry) -> None:
        """Return when the change is on record; one that was told before is left alone.

        Raises DomainError if the trail can't be reached or refuses, INVALID_ARGUMENT for one
        that is damaged.
        """
        ...


class Users(Protocol):
    """Knows who has an account."""

    async def require(self, user_id: UserId) -> str:
        """What the user is called, who exists. Raises DomainError NOT_FOUND otherwise."""
        ...

    async def names_of(self, user_ids: Collection[UserId]) -> Mapping[UserId, str]:
        """What those of them are called who exist; while the accounts can't be reached, those
        whose names are known.
        """
        ...


Words: TypeAlias = Sequence[tuple[str, int]]
"""Words, each with how many bytes may be left of it; of one with 0 nothing can be cut out."""


class ScreensMessages(Protocol):
    """Has filters look at what is said before it is kept."""

    def stand(self, workspace_id: str) -> bool:
        """Whether any look at what is said in the workspace."""
        ...

    async def screened(
        self,
        conversation: Conversation,
        author: str,
        content: Content,
        said_before: Callable[[], Awaitable[bool]],
    ) -> Content:
        """What is left of a message; what they say is kept, also if nothing is left.

        Before they say anything ``said_before`` is asked: they say nothing of what was, and leave
        it as it is. Raises DomainError CONTENT_BLOCKED, FILTER_UNAVAILABLE.
        """
        ...

    async def screened_words(self, workspace_id: str, author: str, words: Words) -> Sequence[str]:
        """What is left of words that a conversation is made or changed with.

        Raises DomainError CONTENT_BLOCKED, FILTER_UNAVAILABLE.
        """
        ...


@dataclass(frozen=True, slots=True)
class Speaking:
    """That somebody says something; ``fingerprint`` is 0 where it was not made."""

    author: str
    session_id: str
    conversation_id: str
    workspace_id: str
    fingerprint: int = 0
    size_bytes: int = 0


class WatchesMessages(Protocol):
    """Has detectors watch who says how much; nobody waits for that."""

    def stand(self, workspace_id: str) -> bool:
        """Whether any watch the workspace."""
        ...

    def said(self, it: Speaking) -> float:
        """Note it, and say for how many seconds it is to be refused as THROTTLED; 0.0: not."""
        ...

    def begins(self, it: Speaking) -> float:
        """Say the same of somebody who is about to say something, which is not noted yet."""
        ...
