"""What is put into the index, what it is asked, and what it answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NewType

PartitionKey = NewType("PartitionKey", str)
"""What access is decided by: ``conversations/conv_…``, or a scope of facts."""

DocumentId = NewType("DocumentId", str)
"""A message's id, a fact's id; unique within its partition."""

MESSAGE = "message"
"""The kind of what was said in turn: it alone has neighbours and belongs to a session."""

IMPORTANCE = "importance"
"""The part of a score of what is found by what it is worth, and by nothing that was asked."""


@dataclass(frozen=True, slots=True)
class Document:
    """Something that can be found.

    Attributes:
        text: What was said or is known; a picture by its caption.
        speaker: The name that people know who said it by; empty if unknown.
        speaker_id: ``users/…`` or ``models/…``, which filters look at.
        time_us: When it was said, in microseconds since 1970.
        kind: ``message``, ``fact``, ``preference``, …
    """

    document_id: DocumentId
    text: str
    speaker: str
    speaker_id: str
    time_us: int
    kind: str


OtherName = tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for, within what bounds.

    Attributes:
        limit: The most hits that are wanted.
        kinds: The kinds that are wanted; empty for all.
        speaker_ids: Whose documents are wanted; empty for all.
        not_before_us: The earliest time that is wanted, in microseconds since 1970.
        before_us: What is wanted was said before then; 0 for no bound.
        by_neighbours: Whether what stands beside a message with words of the query is found,
            too, without having any.
        by_name: Whether names of speakers count; they don't for who may not know them.
        least_alike: What has no word of the query is found if its meaning is so much like the
            query's (a cosine), and more than most others' is; -1 to find all. For a query of one
            or two words nothing is, by its meaning alone.
        now_us: When it is asked, for "yesterday"; 0 if unknown.
        other_names: Runs of its words that are a name, each with the words of other names of that:
            who has one of those has what is looked for, if all its words are there.
    """

    text: str
    limit: int = 10
    kinds: frozenset[str] = frozenset()
    speaker_ids: frozenset[str] = frozenset()
    not_before_us: int = 0
    before_us: int = 0
    now_us: int = 0
    by_name: bool = True
    by_neighbours: bool = True
    other_names: tuple[OtherName, ...] = ()
    least_alike: float = 0.3


@dataclass(frozen=True, slots=True)
class Hit:
    """A document that was found.

    Attributes:
        score: The sum of its parts; it compares hits of one search alone.
        parts: What the score is made of, such as ``words``, ``speaker``, ``session``.
    """

    partition: PartitionKey
    document_id: DocumentId
    score: float
    parts: Mapping[str, float] = field(default_factory=dict)
