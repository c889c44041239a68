"""Whiteboards and their sections. Times are microseconds since 1970, sizes bytes in UTF-8."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NewType

from antiphon_server.memory.model import ConversationId

SectionKey = NewType("SectionKey", str)
"""A section's name without its case: who writes "Plan" and "plan" means the same one."""

DAY_US = 86_400_000_000
UNKEPT_US = 30 * DAY_US
"""So long after its last change a whiteboard goes that nobody keeps."""
MOST_SECTIONS = 16
MOST_OF_SECTION = 8 * 1024
MOST_IN_ALL = 32 * 1024
KEPT_VERSIONS = 32
"""So many of a section."""
KEPT_IN_ALL = 512
"""So many of all sections, also of those that are gone, whose names are without number."""
NONE_YET = "none"
"""The etag of a section that must not be there."""


@dataclass(frozen=True, slots=True)
class Section:
    """One of them, as it is or as it was; ``deleted`` of the version that took it away."""

    name: str
    text: str
    version: int
    etag: str
    writer: str
    create_us: int
    update_us: int
    deleted: bool = False

    @property
    def key(self) -> SectionKey:
        """What tells it from others."""
        return key_of(self.name)

    @property
    def size(self) -> int:
        """How long its text is."""
        return len(self.text.encode())


@dataclass(frozen=True, slots=True)
class Whiteboard:
    """What it says: its sections in the order in which they were begun.

    ``life`` is when it was begun: after it has gone, one that is begun anew has other etags.
    """

    conversation_id: ConversationId
    version: int = 0
    kept: bool = False
    expire_us: int | None = None
    life: int = 0
    sections: Sequence[Section] = ()

    @property
    def size(self) -> int:
        """How long all texts are together."""
        return sum(it.size for it in self.sections)

    def section(self, name: str) -> Section | None:
        """The one of that name, if it is there."""
        key = key_of(name)
        return next((it for it in self.sections if it.key == key), None)


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants written: ``text``, or behind what is there where ``appends``."""

    conversation_id: ConversationId
    name: str
    text: str
    appends: bool
    etag: str
    writer: str
    turn_id: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of a whiteboard: a section's next version, or whether it is kept."""

    writer: str
    section: Section | None = None
    kept: bool | None = None


@dataclass(frozen=True, slots=True)
class RequestKey:
    """A request that may be repeated: its id and whose it is as one ``key``; what it says."""

    key: str
    digest: bytes
    request_id: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where a whiteboard is: ``filtered`` where filters look at what is said.

    ``erased`` where nothing may be written any more.
    """

    workspace_id: str
    archived: bool
    filtered: bool
    erased: bool = False


def key_of(name: str) -> SectionKey:
    """What tells sections apart."""
    return SectionKey(unicodedata.normalize("NFC", name).casefold())
