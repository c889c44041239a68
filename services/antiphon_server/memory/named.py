"""What has a name, and where it is mentioned. Times are microseconds since 1970, UTC."""

from collections.abc import Sequence
from dataclasses import dataclass

from antiphon_server.memory.index.words import fold, words
from antiphon_server.memory.remembered import Origin, Source
from antiphon_server.runtime.encoding.open_enum import OpenIntEnum

MOST_OF_SCOPE = 2000
MOST_NAMES = 32
MOST_MERGED = 32
MOST_MENTIONS = 1000
LONGEST_NAME = 64
LONGEST_KEY = 200


class EntityType(OpenIntEnum):
    """What sort of thing it is; the numbers are the contract's EntityType."""

    NONE = 0
    PERSON = 1
    ORGANISATION = 2
    PLACE = 3
    PRODUCT = 4
    EVENT = 5
    OTHER = 6


class EntityState(OpenIntEnum):
    """What has become of it; the numbers are the contract's EntityState."""

    NONE = 0
    ACTIVE = 1
    MERGED = 2
    DELETED = 3


@dataclass(frozen=True, slots=True)
class Merged:
    """One that is the same as another, by whose word, and since when."""

    entity_id: str
    name: str
    merger: str
    merge_us: int


@dataclass(frozen=True, slots=True)
class Entity:
    """Somebody or something that has names; see the contract's Entity."""

    entity_id: str
    scope: str
    type: EntityType
    name: str
    aliases: tuple[str, ...] = ()
    state: EntityState = EntityState.ACTIVE
    merged_into: str = ""
    merged: tuple[Merged, ...] = ()
    confidence: float = 1.0
    origin: Origin = Origin.PERSON
    mention_count: int = 0
    creator: str = ""
    updater: str = ""
    etag: str = ""
    create_us: int = 0
    update_us: int = 0

    @property
    def names(self) -> tuple[str, ...]:
        """All that it is called, what it is called first before its aliases."""
        return (self.name, *self.aliases)


@dataclass(frozen=True, slots=True)
class Mention:
    """A place where an entity is named: in a message (``source``), or by a memory."""

    mention_id: str
    entity_id: str
    name: str
    source: Source | None
    memory_id: str
    confidence: float
    create_us: int


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A name that occurs somewhere, in the scope of whoever knows it so.

    Its place in a text is in code points. Only one that ``tells`` makes an entity of a name that
    nobody knew; ``type`` NONE says nothing of what it is.
    """

    scope: str
    name: str
    type: EntityType
    tells: bool
    confidence: float
    origin: Origin = Origin.RULES
    start: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class Split:
    """What is to be taken from an entity: what was merged into it, or names, or mentions."""

    merged_entity_id: str = ""
    names: Sequence[str] = ()
    mention_ids: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class OtherNames:
    """What a name in a query stands for: its words, and those of the other names, as said there."""

    asked: tuple[str, ...]
    others: tuple[tuple[str, ...], ...]


def key_of(name: str) -> str:
    """What spellings of a name have in common: no capitals, no accents, no punctuation."""
    return (" ".join(map(fold, words(name))) or name.casefold().strip())[:LONGEST_KEY]
