"""Messages, the projection that holds them, and the window that a model sees."""

from dataclasses import dataclass, field
from typing import NewType

from antiphon_server.context.model.resources import ConversationId
from antiphon_server.runtime.encoding.open_enum import OpenIntEnum
from antiphon_server.runtime.encoding.token_estimate import TOKENS_PER_MESSAGE, tokens_of_bytes

MessageId = NewType("MessageId", str)
Offset = NewType("Offset", int)
"""A place in a conversation's log, from 1."""

MAX_MESSAGE_BYTES = 1 << 20


class MessageRole(OpenIntEnum):
    """Whose voice a message has. The contract's values."""

    UNSPECIFIED = 0
    USER = 1
    ASSISTANT = 2
    SYSTEM = 3


@dataclass(frozen=True, slots=True)
class Content:
    """A message's parts as the adapters encoded them, and the bytes of UTF-8 in them.

    The rules need no more of it. With them is what programs and a newer server have said beside
    them, and that it was said to people alone: ``aside``, which is known of messages as they come
    from the log, as that it was ``erased``. ``beside_bytes`` is how much of it is no part, of
    something that is to be said.
    """

    encoded: bytes
    text_bytes: int
    aside: bool = field(default=False, compare=False)
    beside_bytes: int = field(default=0, compare=False)
    erased: bool = field(default=False, compare=False)

    @property
    def parts_bytes(self) -> int:
        """The parts' bytes, of something that is to be said."""
        return len(self.encoded) - self.beside_bytes

    @property
    def tokens(self) -> int:
        """What it costs a model: 4 bytes a token, plus 4 a message."""
        return tokens_of_bytes(self.text_bytes) + TOKENS_PER_MESSAGE


@dataclass(frozen=True, slots=True)
class NewMessage:
    """Something to be said; its place and time are set by the log."""

    message_id: MessageId
    conversation_id: ConversationId
    author: str
    content: Content


@dataclass(frozen=True, slots=True)
class Placed:
    """Where and when something was said."""

    offset: Offset
    create_us: int


@dataclass(frozen=True, slots=True)
class Message:
    """A message, at ``offset`` of its conversation's log.

    ``encoded`` is the whole message as the adapters encode it, if it is cached.
    """

    message_id: MessageId
    conversation_id: ConversationId
    offset: Offset
    role: MessageRole
    author: str
    turn_id: str
    truncated: bool
    create_us: int
    content: Content
    encoded: bytes = field(default=b"", compare=False)


@dataclass(frozen=True, slots=True)
class TurnRolledBack:
    """A turn's messages are left out of the context from now on."""

    turn_id: str


@dataclass(frozen=True, slots=True)
class WordsErased:
    """What these messages said is gone from now on."""

    message_ids: tuple[MessageId, ...]


@dataclass(frozen=True, slots=True)
class LogPage:
    """What a stretch of a log says about messages, and the cursor after it."""

    items: tuple[Message | TurnRolledBack | WordsErased, ...]
    cursor: str
    at_head: bool


@dataclass(frozen=True, slots=True)
class MessageSize:
    """What it takes to keep a message in a page or a window: tokens and bytes."""

    offset: Offset
    tokens: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Totals:
    """How many messages there are in some stretch, and what they cost."""

    messages: int
    tokens: int


@dataclass(frozen=True, slots=True)
class LeftOut:
    """The messages in some stretch that are not in the context: rolled back ones, and asides."""

    every: Totals
    rolled_back: int


@dataclass(frozen=True, slots=True)
class Speaker:
    """A person whose messages a model should see; without a name if that may not be told."""

    author: str
    display_name: str


@dataclass(frozen=True, slots=True)
class Window:
    """What a model should see, the oldest message first, and what was left out.

    ``speakers`` are the people in it, if there are several; ``tools`` those that it may ask for.
    """

    instructions: str
    messages: tuple[Message, ...]
    estimated_tokens: int
    omitted: Totals
    rolled_back_messages: int
    speakers: tuple[Speaker, ...] = ()
    tools: tuple[str, ...] = ()
