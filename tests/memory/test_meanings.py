"""Vectors are made in the background, once, and of nothing that is forgotten."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from antiphon_server.memory.adapters.sql_vectors import SqlVectors
from antiphon_server.memory.adapters.tables import metadata
from antiphon_server.memory.index import DocumentId, Hit, PartitionKey, Query
from antiphon_server.memory.index.encoder import Encoded
from antiphon_server.memory.search.indexing import Indexing
from antiphon_server.memory.search.meanings import AT_ONCE, Meanings
from antiphon_server.memory.search.minilm import Model
from antiphon_server.runtime.storage.sqlite import SqliteDatabase
from tests.e2e.until import until
from tests.fakes.databases import opened_sqlite, sqlite_in
from tests.memory.index.fake_encoder import FakeEncoder
from tests.memory.index.indexed import HERE, THERE, messages

TEXTS = [f"heron {number} flies over the lake" for number in range(2 * AT_ONCE + 5)]


class Slow(FakeEncoder):
    """One that takes its time, and tells what it was given."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds, self.given = seconds, list[str]()

    def encode(self, text: str) -> Encoded:
        self.given.append(text)
        time.sleep(self.seconds)
        return super().encode(text)


@dataclass
class Server:
    """What a server makes vectors with."""

    indexing: Indexing
    meanings: Meanings
    encoder: Slow
    loaded: int = 0

    def load(self) -> Model:
        """The model."""
        self.loaded += 1
        return Model(self.encoder, "fake/1")

    async def read(self, key: PartitionKey, texts: Sequence[str]) -> None:
        """Have these in the index."""
        documents = messages(*texts)
        await self.indexing.do(lambda index: index.extend(key, documents))

    async def found(self, query: str, *keys: PartitionKey) -> list[Hit]:
        """What a search finds."""
        return await self.indexing.do(lambda index: index.search(Query(query), keys))

    async def is_done(self) -> None:
        """Wait until nothing is wanted."""
        await until(lambda: not self.meanings.wanted)


@pytest.fixture
async def database() -> AsyncIterator[SqliteDatabase]:
    async with opened_sqlite(metadata) as opened:
        yield opened


@asynccontextmanager
async def server_on(
    database: SqliteDatabase, encoder: Slow | None = None, fails: Exception | None = None
) -> AsyncIterator[Server]:
    """One more server on a database."""
    indexing = Indexing(by_meaning=True)

    def load() -> Model:
        if fails is not None:
            raise fails
        return server.load()

    meanings = Meanings(indexing, SqlVectors(database), load)
    server = Server(indexing, meanings, encoder or Slow())
    making = asyncio.create_task(meanings.run())
    try:
        yield server
    finally:
        making.cancel()
        await asyncio.wait([making])
        indexing.close()


async def test_what_was_searched_is_found_by_meaning_then(database: SqliteDatabase) -> None:
    """Before that by its words, and nothing is loaded before it is wanted."""
    async with server_on(database) as server:
        await server.read(HERE, TEXTS)
        (first, *_) = await server.found("heron 7", HERE)
        assert "meaning" not in first.parts
        assert (server.loaded, server.meanings.in_use) == (0, False)
        server.meanings.want([HERE])
        await server.is_done()
        assert (server.loaded, server.meanings.in_use) == (1, True)
        assert server.meanings.made == len(TEXTS)
        (first, *_) = await server.found("heron 7", HERE)
        assert first.document_id == "m7"
        assert first.parts["meaning"] > 0


async def test_another_server_takes_what_was_made(database: SqliteDatabase) -> None:
    """After a start, too: it ranks the same, and makes only what is new."""
    async with server_on(database) as first:
        await first.read(HERE, TEXTS)
        first.meanings.want([HERE])
        await first.is_done()
        before = await first.found("heron 7", HERE)
    async with server_on(database) as second:
        await second.read(HERE, TEXTS)
        second.meanings.want([HERE])
        await second.is_done()
        assert await second.found("heron 7", HERE) == before
        assert second.encoder.given == ["heron 7"]  # the query
        await second.read(HERE, [*TEXTS, "an otter"])
        second.meanings.want([HERE])
        await second.is_done()
        assert second.meanings.made == 1


