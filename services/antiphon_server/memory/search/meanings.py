"""Makes vectors of what is in the index, in the background, so that it is found by its meaning.

Nothing is loaded before something was searched. What was searched last comes first, and of it what
is newest. Vectors are kept in the store, so that each is made once; searches find by words until
they are there. The model runs in a thread of its own: a search never waits for a text of it.
"""

import asyncio
import hashlib
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Protocol, TypeVar

from antiphon_server.memory.index import DocumentId, PartitionKey
from antiphon_server.memory.ports import KeptVectors
from antiphon_server.memory.search.indexing import Indexing
from antiphon_server.runtime.errors import DomainError

if TYPE_CHECKING:  # numpy comes with them
    from antiphon_server.memory.index.encoder import Encoded, Encoder

AT_ONCE = 64
"""Documents that are looked up in the store, and written to it, at once."""
SLICE_S = 0.015
"""So long texts are encoded before searches are looked at, or one text if that takes longer."""
PATIENCE_S = 0.1
"""So long searches are given way to, between two slices."""
SEARCHED_S, HELD_BACK = 1.0, 3.0
"""For so long after a search a slice is followed by a pause that is so many times as long."""
MAX_WANTED = 100_000
ROOM_S = 3600.0
T = TypeVar("T")
Text = tuple[DocumentId, str]
log = logging.getLogger(__name__)


class Loaded(Protocol):
    """A model, and the name of what makes its vectors."""

    @property
    def encoder(self) -> "Encoder":
        """What makes vectors."""
        ...

    @property
    def name(self) -> str:
        """Vectors of another name are of no use to it."""
        ...


