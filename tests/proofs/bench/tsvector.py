"""The same searches by Postgres' full text: what search would take if it were asked there."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from antiphon.context.v1.message_pb2 import Message
from tests.proofs.bench.figures import percentile

_RANKED = """
SELECT conversation_id, message_id, ts_rank_cd(words, query) AS score
FROM said, to_tsquery('simple', $1) query
WHERE words @@ query AND conversation_id = ANY($2)
ORDER BY score DESC LIMIT 10
"""


@dataclass(frozen=True, slots=True)
class Matching:
    """What it took. The words are as they are: a column has one language, and texts have four."""

    build_s: float
    size_mb: float
    p50_ms: float
    p95_ms: float


async def matching(url: str, queries: Sequence[str]) -> Matching:
    """Put the texts of a filled, listed store into a table with an index of words, and search."""
    import asyncpg

    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch(
            "SELECT conversation_id, message_id, content FROM context_messages"
        )
        texts = [(it[0], it[1], _text(it[2])) for it in rows]
        begun = time.perf_counter()
        await connection.execute(
            "CREATE TABLE said (conversation_id text, message_id text, text text, words tsvector"
            " GENERATED ALWAYS AS (to_tsvector('simple', text)) STORED)"
        )
        await connection.copy_records_to_table(
            "said", records=texts, columns=("conversation_id", "message_id", "text")
        )
        await connection.execute("CREATE INDEX said_words ON said USING gin (words)")
        await connection.execute("ANALYZE said")
        build_s = time.perf_counter() - begun
        readable = sorted({conversation for conversation, _, _ in texts})
        took_ms = [await _took_ms(connection, query, readable) for query in queries]
        size = await connection.fetchval(
            "SELECT pg_relation_size('said_words') + (SELECT sum(pg_column_size(words)) FROM said)"
        )
    finally:
        await connection.close()
    p50, p95 = (percentile(took_ms, percent) for percent in (50, 95))
    return Matching(build_s, float(size) / 1e6, p50, p95)


async def _took_ms(connection: object, query: str, readable: Sequence[str]) -> float:
    any_word = " | ".join(query.split())
    begun = time.perf_counter()
    await connection.fetch(_RANKED, any_word, readable)  # type: ignore[attr-defined]
    return (time.perf_counter() - begun) * 1000


def _text(content: bytes) -> str:
    message = Message.FromString(content)
    return "\n".join(part.text for part in message.parts if part.HasField("text"))
