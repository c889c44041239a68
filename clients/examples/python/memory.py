"""A memory of one's own, which finds by parts of words (docs/guides/own-memory.md)."""

import asyncio
import os
import sqlite3
import uuid

import grpc

from antiphon.memory.v1 import external_memory_service_pb2 as messages
from antiphon.memory.v1 import external_memory_service_pb2_grpc as services

MOST_BYTES = 8 * 1024 * 1024
TABLES = """
CREATE TABLE IF NOT EXISTS store (store_id TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS memories (
  memory_id TEXT PRIMARY KEY, scope TEXT NOT NULL, revision INTEGER NOT NULL, text TEXT
);
CREATE INDEX IF NOT EXISTS memories_of_scope ON memories (scope);
"""


class Archive(services.ExternalMemoryServiceServicer):
    """Keeps what it is told in a file of SQLite; what was forgotten leaves its revision alone."""

    def __init__(self, path: str) -> None:
        self._store = sqlite3.connect(path)
        self._store.execute("PRAGMA secure_delete = ON")
        self._store.executescript(TABLES)
        if self._store.execute("SELECT 1 FROM store").fetchone() is None:
            self._store.execute("INSERT INTO store VALUES (?)", [uuid.uuid4().hex])
            self._store.commit()

    async def Describe(self, request, context):
        """Say which store this is: an empty one has a new name, so it is told everything."""
        (store_id,) = self._store.execute("SELECT store_id FROM store").fetchone()
        return messages.ExternalMemoryServiceDescribeResponse(store_id=store_id)

    async def Remember(self, request, context):
        """Keep all of it, or nothing; what comes again, or late, changes nothing."""
        rows = [
            (it.memory_id, it.scope, it.revision, it.put.text if it.HasField("put") else None)
            for it in request.changes
        ]
        with self._store:
            self._store.executemany(
                "INSERT INTO memories VALUES (?, ?, ?, ?) ON CONFLICT (memory_id) DO UPDATE"
                " SET revision = excluded.revision, text = excluded.text"
                " WHERE revision < excluded.revision",
                rows,
            )
        return messages.ExternalMemoryServiceRememberResponse()

    async def Search(self, request, context):
        """Find memories that share groups of three letters with the query, the most first."""
        asked = grams(request.query)
        marks = ", ".join("?" * len(request.scopes))
        rows = self._store.execute(
            f"SELECT memory_id, text FROM memories WHERE text IS NOT NULL AND scope IN ({marks})",
            list(request.scopes),
        )
        scored = [(alike(asked, grams(text)), memory_id, text) for memory_id, text in rows]
        best = sorted((it for it in scored if it[0] > 0), reverse=True)[: request.limit]
        answer = messages.ExternalMemoryServiceSearchResponse()
        for score, memory_id, text in best:
            answer.hits.add(memory_id=memory_id, text=text, score=score)
        return answer

    async def FindForgotten(self, request, context):
        """Say of which anything is left."""
        marks = ", ".join("?" * len(request.memory_ids))
        rows = self._store.execute(
            f"SELECT memory_id FROM memories WHERE text IS NOT NULL AND memory_id IN ({marks})",
            list(request.memory_ids),
        )
        left = [memory_id for (memory_id,) in rows]
        return messages.ExternalMemoryServiceFindForgottenResponse(still_there=left)


def grams(text: str) -> set[str]:
    """All groups of three letters, so that "Lyoner" is near "Lyon"."""
    said = f"  {text.casefold()} "
    return {said[at : at + 3] for at in range(len(said) - 2)}


def alike(one: set[str], other: set[str]) -> float:
    """How much two have in common, from 0 to 1 (Jaccard)."""
    return len(one & other) / len(one | other)


async def main() -> None:
    """Serve until somebody ends it."""
    server = grpc.aio.server(options=[("grpc.max_receive_message_length", MOST_BYTES)])
    archive = Archive(os.environ.get("ARCHIVE", "archive.db"))
    services.add_ExternalMemoryServiceServicer_to_server(archive, server)
    server.add_insecure_port(f"127.0.0.1:{os.environ.get('PORT', '50052')}")
    await server.start()
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(main())
