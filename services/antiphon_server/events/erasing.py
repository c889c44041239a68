"""Erasing what was said: which events that concerns, and that nothing of it runs any more."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from antiphon_server.events.log import MAX_PAGE_BYTES, EventLog
from antiphon_server.events.model import NewEvent, Offset, Record, Redaction, Scope
from antiphon_server.runtime.concurrency.tasks import together
from antiphon_server.runtime.encoding.titles import Beginning, made_of
from antiphon_server.runtime.errors import DomainError, Reason

PAGE_EVENTS = 1000
LOGS_AT_ONCE = 64
"""In so many readers' logs titles are erased side by side, and so in few commits."""


@dataclass(frozen=True, slots=True)
class Trace:
    """What an event says of its turn; what it doesn't is empty."""

    turn_id: str
    offset: Offset
    parent_turn_id: str = ""
    message_id: str = ""
    tool_call_id: str = ""
    begins: bool = False
    ends: bool = False


class Words(Protocol):
    """Knows where in events the words are."""

    @property
    def kinds(self) -> Collection[int]:
        """Of which kinds :meth:`trace_of` tells something."""
        ...

    def trace_of(self, record: Record) -> Trace:
        """What an event says of its turn."""
        ...

    def without_words(self, kind: int, body: bytes, message_ids: Collection[str]) -> bytes:
        """What is left of a serialised event; of other messages than these all."""
        ...

    def messages_erased(
        self, scope: Scope, actor: str, message_ids: Collection[str], turn_ids: Collection[str]
    ) -> NewEvent:
        """The event by which readers are told."""
        ...

    def titles_erased(self, scope: Scope, actor: str, conversation_id: str) -> NewEvent:
        """The one by which somebody is told in whose list the conversation is."""
        ...

    def title_of(self, record: Record) -> tuple[str, str]:
        """The title that an event says of a conversation, and who gave it."""
        ...


@dataclass(frozen=True, slots=True)
class Erasure:
    """Whose words are to go: messages with their places, and all else of turns.

    Titles go that were made of ``beginnings``.
    """

    scope: Scope
    messages: Mapping[str, Offset]
    turn_ids: Collection[str]
    actor: str
    request_id: str
    beginnings: Collection[Beginning] = ()
    validate_only: bool = False


@dataclass(slots=True)
class Erased:
    """What was erased, in the order of the log: what was asked for, and what goes with it."""

    message_ids: dict[str, None]
    turn_ids: dict[str, None]
    tool_call_ids: dict[str, None] = field(default_factory=dict)
    begun: set[str] = field(default_factory=set)
    """The turns whose beginning was seen."""
    last: int = 0


class Erasing:
    """Erases, in the log of this server."""

    def __init__(self, log: EventLog, words: Words) -> None:
        self._log = log
        self._words = words

    async def erase(self, erasure: Erasure) -> Erased:
        """Erase; returns when the words are in no file of the store any more.

        With ``validate_only`` say what would be.

        Raises DomainError TURN_NOT_ENDED, OVERLOADED, DRAINING, STORE_UNAVAILABLE.
        """
        first = min(erasure.messages.values(), default=Offset(1))
        erased = await self._traced(erasure, first)
        if not erased.begun.issuperset(erasure.turn_ids):  # answers stand behind what led to them
            first = Offset(1)
            erased = await self._traced(erasure, first)
        if erasure.validate_only:
            return erased
        titles = await self._titles(erasure)
        elsewhere = [it for it in titles.items() if it[0] != erasure.scope]
        for start in range(0, len(elsewhere), LOGS_AT_ONCE):
            some = elsewhere[start : start + LOGS_AT_ONCE]
            await together([self._redact_titles(erasure, *it) for it in some])
        # Last: with this the messages go, also where it is known what they begin with.
        await self._redact(erasure, erased, first, titles.get(erasure.scope, []))
        await self._log.scrub()
        return erased

    async def _redact(
        self, erasure: Erasure, erased: Erased, first: Offset, titles: Sequence[Offset]
    ) -> None:
        offsets = sorted({*erasure.messages.values(), *titles})
        redaction = Redaction(
            min(first, *offsets) if offsets else first,
            Offset(max(erased.last, *offsets, 0)),
            offsets,
            list(erased.turn_ids),
            partial(self._words.without_words, message_ids=frozenset(erased.message_ids)),
        )
        told = self._words.messages_erased(
            erasure.scope, erasure.actor, list(erased.message_ids), list(erased.turn_ids)
        )
        await self._log.append(erasure.scope, [told], erasure.request_id, redaction=redaction)

    async def _redact_titles(
        self, erasure: Erasure, scope: Scope, offsets: Sequence[Offset]
    ) -> None:
        without_words = partial(self._words.without_words, message_ids=())
        redaction = Redaction(min(offsets), max(offsets), offsets, (), without_words)
        conversation_id = erasure.scope.partition("/")[2]
        told = self._words.titles_erased(scope, erasure.actor, conversation_id)
        await self._log.append(scope, [told], erasure.request_id, redaction=redaction)

    async def _titles(self, erasure: Erasure) -> Mapping[Scope, list[Offset]]:
        """Where titles stand that were made of what is to be erased."""
        found: dict[Scope, list[Offset]] = {}
        if erasure.beginnings:
            async for scope, record in self._log.told_of(erasure.scope.partition("/")[2]):
                if made_of(*self._words.title_of(record), erasure.beginnings):
                    found.setdefault(scope, []).append(record.last)
        return found

    async def _traced(self, erasure: Erasure, first: Offset) -> Erased:
        """Follow the turns to their ends, and those that they asked for."""
        erased = Erased(dict.fromkeys(erasure.messages), dict.fromkeys(erasure.turn_ids))
        if not erasure.turn_ids:
            return erased
        open_turns: set[str] = set()
        unseen, children = set(erasure.turn_ids), set[str]()
        head = await self._log.head(erasure.scope)
        after = Offset(max(first, head.earliest) - 1)
        while True:
            page = await self._log.stored(
                erasure.scope, after, PAGE_EVENTS, self._words.kinds, MAX_PAGE_BYTES
            )
            for trace in map(self._words.trace_of, page.records):
                if trace.begins and trace.parent_turn_id in erased.turn_ids:
                    erased.turn_ids[trace.turn_id] = None
                    children.add(trace.turn_id)
                if trace.turn_id not in erased.turn_ids:
                    continue
                _note(erased, trace, children)
                unseen.discard(trace.turn_id)
                (open_turns.discard if trace.ends else open_turns.add)(trace.turn_id)
            after = page.position
            if page.at_head or not (open_turns or unseen):
                break
        if open_turns:
            raise DomainError(Reason.TURN_NOT_ENDED, turn_id=min(open_turns))
        return erased


def _note(erased: Erased, trace: Trace, children: Collection[str]) -> None:
    erased.last = trace.offset
    if trace.begins:
        erased.begun.add(trace.turn_id)
    if trace.message_id and trace.turn_id in children:
        erased.message_ids[trace.message_id] = None
    if trace.tool_call_id:
        erased.tool_call_ids[trace.tool_call_id] = None
