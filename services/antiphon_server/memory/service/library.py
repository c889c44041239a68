"""The index of this server, and how it keeps up with what is said.

A conversation is read whole when somebody searches it first, in the background; from then on, what
its log has behind that is read by each search that needs it, before it ranks. So whatever was
committed before a search is found by it, and nothing is done where nobody searches.
"""

import asyncio
import logging
from collections import OrderedDict, deque
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar
from weakref import WeakValueDictionary

from antiphon_server.memory.index import Document, DocumentId, Hit, PartitionKey, Query
from antiphon_server.memory.model import ConversationId, Excerpt, Said
from antiphon_server.memory.ports import Conversations, Logs, Names
from antiphon_server.runtime.access.principal import UserId
from antiphon_server.runtime.errors import DomainError, Reason

if TYPE_CHECKING:  # numpy and the stemmers come with them, when they are first used
    from antiphon_server.memory.index import Index
    from antiphon_server.memory.service.excerpts import Excerpts

T = TypeVar("T")
MESSAGE = "message"
MAX_BYTES = 512 << 20
"""What the index may hold; of conversations that were searched longest ago nothing is kept then."""
MAX_WAITING = 100_000
READERS = 4
_USER = "users/"
log = logging.getLogger(__name__)


class Library:
    """What was said in the conversations that were searched here, ready to be ranked.

    ``run`` has to run. What is done with the index is done in a thread of its own, in order.
    """

    def __init__(
        self,
        conversations: Conversations,
        logs: Logs,
        names: Names,
        max_bytes: int = MAX_BYTES,
        make_index: "Callable[[], Index] | None" = None,
    ) -> None:
        self._conversations = conversations
        self._logs = logs
        self._names = names
        self._max_bytes = max_bytes
        self._make_index = make_index or _index
        self._index: Index | None = None
        self._excerpts: Excerpts | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="memory.index")
        self._cursors: OrderedDict[ConversationId, str] = OrderedDict()
        self._locks: WeakValueDictionary[ConversationId, asyncio.Lock] = WeakValueDictionary()
        self._line: deque[ConversationId] = deque()
        self._read: dict[ConversationId, asyncio.Event] = {}
        self._wake = asyncio.Event()
        self.size_bytes = 0
        """What the index holds, about."""

    @property
    def conversations(self) -> int:
        """How many conversations can be searched at once."""
        return len(self._cursors)

    @property
    def waiting(self) -> int:
        """How many are still to be read."""
        return len(self._read)

    async def bring_up(
        self, conversation_ids: Sequence[ConversationId], wait_s: float
    ) -> list[ConversationId]:
        """Those that know all that was committed when this was called.

        Those that were never read are read now; what takes longer than ``wait_s`` goes on without
        the caller. Raises DomainError if logs can't be read.
        """
        unread = [it for it in conversation_ids if it not in self._cursors]
        if unread:
            await self._wait_for(unread, wait_s)
        there = [it for it in conversation_ids if it in self._cursors]
        for moved in await self._logs.news({it: self._cursors[it] for it in there}):
            await self._catch_up(moved)
        there = [it for it in there if it in self._cursors]
        for it in there:
            self._cursors.move_to_end(it)
        return there

    async def search(self, query: Query, conversation_ids: Collection[ConversationId]) -> list[Hit]:
        """Rank what was said in these, and nothing else."""
        keys = [_key(it) for it in conversation_ids]
        return await self._in_thread(lambda index: index.search(query, keys))

    async def excerpts(self, query: str, texts: Sequence[str]) -> list[Excerpt]:
        """Of each text what shows best why it was found."""
        return await self._run(lambda: self._cutting().of(query, texts))

    async def run(self) -> None:
        """Read what was asked for, until cancelled."""
        try:
            async with asyncio.TaskGroup() as readers:
                for number in range(READERS):
                    readers.create_task(self._reader(), name=f"memory.reader.{number}")
        finally:
            self._thread.shutdown(wait=False, cancel_futures=True)

    async def _wait_for(self, conversation_ids: Collection[ConversationId], wait_s: float) -> None:
        done = [self._ask(it) for it in conversation_ids if len(self._read) < MAX_WAITING]
        try:
            async with asyncio.timeout(wait_s):
                for each in done:
                    await each.wait()
        except TimeoutError:
            return

    def _ask(self, conversation_id: ConversationId) -> asyncio.Event:
        done = self._read.get(conversation_id)
        if done is None:
            done = self._read[conversation_id] = asyncio.Event()
            self._line.append(conversation_id)
            self._wake.set()
        return done

    async def _reader(self) -> None:
        while True:
            if not self._line:
                self._wake.clear()
                await self._wake.wait()
                continue
            conversation_id = self._line.popleft()
            try:
                async with self._lock(conversation_id):
                    await self._begin(conversation_id)
                await self._make_room()
            except DomainError as error:
                log.warning("%s can't be read for search now: %s", conversation_id, error)
            finally:
                self._read.pop(conversation_id).set()

    async def _begin(self, conversation_id: ConversationId) -> None:
        end = await self._logs.end(conversation_id)
        if end.whole:
            await self._follow(conversation_id, "")
            return
        await self._extend(conversation_id, await self._conversations.said_in(conversation_id))
        await self._follow(conversation_id, end.cursor)

    async def _catch_up(self, conversation_id: ConversationId) -> None:
        """Read what is new; a log that has lost its place is read anew, in the background."""
        async with self._lock(conversation_id):
            cursor = self._cursors.get(conversation_id)
            if cursor is None:
                return
            try:
                await self._follow(conversation_id, cursor)
            except DomainError as error:
                if error.reason not in (Reason.CURSOR_TRIMMED, Reason.EPOCH_CHANGED):
                    raise
                await self._drop([conversation_id])
                self._ask(conversation_id)

    async def _follow(self, conversation_id: ConversationId, cursor: str) -> None:
        while True:
            page = await self._logs.read(conversation_id, cursor)
            if page.said:
                await self._extend(conversation_id, page.said)
            stands, cursor = page.cursor == cursor, page.cursor
            if page.at_head or stands:
                self._cursors[conversation_id] = cursor
                return

    async def _extend(self, conversation_id: ConversationId, said: Sequence[Said]) -> None:
        people = {it.author for it in said if it.author.startswith(_USER)}
        names = await self._names.names_of([UserId(it.removeprefix(_USER)) for it in people])
        documents = [
            _document(it, names.get(UserId(it.author.removeprefix(_USER)), "")) for it in said
        ]
        await self._in_thread(lambda index: index.extend(_key(conversation_id), documents))

    async def _make_room(self) -> None:
        while self.size_bytes > self._max_bytes and len(self._cursors) > 1:
            await self._drop([next(iter(self._cursors))])

    async def _drop(self, conversation_ids: Sequence[ConversationId]) -> None:
        for it in conversation_ids:
            self._cursors.pop(it, None)
        await self._in_thread(lambda index: _dropped(index, conversation_ids))

    def _lock(self, conversation_id: ConversationId) -> asyncio.Lock:
        return self._locks.setdefault(conversation_id, asyncio.Lock())

    def _cutting(self) -> "Excerpts":
        if self._excerpts is None:
            from antiphon_server.memory.service.excerpts import Excerpts

            self._excerpts = Excerpts()
        return self._excerpts

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def _in_thread(self, work: "Callable[[Index], T]") -> T:
        return await self._run(lambda: self._with_index(work))

    def _with_index(self, work: "Callable[[Index], T]") -> T:
        if self._index is None:
            self._index = self._make_index()
        done = work(self._index)
        self.size_bytes = self._index.size_bytes
        return done


def _index() -> "Index":
    from antiphon_server.memory.index import Index

    return Index()


def _dropped(index: "Index", conversation_ids: Sequence[ConversationId]) -> None:
    for it in conversation_ids:
        index.drop(_key(it))


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
