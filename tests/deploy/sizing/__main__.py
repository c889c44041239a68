"""``python -m tests.deploy.sizing``: what a post, a turn and an event cost Postgres and Redis.

Two servers on one Postgres (fsync on) and one Redis; one person, who posts and has turns. What is
measured is bytes, counts and shares, not times: another machine gives the same. Written into
docs/benchmarks/sizing.json and the table of docs/guides/sizing.md.
"""

import asyncio
import json
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import psutil
from redis.asyncio import Redis

from antiphon_client import Client
from tests.deploy.sizing.page import FIGURES, PAGE, written_into
from tests.e2e.process import all_of
from tests.e2e.server import ServerProcess
from tests.proofs.bench.meshes import Secret, stores

SERVERS = 2
POSTS, TURNS, DELTAS = 400, 40, 100
TEXT = "What is the airspeed velocity of an unladen swallow, roughly? Say how you know it. " * 2
HEARD = "{}: processor time of each other server, % of this one's"
IDLE_S = 8.0
SETTLED_S = 2.0
MODEL = {
    "name": "scripted/count",
    "kind": "scripted",
    "script": {"deltas": DELTAS, "gap_ms": 3},
    "input_price_micros": 150_000,
    "output_price_micros": 600_000,
}


@dataclass(frozen=True, slots=True)
class Counted:
    """What the stores have counted so far, and when (seconds of the monotonic clock)."""

    at: float
    rows: dict[str, int]
    data_bytes: int
    wal_bytes: int
    commits: int
    redis_messages: int
    redis_bytes: int


@dataclass(frozen=True, slots=True)
class Stores:
    """Connections of our own to both."""

    postgres: asyncpg.Connection
    redis: Redis

    async def counted(self) -> Counted:
        """All of it, when statistics have been written."""
        await asyncio.sleep(SETTLED_S)
        await self.postgres.execute("ANALYZE")
        rows = await self.postgres.fetch(
            "SELECT relname, reltuples::bigint n FROM pg_class c JOIN pg_namespace s "
            "ON s.oid = relnamespace WHERE nspname = 'public' AND relkind = 'r'"
        )
        size, wal, commits = await self.postgres.fetchrow(
            "SELECT pg_database_size(current_database()), "
            "pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint, "
            "(SELECT xact_commit FROM pg_stat_database WHERE datname = current_database())"
        )
        info = await self.redis.info("all")
        published = info.get("cmdstat_publish", {}).get("calls", 0)
        sent = info["total_net_output_bytes"] + info["total_net_input_bytes"]
        named = {row["relname"]: max(row["n"], 0) for row in rows}
        return Counted(time.monotonic(), named, size, wal, commits, published, sent)

    async def kept_bytes(self) -> int:
        """What is left of the data when all that is dead is away."""
        await self.postgres.execute("VACUUM FULL")
        return int(await self.postgres.fetchval("SELECT pg_database_size(current_database())"))

    async def connections(self) -> int:
        """Of servers to Postgres, now."""
        query = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
        return int(await self.postgres.fetchval(query)) - 1


async def run(home: Path) -> dict[str, float]:
    """Measure; figures by their names."""
    async with _started(home) as (held, servers):
        async with servers[0].client() as client:
            made = await client.create_conversation("measured")
            conversation = made.conversation_id
            await _posts(client, conversation, 50)  # what is made at first use is no part of it
            kept = [await held.kept_bytes()]
            idle = await held.counted()
            await asyncio.sleep(IDLE_S)
            begun = await held.counted()
            worked = _processor_s(servers)
            await _posts(client, conversation, POSTS)
            heard = {HEARD.format("post"): _share(worked, _processor_s(servers))}
            posted = await held.counted()
            kept.append(await held.kept_bytes())
            turns = (await client.create_conversation("turns")).conversation_id
            before = await held.counted()
            worked = _processor_s(servers)
            await _turns(client, turns)
            heard[HEARD.format("turn")] = _share(worked, _processor_s(servers))
            done = await held.counted()
            kept.append(await held.kept_bytes())
        calm = _calm(idle, begun)
        return {
            **{f"idle server: {name} a second": value / SERVERS for name, value in calm.items()},
            "server: connections": await held.connections() / SERVERS,
            "post: data bytes that stay": (kept[1] - kept[0]) / POSTS,
            "turn: data bytes that stay": (kept[2] - kept[1]) / TURNS,
            **_each("post", begun, posted, POSTS, calm),
            **_each("turn", before, done, TURNS, calm),
            **heard,
        }


