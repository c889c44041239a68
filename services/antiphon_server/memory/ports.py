"""What memory needs from outside.

All methods raise DomainError if the other service can't be used.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from antiphon_server.memory.assembled import Assembly
from antiphon_server.memory.extracting.model import Candidate
from antiphon_server.memory.model import (
    Audience,
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
from antiphon_server.memory.named import Occurrence
from antiphon_server.memory.remembered import Changed, ListWish, Memory, Put, Request
from antiphon_server.runtime.access.principal import Principal, UserId


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


class Audiences(Protocol):
    """Who reads conversations, as their owner knows it now."""

    async def workspace_of(self, conversation_id: ConversationId) -> WorkspaceId:
        """The workspace it is in. Raises DomainError NOT_FOUND."""
        ...

    async def of(self, conversation_id: ConversationId, workspace_id: WorkspaceId) -> Audience:
        """Who can read what is said there. Raises DomainError NOT_FOUND."""
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

    async def remove(self, conversation_id: ConversationId) -> None:
        """Drop what turns of a conversation were shown."""
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

    async def read(self, conversation_id: ConversationId, cursor: str, limit: int = 0) -> SaidPage:
        """What was said behind that, of at most so many events at once; 0 of many.

        Raises DomainError CURSOR_TRIMMED, EPOCH_CHANGED.
        """
        ...


class Rights(Protocol):
    """What callers may do, as the access policy says now."""

    async def check_write(self, principal: Principal, scope: str) -> None:
        """Return if they may write there.

        Raises DomainError NOT_FOUND if they may not read there either, else PERMISSION_DENIED.
        """
        ...


class MemoryStore(Protocol):
    """Memories. A change takes the next revision of its scope, in the order of the commits."""

    async def made_by(self, request: Request) -> Put | None:
        """What the request has put, as it is now; None of a new one.

        Raises DomainError REQUEST_ID_REUSED if it said something else then.
        """
        ...

    async def put(self, memory: Memory, request: Request | None) -> Put:
        """Put a new memory, or join it with what is in use and says the same in its scope.

        What it supersedes is kept, as superseded. Raises DomainError NOT_FOUND, MEMORY_NOT_ACTIVE
        (of what it supersedes), LIMIT_EXCEEDED, REQUEST_ID_REUSED.
        """
        ...

    async def get(self, memory_id: str) -> Memory | None:
        """One as it is stored."""
        ...

    async def those(self, memory_ids: Collection[str]) -> Mapping[str, Memory]:
        """Those that there are of some."""
        ...

    async def list(
        self, wish: ListWish, before: str, limit: int, now_us: int = 0
    ) -> Sequence[Memory]:
        """Those behind the id ``before``, the newest first; "" from the newest on.

        What has expired by ``now_us`` is none of them.
        """
        ...

    async def replace(self, memory: Memory, before: str) -> bool:
        """Replace a memory whose etag is ``before``, and keep what it was; else change nothing.

        Raises DomainError ALREADY_EXISTS if another says the same, LIMIT_EXCEEDED (versions).
        """
        ...

    async def forget(self, memory_id: str, now_us: int, actor: str = "") -> Memory | None:
        """Take away what it says and has said; what is left of it, None if there is none.

        The audit trail is told, in the name of whoever calls, or of ``actor``.
        """
        ...

    async def versions(self, memory_id: str, before: int, limit: int) -> Sequence[Memory]:
        """What it was before that version, the newest first."""
        ...

    async def versions_of(self, memory_ids: Collection[str]) -> Mapping[str, Sequence[Memory]]:
        """All versions of some that have any, the newest first."""
        ...

    async def about(self, user_scope: str, after: str, limit: int) -> Sequence[Memory]:
        """A user's own and those about them behind the id ``after``, by id; no forgotten ones.

        None of those that other users have for themselves.
        """
        ...

    async def revisions(self, asked: Collection[str]) -> Mapping[str, int]:
        """The revisions of those of these scopes that have ever had a memory."""
        ...

    async def changed(
        self, scope: str, after: int, limit: int, forgotten_after: int = 0
    ) -> Changed:
        """What has changed there since that revision, in order, as it is now.

        Of what was forgotten what was so after that other revision: whoever has read nothing of a
        scope before that has nothing to take out for the rest.
        """
        ...

    async def expired(self, now_us: int, limit: int) -> Sequence[str]:
        """Ids of those whose time is over, and that say something still."""
        ...

    async def scrub(self) -> None:
        """Return when what was forgotten is in the database's files no more, as far as can be."""
        ...

    async def forget_requests(self, before_us: int) -> None:
        """Forget requests of before then."""
        ...


