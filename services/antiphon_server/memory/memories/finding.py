"""Who finds the facts in what is said: rules, or a model that is asked."""

import asyncio
import hashlib
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

from antiphon_server.memory.extracting import Candidate, Utterance, extract
from antiphon_server.memory.extracting.by_model import (
    INSTRUCTIONS,
    Line,
    UnreadableAnswer,
    facts_in,
    prompt_of,
)
from antiphon_server.memory.memories.resting import Rests
from antiphon_server.memory.model import ConversationId, MessageId, Said
from antiphon_server.memory.ports import AskedModel, Names
from antiphon_server.runtime.access.principal import UserId
from antiphon_server.runtime.cache.lru import LruCache
from antiphon_server.runtime.errors import DomainError, Reason

NAMELESS = "X."
"""Whom nobody knows by name; a fact says whose it is besides."""
MOST_LINES, MOST_CHARACTERS = 40, 16_000
"""Of messages that a model is shown at once."""
MOST_ANSWERED = 1000
"""Conversations of whose page it is known what was answered."""
_USER = "users/"
Found = Sequence[tuple[MessageId, Candidate]]
log = logging.getLogger(__name__)


class Finder(Protocol):
    """Finds what people say of themselves.

    Attributes:
        at_once: How much is read before it is kept what was found.
        costs: Whether it must not be done twice for nothing.
    """

    at_once: int
    costs: bool

    @property
    def rests(self) -> bool:
        """Whether it would find nothing now, in any conversation."""
        ...

    def rests_for(self, conversation_id: ConversationId) -> bool:
        """Whether it would find nothing in that one now."""
        ...

    async def found(self, conversation_id: ConversationId, said: Sequence[Said]) -> Found:
        """The facts, each with its message. Raises DomainError where that is for later."""
        ...


class RuleFinder:
    """A :class:`Finder` that asks nobody: rules, in a thread."""

    at_once, costs, rests = 1000, False, False

    def __init__(self, names: Names) -> None:
        self._names = names

    def rests_for(self, conversation_id: ConversationId) -> bool:
        """See :meth:`Finder.rests_for`."""
        return False

    async def found(self, conversation_id: ConversationId, said: Sequence[Said]) -> Found:
        """See :meth:`Finder.found`."""
        uttered = await _uttered(self._names, said)
        own = [it for it in uttered if it[1].subject.startswith(_USER)]
        return await asyncio.to_thread(_extracted, own) if own else ()


class ModelFinder:
    """A :class:`Finder` that asks a model, and rules where its answer can't be read.

    While it fails, everything is for later: nothing is passed over for want of a model. What it
    fails by in one conversation alone, such as its budget, keeps no other one waiting. What it has
    answered for a stretch is not asked for, and paid, again while the rest of the page fails.
    """

    at_once, costs = MOST_LINES, True

    def __init__(
        self,
        names: Names,
        model: AskedModel,
        rules: Finder,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._names, self._model, self._rules = names, model, rules
        self._rests = Rests(clock)
        self._answered = LruCache[ConversationId, dict[bytes, Found]](MOST_ANSWERED)

    @property
    def rests(self) -> bool:
        """See :attr:`Finder.rests`."""
        return self._rests.left_s() > 0

    def rests_for(self, conversation_id: ConversationId) -> bool:
        """See :meth:`Finder.rests_for`."""
        return self._rests.left_s(conversation_id) > 0

    async def found(self, conversation_id: ConversationId, said: Sequence[Said]) -> Found:
        """See :meth:`Finder.found`."""
        if (left := self._rests.left_s(conversation_id)) > 0:
            raise DomainError(Reason.SERVICE_UNAVAILABLE, service="memory", retry_after=left)
        known = self._answered.get(conversation_id) or {}
        stretches = {_digest(it): it for it in _stretches(await _uttered(self._names, said))}
        answered = {it: known[it] for it in stretches if it in known}
        self._answered.put(conversation_id, answered)
        for key, some in stretches.items():
            if key not in answered:
                answered[key] = await self._asked(conversation_id, some)
        return [fact for key in stretches for fact in answered[key]]

    async def _asked(
        self, conversation_id: ConversationId, some: Sequence[tuple[MessageId, Utterance]]
    ) -> Found:
        lines = [Line(it, it.subject.startswith(_USER)) for _, it in some]
        if not any(it.may_be_remembered for it in lines):
            return ()
        try:
            answer = await self._model.answer(conversation_id, INSTRUCTIONS, prompt_of(lines))
        except DomainError as error:
            self._rests.failed(conversation_id, error.reason)
            raise
        self._rests.answered(conversation_id)
        try:
            return [(some[at][0], fact) for at, fact in facts_in(answer, lines)]
        except UnreadableAnswer as error:
            log.warning("rules find facts of %s in the model's place: %s", conversation_id, error)
            own = [(which, it) for which, it in some if it.subject.startswith(_USER)]
            return await asyncio.to_thread(_extracted, own)


async def _uttered(names: Names, said: Sequence[Said]) -> Sequence[tuple[MessageId, Utterance]]:
    people = {it.author for it in said if it.author.startswith(_USER)}
    known = await names.names_of([UserId(it.removeprefix(_USER)) for it in people])
    return [
        (it.message_id, Utterance(it.text, it.author, _name(it.author, known), it.time_us))
        for it in said
    ]


def _name(author: str, names: Mapping[UserId, str]) -> str:
    if not author.startswith(_USER):
        return author
    return names.get(UserId(author.removeprefix(_USER))) or NAMELESS


def _stretches(
    said: Sequence[tuple[MessageId, Utterance]],
) -> Iterator[Sequence[tuple[MessageId, Utterance]]]:
    """As many at once as a model is shown; of a very long message its beginning."""
    stretch, size = list[tuple[MessageId, Utterance]](), 0
    for message_id, it in said:
        length = len(it.text)
        if stretch and (len(stretch) == MOST_LINES or size + length > MOST_CHARACTERS):
            yield stretch
            stretch, size = [], 0
        stretch.append((message_id, it.shortened(MOST_CHARACTERS)))
        size += min(length, MOST_CHARACTERS)
    if stretch:
        yield stretch


def _digest(stretch: Sequence[tuple[MessageId, Utterance]]) -> bytes:
    """What tells a stretch, as a model is shown it, from others."""
    return hashlib.sha256(repr(stretch).encode("utf-8", "surrogatepass")).digest()


def _extracted(uttered: Sequence[tuple[MessageId, Utterance]]) -> Found:
    found = list[tuple[MessageId, Candidate]]()
    for message_id, said in uttered:
        try:
            found += ((message_id, it) for it in extract(said))
        except Exception:  # a defect that one message meets must not keep others away
            log.exception("facts of %s can't be found", message_id)
    return found
