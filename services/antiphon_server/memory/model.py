"""Memory's own types. Times are microseconds since 1970."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NewType

from antiphon_server.runtime.access.principal import UserId

ConversationId = NewType("ConversationId", str)
MessageId = NewType("MessageId", str)
WorkspaceId = NewType("WorkspaceId", str)


@dataclass(frozen=True, slots=True)
class Said:
    """A message: its texts, each in lines of its own, and who said it (`users/…`, `handlers/…`).

    ``turn_id`` is the turn that it began or answers; empty of others.
    """

    message_id: MessageId
    author: str
    time_us: int
    text: str
    turn_id: str = ""


@dataclass(frozen=True, slots=True)
class SaidPage:
    """What was said in a stretch of a log that ends at ``cursor``; in order.

    Of ``erased`` messages, from here or from before, nothing is left. Messages of ``undone`` turns
    are in no context any more; whoever needs that has to have asked for it.
    """

    said: Sequence[Said]
    cursor: str
    at_head: bool
    erased: Collection[MessageId] = ()
    undone: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class LogEnd:
    """Where a conversation's log ends now, and whether it has all that was ever said."""

    cursor: str
    whole: bool


@dataclass(frozen=True, slots=True)
class Readable:
    """Conversations that somebody may read, ``as_guest`` of some; there are ``more``.

    ``workspace_ids`` are the workspaces that they may read.
    """

    conversation_ids: Sequence[ConversationId]
    as_guest: Collection[ConversationId] = ()
    more: bool = False
    workspace_ids: Sequence[WorkspaceId] = ()


@dataclass(frozen=True, slots=True)
class Audience:
    """Who can read a conversation: ``readers``, ``complete`` if these are all.

    ``of_workspace`` says that all who take part there are members of its workspace.
    """

    readers: frozenset[UserId]
    complete: bool
    of_workspace: bool

    def is_only(self, user_id: UserId) -> bool:
        """Whether nobody else can read it."""
        return bool(user_id) and self.complete and self.readers <= {user_id}


@dataclass(frozen=True, slots=True)
class Brought:
    """Conversations that are in the index up to now; ``pending`` others are still being read.

    For ``left_out`` there is no room in the index, or not for all that was said there.
    """

    conversation_ids: Sequence[ConversationId]
    pending: int = 0
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class SearchWish:
    """What somebody looks for in what they may read; what is empty limits nothing."""

    query: str
    limit: int
    workspace_id: WorkspaceId = WorkspaceId("")
    among: Sequence[ConversationId] = ()
    authors: frozenset[str] = frozenset()
    not_before_us: int = 0
    before_us: int = 0


@dataclass(frozen=True, slots=True)
class Place:
    """Which message is meant."""

    conversation_id: ConversationId
    message_id: MessageId


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A stretch of a text in one line; ``highlights`` are (start, end) in it, in characters."""

    text: str
    highlights: Sequence[tuple[int, int]] = ()


@dataclass(frozen=True, slots=True)
class MessageHit:
    """A message that was found. ``encoded`` is the whole message as the contract has it."""

    encoded: bytes = field(repr=False)
    title: str
    author_name: str
    score: float
    parts: Mapping[str, float]
    excerpt: Excerpt
    text: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a search found, in how many conversations, and what it has not looked at.

    ``pending`` conversations it will look at soon; ``more`` says that there are others.
    """

    hits: Sequence[MessageHit]
    searched: int
    pending: int
    more: bool


@dataclass(frozen=True, slots=True)
class KeptMessage:
    """A message as it is kept: ``said`` of it is what search knows."""

    said: Said
    conversation_id: ConversationId
    encoded: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeptMessages:
    """Messages by their ids, and titles by their conversations."""

    messages: Mapping[MessageId, KeptMessage]
    titles: Mapping[ConversationId, str]


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest messages that a model is shown, the oldest of them first said at ``first_us``.

    ``names`` are those by which the model knows the people who speak, by their authors.
    """

    first_message_id: MessageId
    first_us: int
    count: int
    tokens: int
    omitted: int
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Window:
    """The newest messages of a conversation; ``encoded`` is GetContext's answer."""

    newest: Newest
    encoded: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class AssemblyWish:
    """What a model is to be shown of a conversation, in ``max_tokens`` in all.

    ``newest`` is what the caller has already; ``user_id`` has asked, and the conversation is in
    ``workspace_id``, if a service says so. With a ``turn_id`` it can be explained later.
    """

    conversation_id: ConversationId
    query: str
    max_tokens: int
    answered: MessageId
    turn_id: str = ""
    newest: Newest | None = None
    user_id: str = ""
    workspace_id: str = ""


@dataclass(frozen=True, slots=True)
class RecallWish:
    """What helps with a query; what is empty limits nothing, and 0 tokens are no bound.

    ``kinds`` are the index's: "message", "fact" … ``user_id`` is whom a service asks for.
    """

    query: str
    limit: int
    max_tokens: int = 0
    scopes: Sequence[str] = ()
    kinds: frozenset[str] = frozenset()
    people: frozenset[str] = frozenset()
    not_before_us: int = 0
    before_us: int = 0
    user_id: str = ""
