"""The index of this server, and how it keeps up with what is said.

A conversation is read whole when somebody searches it first, in the background; from then on, what
its log has behind that is read by each search that needs it, before it ranks. So whatever was
committed before a search is found by it, and nothing is done where nobody searches.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from antiphon_server.memory.index import Document, DocumentId, Hit, PartitionKey, Query
from antiphon_server.memory.model import Brought, ConversationId, Excerpt, MessageId, Said
from antiphon_server.memory.ports import Conversations, Logs, Names
from antiphon_server.memory.search.indexing import Indexing, in_portions
from antiphon_server.memory.search.line import Line
from antiphon_server.memory.search.meanings import Meanings
from antiphon_server.memory.search.places import Places, Position
from antiphon_server.runtime.access.principal import UserId
from antiphon_server.runtime.cache.lru import LruCache
from antiphon_server.runtime.errors import DomainError, Reason

if TYPE_CHECKING:
    from antiphon_server.memory.index import Index

MESSAGE = "message"
MAX_BYTES = 512 << 20
"""What the index may hold; of conversations that were searched longest ago nothing is kept then."""
SHARE, LEAST_BYTES = 4, 64 << 10
"""A conversation may hold the 4th part of that, or so much; of a larger one the newest is kept."""
MAX_WAITING = 100_000
READERS = 4
_USER = "users/"
_LOST = (Reason.CURSOR_TRIMMED, Reason.EPOCH_CHANGED)
T = TypeVar("T")
log = logging.getLogger(__name__)


class Library:
    """What was said in the conversations that were searched here, ready to be ranked.

    ``run`` has to run. ``clock`` tells seconds that only grow. ``meanings`` are told what was
    searched and what was erased.
    """

    def __init__(
        self,
        conversations: Conversations,
        logs: Logs,
        names: Names,
        max_bytes: int = MAX_BYTES,
        indexing: Indexing | None = None,
        meanings: Meanings | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._conversations = conversations
        self._logs = logs
        self._names = names
        self._max_bytes = max_bytes
        self._clock = clock
        self._indexing = indexing or Indexing()
        self._meanings = meanings
        self._places = Places(MAX_WAITING)
        self._line = Line(MAX_WAITING)
        self._asked = LruCache[ConversationId, tuple[str, int]](MAX_WAITING)

    @property
    def size_bytes(self) -> int:
        """What the index holds, about."""
        return self._indexing.size_bytes

    @property
    def conversations(self) -> int:
        """How many conversations can be searched at once."""
        return len(self._places)

    @property
    def known(self) -> Sequence[ConversationId]:
        """Those that can be searched at once."""
        return tuple(self._places)

    @property
    def waiting(self) -> int:
        """How many are still to be read, or to be read on."""
        return len(self._line)

    async def bring_up(
        self, conversation_ids: Sequence[ConversationId], wait_s: float, asker: str = ""
    ) -> Brought:
        """Those that know all that was committed when this was called.

        Those that were never read are read now, the first ones first; what takes longer than
        ``wait_s`` goes on without the caller. Of what has no room together the first ones are kept.
        Who asks, ``asker``, waits for own conversations and not for others'. Raises DomainError if
        logs can't be looked at.
        """
        ranks = {it: rank for rank, it in enumerate(conversation_ids)}
        known = {
            it: place for it in conversation_ids if (place := self._places.whole(it)) is not None
        }
        self._places.use(known, ranks, asker, self._clock())
        moved = await self._logs.news({it: place.cursor for it, place in known.items()})
        no_room = self._without_room(it for it in ranks.items() if it[0] not in known)
        wanted = [it for it in ranks if (it in moved or it not in known) and it not in no_room]
        for it in wanted:
            self._asked.put(it, (asker, ranks[it]))
        behind = await self._read(wanted, wait_s, asker)
        there = [it for it in ranks if it not in behind and self._places.whole(it)]
        self._places.use(there, ranks, asker, self._clock())
        not_there = ranks.keys() - set(there)
        left_out = (no_room & not_there) | self._without_room((it, ranks[it]) for it in not_there)
        pending = len(not_there) - len(left_out)
        return Brought(there, pending, len(left_out) + self._places.count_cut(there))

    async def search(self, query: Query, conversation_ids: Collection[ConversationId]) -> list[Hit]:
        """Rank what was said in these, and nothing else."""
        return await self.ranked(query, [_key(it) for it in conversation_ids])

    async def ranked(self, query: Query, keys: Sequence[PartitionKey]) -> list[Hit]:
        """Rank what is in these partitions; what has no vectors yet is to have some soon."""

        def work(index: "Index") -> tuple[list[Hit], list[PartitionKey]]:
            return index.search(query, keys), [it for it in keys if index.is_waiting(it)]

        hits, waiting = await self._indexing.do(work)
        if self._meanings is not None:
            self._meanings.want(waiting)
        return hits

    async def excerpts(self, query: str, texts: Sequence[str]) -> list[Excerpt]:
        """Of each text what shows best why it was found."""
        return await self._indexing.excerpts(query, texts)

    async def rarities(
        self, conversation_id: ConversationId, terms: Collection[str]
    ) -> Mapping[str, float]:
        """How rare terms are there; nothing of one that is not in the index."""
        key = _key(conversation_id)
        return await self._indexing.do(lambda index: index.rarities(key, terms))

    async def with_index(self, work: "Callable[[Index], T]") -> T:
        """Do something with the index, in its thread."""
        return await self._indexing.do(work)

    async def forget(self, conversation_id: ConversationId, erased: Collection[MessageId]) -> None:
        """Return when nothing of these is in the index, nor of their vectors in the store.

        Its files have those until they are scrubbed. Raises DomainError if the store can't be used.
        """
        those, key = [DocumentId(it) for it in erased], _key(conversation_id)
        await self._indexing.do(lambda index: index.remove(key, those))
        if self._meanings is not None:
            await self._meanings.forget(key, those)

    async def run(self) -> None:
        """Read what was asked for, until cancelled."""
        try:
            async with asyncio.TaskGroup() as readers:
                for number in range(READERS):
                    readers.create_task(self._reader(), name=f"memory.reader.{number}")
        finally:
            self._indexing.close()

    async def _read(
        self, conversation_ids: Sequence[ConversationId], wait_s: float, asker: str
    ) -> Collection[ConversationId]:
        """Have these read up to now; returns those that are not, after that time."""
        if not conversation_ids:
            return ()
        outcomes = self._line.ask(asker, conversation_ids)
        if outcomes:
            await asyncio.wait(outcomes.values(), timeout=wait_s)
        ready = {it for it, outcome in outcomes.items() if outcome.done() and outcome.result()}
        return set(conversation_ids) - ready

    async def _reader(self) -> None:
        while True:
            conversation_id = await self._line.take()
            try:
                more = await self._turn(conversation_id)
                stays = await self._make_room(conversation_id)
            except asyncio.CancelledError:
                self._line.finish(conversation_id, whole=False)
                raise
            except Exception as error:  # a defect of one conversation must not keep others away
                self._line.finish(conversation_id, whole=False)
                known = isinstance(error, DomainError)
                log.warning(
                    "%s can't be read for search now: %s",
                    conversation_id,
                    error,
                    exc_info=not known,
                )
            else:
                if more and stays:
                    self._line.again(conversation_id)
                else:
                    whole = conversation_id in self._places and not more
                    self._line.finish(conversation_id, whole=whole)

    async def _turn(self, conversation_id: ConversationId) -> bool:
        """Read a stretch; says whether there is more. A log that lost its place is read anew."""
        place = self._places.get(conversation_id)
        if place is None:
            place = await self._begun(conversation_id)
        try:
            page = await self._logs.read(conversation_id, place.cursor)
        except DomainError as error:
            if error.reason not in _LOST:
                raise
            await self._drop(conversation_id)
            return True
        await self._extend(conversation_id, place, page.said)
        if page.erased:
            await self.forget(conversation_id, page.erased)
            if self._meanings is not None:
                await self._meanings.scrub()
        stands, place.cursor = page.cursor == place.cursor, page.cursor
        place.whole = place.whole or page.at_head or stands
        return not (page.at_head or stands)

    async def _begun(self, conversation_id: ConversationId) -> Position:
        """Where to read on; what the log has no more is in the index then."""
        end = await self._logs.end(conversation_id)
        asker, rank = self._asked.get(conversation_id) or (conversation_id, 0)
        place = Position(end.cursor if not end.whole else "", asker, rank, used_s=self._clock())
        if not end.whole:
            said = await self._conversations.said_in(conversation_id)
            try:
                await self._extend(conversation_id, place, said)
            except DomainError:
                self._places.charge(place, place.asker, 0)
                await self._drop(conversation_id)  # nobody would know that a part of it is there
                raise
        self._places.add(conversation_id, place)
        return place

    async def _extend(
        self, conversation_id: ConversationId, place: Position, said: Sequence[Said]
    ) -> None:
        people = {it.author for it in said if it.author.startswith(_USER)}
        names = await self._names.names_of([UserId(it.removeprefix(_USER)) for it in people])
        key, share = _key(conversation_id), max(self._max_bytes // SHARE, LEAST_BYTES)
        documents = [
            _document(it, names.get(UserId(it.author.removeprefix(_USER)), "")) for it in said
        ]

        def work(index: "Index", those: Sequence[Document]) -> tuple[int, bool]:
            index.extend(key, those)
            is_cut = index.partition_bytes(key) > share and bool(index.shrink(key, share * 7 // 8))
            return index.partition_bytes(key), is_cut

        for portion in in_portions(documents):
            size_bytes, is_cut = await self._indexing.do(lambda index, it=portion: work(index, it))  # type: ignore[misc]
            place.is_cut = place.is_cut or is_cut
            self._places.charge(place, place.asker, size_bytes)

    async def _make_room(self, newest: ConversationId) -> bool:
        """Give up what goes first until the rest fits; says whether the newest stays."""
        place = self._places.get(newest)
        asker, stays = place.asker if place is not None else "", True
        while self.size_bytes > self._max_bytes and len(self._places) > 1:
            now_s = self._clock()
            last = next((it for it in self._places if it not in self._line), newest)
            if last == newest or self._places.in_use(last, now_s):
                least = self._places.of_least_use(asker)
                if least is None or (least != newest and self._line.is_taken(least)):
                    break  # who reads that one gives it up
                last = least
                self._places.note_without_room(last, now_s)
            await self._drop(last)
            stays = stays and last != newest
        return stays

    def _without_room(self, ranked: Iterable[tuple[ConversationId, int]]) -> set[ConversationId]:
        full = self.size_bytes > self._max_bytes * 3 // 4
        return self._places.without_room(ranked, self._clock(), full=full)

    async def _drop(self, conversation_id: ConversationId) -> None:
        self._places.remove(conversation_id)
        await self._indexing.do(lambda index: index.drop(_key(conversation_id)))


def _key(conversation_id: ConversationId) -> PartitionKey:
    return PartitionKey(f"conversations/{conversation_id}")


def conversation_of(key: PartitionKey) -> ConversationId:
    """Whose partition it is."""
    return ConversationId(key.removeprefix("conversations/"))


def _document(said: Said, name: str) -> Document:
    name = name or said.author.removeprefix("handlers/").removeprefix(_USER)
    return Document(
        DocumentId(said.message_id), said.text, name, said.author, said.time_us, MESSAGE
    )