async def test_what_was_wanted_last_comes_first(database: SqliteDatabase) -> None:
    """Of it the newest; what was begun goes on then."""
    async with server_on(database, Slow(0.005)) as server:
        await server.read(HERE, TEXTS)
        await server.read(THERE, [f"otter {number}" for number in range(9)])
        server.meanings.want([HERE])
        await until(lambda: bool(server.encoder.given))
        server.meanings.want([THERE])
        await server.is_done()
        given = server.encoder.given
        assert given[0] == TEXTS[-1]
        assert given.index("otter 8") < AT_ONCE
        assert given.index("otter 8") < given.index("otter 0")
        assert sorted(given) == sorted([*TEXTS, *(f"otter {number}" for number in range(9))])


async def test_searches_go_on_while_a_text_is_encoded(database: SqliteDatabase) -> None:
    """However long it takes: none waits for the model."""
    async with server_on(database, Slow(0.3)) as server:
        await server.read(HERE, TEXTS[:4])
        server.meanings.want([HERE])
        await until(lambda: bool(server.encoder.given))
        begun_s = time.monotonic()
        for _ in range(5):
            assert await server.found("heron", HERE)
        assert time.monotonic() - begun_s < 0.25


@pytest.mark.parametrize("error", [OSError("no file"), ImportError("no engine")])
async def test_without_the_model_words_alone_count(
    database: SqliteDatabase, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    """It is told once, and no text is kept for it."""
    async with server_on(database, fails=error) as server:
        await server.read(HERE, TEXTS)
        server.meanings.want([HERE])
        await server.is_done()
        server.meanings.want([HERE])
        assert server.meanings.wanted == 0
        assert await server.found("heron 7", HERE)
        assert await server.indexing.do(lambda index: index.waiting(HERE, 1)) == []
    assert caplog.text.count("words alone: its model can't be loaded") == 1


async def test_nothing_is_kept_of_what_is_forgotten(tmp_path: Path) -> None:
    """No byte of its vectors is in the file, though a server was just making them."""
    async with (
        sqlite_in(tmp_path / "store.db", metadata) as database,
        server_on(database) as server,
    ):
        await server.read(HERE, TEXTS[:3])
        server.meanings.want([HERE])
        await server.is_done()
        gone, stays = [DocumentId(it) for it in ("m0", "m1")]
        packed = await server.indexing.do(lambda index: index.packed_vectors(HERE, [gone, stays]))
        await server.meanings.forget(HERE, ["m0"])
        await server.meanings.scrub()
        written = await asyncio.to_thread(_written, tmp_path)
        assert packed[stays][:64] in written
        assert packed[gone][:64] not in written
        await server.read(HERE, TEXTS[:3])  # one that has not heard of it yet
        server.meanings.want([HERE])
        await server.is_done()
        written = await asyncio.to_thread(_written, tmp_path)
        assert packed[gone][:64] not in written


async def test_files_are_scrubbed_of_what_was_kept_alone(database: SqliteDatabase) -> None:
    """Nothing is rewritten for what was forgotten before, or had no vector."""
    scrubs = list[float]()

    class Counting(SqlVectors):
        async def scrub(self) -> None:
            scrubs.append(time.monotonic())
            await super().scrub()

    kept = Counting(database)
    await kept.keep(HERE, "fake/1", [("m0", b"0" * 16, b"v")], 1)
    indexing = Indexing()
    meanings = Meanings(indexing, kept, None)
    for ids, count in ((["m1"], 0), (["m0", "m1"], 1), (["m0", "m1"], 1)):
        await meanings.forget(HERE, ids)
        await meanings.scrub()
        assert len(scrubs) == count
    indexing.close()


def _written(folder: Path) -> bytes:
    """All bytes of the database's files."""
    return b"".join(it.read_bytes() for it in folder.iterdir())