class Meanings:
    """What is searched, until there are vectors of all of it. ``run`` has to run.

    ``load`` is called in a thread; without it there are no vectors.
    """

    def __init__(
        self,
        indexing: Indexing,
        kept: KeptVectors,
        load: Callable[[], Loaded] | None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._indexing, self._kept, self._load, self._clock = indexing, kept, load, clock
        self._wanted: OrderedDict[PartitionKey, None] = OrderedDict()  # the first one last
        self._filled = asyncio.Event()
        self._loaded: Loaded | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="memory.meaning")
        self._room_s = self._searched_s = 0.0
        self._taken = self._scrubbed = 0
        self.made = 0
        """Vectors that were made here."""
        self.found = 0
        """Vectors that were found in the store."""

    @property
    def in_use(self) -> bool:
        """Whether the model is loaded, so that searches find by meaning."""
        return self._loaded is not None

    @property
    def wanted(self) -> int:
        """In how many partitions there may be something without vectors."""
        return len(self._wanted)

    def want(self, keys: Sequence[PartitionKey]) -> None:
        """Have vectors of these, before what was wanted earlier; of the first one first."""
        if self._load is None:
            return
        self._searched_s = time.monotonic()
        for key in reversed(keys):
            self._wanted[key] = None
            self._wanted.move_to_end(key)
        while len(self._wanted) > MAX_WANTED:
            self._wanted.popitem(last=False)
        if keys:
            self._filled.set()

    async def forget(self, key: PartitionKey, ids: Collection[str]) -> None:
        """Return when the store keeps nothing of these but in files. Raises DomainError."""
        self._taken += await self._kept.forget(key, ids, self._now_us())

    async def scrub(self) -> None:
        """Return when files have nothing of what was forgotten here, as far as can be.

        Where nothing was kept of it, they had nothing: a log is read for search again after each
        start, with all that was erased there long ago.
        """
        taken = self._taken
        if self._scrubbed < taken:
            await self._kept.scrub()
            self._scrubbed = max(self._scrubbed, taken)

    async def run(self) -> None:
        """Make vectors of what is wanted, until cancelled."""
        try:
            while True:
                await self._filled.wait()
                if not self._wanted:
                    self._filled.clear()
                    continue
                key = next(reversed(self._wanted))
                if not await self._went_on(key):
                    self._wanted.pop(key, None)
        finally:
            self._thread.shutdown(wait=False, cancel_futures=True)

    async def _went_on(self, key: PartitionKey) -> bool:
        """Make some; says whether there may be more."""
        try:
            if self._loaded is None and not await self._has_loaded():
                self._wanted.clear()
                return False
            return await self._turn(key)
        except DomainError as error:
            log.warning("%s is found by its words alone for now: %s", key, error)
        except Exception:  # a defect of one partition must not keep others away
            log.exception("%s is found by its words alone for now", key)
        return False

    async def _has_loaded(self) -> bool:
        if self._load is None:
            return False
        begun_s = time.monotonic()
        try:
            loaded = await self._in_thread(self._load)
        except (OSError, ImportError, RuntimeError) as error:
            log.warning("search finds by words alone: its model can't be loaded: %s", error)
            self._load = None
            await self._indexing.do(lambda index: index.use(None))
            return False
        await self._indexing.do(lambda index: index.use(loaded.encoder))
        self._loaded = loaded
        log.info("search finds by meaning: loaded in %.2f s", time.monotonic() - begun_s)
        return True

    async def _turn(self, key: PartitionKey) -> bool:
        texts = await self._indexing.do(lambda index: index.waiting(key, AT_ONCE))
        if not texts:
            return False
        found = await self._taken_from_store(key, texts)
        self.found += len(found)
        await self._encode(key, [it for it in texts if it[0] not in found])
        await self._make_room()
        return True

    async def _taken_from_store(
        self, key: PartitionKey, texts: Sequence[Text]
    ) -> Collection[DocumentId]:
        digests = {str(it): _digest(text) for it, text in texts}
        found = await self._kept.find(key, self._model, digests)
        if not found:
            return ()
        packed = {DocumentId(it): of for it, of in found.items()}
        said = dict(texts)
        await self._indexing.do(lambda index: index.unpack_vectors(key, packed, said))
        await self._kept.used(key, self._now_us())
        return packed.keys()

    async def _encode(self, key: PartitionKey, texts: Sequence[Text]) -> None:
        """Make vectors of these, and keep them; until something else is wanted more."""
        made, at = list[tuple[str, bytes, bytes]](), 0
        said = dict(texts)
        while at < len(texts) and next(reversed(self._wanted), key) == key:
            await self._indexing.quiet(PATIENCE_S)
            those, hold_s = await self._in_thread(lambda left=texts[at:]: self._encoded(left))  # type: ignore[misc]
            at += len(those)
            packed = await self._indexing.do(lambda index, it=those: index.put_vectors(key, it))  # type: ignore[misc]
            made += ((str(it), _digest(said[it]), of) for it, of in packed.items())
            await asyncio.sleep(min(hold_s, PATIENCE_S))
        self.made += len(made)
        if made:
            await self._kept.keep(key, self._model, made, self._now_us())

    def _encoded(
        self, texts: Sequence[Text]
    ) -> "tuple[list[tuple[DocumentId, str, Encoded]], float]":
        """Of as many as there is time for, one at least; and how long others go first then.

        That is as long as a processor was waited for, since others wait for them as well; and while
        somebody searches a few times as long as all took, so that few searches meet with it.
        """
        assert self._loaded is not None
        begun_s, used_s = time.monotonic(), time.thread_time()
        encode, until_s, made = self._loaded.encoder.encode, begun_s + SLICE_S, []
        for document_id, text in texts:
            made.append((document_id, text, encode(text)))
            if time.monotonic() >= until_s:
                break
        took_s, used_s = time.monotonic() - begun_s, time.thread_time() - used_s
        is_searched = begun_s - self._searched_s < SEARCHED_S
        return made, took_s - used_s + HELD_BACK * took_s * is_searched

    async def _make_room(self) -> None:
        now_s = self._clock()
        if now_s - self._room_s >= ROOM_S:
            self._room_s = now_s
            await self._kept.make_room(self._now_us())

    @property
    def _model(self) -> str:
        return self._loaded.name if self._loaded is not None else ""

    def _now_us(self) -> int:
        return int(self._clock() * 1e6)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()[:16]
