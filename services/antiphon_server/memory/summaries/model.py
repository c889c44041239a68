"""The types of summaries. Times are microseconds since 1970.

A conversation is cut into blocks of messages that follow each other. A block's summary is of level
0; one of level k is of ``FAN_OUT`` of level k - 1. Both are numbered from 0, the oldest first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from antiphon_server.memory.model import ConversationId, MessageId
from antiphon_server.runtime.encoding.open_enum import OpenIntEnum

FAN_OUT = 8
IMPORT = "import"
"""What stands in front of where it goes on, while what a log has no more is read."""


class State(OpenIntEnum):
    """How far a summary is; above DUE the numbers are the contract's SummaryOrigin."""

    DUE = 0
    EXTRACT = 1
    MODEL = 2


class Node(NamedTuple):
    """Which summary of a conversation."""

    level: int
    number: int

    @property
    def parent(self) -> "Node":
        """The one that it is a part of."""
        return Node(self.level + 1, self.number // FAN_OUT)

    @property
    def children(self) -> Sequence["Node"]:
        """Those that it is made of; none of level 0."""
        if not self.level:
            return ()
        first = self.number * FAN_OUT
        return [Node(self.level - 1, first + at) for at in range(FAN_OUT)]

    def has(self, block: int) -> bool:
        """Whether that block is a part of it."""
        return bool(block // FAN_OUT**self.level == self.number)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a summary; ids, author and time are empty of what a model wrote.

    ``weight`` is how much it matters beside others.
    """

    text: str
    message_id: str = ""
    author: str = ""
    time_us: int = 0
    weight: float = 1.0
    author_name: str = ""


@dataclass(frozen=True, slots=True)
class Summary:
    """What a stretch of a conversation comes to; see the contract's Summary."""

    node: Node
    first_message_id: str = ""
    last_message_id: str = ""
    first_us: int = 0
    last_us: int = 0
    messages: int = 0
    people: Sequence[Line] = ()
    assistants: Sequence[Line] = ()
    state: State = State.EXTRACT
    model: str = ""
    create_us: int = 0

    @property
    def lines(self) -> Sequence[Line]:
        """All of its lines, people's first."""
        return (*self.people, *self.assistants)


@dataclass(frozen=True, slots=True)
class Posted:
    """A message as far as blocks are cut by it; ``size`` is its text's length in characters."""

    message_id: MessageId
    turn_id: str
    time_us: int
    size: int


@dataclass(frozen=True, slots=True)
class Place:
    """How far a conversation's log was read: ``block`` is open, and what is before it closed.

    The open block has ``count`` messages of ``size`` characters, the last one said at ``last_us``.
    While what the log has no more is still read, ``cursor`` says where in that it goes on.
    """

    cursor: str = ""
    block: int = 0
    count: int = 0
    size: int = 0
    last_us: int = 0

    @property
    def is_begun(self) -> bool:
        """Whether ``cursor`` is no place in the log yet."""
        return self.cursor.startswith(IMPORT)


@dataclass(frozen=True, slots=True)
class Due:
    """A summary that is to be made, as of that revision; a model was asked ``tries`` times."""

    conversation_id: ConversationId
    node: Node
    revision: int
    tries: int = 0
