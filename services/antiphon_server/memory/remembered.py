"""What is remembered. Times are microseconds since 1970, UTC."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace

from antiphon_server.memory.model import ConversationId, MessageId
from antiphon_server.runtime.encoding.open_enum import OpenIntEnum

MOST_OF_SCOPE = 10_000
MOST_SOURCES = 32
MOST_VERSIONS = 100
USUAL_IMPORTANCE = 0.5
_PLACE = "memories/"


class Kind(OpenIntEnum):
    """What sort of thing is remembered; the numbers are the contract's MemoryKind."""

    NONE = 0
    FACT = 1
    PREFERENCE = 2
    EVENT = 3
    NOTE = 4


class State(OpenIntEnum):
    """What has become of a memory; the numbers are the contract's MemoryState."""

    NONE = 0
    ACTIVE = 1
    SUPERSEDED = 2
    FORGOTTEN = 3
    PRUNED = 4


class Origin(OpenIntEnum):
    """How a memory came about; the numbers are the contract's MemoryOrigin."""

    NONE = 0
    PERSON = 1
    RULES = 2
    MODEL = 3


@dataclass(frozen=True, slots=True)
class Source:
    """A stretch of a message's text, in code points; all of it if both places are 0.

    One that the reader may not read has no ids.
    """

    conversation_id: ConversationId
    message_id: MessageId
    start: int = 0
    end: int = 0


HIDDEN = Source(ConversationId(""), MessageId(""))


@dataclass(frozen=True, slots=True)
class Memory:
    """Something that is remembered; see the contract's Memory."""

    memory_id: str
    scope: str
    kind: Kind
    text: str
    state: State = State.ACTIVE
    subject: str = ""
    entities: tuple[str, ...] = ()
    valid_from_us: int | None = None
    valid_until_us: int | None = None
    importance: float = USUAL_IMPORTANCE
    expire_us: int | None = None
    sources: tuple[Source, ...] = ()
    creator: str = ""
    origin: Origin = Origin.PERSON
    supersedes: str = ""
    superseded_by: str = ""
    version: int = 1
    etag: str = ""
    create_us: int = 0
    update_us: int = 0
    updater: str = ""

    def expired(self, now_us: int) -> bool:
        """Whether nobody is to read it any more."""
        return self.expire_us is not None and self.expire_us <= now_us

    @property
    def same(self) -> str:
        """What is alike in memories that say the same: case, spaces and punctuation don't count."""
        words = "".join(
            it if it.isalnum() or unicodedata.category(it).startswith(("M", "S")) else " "
            for it in unicodedata.normalize("NFKC", self.text).casefold()
        )
        said = " ".join(words.split()) or self.text
        return f"{self.subject}\n{int(self.kind)}\n{said}"


@dataclass(frozen=True, slots=True)
class Request:
    """A request that may be repeated: by whom, its id, a digest of what it says, and where."""

    actor: str
    request_id: str
    digest: bytes
    scope: str


@dataclass(frozen=True, slots=True)
class ListWish:
    """Which memories of a scope to list; empty ``kinds`` and ``subject`` limit nothing."""

    scope: str
    states: Sequence[State] = (State.ACTIVE,)
    kinds: Sequence[Kind] = ()
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Put:
    """A memory as it is now; ``merged`` into one that was there, ``changed`` if it did anything."""

    memory: Memory
    merged: bool = False
    changed: bool = True


@dataclass(frozen=True, slots=True)
class Changed:
    """What changed in a scope, in order, up to its ``revision``."""

    memories: Sequence[Memory]
    revision: int


def forgotten(memory: Memory, now_us: int) -> Memory:
    """What is left of it: id, scope, state, times."""
    return Memory(
        memory.memory_id,
        memory.scope,
        Kind.NONE,
        "",
        State.FORGOTTEN,
        importance=0,
        origin=Origin.NONE,
        version=memory.version,
        create_us=memory.create_us,
        update_us=now_us,
    )


def as_of(memory: Memory, now_us: int) -> Memory:
    """The memory as it is read then: one that has expired as if it were forgotten already."""
    if memory.state is State.FORGOTTEN or not memory.expired(now_us):
        return memory
    return forgotten(memory, memory.expire_us or now_us)


def joined(old: Memory, new: Memory) -> Memory:
    """The old one, restated by the new one, which says the same.

    What a person says of their own accord comes from no message: it stays when those that said it,
    too, are erased, so it takes no sources, words or names from them.
    """
    both = old.expire_us, new.expire_us
    expire_us = None if None in both else max(it for it in both if it is not None)
    restated = replace(
        old,
        importance=max(old.importance, new.importance),
        expire_us=expire_us,
        origin=Origin.PERSON if new.origin is Origin.PERSON else old.origin,
    )
    for own in (old, new):
        if own.origin is Origin.PERSON and not own.sources:
            return replace(restated, text=own.text, sources=(), entities=own.entities)
    return replace(
        restated,
        sources=tuple(dict.fromkeys((*old.sources, *new.sources)))[:MOST_SOURCES],
        entities=tuple(dict.fromkeys((*old.entities, *new.entities)))[:16],
    )


def place_of(scope: str) -> str:
    """What the index calls the partition of a scope's memories."""
    return _PLACE + scope


def scope_of_place(place: str) -> str:
    """The scope whose memories such a partition has; empty of one that has messages."""
    return place.removeprefix(_PLACE) if is_of_memories(place) else ""


def is_of_memories(place: str) -> bool:
    """Whether it is one of those."""
    return place.startswith(_PLACE)