class Extractions(Protocol):
    """How far logs were read for facts, and the facts."""

    async def cursors(
        self, conversation_ids: Collection[ConversationId]
    ) -> Mapping[ConversationId, str]:
        """Of those that were ever read, where that goes on."""
        ...

    async def claim(self, conversation_id: ConversationId, now_us: int, until_us: int) -> bool:
        """Read a conversation alone until then; false if somebody else does so now."""
        ...

    async def renew(self, conversation_id: ConversationId, held_us: int, until_us: int) -> bool:
        """Read it alone for longer than until ``held_us``; false if the claim isn't that one."""
        ...

    async def unclaim(self, conversation_id: ConversationId, until_us: int) -> None:
        """Let others read it, if the claim is the one until then."""
        ...

    async def keep(
        self,
        conversation_id: ConversationId,
        before: str,
        after: str,
        found: Sequence[tuple[MessageId, Candidate]],
        now_us: int,
        named: Sequence[tuple[MessageId, Occurrence]] = (),
        erased: Collection[MessageId] = (),
    ) -> bool:
        """Remember what was found between two places of a log, and go on behind it, at once.

        What was said before is joined, what is contradicted superseded. ``named`` are the names
        that were found; of those in ``erased`` messages nothing is left. False if the log was read
        on from ``before`` ("" of one never read) already; then nothing has changed.
        """
        ...


class AskedModel(Protocol):
    """A model that is asked in the background, at the cost of the conversation's workspace."""

    async def answer(self, conversation_id: ConversationId, instructions: str, text: str) -> str:
        """Its whole answer. Raises DomainError as Generate does (budgets, breakers, limits)."""
        ...


class KeptVectors(Protocol):
    """Vectors that were made of messages and memories, so that none is made twice.

    A ``place`` is a partition of the index. What was forgotten is never kept there again.
    """

    async def find(
        self, place: str, model: str, digests: Mapping[str, bytes]
    ) -> Mapping[str, bytes]:
        """Of those ids that have vectors by that model, of a text with that digest, the vectors."""
        ...

    async def keep(
        self, place: str, model: str, made: Sequence[tuple[str, bytes, bytes]], now_us: int
    ) -> None:
        """Keep ids with the digests of their texts and the vectors; what is there stays."""
        ...

    async def forget(self, place: str, ids: Collection[str], now_us: int) -> int:
        """Return when nothing of these is kept; files have it until they are scrubbed.

        Says of how many something was kept. Of those that were forgotten before, since when that is
        known stays as it is.
        """
        ...

    async def scrub(self) -> None:
        """Return when nothing that was forgotten is in the database's files, as far as can be."""
        ...

    async def used(self, place: str, now_us: int) -> None:
        """Remember that what is kept of it was of use."""
        ...

    async def make_room(self, now_us: int) -> None:
        """Let go of what was of use longest ago, down to what may be kept."""
        ...


class Files(Protocol):
    """The files of all that memory keeps."""

    async def scrub(self) -> None:
        """Return when nothing that was erased is in them, as far as can be. Raises DomainError."""
        ...


class Names(Protocol):
    """What people are called."""

    async def names_of(self, user_ids: Collection[UserId]) -> Mapping[UserId, str]:
        """The names that are known."""
        ...


class KnownNames(Protocol):
    """The names that entities have."""

    async def names_in(self, scope: str) -> Sequence[str]:
        """All of a scope."""
        ...
