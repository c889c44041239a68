"""What a model is shown beside the newest messages. Times are microseconds since 1970."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from antiphon_server.memory.model import MessageId, Newest
from antiphon_server.memory.remembered import Kind
from antiphon_server.runtime.access.principal import UserId


@dataclass(frozen=True, slots=True)
class OfMessage:
    """An older message; ``author_name`` is what its author is called, for who may know."""

    message_id: MessageId
    author: str
    time_us: int
    author_name: str = ""


@dataclass(frozen=True, slots=True)
class OfMemory:
    """Something that is remembered; without an id for who may not read it."""

    memory_id: str
    scope: str
    kind: Kind
    time_us: int


@dataclass(frozen=True, slots=True)
class OfSection:
    """A section of the whiteboard in that version; ``shortened`` to its beginning."""

    name: str
    version: int
    shortened: bool = False


@dataclass(frozen=True, slots=True)
class OfSummary:
    """What so many messages come to; ``level`` and ``number`` say which summary it is."""

    level: int
    number: int
    first_message_id: str
    last_message_id: str
    first_us: int
    last_us: int
    messages: int


@dataclass(frozen=True, slots=True)
class OfProfile:
    """What who asked wants to be known by, there and then."""

    user_id: UserId
    workspace_id: str
    time_us: int


Source: TypeAlias = OfMessage | OfMemory | OfSection | OfSummary | OfProfile


@dataclass(frozen=True, slots=True)
class Item:
    """Something of one source that a model is shown; ``text`` is empty once it was erased.

    ``score`` is the sum of ``parts``, ``reason`` says in English why it is there.
    """

    source: Source
    text: str
    tokens: int
    score: float = 0.0
    parts: Mapping[str, float] = field(default_factory=dict)
    reason: str = ""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Items that a model is not shown: how many (0: unknown), and in words why."""

    count: int
    reason: str


@dataclass(frozen=True, slots=True)
class Assembly:
    """What was put together: ``texts`` are its items as a model is told of them.

    They come to ``tokens``. ``window`` is GetContext's answer, b"" if the caller's own fits.
    """

    newest: Newest
    max_tokens: int
    time_us: int
    items: Sequence[Item] = ()
    left_out: Sequence[LeftOut] = ()
    texts: Sequence[str] = ()
    tokens: int = 0
    window: bytes = field(default=b"", repr=False)