@asynccontextmanager
async def _started(home: Path) -> AsyncIterator[tuple[Stores, list[ServerProcess]]]:
    async with stores(home) as both:
        variables = await both.variables("sizing")
        urls = variables["ANTIPHON_DATABASE_URL"], variables["ANTIPHON_REDIS_URL"]
        variables["ANTIPHON_SECRET_KEY"] = Secret().text
        variables["ANTIPHON_RATE_LIMITS"] = '{"enabled": false}'
        servers = [
            ServerProcess(home / str(number), models=[MODEL], variables=variables)
            for number in range(SERVERS)
        ]
        async with all_of(servers), Redis.from_url(urls[1]) as client:
            connection = await asyncpg.connect(urls[0])
            yield Stores(connection, client), servers
            await connection.close()


async def _posts(client: Client, conversation: str, count: int) -> None:
    """One after the other, each with a commit of its own: the dearest way."""
    for _ in range(count):
        await client.post_message(conversation, TEXT)


async def _turns(client: Client, conversation: str) -> None:
    async with client.converse(conversation) as talk:
        for _ in range(TURNS):
            turn = await talk.post(TEXT)
            await turn.result()


def _processor_s(servers: list[ServerProcess]) -> list[float]:
    times = [psutil.Process(server.pid).cpu_times() for server in servers]
    return [each.user + each.system for each in times]


def _share(before: list[float], after: list[float]) -> float:
    """What the second server did, who only hears of it, in percent of the first one's work."""
    first, second = (end - begin for begin, end in zip(before, after, strict=True))
    return 100 * second / first


def _calm(before: Counted, after: Counted) -> dict[str, float]:
    """What all servers do a second while nobody asks anything."""
    seconds = after.at - before.at
    return {name: (_count(after)[name] - at) / seconds for name, at in _count(before).items()}


def _each(
    name: str, before: Counted, after: Counted, count: int, calm: dict[str, float]
) -> dict[str, float]:
    """Of one such thing, without what goes on anyway."""
    seconds = after.at - before.at
    rows = {
        f"{name}: rows of {table}": (rows - before.rows.get(table, 0)) / count
        for table, rows in after.rows.items()
    }
    counts = {
        f"{name}: {what}": max((_count(after)[what] - at - calm[what] * seconds) / count, 0)
        for what, at in _count(before).items()
    }
    return {
        **{key: value for key, value in rows.items() if value > 0.2},
        f"{name}: data bytes, before any vacuum": (after.data_bytes - before.data_bytes) / count,
        **counts,
    }


def _count(counted: Counted) -> dict[str, int]:
    return {
        "WAL bytes": counted.wal_bytes,
        "commits": counted.commits,
        "Redis messages": counted.redis_messages,
        "Redis bytes": counted.redis_bytes,
    }


def main() -> None:
    """Run it as a command."""
    with tempfile.TemporaryDirectory(prefix="antiphon-sizing-") as home:
        found = asyncio.run(run(Path(home)))
    rounded = {name: float(f"{it:.3g}") for name, it in found.items()}
    FIGURES.write_text(json.dumps(rounded, indent=1) + "\n")
    PAGE.write_text(written_into(PAGE.read_text()))


if __name__ == "__main__":
    main()
